/* URLs for connecting and for listening: what was read, written down again, is read as the same. */
#include "proto/url.h"

#include "proto/chars.h"
#include "proto/host.h"
#include "support/claim.h"
#include "support/input.h"
#include "support/memory.h"
#include "support/tape.h"

#include <coho/error.h>
#include <string.h>

static void claim_parts(const struct coho__url *url, enum coho__url_mode mode) {
  struct coho__view host = coho__view_of(url->host), target = coho__view_of(url->target);
  bool listen = mode == COHO_URL_LISTEN || mode == COHO_URL_LISTEN_ANY;
  CLAIM(host.len > 0 || listen);
  CLAIM(url->port > 0 || listen);
  CLAIM(!url->file || mode == COHO_URL_LISTEN_ANY || mode == COHO_URL_CONNECT_ANY);
  CLAIM(!url->file || (url->file[0] == '/' && strlen(url->file) < 108 && !strchr(url->file, ':')));
  if (url->ipv6) CLAIM(coho__host_is_ipv6(host));
  for (size_t i = 0; i < host.len; i++)
    CLAIM(host.data[i] > ' ' && host.data[i] < 0x7f && (host.data[i] < 'A' || host.data[i] > 'Z'));
  CLAIM(target.len > 0 && target.data[0] == '/');
  CLAIM(coho__chars_all(COHO_CHAR_TARGET, target));
}

static void write_url(struct tape *t, const struct coho__url *url) {
  char *authority = (char *)malloc(strlen(url->host) + 9);
  CLAIM(authority != NULL);
  CLAIM(coho__url_authority(url, authority) == authority);
  tape_print(t, url->secure ? "wss" : "ws");
  if (url->file)
    tape_print(t, "+unix:%s:", url->file);
  else
    tape_print(t, "://%s", authority);
  tape_bytes(t, url->target, strlen(url->target) + 1);
  free(authority);
}

static void check(const char *text, enum coho__url_mode mode) {
  struct coho__url url, again;
  const char *why = text;
  struct tape written = {NULL, 0, 0};
  int err = coho__url_parse(&url, text, mode, &why);
  CLAIM((err == 0) == (why == NULL) && (err == 0 || err == COHO_EURL));
  if (err) return;
  claim_parts(&url, mode);
  write_url(&written, &url);
  CLAIM(coho__url_parse(&again, written.data, mode, &why) == 0);
  CLAIM(strcmp(url.host, again.host) == 0 && strcmp(url.target, again.target) == 0);
  CLAIM((url.file != NULL) == (again.file != NULL));
  CLAIM(!url.file || strcmp(url.file, again.file) == 0);
  CLAIM(url.port == again.port && url.secure == again.secure && url.ipv6 == again.ipv6);
  coho__url_free(&again);
  coho__url_free(&url);
  tape_free(&written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *text = input_text((struct input){data, size});
  memory_fail_at(0);
  check(text, COHO_URL_CONNECT);
  check(text, COHO_URL_LISTEN);
  check(text, COHO_URL_CONNECT_ANY);
  check(text, COHO_URL_LISTEN_ANY);
  memory_claim_empty();
  free(text);
  return 0;
}
