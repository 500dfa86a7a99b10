#include "support/certs.h"

#include <dirent.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DAY = 24 * 60 * 60, PATHS = 64, PATH_TEXT = 256 };

static void need(bool fine, const char *what) {
  if (fine) return;
  fprintf(stderr, "certs: %s failed\n", what);
  ERR_print_errors_fp(stderr);
  abort();
}

/* ---- certificates --------------------------------------------------------------------------- */

static void add(X509 *x, X509 *issuer, int nid, const char *value) {
  X509V3_CTX ctx;
  if (!value) return;
  X509V3_set_ctx_nodb(&ctx);
  X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
  X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
  need(e && X509_add_ext(x, e, -1), value);
  X509_EXTENSION_free(e);
}

void cert_make(struct cert *c, const struct cert_spec *spec) {
  static long serial;
  *c = (struct cert){.x = X509_new(), .issuer = spec->issuer};
  c->key = spec->rsa ? EVP_RSA_gen((unsigned)spec->rsa) : EVP_EC_gen("P-256");
  need(c->x && c->key, "a key");
  const struct cert *issuer = spec->issuer ? spec->issuer : c;
  X509_NAME *name = X509_get_subject_name(c->x);
  int days = spec->days ? spec->days : 30;
  int starts = spec->starts ? spec->starts : days < 0 ? days - 30 : -1;
  X509_set_version(c->x, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(c->x), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(c->x), (long)starts * DAY);
  X509_gmtime_adj(X509_getm_notAfter(c->x), (long)days * DAY);
  if (spec->name)
    need(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)spec->name,
                                    -1, -1, 0),
         spec->name);
  X509_set_pubkey(c->x, c->key);
  X509_set_issuer_name(c->x, X509_get_subject_name(issuer->x));
  add(c->x, issuer->x, NID_basic_constraints, spec->authority ? "critical,CA:TRUE" : "CA:FALSE");
  add(c->x, issuer->x, NID_subject_key_identifier, "hash");
  add(c->x, issuer->x, NID_subject_alt_name, spec->alt);
  need(X509_sign(c->x, issuer->key, EVP_sha256()) > 0, "signing");
}

void cert_free(struct cert *c) {
  X509_free(c->x);
  EVP_PKEY_free(c->key);
  *c = (struct cert){NULL, NULL, NULL};
}

/* ---- files ---------------------------------------------------------------------------------- */

static char folder[64];
static char paths[PATHS][PATH_TEXT];
static size_t count;

const char *certs_path(const char *name) {
  char path[PATH_TEXT];
  if (!*folder) {
    snprintf(folder, sizeof folder, "/tmp/coho-certs-XXXXXX");
    need(mkdtemp(folder) != NULL, folder);
  }
  snprintf(path, sizeof path, "%s/%s", folder, name);
  for (size_t i = 0; i < count; i++)
    if (!strcmp(paths[i], path)) return paths[i];
  need(count < PATHS, "another path");
  memcpy(paths[count], path, sizeof path);
  return paths[count++];
}

/* In one step: it may be read meanwhile. */
static FILE *open_beside(const char *path, char beside[PATH_TEXT + 8]) {
  snprintf(beside, PATH_TEXT + 8, "%s.new", path);
  FILE *f = fopen(beside, "w");
  need(f != NULL, beside);
  return f;
}

static const char *put_in_place(FILE *f, const char *beside, const char *path) {
  need(fclose(f) == 0 && rename(beside, path) == 0, path);
  return path;
}

const char *certs_text(const char *name, const char *text) {
  char beside[PATH_TEXT + 8];
  const char *path = certs_path(name);
  FILE *f = open_beside(path, beside);
  need(fputs(text, f) >= 0, name);
  return put_in_place(f, beside, path);
}

const char *certs_cert(const char *name, const struct cert *c) {
  char beside[PATH_TEXT + 8];
  const char *path = certs_path(name);
  FILE *f = open_beside(path, beside);
  need(PEM_write_X509(f, c->x), name);
  while ((c = c->issuer) && c->issuer)
    need(PEM_write_X509(f, c->x), name);
  return put_in_place(f, beside, path);
}

const char *certs_key(const char *name, const struct cert *c) {
  char beside[PATH_TEXT + 8];
  const char *path = certs_path(name);
  FILE *f = open_beside(path, beside);
  need(PEM_write_PrivateKey(f, c->key, NULL, NULL, 0, NULL, NULL), name);
  return put_in_place(f, beside, path);
}

void certs_clean(void) {
  char path[sizeof folder + 260];
  DIR *d = *folder ? opendir(folder) : NULL;
  struct dirent *e;
  while (d && (e = readdir(d))) {
    snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
    (void)unlink(path);
  }
  if (d) closedir(d);
  if (*folder) (void)rmdir(folder);
  folder[0] = '\0';
  count = 0;
}
