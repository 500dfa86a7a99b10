/* Which tokens are let in: the signatures of RFC 7515 A, and every wrong kind. */
#include "topics/token.h"

#include "base/check.h"
#include "support/text.h"
#include "support/tokens.h"
#include "topics/jws.h"

#include <openssl/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint64_t NOW = 1700000000000;
#define SECRET "0123456789abcdef0123456789abcdef"
#define GOOD   "{\"sub\":\"ann\",\"exp\":1700000060}"

static struct token_key hmac = {NULL, SECRET}, rsa, ec;
static char *rsa_pem, *ec_pem;

static int setup(void **state) {
  (void)state;
  rsa.pkey = token_rsa(2048);
  ec.pkey = token_ec("P-256");
  rsa_pem = token_pem(rsa.pkey);
  ec_pem = token_pem(ec.pkey);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  EVP_PKEY_free(rsa.pkey);
  EVP_PKEY_free(ec.pkey);
  free(rsa_pem);
  free(ec_pem);
  return 0;
}

/* ---- keys and verdicts ---------------------------------------------------------------------- */

static void add(coho_keys *k, uint64_t kind, const char *text, const char *issuer,
                const char *kid) {
  char why[256] = "";
  coho_key_source source = {
      .kind = kind, .data = text, .len = strlen(text), .issuer = issuer, .kid = kid};
  if (coho_keys_add(k, &source, why, sizeof why)) fail_msg("%s", why);
}

static coho_keys *keys_with(const coho_keys_options *opt) {
  coho_keys *k = NULL;
  assert_int_equal(coho_keys_new(opt, &k), 0);
  return k;
}

/* With a secret, an RSA key and one of P-256 for everybody. */
static coho_keys *usual(const coho_keys_options *opt) {
  coho_keys *k = keys_with(opt);
  add(k, COHO_KEY_SECRET, SECRET, NULL, NULL);
  add(k, COHO_KEY_PEM, rsa_pem, NULL, NULL);
  add(k, COHO_KEY_PEM, ec_pem, NULL, NULL);
  return k;
}

/* Nothing stands behind the last byte, so that a sanitizer sees every step beyond it. */
static int verdict_n(coho_keys *k, const char *token, size_t len, uint64_t now) {
  struct coho__claims *claims = NULL;
  char *block = (char *)malloc(len ? len : 1);
  assert_non_null(block);
  if (len) memcpy(block, token, len);
  int err = coho__token_verify(k, (struct coho__view){block, len}, now, &claims);
  free(block);
  assert_int_equal(err == 0, claims != NULL);
  assert_int_equal(ERR_peek_error(), 0);
  coho__claims_unref(claims);
  return err;
}

static int verdict(coho_keys *k, const char *token) {
  return verdict_n(k, token, strlen(token), NOW);
}

static void expect(coho_keys *k, const char *token, int err, const char *what) {
  int got = verdict(k, token);
  if (got != err) fail_msg("%s: %s", what, coho_errname(got));
}

/* ---- RFC 7515 A ----------------------------------------------------------------------------- */

#define A_PAYLOAD \
  "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

static const struct {
  const char *jwks, *token;
} appendix[] = {
    {"{\"keys\":[{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-"
     "1qS0gZH75aKtMN3"
     "Yj0iPS4hcgUuTwjAzZr1Z9CAow\"}]}",
     "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." A_PAYLOAD
     ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"},
    {"{\"keys\":[{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_"
     "wWJcyQoTbji9k0l8W26mPddxHm"
     "fHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGz"
     "jb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxv"
     "b3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRW"
     "yuXpoQ\",\"e\":\"AQAB\"}]}",
     "eyJhbGciOiJSUzI1NiJ9." A_PAYLOAD
     ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5"
     "jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb"
     "1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QO"
     "YEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"},
    {"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"
     "\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
     "\",\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}",
     "eyJhbGciOiJFUzI1NiJ9." A_PAYLOAD
     ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"},
};

static void test_rfc7515_a(void **state) {
  (void)state;
  const uint64_t until = 1300819380000;
  for (size_t i = 0; i < COHO_COUNT(appendix); i++) {
    coho_keys *k = keys_with(&(coho_keys_options){.leeway_ms = COHO_KEYS_EXACT});
    const char *token = appendix[i].token;
    add(k, COHO_KEY_JWKS, appendix[i].jwks, NULL, NULL);
    assert_int_equal(verdict_n(k, token, strlen(token), until - 1), 0);
    assert_int_equal(verdict_n(k, token, strlen(token), until), COHO_EEXPIRED);
    coho_keys_free(k);
  }
}

/* One bit anywhere else, and it is no token, or another one. */
static void test_every_byte_counts(void **state) {
  (void)state;
  for (size_t i = 0; i < COHO_COUNT(appendix); i++) {
    coho_keys *k = keys_with(NULL);
    char token[1024];
    size_t len = strlen(appendix[i].token);
    add(k, COHO_KEY_JWKS, appendix[i].jwks, NULL, NULL);
    for (size_t at = 0; at < len; at++) {
      memcpy(token, appendix[i].token, len);
      token[at] = (char)(token[at] ^ 1);
      if (verdict_n(k, token, len, 1300819379000) == 0) fail_msg("%zu: byte %zu", i, at);
      if (verdict_n(k, appendix[i].token, at, 1300819379000) == 0) fail_msg("%zu: cut %zu", i, at);
    }
    coho_keys_free(k);
  }
}

/* ---- form ----------------------------------------------------------------------------------- */

static void test_good_ones(void **state) {
  (void)state;
  static const char *const headers[] = {
      "{\"alg\":\"HS256\"}",
      "{\"alg\":\"HS256\",\"typ\":\"JWT\"}",
      "{\"alg\":\"HS256\",\"typ\":\"jwt\"}",
      "{\"typ\":\"at+jwt\",\"alg\":\"HS256\"}",
      "{\"typ\":\"application/at+jwt\",\"alg\":\"HS256\"}",
      " {\"alg\" : \"\\u0048S256\",\n \"x\":[1,{\"y\":null}]} ",
      "{\"alg\":\"HS256\",\"kid\":\"of nobody: the keys here have no names\"}",
  };
  coho_keys *k = usual(NULL);
  for (size_t i = 0; i < COHO_COUNT(headers); i++)
    expect(k, token_make(&hmac, headers[i], GOOD), 0, headers[i]);
  expect(k, token_make(&rsa, "{\"alg\":\"RS256\"}", GOOD), 0, "RS256");
  expect(k, token_make(&ec, "{\"alg\":\"ES256\"}", GOOD), 0, "ES256");
  coho_keys_free(k);
}

/* Where else to find the key is said by nobody: the header only asks. */
static void test_headers_that_are_not_followed(void **state) {
  (void)state;
  static const char *const rows[] = {"jku", "x5u", "x5t"};
  coho_keys *k = usual(NULL);
  struct token_key other = {token_ec("P-256"), NULL};
  char *jwk = token_jwk(other.pkey, "");
  char header[1024];
  for (size_t i = 0; i < COHO_COUNT(rows); i++) {
    (void)snprintf(header, sizeof header, "{\"alg\":\"ES256\",\"%s\":\"http://127.0.0.1:1/\"}",
                   rows[i]);
    expect(k, token_make(&other, header, GOOD), COHO_ESIGNATURE, rows[i]);
    expect(k, token_make(&ec, header, GOOD), 0, rows[i]);
  }
  (void)snprintf(header, sizeof header, "{\"alg\":\"ES256\",\"jwk\":%s}", jwk);
  expect(k, token_make(&other, header, GOOD), COHO_ESIGNATURE, "jwk");
  expect(k, token_make(&ec, header, GOOD), 0, "jwk");
  expect(k, token_make(&other, "{\"alg\":\"ES256\",\"x5c\":[\"AAAA\"]}", GOOD), COHO_ESIGNATURE,
         "x5c");
  free(jwk);
  EVP_PKEY_free(other.pkey);
  coho_keys_free(k);
}

static void test_wrong_headers(void **state) {
  (void)state;
  static const struct {
    const char *header;
    int err;
  } rows[] = {
      {"{\"alg\":\"none\"}", COHO_ETOKENALG},
      {"{\"alg\":\"None\"}", COHO_ETOKENALG},
      {"{\"alg\":\"hs256\"}", COHO_ETOKENALG},
      {"{\"alg\":\"HS384\"}", COHO_ETOKENALG},
      {"{\"alg\":\"PS256\"}", COHO_ETOKENALG},
      {"{\"alg\":\"EdDSA\"}", COHO_ETOKENALG},
      {"{\"alg\":\"\"}", COHO_ETOKENALG},
      {"{\"alg\":\"HS256 \"}", COHO_ETOKENALG},
      {"{}", COHO_ETOKEN},
      {"{\"alg\":256}", COHO_ETOKEN},
      {"{\"alg\":[\"HS256\"]}", COHO_ETOKEN},
      {"{\"alg\":null}", COHO_ETOKEN},
      {"{\"ALG\":\"HS256\"}", COHO_ETOKEN},
      {"{\"alg\":\"HS256\\u0000\"}", COHO_ETOKEN},
      {"{\"alg\":\"none\",\"alg\":\"HS256\"}", COHO_ETOKEN},
      {"{\"alg\":\"none\",\"\\u0061lg\":\"HS256\"}", COHO_ETOKEN},
      {"{\"alg\":\"HS256\",\"crit\":[\"exp\"],\"exp\":1}", COHO_ETOKEN},
      {"{\"alg\":\"HS256\",\"crit\":[]}", COHO_ETOKEN},
      {"{\"alg\":\"HS256\",\"b64\":false}", COHO_ETOKEN},
      {"{\"alg\":\"HS256\",\"b64\":true}", COHO_ETOKEN},
      {"{\"alg\":\"HS256\",\"b64\":false,\"crit\":[\"b64\"]}", COHO_ETOKEN},
      {"{\"alg\":\"HS256\",\"cty\":\"JWT\"}", COHO_ETOKEN},
      {"{\"alg\":\"HS256\",\"enc\":\"A128GCM\"}", COHO_ETOKEN},
      {"{\"alg\":\"HS256\",\"zip\":\"DEF\"}", COHO_ETOKEN},
      {"{\"alg\":\"HS256\",\"typ\":\"secevent+jwt\"}", COHO_ETOKEN},
      {"{\"alg\":\"HS256\",\"typ\":\"dpop+jwt\"}", COHO_ETOKEN},
      {"{\"alg\":\"HS256\",\"typ\":\"\"}", COHO_ETOKEN},
      {"{\"alg\":\"HS256\",\"typ\":1}", COHO_ETOKEN},
      {"{\"alg\":\"HS256\",\"kid\":7}", COHO_ETOKEN},
      {"{\"alg\":\"HS256\",\"kid\":null}", COHO_ETOKEN},
      {"{\"alg\":\"HS256\"", COHO_ETOKEN},
      {"{\"alg\":\"HS256\"}}", COHO_ETOKEN},
      {"{\"alg\":\"HS256\"}x", COHO_ETOKEN},
      {"{\"alg\":\"HS256\",}", COHO_ETOKEN},
      {"{'alg':'HS256'}", COHO_ETOKEN},
      {"\xef\xbb\xbf{\"alg\":\"HS256\"}", COHO_ETOKEN},
      {"{\"alg\":\"HS256\",\"x\":\"\xff\"}", COHO_ETOKEN},
      {"[\"alg\",\"HS256\"]", COHO_ETOKEN},
      {"\"HS256\"", COHO_ETOKEN},
      {"null", COHO_ETOKEN},
      {"", COHO_ETOKEN},
      {"{\"alg\":\"HS256\",\"x\":[[[[[[[1]]]]]]]}", 0},
      {"{\"alg\":\"HS256\",\"x\":[[[[[[[[1]]]]]]]]}", COHO_ETOKEN},
      {"{\"alg\":\"HS256\",\"x\":\"[[[[[[[[[[\\\"[[\"}", 0},
  };
  coho_keys *k = usual(NULL);
  for (size_t i = 0; i < COHO_COUNT(rows); i++)
    expect(k, token_make(&hmac, rows[i].header, GOOD), rows[i].err, rows[i].header);
  coho_keys_free(k);
}

static void test_a_long_kid(void **state) {
  (void)state;
  char header[600], kid[COHO_KID_MOST + 2];
  coho_keys *k = usual(NULL);
  for (size_t len = COHO_KID_MOST; len < sizeof kid; len++) {
    memset(kid, 'k', len);
    kid[len] = '\0';
    (void)snprintf(header, sizeof header, "{\"alg\":\"HS256\",\"kid\":\"%s\"}", kid);
    expect(k, token_make(&hmac, header, GOOD), len > COHO_KID_MOST ? COHO_ETOKEN : 0, "kid");
  }
  coho_keys_free(k);
}

/* The same text in another form is no token: there is one form only (RFC 7515 2). */
static void test_wrong_forms(void **state) {
  (void)state;
  coho_keys *k = usual(NULL);
  char good[TOKEN_MOST], token[2 * TOKEN_MOST];
  (void)snprintf(good, sizeof good, "%s", token_make(&hmac, "{\"alg\":\"HS256\"}", GOOD));
  static const char *const forms[] = {"%s=",  "%s.", ".%s",    "%s\n",   " %s", "%s ",
                                      "%s.x", "x%s", "%s.x.y", "%s\x80", "=%s"};
  expect(k, good, 0, "good");
  for (size_t i = 0; i < COHO_COUNT(forms); i++) {
    const char *at = strchr(forms[i], '%');
    (void)snprintf(token, sizeof token, "%.*s%s%s", (int)(at - forms[i]), forms[i], good, at + 2);
    if (verdict(k, token) != COHO_ETOKEN) fail_msg("accepted: %s", forms[i]);
  }
  static const char *const others[] = {"",         ".",     "..",    "...",
                                       "....",     "a",     "a.b",   "a.b.c",
                                       "e30.e30.", "e30..", ".e30.", "eyJhbGciOiJIUzI1NiJ9.e30"};
  for (size_t i = 0; i < COHO_COUNT(others); i++)
    expect(k, others[i], COHO_ETOKEN, others[i]);
  assert_int_equal(verdict_n(k, NULL, 0, NOW), COHO_ETOKEN);
  (void)snprintf(token, sizeof token, "%s", good);
  *strchr(token, '.') = '\0';
  assert_int_equal(verdict_n(k, token, strlen(good), NOW), COHO_ETOKEN); /* a NUL in it */
  coho_keys_free(k);
}

/* Five parts are encrypted (RFC 7516 3.1). */
static void test_encrypted(void **state) {
  (void)state;
  coho_keys *k = usual(NULL);
  expect(k,
         "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.AAAA.48V1_ALb6US04U3b."
         "5eym8TW_c8SuK0ltJ3rpYIzOeDQz7TALvtu6UG9oMo4vpzs9tX_EFShS8iB7j6ji.XFBoMYUZodetZdvTiFvSkQ",
         COHO_ETOKEN, "JWE");
  coho_keys_free(k);
}

/* Unused bits behind the last byte would make a second form of the same signature. */
static void test_stray_bits(void **state) {
  (void)state;
  static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  coho_keys *k = usual(NULL);
  char token[TOKEN_MOST];
  (void)snprintf(token, sizeof token, "%s", token_make(&hmac, "{\"alg\":\"HS256\"}", GOOD));
  size_t last = strlen(token) - 1;
  size_t value = (size_t)(strchr(alphabet, token[last]) - alphabet);
  for (size_t stray = 1; stray < 4; stray++) {
    token[last] = alphabet[value ^ stray]; /* 32 bytes leave two bits */
    expect(k, token, COHO_ETOKEN, "stray bits");
  }
  coho_keys_free(k);
}

static void test_8_kib_at_most(void **state) {
  (void)state;
  coho_keys *k = usual(NULL);
  char payload[COHO_TOKEN_MOST];
  for (size_t fill = 5980; fill < 6060; fill++) {
    int n = snprintf(payload, sizeof payload, "{\"exp\":1700000060,\"x\":\"%0*d\"}", (int)fill, 0);
    assert_in_range(n, 1, sizeof payload - 1);
    const char *token = token_make(&hmac, "{\"alg\":\"HS256\"}", payload);
    expect(k, token, strlen(token) > COHO_TOKEN_MOST ? COHO_ETOKEN : 0, "length");
  }
  coho_keys_free(k);
}

/* ---- signatures ----------------------------------------------------------------------------- */

static void test_other_keys(void **state) {
  (void)state;
  coho_keys *k = usual(NULL);
  struct token_key secret = {NULL, "another secret of 32 bytes or so!"};
  struct token_key big = {token_rsa(3072), NULL}, curve = {token_ec("P-256"), NULL};
  expect(k, token_make(&secret, "{\"alg\":\"HS256\"}", GOOD), COHO_ESIGNATURE, "HS256");
  expect(k, token_make(&big, "{\"alg\":\"RS256\"}", GOOD), COHO_ESIGNATURE, "RS256");
  expect(k, token_make(&curve, "{\"alg\":\"ES256\"}", GOOD), COHO_ESIGNATURE, "ES256");
  EVP_PKEY_free(big.pkey);
  EVP_PKEY_free(curve.pkey);
  coho_keys_free(k);
}

/* Each algorithm with the signature of another, with none, too short, too long. */
static void test_signatures_of_another_kind(void **state) {
  (void)state;
  static const char *const algs[] = {"HS256", "RS256", "ES256"};
  const struct token_key *const signers[] = {&hmac, &rsa, &ec};
  coho_keys *k = usual(NULL);
  char header[64], token[TOKEN_MOST];
  for (size_t a = 0; a < 3; a++) {
    (void)snprintf(header, sizeof header, "{\"alg\":\"%s\"}", algs[a]);
    for (size_t s = 0; s < 3; s++)
      expect(k, token_make(signers[s], header, GOOD), a == s ? 0 : COHO_ESIGNATURE, algs[a]);
    (void)snprintf(token, sizeof token, "%s", token_make(signers[a], header, GOOD));
    text_add(token, a == 1 ? "AA" : "AAAA");
    assert_int_not_equal(verdict(k, token), 0);
    strrchr(token, '.')[1] = '\0';
    expect(k, token, COHO_ESIGNATURE, "no signature");
    text_add(token, "AAAA");
    expect(k, token, COHO_ESIGNATURE, "a short signature");
  }
  coho_keys_free(k);
}

/* Numbers that no signature has, and the form that OpenSSL writes (DER), are none. */
static void test_es256_is_64_bytes(void **state) {
  (void)state;
  coho_keys *k = usual(NULL);
  unsigned char bytes[80] = {0};
  char text[128], token[TOKEN_MOST];
  (void)snprintf(token, sizeof token, "%s", token_make(&ec, "{\"alg\":\"ES256\"}", GOOD));
  for (size_t len = 0; len <= sizeof bytes; len++)
    for (int fill = 0; fill < 256; fill += 85) {
      memset(bytes, fill, sizeof bytes);
      text_put(strrchr(token, '.') + 1, token_base64url(text, bytes, len));
      expect(k, token, COHO_ESIGNATURE, "64 bytes");
    }
  size_t size = sizeof bytes;
  EVP_MD_CTX *c = EVP_MD_CTX_new();
  const char *text_end = strrchr(token, '.');
  assert_int_equal(EVP_DigestSignInit(c, NULL, EVP_sha256(), NULL, ec.pkey), 1);
  assert_int_equal(
      EVP_DigestSign(c, bytes, &size, (unsigned char *)token, (size_t)(text_end - token)), 1);
  EVP_MD_CTX_free(c);
  text_put(strrchr(token, '.') + 1, token_base64url(text, bytes, size));
  expect(k, token, COHO_ESIGNATURE, "DER");
  coho_keys_free(k);
}

/* The public key as the secret: the oldest trick with tokens. */
static void test_a_public_key_is_no_secret(void **state) {
  (void)state;
  const char *const pems[] = {rsa_pem, ec_pem};
  for (size_t i = 0; i < 2; i++) {
    struct token_key trick = {NULL, pems[i]};
    coho_keys *k = keys_with(NULL);
    add(k, COHO_KEY_PEM, pems[i], NULL, NULL);
    expect(k, token_make(&trick, "{\"alg\":\"HS256\"}", GOOD), COHO_ETOKENKEY, "trick");
    expect(k, token_make(&trick, "{\"alg\":\"none\"}", GOOD), COHO_ETOKENALG, "none");
    coho_keys_free(k);
  }
}

/* And no key of one algorithm is taken for another. */
static void test_the_algorithm_fits_the_key(void **state) {
  (void)state;
  coho_keys *k = keys_with(NULL);
  add(k, COHO_KEY_PEM, rsa_pem, NULL, "a");
  expect(k, token_make(&rsa, "{\"alg\":\"RS256\",\"kid\":\"a\"}", GOOD), 0, "RS256");
  expect(k, token_make(&ec, "{\"alg\":\"ES256\",\"kid\":\"a\"}", GOOD), COHO_ETOKENKEY, "ES256");
  expect(k, token_make(&hmac, "{\"alg\":\"HS256\",\"kid\":\"a\"}", GOOD), COHO_ETOKENKEY, "HS256");
  expect(k, token_make(&rsa, "{\"alg\":\"ES256\",\"kid\":\"a\"}", GOOD), COHO_ETOKENKEY, "alg");
  coho_keys_free(k);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rfc7515_a),
      cmocka_unit_test(test_every_byte_counts),
      cmocka_unit_test(test_good_ones),
      cmocka_unit_test(test_headers_that_are_not_followed),
      cmocka_unit_test(test_wrong_headers),
      cmocka_unit_test(test_a_long_kid),
      cmocka_unit_test(test_wrong_forms),
      cmocka_unit_test(test_encrypted),
      cmocka_unit_test(test_stray_bits),
      cmocka_unit_test(test_8_kib_at_most),
      cmocka_unit_test(test_other_keys),
      cmocka_unit_test(test_signatures_of_another_kind),
      cmocka_unit_test(test_es256_is_64_bytes),
      cmocka_unit_test(test_a_public_key_is_no_secret),
      cmocka_unit_test(test_the_algorithm_fits_the_key),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
