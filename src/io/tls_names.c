#include "io/tls_names.h"

#include "base/check.h"

#include <coho/error.h>
#include <string.h>

enum { NAME_MOST = 255 }; /* RFC 1035 2.3.4 */

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

/* In lower case, without the dot of the root; empty: no name. */
static struct coho__view normal(char dst[NAME_MOST], const char *name, size_t len) {
  if (len && name[len - 1] == '.') len--;
  if (len > NAME_MOST || memchr(name, '\0', len)) len = 0;
  for (size_t i = 0; i < len; i++)
    dst[i] = lower(name[i]);
  return (struct coho__view){dst, len};
}

static int add(struct coho__map *names, const ASN1_STRING *s, void *value) {
  char text[NAME_MOST];
  struct coho__view name =
      normal(text, (const char *)ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
  int err = name.len ? coho__map_add(names, name, value) : 0;
  return err == COHO_EEXISTS ? 0 : err;
}

static int add_common(struct coho__map *names, const X509 *leaf, void *value) {
  const X509_NAME *subject = X509_get_subject_name(leaf);
  int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return 0;
  return add(names, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)), value);
}

int coho__tls_names_add(struct coho__map *names, X509 *leaf, void *value) {
  int err = 0;
  bool found = false;
  GENERAL_NAMES *list = (GENERAL_NAMES *)X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
  for (int i = 0; !err && i < sk_GENERAL_NAME_num(list); i++) {
    const GENERAL_NAME *g = sk_GENERAL_NAME_value(list, i);
    if (g->type != GEN_DNS) continue;
    found = true;
    err = add(names, g->d.dNSName, value);
  }
  GENERAL_NAMES_free(list);
  return err || found ? err : add_common(names, leaf, value);
}

void *coho__tls_names_find(const struct coho__map *names, const char *host) {
  char text[NAME_MOST];
  struct coho__view name = normal(text, host, strlen(host));
  /* The star of a certificate is no label that a client may ask for. */
  if (!name.len || memchr(name.data, '*', name.len)) return NULL;
  void *value = coho__map_get(names, name);
  const char *dot = (const char *)memchr(name.data, '.', name.len);
  if (value || !dot || dot == name.data) return value;
  size_t rest = name.len - (size_t)(dot - name.data);
  text[dot - name.data - 1] = '*';
  return coho__map_get(names, (struct coho__view){dot - 1, rest + 1});
}
