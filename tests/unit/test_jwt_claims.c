/* What tokens say: times, issuers, audiences, and topics. */
#include "topics/fault.h"
#include "topics/token.h"

#include "base/check.h"
#include "support/tokens.h"

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
#define OTHER  "fedcba9876543210fedcba9876543210"

static const struct token_key signer = {NULL, SECRET}, other = {NULL, OTHER};

static void add_secret(coho_keys *k, const char *secret, const char *issuer) {
  coho_key_source source = {
      .kind = COHO_KEY_SECRET, .data = secret, .len = strlen(secret), .issuer = issuer};
  assert_int_equal(coho_keys_add(k, &source, NULL, 0), 0);
}

static coho_keys *keys_with(const coho_keys_options *opt) {
  coho_keys *k = NULL;
  assert_int_equal(coho_keys_new(opt, &k), 0);
  return k;
}

static coho_keys *usual(const coho_keys_options *opt) {
  coho_keys *k = keys_with(opt);
  add_secret(k, SECRET, NULL);
  return k;
}

static int verify(coho_keys *k, const struct token_key *key, const char *payload,
                  struct coho__claims **claims) {
  const char *token = token_make(key, "{\"alg\":\"HS256\"}", payload);
  *claims = NULL;
  return coho__token_verify(k, coho__view_of(token), NOW, claims);
}

static void expect_by(coho_keys *k, const struct token_key *key, const char *payload, int err) {
  struct coho__claims *claims;
  int got = verify(k, key, payload, &claims);
  coho__claims_unref(claims);
  if (got != err) fail_msg("%s: %s", payload, coho_errname(got));
}

static void expect(coho_keys *k, const char *payload, int err) {
  expect_by(k, &signer, payload, err);
}

static struct coho__claims *claims_of(const char *payload) {
  struct coho__claims *claims;
  coho_keys *k = usual(&(coho_keys_options){.flags = COHO_KEYS_NO_EXPIRY});
  int err = verify(k, &signer, payload, &claims);
  if (err) fail_msg("%s: %s", payload, coho_errname(err));
  coho_keys_free(k);
  return claims;
}

/* ---- times ---------------------------------------------------------------------------------- */

struct row {
  const char *payload;
  int err;
};

static void expect_rows(coho_keys *k, const struct row *rows, size_t n) {
  for (size_t i = 0; i < n; i++)
    expect(k, rows[i].payload, rows[i].err);
  coho_keys_free(k);
}

/* 30 s by default. */
static void test_times_with_leeway(void **state) {
  (void)state;
  static const struct row rows[] = {
      {"{\"exp\":1700000000}", 0},
      {"{\"exp\":1699999971}", 0},
      {"{\"exp\":1699999970.001}", 0},
      {"{\"exp\":1699999970}", COHO_EEXPIRED},
      {"{\"exp\":0}", COHO_EEXPIRED},
      {"{\"exp\":253402300799}", 0},
      {"{\"exp\":1700000060,\"nbf\":1700000030}", 0},
      {"{\"exp\":1700000060,\"nbf\":1700000031}", COHO_ENOTYET},
      {"{\"exp\":1700000060,\"nbf\":1700000030.001}", COHO_ENOTYET},
      {"{\"exp\":1700000060,\"iat\":1700000030}", 0},
      {"{\"exp\":1700000060,\"iat\":1700000031}", COHO_ENOTYET},
      {"{\"exp\":1699999970,\"nbf\":1700000031}", COHO_EEXPIRED},
  };
  expect_rows(usual(NULL), rows, COHO_COUNT(rows));
}

static void test_times_without_leeway(void **state) {
  (void)state;
  static const struct row rows[] = {
      {"{\"exp\":1700000000}", COHO_EEXPIRED},
      {"{\"exp\":1700000000.001}", 0},
      {"{\"exp\":1700000060,\"nbf\":1700000000}", 0},
      {"{\"exp\":1700000060,\"nbf\":1700000001}", COHO_ENOTYET},
      {"{\"exp\":1700000060,\"iat\":1700000001}", COHO_ENOTYET},
  };
  expect_rows(usual(&(coho_keys_options){.leeway_ms = COHO_KEYS_EXACT}), rows, COHO_COUNT(rows));
}

static void test_times_that_are_none(void **state) {
  (void)state;
  static const struct row rows[] = {
      {"{}", COHO_ECLAIMS},
      {"{\"sub\":\"ann\"}", COHO_ECLAIMS},
      {"{\"exp\":\"1700000060\"}", COHO_ECLAIMS},
      {"{\"exp\":null}", COHO_ECLAIMS},
      {"{\"exp\":true}", COHO_ECLAIMS},
      {"{\"exp\":[1700000060]}", COHO_ECLAIMS},
      {"{\"exp\":-1}", COHO_ECLAIMS},
      {"{\"exp\":253402300800}", COHO_ECLAIMS},
      {"{\"exp\":1e300}", COHO_ECLAIMS},
      {"{\"exp\":1e999}", COHO_ETOKEN},
      {"{\"exp\":NaN}", COHO_ETOKEN},
      {"{\"exp\":99999999999999999999}", COHO_ETOKEN},
      {"{\"exp\":1700000060,\"nbf\":\"now\"}", COHO_ECLAIMS},
      {"{\"exp\":1700000060,\"iat\":{}}", COHO_ECLAIMS},
      {"{\"exp\":1,\"exp\":1700000060}", COHO_ETOKEN},
      {"{\"exp\":1700000060,\"\\u0065xp\":1}", COHO_ETOKEN},
      {"[1700000060]", COHO_ETOKEN},
      {"{\"exp\":1700000060,\"x\":[[[[[[[[1]]]]]]]]}", COHO_ETOKEN},
  };
  expect_rows(usual(NULL), rows, COHO_COUNT(rows));
}

static void test_expiry_may_be_left_out(void **state) {
  (void)state;
  static const struct row rows[] = {
      {"{}", 0}, {"{\"exp\":1}", COHO_EEXPIRED}, {"{\"exp\":null}", COHO_ECLAIMS}};
  expect_rows(usual(&(coho_keys_options){.flags = COHO_KEYS_NO_EXPIRY}), rows, COHO_COUNT(rows));
}

static void test_when_it_ends(void **state) {
  (void)state;
  struct coho__claims *claims;
  coho_keys *k = usual(&(coho_keys_options){.leeway_ms = 2000});
  assert_int_equal(verify(k, &signer, "{\"exp\":1700000060.5}", &claims), 0);
  assert_true(claims->expires == NOW + 60500);
  assert_true(claims->until == NOW + 62500);
  coho__claims_unref(claims);
  coho_keys_free(k);
  claims = claims_of("{}");
  assert_true(claims->expires == COHO_CLAIMS_NEVER && claims->until == COHO_CLAIMS_NEVER);
  coho__claims_unref(claims);
}

/* ---- issuers and audiences ------------------------------------------------------------------ */

#define BY(issuer) "{\"exp\":1700000060,\"iss\":\"" issuer "\"}"
#define BY_NOBODY  "{\"exp\":1700000060}"

/* Each issuer signs for itself only, and who has no issuer's key for no issuer. */
static void test_issuers(void **state) {
  (void)state;
  coho_keys *k = keys_with(NULL);
  add_secret(k, SECRET, "https://a.example");
  add_secret(k, OTHER, "https://b.example");
  expect_by(k, &signer, BY("https://a.example"), 0);
  expect_by(k, &other, BY("https://b.example"), 0);
  expect_by(k, &signer, BY("https://b.example"), COHO_ESIGNATURE);
  expect_by(k, &other, BY("https://a.example"), COHO_ESIGNATURE);
  expect_by(k, &signer, BY("https://c.example"), COHO_EISSUER);
  expect_by(k, &signer, BY("https://a.example/"), COHO_EISSUER);
  expect_by(k, &signer, BY("HTTPS://a.example"), COHO_EISSUER);
  expect_by(k, &signer, BY(""), COHO_EISSUER);
  expect_by(k, &signer, BY_NOBODY, COHO_EISSUER);
  expect_by(k, &signer, "{\"exp\":1700000060,\"iss\":[\"https://a.example\"]}", COHO_ETOKEN);
  expect_by(k, &signer, "{\"exp\":1700000060,\"iss\":null}", COHO_ETOKEN);
  coho_keys_free(k);
}

static void test_keys_without_issuer_beside_others(void **state) {
  (void)state;
  coho_keys *k = keys_with(NULL);
  add_secret(k, SECRET, NULL);
  add_secret(k, OTHER, "https://b.example");
  expect_by(k, &signer, BY_NOBODY, 0);
  expect_by(k, &other, BY("https://b.example"), 0);
  expect_by(k, &signer, BY("https://b.example"), COHO_ESIGNATURE);
  expect_by(k, &other, BY_NOBODY, COHO_ESIGNATURE);
  expect_by(k, &signer, BY("https://c.example"), COHO_EISSUER);
  coho_keys_free(k);
}

static void test_no_issuer_configured(void **state) {
  (void)state;
  coho_keys *k = usual(NULL);
  expect(k, BY("https://whoever.example"), 0);
  expect(k, BY_NOBODY, 0);
  expect(k, "{\"exp\":1700000060,\"iss\":7}", COHO_ETOKEN);
  coho_keys_free(k);
  k = keys_with(NULL); /* nor any key */
  expect(k, BY_NOBODY, COHO_EISSUER);
  coho_keys_free(k);
}

/* Its keys come later. */
static void test_an_issuer_without_keys(void **state) {
  (void)state;
  coho_keys *k = keys_with(NULL);
  coho_key_source none = {.issuer = "https://a.example"};
  assert_int_equal(coho_keys_add(k, &none, NULL, 0), 0);
  add_secret(k, OTHER, NULL);
  expect_by(k, &signer, BY("https://a.example"), COHO_ETOKENKEY);
  expect_by(k, &other, BY("https://a.example"), COHO_ETOKENKEY);
  expect_by(k, &other, BY_NOBODY, 0);
  coho_keys_free(k);
}

#define FOR(aud) "{\"exp\":1700000060,\"aud\":" aud "}"

static void test_audiences(void **state) {
  (void)state;
  static const char *const ours[] = {"chat", "news", NULL};
  static const struct row rows[] = {
      {FOR("\"chat\""), 0},
      {FOR("[\"chat\"]"), 0},
      {FOR("[\"x\",\"news\"]"), 0},
      {FOR("\"Chat\""), COHO_EAUDIENCE},
      {FOR("\"chat \""), COHO_EAUDIENCE},
      {FOR("\"\""), COHO_EAUDIENCE},
      {FOR("[]"), COHO_EAUDIENCE},
      {FOR("[\"x\"]"), COHO_EAUDIENCE},
      {"{\"exp\":1700000060}", COHO_EAUDIENCE},
      {FOR("7"), COHO_ECLAIMS},
      {FOR("null"), COHO_ECLAIMS},
      {FOR("[\"chat\",7]"), COHO_ECLAIMS},
      {FOR("[[\"chat\"]]"), COHO_ECLAIMS},
      {FOR("{\"chat\":1}"), COHO_ECLAIMS},
  };
  static const struct row open[] = {{FOR("\"whoever\""), 0}, {FOR("7"), COHO_ECLAIMS}};
  expect_rows(usual(&(coho_keys_options){.audiences = ours}), rows, COHO_COUNT(rows));
  expect_rows(usual(NULL), open, COHO_COUNT(open));
}

/* ---- topics --------------------------------------------------------------------------------- */

static bool may(const struct coho__claims *c, enum coho__action action, const char *topic) {
  return coho__claims_may(c, action, coho__view_of(topic));
}

static bool may_pattern(const struct coho__claims *c, const char *pattern) {
  return coho__claims_may_pattern(c, coho__view_of(pattern));
}

static void test_topics(void **state) {
  (void)state;
  struct coho__claims *c = claims_of(
      "{\"sub\":\"ann\",\"coho\":{\"sub\":[\"room/+\",\"news/#\"],\"pub\":[\"room/1\"],\"x\":1}}");
  assert_string_equal(c->subject.data, "ann");
  assert_true(may(c, COHO_MAY_SUBSCRIBE, "room/7"));
  assert_true(may(c, COHO_MAY_SUBSCRIBE, "news"));
  assert_true(may(c, COHO_MAY_SUBSCRIBE, "news/a/b"));
  assert_false(may(c, COHO_MAY_SUBSCRIBE, "room"));
  assert_false(may(c, COHO_MAY_SUBSCRIBE, "room/7/x"));
  assert_true(may(c, COHO_MAY_PUBLISH, "room/1"));
  assert_false(may(c, COHO_MAY_PUBLISH, "room/2"));
  assert_false(may(c, COHO_MAY_PUBLISH, "news"));
  assert_false(may(c, COHO_MAY_SUBSCRIBE, "room/+")); /* a pattern is no name */
  assert_false(may(c, COHO_MAY_SUBSCRIBE, "news/#"));
  assert_false(may(c, COHO_MAY_SUBSCRIBE, "news/../x"));
  assert_false(may(c, COHO_MAY_SUBSCRIBE, ""));
  assert_true(may_pattern(c, "room/+"));
  assert_true(may_pattern(c, "room/5"));
  assert_true(may_pattern(c, "news/+/x/#"));
  assert_false(may_pattern(c, "room/#"));
  assert_false(may_pattern(c, "#"));
  assert_false(may_pattern(c, "+/1"));
  assert_false(may_pattern(c, "room/"));
  coho__claims_unref(c);
}

static void test_without_grants_nothing(void **state) {
  (void)state;
  static const char *const rows[] = {"{}", "{\"coho\":{}}", "{\"coho\":{\"sub\":[],\"pub\":[]}}",
                                     "{\"coho\":{\"sub \":[\"#\"]}}"};
  for (size_t i = 0; i < COHO_COUNT(rows); i++) {
    struct coho__claims *c = claims_of(rows[i]);
    assert_string_equal(c->subject.data, "");
    assert_false(may(c, COHO_MAY_SUBSCRIBE, "a") || may(c, COHO_MAY_PUBLISH, "a"));
    assert_false(may_pattern(c, "a") || may_pattern(c, "#"));
    assert_ptr_equal(coho__claims_ref(c), c);
    coho__claims_unref(c);
    coho__claims_unref(c);
  }
  assert_null(coho__claims_ref(NULL));
  coho__claims_unref(NULL);
}

static void test_one_kind_only(void **state) {
  (void)state;
  struct coho__claims *c = claims_of("{\"coho\":{\"pub\":[\"#\"]}}");
  assert_true(may(c, COHO_MAY_PUBLISH, "a/b"));
  assert_false(may(c, COHO_MAY_SUBSCRIBE, "a/b") || may_pattern(c, "a"));
  coho__claims_unref(c);
}

static void test_grants_that_are_none(void **state) {
  (void)state;
  static const char *const rows[] = {
      "{\"coho\":[]}",
      "{\"coho\":\"#\"}",
      "{\"coho\":null}",
      "{\"coho\":{\"sub\":\"#\"}}",
      "{\"coho\":{\"sub\":null}}",
      "{\"coho\":{\"sub\":{\"a\":1}}}",
      "{\"coho\":{\"sub\":[\"a\",7]}}",
      "{\"coho\":{\"sub\":[[\"a\"]]}}",
      "{\"coho\":{\"sub\":[\"\"]}}",
      "{\"coho\":{\"sub\":[\"a/\"]}}",
      "{\"coho\":{\"sub\":[\"a+\"]}}",
      "{\"coho\":{\"sub\":[\"#/a\"]}}",
      "{\"coho\":{\"sub\":[\"a/../b\"]}}",
      "{\"coho\":{\"sub\":[\"*\"]}}",
      "{\"coho\":{\"sub\":[\"a\"],\"pub\":[\"b c\"]}}",
      "{\"sub\":7}",
      "{\"sub\":null}",
  };
  coho_keys *k = usual(&(coho_keys_options){.flags = COHO_KEYS_NO_EXPIRY});
  for (size_t i = 0; i < COHO_COUNT(rows); i++)
    expect(k, rows[i], COHO_ECLAIMS);
  expect(k, "{\"coho\":{\"sub\":[\"a\"],\"sub\":[\"#\"]}}", COHO_ETOKEN);
  coho_keys_free(k);
}

static void test_caps(void **state) {
  (void)state;
  char payload[6000], list[2000] = "", subject[COHO_SUBJECT_MOST + 2];
  coho_keys *k = usual(&(coho_keys_options){.flags = COHO_KEYS_NO_EXPIRY});
  for (int n = 1; n <= COHO_GRANTS_MOST + 1; n++) {
    (void)snprintf(list + strlen(list), sizeof list - strlen(list), "%s\"t/%d\"", n > 1 ? "," : "",
                   n);
    for (int both = 0; both < 2; both++) {
      (void)snprintf(payload, sizeof payload, "{\"coho\":{\"sub\":[%s],\"pub\":[%s]}}",
                     both ? list : "", list);
      expect(k, payload, n > COHO_GRANTS_MOST ? COHO_ECLAIMS : 0);
    }
  }
  for (size_t len = COHO_SUBJECT_MOST; len < sizeof subject; len++) {
    memset(subject, 's', len);
    subject[len] = '\0';
    int err = len > COHO_SUBJECT_MOST ? COHO_ECLAIMS : 0;
    (void)snprintf(payload, sizeof payload, "{\"sub\":\"%s\"}", subject);
    expect(k, payload, err);
    (void)snprintf(payload, sizeof payload, "{\"coho\":{\"sub\":[\"%s\"]}}", subject);
    expect(k, payload, err);
  }
  coho_keys_free(k);
}

/* ---- refusals ------------------------------------------------------------------------------- */

/* A peer does not learn what was wrong with a token. */
static void test_refusals_are_generic(void **state) {
  (void)state;
  static const int wrong[] = {COHO_ETOKEN,     COHO_ETOKENALG, COHO_ETOKENKEY,
                              COHO_ESIGNATURE, COHO_EEXPIRED,  COHO_ENOTYET,
                              COHO_EISSUER,    COHO_EAUDIENCE, COHO_ECLAIMS};
  const struct coho__fault *bad = coho__fault_of(COHO_ETOKEN);
  for (size_t i = 0; i < COHO_COUNT(wrong); i++) {
    assert_ptr_equal(coho__fault_of(wrong[i]), bad);
    assert_int_equal(coho_error_answer(wrong[i]), bad->status);
  }
  assert_int_equal(bad->status, 401);
  assert_int_equal(bad->close, 4401);
  assert_int_equal(coho__fault_of(COHO_ENOTOKEN)->close, 4401);
  assert_int_equal(coho__fault_of(COHO_EFORBIDDEN)->status, 403);
  assert_int_equal(coho__fault_of(COHO_EFORBIDDEN)->close, 4403);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_times_with_leeway),
      cmocka_unit_test(test_times_without_leeway),
      cmocka_unit_test(test_times_that_are_none),
      cmocka_unit_test(test_expiry_may_be_left_out),
      cmocka_unit_test(test_when_it_ends),
      cmocka_unit_test(test_issuers),
      cmocka_unit_test(test_keys_without_issuer_beside_others),
      cmocka_unit_test(test_no_issuer_configured),
      cmocka_unit_test(test_an_issuer_without_keys),
      cmocka_unit_test(test_audiences),
      cmocka_unit_test(test_topics),
      cmocka_unit_test(test_without_grants_nothing),
      cmocka_unit_test(test_one_kind_only),
      cmocka_unit_test(test_grants_that_are_none),
      cmocka_unit_test(test_caps),
      cmocka_unit_test(test_refusals_are_generic),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
