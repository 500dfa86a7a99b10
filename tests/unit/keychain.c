#include "keychain.h"

#include "support/certs.h"
#include "topics/token.h"

#include <coho/log.h>
#include <openssl/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const uint64_t NOW = 1700000000000;

const struct token_key signer = {NULL, SECRET}, other = {NULL, OTHER};
struct token_key rsa, ec;
unsigned complaints;
char complaint[512];

static void on_log(void *ctx, int level, const char *line) {
  (void)ctx;
  (void)level;
  complaints++;
  (void)snprintf(complaint, sizeof complaint, "%s", line);
}

int keychain_setup(void **state) {
  (void)state;
  rsa.pkey = token_rsa(2048);
  ec.pkey = token_ec("P-256");
  coho_set_log(on_log, NULL, COHO_LOG_WARN);
  return 0;
}

int keychain_teardown(void **state) {
  (void)state;
  EVP_PKEY_free(rsa.pkey);
  EVP_PKEY_free(ec.pkey);
  certs_clean();
  return 0;
}

coho_keys *keys_new(void) {
  coho_keys *k = NULL;
  complaints = 0;
  assert_int_equal(coho_keys_new(NULL, &k), 0);
  return k;
}

coho_key_source source_of(uint64_t kind, const char *text) {
  return (coho_key_source){.kind = kind, .data = text, .len = strlen(text)};
}

void add(coho_keys *k, const coho_key_source *source) {
  char why[256] = "before";
  if (coho_keys_add(k, source, why, sizeof why)) fail_msg("%s", why);
  assert_string_equal(why, "");
  assert_int_equal(ERR_peek_error(), 0);
}

void add_jwks(coho_keys *k, const char *jwks) {
  coho_key_source source = source_of(COHO_KEY_JWKS, jwks);
  add(k, &source);
}

void refused(const coho_key_source *source, int err, const char *words) {
  char why[256] = "before";
  coho_keys *k = keys_new();
  int got = coho_keys_add(k, source, why, sizeof why);
  if (got != err || !strstr(why, words)) fail_msg("%s, not so: %s", coho_errname(got), why);
  assert_int_equal(coho_keys_add(k, source, NULL, 0), err);
  assert_int_equal(coho_keys_replace(k, source, why, sizeof why), err);
  assert_int_equal(k->ring->count, 0);
  assert_int_equal(ERR_peek_error(), 0);
  coho_keys_free(k);
}

void refused_text(uint64_t kind, const char *text, const char *words) {
  coho_key_source source = source_of(kind, text);
  refused(&source, COHO_EKEYS, words);
}

int verdict(coho_keys *k, const struct token_key *key, const char *header, const char *payload) {
  struct coho__claims *claims = NULL;
  int err = coho__token_verify(k, coho__view_of(token_make(key, header, payload)), NOW, &claims);
  coho__claims_unref(claims);
  return err;
}

int plain(coho_keys *k, const struct token_key *key) {
  return verdict(k, key, "{\"alg\":\"HS256\"}", PAYLOAD);
}
