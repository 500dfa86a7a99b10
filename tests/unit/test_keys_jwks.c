/* JSON Web Key Sets: which keys are taken, and which of them a token is verified with. */
#include "keychain.h"

#include "base/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- JWKS ----------------------------------------------------------------------------------- */

static void test_jwks_of_each_kind(void **state) {
  (void)state;
  char jwks[4096];
  char *r = token_jwk(rsa.pkey, ",\"kid\":\"r\",\"use\":\"sig\",\"alg\":\"RS256\"");
  char *e = token_jwk(ec.pkey, ",\"kid\":\"e\",\"key_ops\":[\"verify\"]");
  coho_keys *k = keys_new();
  (void)snprintf(jwks, sizeof jwks, "{\"keys\":[%s,%s,{%s,\"kid\":\"s\"}],\"x\":1}", r, e,
                 K_SECRET);
  add_jwks(k, jwks);
  assert_int_equal(complaints, 0);
  assert_int_equal(verdict(k, &rsa, "{\"alg\":\"RS256\",\"kid\":\"r\"}", PAYLOAD), 0);
  assert_int_equal(verdict(k, &ec, "{\"alg\":\"ES256\",\"kid\":\"e\"}", PAYLOAD), 0);
  assert_int_equal(verdict(k, &signer, "{\"alg\":\"HS256\",\"kid\":\"s\"}", PAYLOAD), 0);
  assert_int_equal(verdict(k, &signer, "{\"alg\":\"HS256\",\"kid\":\"r\"}", PAYLOAD),
                   COHO_ETOKENKEY);
  assert_int_equal(verdict(k, &ec, "{\"alg\":\"ES256\"}", PAYLOAD), 0);
  free(r);
  free(e);
  coho_keys_free(k);
}

/* RFC 7517 5: a key that is for something else does not spoil the others. */
static void test_keys_that_are_left_out(void **state) {
  (void)state;
  static const char *const rows[] = {
      "{" K_OTHER ",\"use\":\"enc\"}",
      "{" K_OTHER ",\"use\":7}",
      "{" K_OTHER ",\"alg\":\"HS512\"}",
      "{" K_OTHER ",\"alg\":\"RS256\"}",
      "{" K_OTHER ",\"alg\":\"none\"}",
      "{" K_OTHER ",\"alg\":null}",
      "{" K_OTHER ",\"key_ops\":[\"sign\"]}",
      "{" K_OTHER ",\"key_ops\":[]}",
      "{" K_OTHER ",\"key_ops\":\"verify\"}",
      "{" K_OTHER ",\"key_ops\":[\"verify\",1]}",
      "{" K_OTHER ",\"kid\":7}",
      "{\"kty\":\"oct\"}",
      "{\"kty\":\"oct\",\"k\":\"\"}",
      "{\"kty\":\"oct\",\"k\":\"ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMy\"}",
      "{\"kty\":\"oct\",\"k\":\"ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=\"}",
      "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}",
      "{\"kty\":7}",
      "{}",
      "7",
      "null",
      "[]",
      "{\"kty\":\"RSA\"}",
      "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}",
      "{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"AAAA\",\"y\":\"AAAA\"}",
      "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAA\",\"y\":\"AAAA\"}",
      "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"}",
      /* not on the curve */
      "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
      "\"y\":"
      "\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"}",
  };
  for (size_t i = 0; i < COHO_COUNT(rows); i++) {
    char jwks[1024];
    coho_keys *k = keys_new();
    (void)snprintf(jwks, sizeof jwks, "{\"keys\":[%s,{%s}]}", rows[i], K_SECRET);
    add_jwks(k, jwks);
    if (complaints != 1 || !strstr(complaint, "key 1 of")) fail_msg("taken: %s", rows[i]);
    assert_int_equal(plain(k, &signer), 0);
    assert_int_equal(plain(k, &other), COHO_ESIGNATURE);
    coho_keys_free(k);
    (void)snprintf(jwks, sizeof jwks, "{\"keys\":[%s]}", rows[i]);
    refused_text(COHO_KEY_JWKS, jwks, "no key of the keys can be used");
  }
}

/* RSA by its numbers: too short, too long, and an exponent with which everybody can sign. */
static void test_rsa_numbers(void **state) {
  (void)state;
  static const char *const exponents[] = {"AQ", "Ag", "", "AA", "AQAC", "AQAAAAAAAAAB"};
  char *whole = token_jwk(rsa.pkey, ""), jwks[4096];
  EVP_PKEY *small = token_rsa(1024);
  char *short_one = token_jwk(small, "");
  char *end = strstr(whole, "\"AQAB\"");
  assert_non_null(end);
  for (size_t i = 0; i < COHO_COUNT(exponents); i++) {
    (void)snprintf(jwks, sizeof jwks, "{\"keys\":[%.*s\"%s\"}]}", (int)(end - whole), whole,
                   exponents[i]);
    refused_text(COHO_KEY_JWKS, jwks, "no key");
  }
  (void)snprintf(jwks, sizeof jwks, "{\"keys\":[%s]}", short_one);
  refused_text(COHO_KEY_JWKS, jwks, "2,048");
  static char digits[1500];
  memset(digits, 'x', 1400);
  (void)snprintf(jwks, sizeof jwks, "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"AQAB\"}]}",
                 digits);
  refused_text(COHO_KEY_JWKS, jwks, "no key");
  EVP_PKEY_free(small);
  free(short_one);
  free(whole);
}

static void test_jwks_that_are_none(void **state) {
  (void)state;
  static const char *const rows[] = {"",
                                     "[]",
                                     "{",
                                     "{}",
                                     "{\"keys\":{}}",
                                     "{\"keys\":[]}",
                                     "{\"keys\":null}",
                                     "{\"keys\":[{" K_SECRET "}],\"keys\":[]}",
                                     "{\"keys\":[{" K_SECRET ",\"kty\":\"oct\"}]}",
                                     "{\"keys\":[{" K_SECRET "}]}x",
                                     "{\"keys\":[{" K_SECRET ",\"x\":[[[[[[1]]]]]]}]}",
                                     "{\"KEYS\":[{" K_SECRET "}]}"};
  for (size_t i = 0; i < COHO_COUNT(rows); i++)
    refused_text(COHO_KEY_JWKS, rows[i], "the keys");
}

static void put(char *dst, size_t cap, const char *text) {
  size_t len = strlen(dst);
  (void)snprintf(dst + len, cap - len, "%s", text);
}

static void test_64_keys_at_most(void **state) {
  (void)state;
  static char jwks[COHO_KEYS_MOST * 128];
  for (size_t n = COHO_KEYS_MOST; n <= COHO_KEYS_MOST + 1; n++) {
    (void)snprintf(jwks, sizeof jwks, "{\"keys\":[");
    for (size_t i = 0; i < n; i++)
      (void)snprintf(jwks + strlen(jwks), sizeof jwks - strlen(jwks), "%s{%s}", i ? "," : "",
                     K_SECRET);
    put(jwks, sizeof jwks, "]}");
    coho_key_source source = source_of(COHO_KEY_JWKS, jwks);
    coho_keys *k = keys_new();
    assert_int_equal(coho_keys_add(k, &source, NULL, 0), n > COHO_KEYS_MOST ? COHO_EFULL : 0);
    coho_keys_free(k);
  }
}

/* What everybody can read is no secret. */
static void test_secrets_in_public(void **state) {
  (void)state;
  char jwks[2048];
  char *e = token_jwk(ec.pkey, "");
  coho_keys *k = keys_new();
  (void)snprintf(jwks, sizeof jwks, "{\"keys\":[{%s},%s]}", K_SECRET, e);
  coho_key_source source = source_of(COHO_KEY_JWKS, jwks);
  source.flags = COHO_KEY_PUBLIC;
  add(k, &source);
  assert_int_equal(complaints, 1);
  assert_null(strstr(complaint, "MDEy"));
  assert_int_equal(plain(k, &signer), COHO_ETOKENKEY);
  assert_int_equal(verdict(k, &ec, "{\"alg\":\"ES256\"}", PAYLOAD), 0);
  free(e);
  coho_keys_free(k);
}

/* ---- kid ------------------------------------------------------------------------------------ */

static void test_kid_selects(void **state) {
  (void)state;
  coho_keys *k = keys_new();
  add_jwks(k, "{\"keys\":[{" K_SECRET ",\"kid\":\"a\"},{" K_OTHER ",\"kid\":\"b\"}]}");
  assert_int_equal(verdict(k, &signer, "{\"alg\":\"HS256\",\"kid\":\"a\"}", PAYLOAD), 0);
  assert_int_equal(verdict(k, &other, "{\"alg\":\"HS256\",\"kid\":\"b\"}", PAYLOAD), 0);
  assert_int_equal(verdict(k, &signer, "{\"alg\":\"HS256\",\"kid\":\"b\"}", PAYLOAD),
                   COHO_ESIGNATURE);
  assert_int_equal(verdict(k, &signer, "{\"alg\":\"HS256\",\"kid\":\"c\"}", PAYLOAD),
                   COHO_ETOKENKEY);
  assert_int_equal(verdict(k, &signer, "{\"alg\":\"HS256\",\"kid\":\"\"}", PAYLOAD),
                   COHO_ETOKENKEY);
  assert_int_equal(plain(k, &signer), 0);
  assert_int_equal(plain(k, &other), 0);
  coho_keys_free(k);
}

/* However many keys there are, a token costs eight verifications at most. */
static void test_tries_are_bounded(void **state) {
  (void)state;
  char jwks[2048];
  for (size_t before = 0; before < 12; before++) {
    coho_keys *k = keys_new();
    (void)snprintf(jwks, sizeof jwks, "{\"keys\":[");
    for (size_t i = 0; i < before; i++)
      put(jwks, sizeof jwks, "{" K_OTHER "},");
    put(jwks, sizeof jwks, "{" K_SECRET "}]}");
    add_jwks(k, jwks);
    assert_int_equal(plain(k, &signer), before < 8 ? 0 : COHO_ESIGNATURE);
    coho_keys_free(k);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_jwks_of_each_kind), cmocka_unit_test(test_keys_that_are_left_out),
      cmocka_unit_test(test_rsa_numbers),       cmocka_unit_test(test_jwks_that_are_none),
      cmocka_unit_test(test_64_keys_at_most),   cmocka_unit_test(test_secrets_in_public),
      cmocka_unit_test(test_kid_selects),       cmocka_unit_test(test_tries_are_bounded),
  };
  return cmocka_run_group_tests(tests, keychain_setup, keychain_teardown);
}
