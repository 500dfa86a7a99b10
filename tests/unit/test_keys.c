/* Where keys come from, and how they are replaced. */
#include "keychain.h"

#include "base/check.h"
#include "support/certs.h"
#include "topics/token.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const uint64_t NOW = 1700000000000;

/* ---- options -------------------------------------------------------------------------------- */

static void test_options(void **state) {
  (void)state;
  struct {
    coho_keys_options known;
    uint64_t newer;
  } later = {.newer = 1};
  coho_keys *k = (coho_keys *)&later;
  assert_int_equal(coho_keys_new(&(coho_keys_options){.flags = 2}, &k), COHO_EOPTION);
  assert_null(k);
  assert_int_equal(coho_keys_new(&(coho_keys_options){.leeway_ms = 3600001}, &k), COHO_EOPTION);
  assert_int_equal(coho_keys_new_sized(&later.known, sizeof later, &k), COHO_EOPTION);
  assert_int_equal(coho_keys_new(&(coho_keys_options){.leeway_ms = 3600000}, &k), 0);
  coho_keys_free(coho__keys_ref(k));
  coho_keys_free(k);
  coho_keys_free(NULL);
  assert_null(coho__keys_ref(NULL));
}

static void test_sources_that_make_no_sense(void **state) {
  (void)state;
  char kid[COHO_KID_MOST + 2], issuer[COHO_KEYS_ISSUER + 2];
  memset(kid, 'k', sizeof kid - 1);
  memset(issuer, 'i', sizeof issuer - 1);
  kid[sizeof kid - 1] = issuer[sizeof issuer - 1] = '\0';
  const coho_key_source rows[] = {
      {.kind = COHO_KEY_JWKS + 1, .data = "", .len = 0},
      {.kind = COHO_KEY_JWKS, .data = "", .flags = 2},
      {.kind = COHO_KEY_NONE},
      {.kind = COHO_KEY_NONE, .issuer = "a", .data = SECRET, .len = 32},
      {.kind = COHO_KEY_NONE, .issuer = "a", .file = "a"},
      {.kind = COHO_KEY_NONE, .issuer = "a", .kid = "a"},
      {.kind = COHO_KEY_SECRET},
      {.kind = COHO_KEY_SECRET, .file = "a", .data = SECRET, .len = 32},
      {.kind = COHO_KEY_SECRET, .data = SECRET, .len = 32, .issuer = ""},
      {.kind = COHO_KEY_SECRET, .data = SECRET, .len = 32, .issuer = issuer},
      {.kind = COHO_KEY_SECRET, .data = SECRET, .len = 32, .kid = kid},
      {.kind = COHO_KEY_JWKS, .data = "{}", .len = 2, .kid = "a"},
  };
  for (size_t i = 0; i < COHO_COUNT(rows); i++)
    refused(&rows[i], COHO_EOPTION, "");
}

/* ---- secrets and PEM ------------------------------------------------------------------------ */

static void test_secrets(void **state) {
  (void)state;
  static char most[COHO_SECRET_MOST + 1];
  coho_key_source source = {.kind = COHO_KEY_SECRET, .data = most};
  memset(most, 's', sizeof most);
  refused_text(COHO_KEY_SECRET, "", "32 bytes");
  refused_text(COHO_KEY_SECRET, "0123456789abcdef0123456789abcde", "32 bytes");
  source.len = sizeof most;
  refused(&source, COHO_EKEYS, "4,096");
  coho_keys *k = keys_new();
  source.len = sizeof most - 1;
  add(k, &source);
  source = source_of(COHO_KEY_SECRET, SECRET);
  add(k, &source);
  assert_int_equal(plain(k, &signer), 0);
  assert_int_equal(plain(k, &other), COHO_ESIGNATURE);
  coho_keys_free(k);
}

/* Editors end a file with a line end; it is not part of the secret. */
static void test_a_secret_from_a_file(void **state) {
  (void)state;
  static const char *const ends[] = {"", "\n", "\r\n"};
  for (size_t i = 0; i < COHO_COUNT(ends); i++) {
    char text[64];
    coho_keys *k = keys_new();
    (void)snprintf(text, sizeof text, "%s%s", SECRET, ends[i]);
    coho_key_source source = {.kind = COHO_KEY_SECRET, .file = certs_text("secret", text)};
    add(k, &source);
    assert_int_equal(plain(k, &signer), 0);
    coho_keys_free(k);
  }
  coho_key_source source = {.kind = COHO_KEY_SECRET, .file = certs_text("secret", SECRET "\n\n")};
  coho_keys *k = keys_new();
  add(k, &source);
  assert_int_equal(plain(k, &signer), COHO_ESIGNATURE);
  coho_keys_free(k);
}

static void refused_key(EVP_PKEY *pkey, const char *words) {
  char *pem = token_pem(pkey);
  refused_text(COHO_KEY_PEM, pem, words);
  refused_text(COHO_KEY_SECRET, pem, "PEM file is no secret");
  free(pem);
  EVP_PKEY_free(pkey);
}

static void test_public_keys_that_are_unfit(void **state) {
  (void)state;
  refused_key(token_rsa(1024), "2,048");
  refused_key(token_rsa(2040), "2,048");
  refused_key(token_ec("P-384"), "P-256");
  refused_key(token_ec("secp256k1"), "P-256");
  refused_key(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), "neither RSA nor P-256");
  refused_key(EVP_PKEY_Q_keygen(NULL, NULL, "X25519"), "neither RSA nor P-256");
}

static void test_pem_that_is_none(void **state) {
  (void)state;
  char two[2048];
  char *pem = token_pem(ec.pkey);
  BIO *bio = BIO_new(BIO_s_mem());
  char *secret;
  assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, ec.pkey, NULL, NULL, 0, NULL, NULL), 1);
  long len = BIO_get_mem_data(bio, &secret);
  coho_key_source source = {.kind = COHO_KEY_PEM, .data = secret, .len = (size_t)len};
  refused(&source, COHO_EKEYS, "no public key");
  BIO_free(bio);
  refused_text(COHO_KEY_PEM, "", "no public key");
  refused_text(COHO_KEY_PEM, SECRET, "no public key");
  refused_text(COHO_KEY_PEM,
               "-----BEGIN PUBLIC KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,"
               "00000000000000000000000000000000\n\nAAAA\n-----END PUBLIC KEY-----\n",
               "no public key");
  (void)snprintf(two, sizeof two, "%s%s", pem, pem);
  refused_text(COHO_KEY_PEM, two, "more than one");
  pem[strlen(pem) / 2] = '!';
  refused_text(COHO_KEY_PEM, pem, "no public key");
  free(pem);
}

static void test_pem_from_a_file(void **state) {
  (void)state;
  char *pem = token_pem(rsa.pkey);
  coho_keys *k = keys_new();
  coho_key_source source = {.kind = COHO_KEY_PEM, .file = certs_text("rsa.pem", pem), .kid = "r"};
  add(k, &source);
  assert_int_equal(verdict(k, &rsa, "{\"alg\":\"RS256\",\"kid\":\"r\"}", PAYLOAD), 0);
  assert_int_equal(verdict(k, &rsa, "{\"alg\":\"RS256\"}", PAYLOAD), 0);
  assert_int_equal(verdict(k, &rsa, "{\"alg\":\"RS256\",\"kid\":\"s\"}", PAYLOAD), COHO_ETOKENKEY);
  coho_keys_free(k);
  free(pem);
}

static void test_files_that_are_not_there(void **state) {
  (void)state;
  coho_key_source source = {.kind = COHO_KEY_PEM, .file = certs_path("missing.pem")};
  refused(&source, COHO_ENOENT, "missing.pem");
  source.file = "/";
  refused(&source, COHO_EKEYS, "is not a file");
  char *large = (char *)calloc(1, COHO_KEYS_FILE + 2);
  assert_non_null(large);
  memset(large, ' ', COHO_KEYS_FILE + 1);
  source.file = certs_text("large", large);
  refused(&source, COHO_EFULL, "larger than 256 KiB");
  source = source_of(COHO_KEY_JWKS, large);
  refused(&source, COHO_EFULL, "256 KiB");
  free(large);
}

/* ---- changes -------------------------------------------------------------------------------- */

static unsigned unknowns;
static char unknown_issuer[64];

static void on_unknown(void *ctx, const char *issuer) {
  assert_ptr_equal(ctx, &unknowns);
  unknowns++;
  (void)snprintf(unknown_issuer, sizeof unknown_issuer, "%s", issuer);
}

#define BY_A "{\"exp\":1700000060,\"iss\":\"a\"}"

static void test_an_unknown_key_is_told(void **state) {
  (void)state;
  coho_keys *k = keys_new();
  coho_key_source source = source_of(COHO_KEY_JWKS, "{\"keys\":[{" K_SECRET ",\"kid\":\"a\"}]}");
  source.issuer = "a";
  add(k, &source);
  unknowns = 0;
  coho_keys_on_unknown(k, on_unknown, &unknowns);
  assert_int_equal(verdict(k, &other, "{\"alg\":\"HS256\",\"kid\":\"b\"}", BY_A), COHO_ETOKENKEY);
  assert_int_equal(unknowns, 1);
  assert_string_equal(unknown_issuer, "a");
  assert_int_equal(verdict(k, &signer, "{\"alg\":\"HS256\",\"kid\":\"a\"}", BY_A), 0);
  assert_int_equal(verdict(k, &other, "{\"alg\":\"HS256\",\"kid\":\"a\"}", BY_A), COHO_ESIGNATURE);
  assert_int_equal(verdict(k, &other, "{\"alg\":\"HS256\",\"kid\":\"b\"}", PAYLOAD), COHO_EISSUER);
  assert_int_equal(unknowns, 1);
  coho_keys_on_unknown(k, NULL, NULL);
  assert_int_equal(verdict(k, &other, "{\"alg\":\"HS256\",\"kid\":\"b\"}", BY_A), COHO_ETOKENKEY);
  assert_int_equal(unknowns, 1);
  coho_keys_free(k);
}

/* The keys of one issuer go, the others stay. */
static void test_replace(void **state) {
  (void)state;
  coho_keys *k = keys_new();
  coho_key_source a = source_of(COHO_KEY_SECRET, SECRET), none = a;
  a.issuer = "a";
  add(k, &a);
  add(k, &a);
  add(k, &none);
  a.data = OTHER;
  assert_int_equal(coho_keys_replace(k, &a, NULL, 0), 0);
  assert_int_equal(k->ring->count, 2);
  assert_int_equal(verdict(k, &signer, "{\"alg\":\"HS256\"}", BY_A), COHO_ESIGNATURE);
  assert_int_equal(verdict(k, &other, "{\"alg\":\"HS256\"}", BY_A), 0);
  assert_int_equal(plain(k, &signer), 0);
  coho_key_source gone = {.issuer = "a"};
  assert_int_equal(coho_keys_replace(k, &gone, NULL, 0), 0);
  assert_int_equal(verdict(k, &other, "{\"alg\":\"HS256\"}", BY_A), COHO_ETOKENKEY);
  coho_keys_free(k);
}

static void test_64_sources_at_most(void **state) {
  (void)state;
  char why[128];
  coho_keys *k = keys_new();
  coho_key_source source = source_of(COHO_KEY_SECRET, SECRET);
  for (int i = 0; i < COHO_KEYS_SOURCES; i++)
    add(k, &source);
  assert_int_equal(coho_keys_add(k, &source, why, sizeof why), COHO_EFULL);
  assert_string_not_equal(why, "");
  assert_int_equal(coho_keys_replace(k, &source, why, sizeof why), 0);
  add(k, &source);
  coho_keys_free(k);
}

static void test_reload(void **state) {
  (void)state;
  char why[256];
  coho_keys *k = keys_new();
  coho_key_source file = {
      .kind = COHO_KEY_SECRET, .file = certs_text("one", SECRET), .issuer = "a", .kid = "k"};
  coho_key_source jwks = {.kind = COHO_KEY_JWKS,
                          .file = certs_text("two", "{\"keys\":[{" K_SECRET "}]}")};
  coho_key_source bytes = source_of(COHO_KEY_SECRET, OTHER);
  bytes.issuer = "b";
  add(k, &file);
  add(k, &jwks);
  add(k, &bytes);
  (void)certs_text("one", OTHER);
  (void)certs_text("two", "{\"keys\":[{" K_OTHER "}]}");
  assert_int_equal(coho_keys_reload(k, why, sizeof why), 0);
  assert_string_equal(why, "");
  assert_int_equal(verdict(k, &other, "{\"alg\":\"HS256\",\"kid\":\"k\"}", BY_A), 0);
  assert_int_equal(plain(k, &other), 0);
  assert_int_equal(verdict(k, &other, "{\"alg\":\"HS256\"}", "{\"exp\":1700000060,\"iss\":\"b\"}"),
                   0);
  coho_keys_free(k);
}

/* One bad file, and all stays as it was. */
static void test_reload_of_a_bad_file(void **state) {
  (void)state;
  char why[256];
  coho_keys *k = keys_new();
  coho_key_source one = {.kind = COHO_KEY_SECRET, .file = certs_text("one", SECRET)};
  coho_key_source two = {.kind = COHO_KEY_SECRET, .file = certs_text("two", SECRET)};
  add(k, &one);
  add(k, &two);
  (void)certs_text("one", OTHER);
  (void)certs_text("two", "too short");
  assert_int_equal(coho_keys_reload(k, why, sizeof why), COHO_EKEYS);
  assert_non_null(strstr(why, "two"));
  assert_null(strstr(why, "too short"));
  assert_int_equal(plain(k, &signer), 0);
  assert_int_equal(plain(k, &other), COHO_ESIGNATURE);
  assert_int_equal(unlink(certs_path("two")), 0);
  assert_int_equal(coho_keys_reload(k, why, sizeof why), COHO_ENOENT);
  assert_int_equal(coho_keys_reload(k, NULL, 0), COHO_ENOENT);
  assert_int_equal(plain(k, &signer), 0);
  (void)certs_text("two", OTHER);
  assert_int_equal(coho_keys_reload(k, why, sizeof why), 0);
  assert_int_equal(plain(k, &signer), COHO_ESIGNATURE);
  coho_keys_free(k);
}

/* While keys are replaced, every token fits either the old or the new ones. */
enum { CHANGES = 200 };

static _Atomic unsigned done;

static void *verify_all_the_time(void *arg) {
  coho_keys *k = (coho_keys *)arg;
  char token[TOKEN_MOST];
  struct coho__claims *claims;
  unsigned wrong = 0;
  static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;
  pthread_mutex_lock(&making);
  (void)snprintf(token, sizeof token, "%s",
                 token_make(&signer, "{\"alg\":\"HS256\",\"kid\":\"k\"}", BY_A));
  pthread_mutex_unlock(&making);
  while (!atomic_load(&done)) {
    if (coho__token_verify(k, coho__view_of(token), NOW, &claims))
      wrong++;
    else
      coho__claims_unref(claims);
  }
  return wrong ? k : NULL;
}

static void test_replaced_while_in_use(void **state) {
  (void)state;
  pthread_t threads[2];
  coho_keys *k = keys_new();
  coho_key_source one = source_of(COHO_KEY_SECRET, SECRET);
  coho_key_source two = source_of(COHO_KEY_JWKS, "{\"keys\":[{" K_SECRET ",\"kid\":\"k\"}]}");
  one.issuer = two.issuer = "a";
  add(k, &one);
  atomic_store(&done, 0);
  for (int i = 0; i < 2; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, verify_all_the_time, k), 0);
  for (int i = 0; i < CHANGES; i++)
    assert_int_equal(coho_keys_replace(k, i % 2 ? &one : &two, NULL, 0), 0);
  atomic_store(&done, 1);
  for (int i = 0; i < 2; i++) {
    void *wrong = k;
    assert_int_equal(pthread_join(threads[i], &wrong), 0);
    assert_null(wrong);
  }
  coho_keys_free(k);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_options),
      cmocka_unit_test(test_sources_that_make_no_sense),
      cmocka_unit_test(test_secrets),
      cmocka_unit_test(test_a_secret_from_a_file),
      cmocka_unit_test(test_public_keys_that_are_unfit),
      cmocka_unit_test(test_pem_that_is_none),
      cmocka_unit_test(test_pem_from_a_file),
      cmocka_unit_test(test_files_that_are_not_there),
      cmocka_unit_test(test_an_unknown_key_is_told),
      cmocka_unit_test(test_replace),
      cmocka_unit_test(test_64_sources_at_most),
      cmocka_unit_test(test_reload),
      cmocka_unit_test(test_reload_of_a_bad_file),
      cmocka_unit_test(test_replaced_while_in_use),
  };
  return cmocka_run_group_tests(tests, keychain_setup, keychain_teardown);
}
