/* Every allocation of keys and tokens fails once: of coho, of jansson, of OpenSSL. Nobody is let in who
   should not be, and nothing crashes or leaks. */
#include "topics/token.h"

#include "support/alloc_fail.h"
#include "support/certs.h"
#include "support/tokens.h"

#include <coho/log.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 3000, KINDS = 3 };

#define SECRET "0123456789abcdef0123456789abcdef"
#define PAYLOAD                                                                 \
  "{\"exp\":1700000060,\"sub\":\"ann\",\"aud\":[\"x\"],\"coho\":{\"sub\":[\"a/" \
  "#\"],\"pub\":[\"a\"]}}"

static const char *const audiences[] = {"x", NULL};
static char *jwks, *pem;
static char tokens[KINDS][TOKEN_MOST], forged[TOKEN_MOST];
static const char *file;

/* ---- the memory of others ------------------------------------------------------------------- */

static long foreign_calls, foreign_fail_at;

static bool foreign_fails(void) { return ++foreign_calls == foreign_fail_at; }

static void *foreign_malloc(size_t n) { return foreign_fails() ? NULL : malloc(n); }

static void *crypto_malloc(size_t n, const char *from, int line) {
  (void)from;
  (void)line;
  return foreign_malloc(n);
}

static void *crypto_realloc(void *p, size_t n, const char *from, int line) {
  (void)from;
  (void)line;
  return foreign_fails() ? NULL : realloc(p, n);
}

static void crypto_free(void *p, const char *from, int line) {
  (void)from;
  (void)line;
  free(p);
}

/* ---- what may fail -------------------------------------------------------------------------- */

static void ignore_line(void *ctx, int level, const char *line) {
  (void)ctx;
  (void)level;
  (void)line;
}

static int setup(void **state) {
  (void)state;
  struct token_key rsa = {token_rsa(2048), NULL}, ec = {token_ec("P-256"), NULL};
  struct token_key hmac = {NULL, SECRET};
  char *jwk = token_jwk(ec.pkey, ",\"kid\":\"e\"");
  size_t size = strlen(jwk) + 32;
  pem = token_pem(rsa.pkey);
  jwks = (char *)malloc(size);
  assert_non_null(jwks);
  (void)snprintf(jwks, size, "{\"keys\":[%s,{}]}", jwk);
  (void)snprintf(tokens[0], TOKEN_MOST, "%s", token_make(&hmac, "{\"alg\":\"HS256\"}", PAYLOAD));
  (void)snprintf(tokens[1], TOKEN_MOST, "%s", token_make(&rsa, "{\"alg\":\"RS256\"}", PAYLOAD));
  (void)snprintf(tokens[2], TOKEN_MOST, "%s",
                 token_make(&ec, "{\"alg\":\"ES256\",\"kid\":\"e\"}", PAYLOAD));
  (void)snprintf(forged, TOKEN_MOST, "%s", token_make(&hmac, "{\"alg\":\"ES256\"}", PAYLOAD));
  file = certs_text("secret", SECRET "\n");
  coho_set_log(ignore_line, NULL, COHO_LOG_WARN);
  free(jwk);
  EVP_PKEY_free(rsa.pkey);
  EVP_PKEY_free(ec.pkey);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  free(jwks);
  free(pem);
  certs_clean();
  return 0;
}

static int fill(coho_keys *k) {
  coho_key_source secret = {.kind = COHO_KEY_SECRET, .file = file};
  coho_key_source public_key = {.kind = COHO_KEY_PEM, .data = pem, .len = strlen(pem), .kid = "r"};
  coho_key_source set = {.kind = COHO_KEY_JWKS, .data = jwks, .len = strlen(jwks)};
  int err = coho_keys_replace(k, &set, NULL, 0);
  if (!err) err = coho_keys_add(k, &secret, NULL, 0);
  if (!err) err = coho_keys_add(k, &public_key, NULL, 0);
  return err ? err : coho_keys_reload(k, NULL, 0);
}

static int let_in(coho_keys *k, const char *token) {
  struct coho__claims *claims = NULL;
  int err = coho__token_verify(k, coho__view_of(token), 1700000000000, &claims);
  assert_int_equal(err == 0, claims != NULL);
  if (!err) assert_true(coho__claims_may(claims, COHO_MAY_PUBLISH, coho__view_of("a")));
  coho__claims_unref(claims);
  return err;
}

/* The first error. */
static int attempt(void) {
  coho_keys *k;
  int err = coho_keys_new(&(coho_keys_options){.audiences = audiences}, &k);
  if (err) return err;
  err = fill(k);
  for (int i = 0; !err && i < KINDS; i++)
    err = let_in(k, tokens[i]);
  assert_int_not_equal(let_in(k, forged), 0);
  coho_keys_free(k);
  assert_int_equal(ERR_peek_error(), 0);
  return err;
}

static void test_of_coho(void **state) {
  (void)state;
  for (long i = 1;; i++) {
    alloc_fail_at(i);
    int err = attempt();
    assert_int_equal(err, alloc_failed() ? COHO_ENOMEM : 0);
    alloc_assert_none_live();
    if (!alloc_failed()) break;
    assert_true(i < MOST);
  }
  alloc_fail_at(0);
}

/* There are thousands: the first ones each, then fewer and fewer of them. */
static void test_of_others(void **state) {
  (void)state;
  assert_int_equal(attempt(), 0); /* makes what stays */
  for (long i = 1;; i += 1 + i / 50) {
    foreign_calls = 0;
    foreign_fail_at = i;
    int err = attempt();
    bool failed = foreign_calls >= i;
    foreign_fail_at = 0;
    if (!failed) assert_int_equal(err, 0);
    alloc_assert_none_live();
    if (!failed) break;
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_of_coho),
                                     cmocka_unit_test(test_of_others)};
  if (CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free) != 1) return 1;
  json_set_alloc_funcs(foreign_malloc, free);
  alloc_fail_at(0);
  return cmocka_run_group_tests(tests, setup, teardown);
}
