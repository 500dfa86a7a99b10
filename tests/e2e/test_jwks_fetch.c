/* Keys by URL, from a server that changes its mind. */
#include "jwks_fetch.h"

#include "base/check.h"
#include "support/tls_world.h"
#include "support/tokens.h"
#include "topics/token.h"

#include <coho/log.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t NOW = 1700000000000;
#define PAYLOAD "{\"exp\":1700000060,\"iss\":\"https://id.example\"}"
#define ISSUER  "https://id.example"

enum { LARGE = 256 * 1024 + 1, URL_MOST = 128 };

static struct token_key old_key, new_key;
static char *old_keys, *new_keys, *large;
static char old_token[TOKEN_MOST], new_token[TOKEN_MOST];
static struct cert root, leaf;

/* ---- the log, one line for each fetch ------------------------------------------------------- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static unsigned fetched, failed; /* lines */
static char failure[1024];       /* the last one */

static void on_log(void *ctx, int level, const char *line) {
  (void)ctx;
  (void)level;
  pthread_mutex_lock(&lock);
  if (strstr(line, "were fetched")) fetched++;
  if (strstr(line, "not fetched")) {
    failed++;
    (void)snprintf(failure, sizeof failure, "%s", line);
  }
  pthread_cond_broadcast(&more);
  pthread_mutex_unlock(&lock);
}

/* Until there are so many of these lines. */
static void await(const unsigned *lines, unsigned n) {
  pthread_mutex_lock(&lock);
  while (*lines < n)
    pthread_cond_wait(&more, &lock);
  pthread_mutex_unlock(&lock);
}

static unsigned number_of(const unsigned *lines) {
  pthread_mutex_lock(&lock);
  unsigned n = *lines;
  pthread_mutex_unlock(&lock);
  return n;
}

/* ---- the server ----------------------------------------------------------------------------- */

static coho_server *server, *secure;
static char base[URL_MOST], secure_base[URL_MOST], away[2 * URL_MOST];
static _Atomic unsigned requests;
static const char *_Atomic body; /* of /keys */

static void give(coho_request *r, const char *text) {
  assert_int_equal(coho_reply(r, 200, "application/json", text, strlen(text)), 0);
}

static void on_keys(coho_request *r, void *user) {
  (void)user;
  atomic_fetch_add(&requests, 1);
  (void)coho_reply_header(r, "Cache-Control", "public, max-age=60");
  give(r, atomic_load(&body));
}

/* Which are good for a day. */
static void on_day(coho_request *r, void *user) {
  (void)user;
  (void)coho_reply_header(r, "Cache-Control", "max-age=86400");
  give(r, atomic_load(&body));
}

static void on_redirect(coho_request *r, void *user) {
  (void)coho_reply_header(r, "Location", (const char *)user);
  assert_int_equal(coho_reply(r, 302, NULL, NULL, 0), 0);
}

static void on_text(coho_request *r, void *user) { give(r, *(char **)user); }

/* "ws://127.0.0.1:4711/" as http. */
static void name_base(char *dst, coho_server *s, const char *scheme, const char *host) {
  const char *port = strrchr(coho_server_url(s, 0), ':');
  (void)snprintf(dst, URL_MOST, "%s://%s%.*s", scheme, host, (int)strcspn(port, "/"), port);
}

static coho_server *serve(const char *url, coho_tls *tls) {
  static char keys_path[] = "/keys", nothing[] = "nothing", *text = nothing;
  char other_name[URL_MOST];
  coho_server *s = coho_server_new(&(coho_server_options){.threads = 1, .tls = tls});
  assert_non_null(s);
  assert_int_equal(coho_server_listen(s, url), 0);
  name_base(other_name, s, "http", "localhost");
  (void)snprintf(away, sizeof away, "%s/keys", other_name);
  assert_int_equal(coho_route_http(s, "GET", "/keys", on_keys, NULL), 0);
  assert_int_equal(coho_route_http(s, "GET", "/day", on_day, NULL), 0);
  assert_int_equal(coho_route_http(s, "GET", "/moved", on_redirect, keys_path), 0);
  assert_int_equal(coho_route_http(s, "GET", "/away", on_redirect, away), 0);
  assert_int_equal(coho_route_http(s, "GET", "/text", on_text, &text), 0);
  assert_int_equal(coho_route_http(s, "GET", "/large", on_text, &large), 0);
  return s;
}

static char *jwks_of(const EVP_PKEY *pkey, const char *kid) {
  char members[64], *jwks = (char *)malloc(TOKEN_MOST);
  (void)snprintf(members, sizeof members, ",\"kid\":\"%s\"", kid);
  char *jwk = token_jwk(pkey, members);
  assert_non_null(jwks);
  (void)snprintf(jwks, TOKEN_MOST, "{\"keys\":[%s]}", jwk);
  free(jwk);
  return jwks;
}

static void make_keys(void) {
  old_key.pkey = token_ec("P-256");
  new_key.pkey = token_rsa(2048);
  old_keys = jwks_of(old_key.pkey, "old");
  new_keys = jwks_of(new_key.pkey, "new");
  (void)snprintf(old_token, TOKEN_MOST, "%s",
                 token_make(&old_key, "{\"alg\":\"ES256\",\"kid\":\"old\"}", PAYLOAD));
  (void)snprintf(new_token, TOKEN_MOST, "%s",
                 token_make(&new_key, "{\"alg\":\"RS256\",\"kid\":\"new\"}", PAYLOAD));
  large = (char *)malloc(LARGE + 1);
  assert_non_null(large);
  memset(large, ' ', LARGE);
  large[LARGE] = '\0';
}

static int setup(void **state) {
  (void)state;
  static char loop_path[] = "/loop";
  make_keys();
  coho_set_log(on_log, NULL, COHO_LOG_INFO);
  cert_make(&root, &(struct cert_spec){.name = "root", .authority = true});
  cert_make(&leaf, &(struct cert_spec){.alt = "IP:127.0.0.1", .issuer = &root});
  coho_tls_options o = tls_serves(&leaf);
  coho_tls *tls = tls_of(&o);
  secure = serve("wss://127.0.0.1:0", tls);
  name_base(secure_base, secure, "https", "127.0.0.1");
  server = serve("ws://127.0.0.1:0", NULL);
  name_base(base, server, "http", "127.0.0.1");
  assert_int_equal(coho_route_http(server, "GET", "/loop", on_redirect, loop_path), 0);
  assert_int_equal(coho_server_start(server), 0);
  assert_int_equal(coho_server_start(secure), 0);
  coho_tls_free(tls);
  return 0;
}

static void end(coho_server *s) {
  coho_server_stop(s);
  coho_server_free(s);
}

static int teardown(void **state) {
  (void)state;
  end(server);
  end(secure);
  cert_free(&leaf);
  cert_free(&root);
  certs_clean();
  EVP_PKEY_free(old_key.pkey);
  EVP_PKEY_free(new_key.pkey);
  free(old_keys);
  free(new_keys);
  free(large);
  return 0;
}

/* ---- fetching ------------------------------------------------------------------------------- */

static coho_keys *keys;

/* Begins, and returns when the first time is over. */
static struct jwks_fetch *fetch(const char *from, const char *path, uint64_t minute_ms,
                                const char *ca) {
  char url[URL_MOST * 2];
  struct jwks_fetch *f = NULL;
  struct jwks_source source = {ISSUER, url};
  (void)snprintf(url, sizeof url, "%s%s", from, path);
  fetched = failed = 0;
  failure[0] = '\0';
  assert_int_equal(coho_keys_new(NULL, &keys), 0);
  assert_int_equal(
      jwks_fetch_start(
          keys,
          &(struct jwks_options){.sources = &source, .count = 1, .minute_ms = minute_ms, .ca = ca},
          &f),
      0);
  jwks_fetch_wait(f);
  return f;
}

static void done(struct jwks_fetch *f) {
  jwks_fetch_stop(f);
  coho_keys_free(keys);
}

static int verdict(const char *token) {
  struct coho__claims *claims = NULL;
  int err = coho__token_verify(keys, coho__view_of(token), NOW, &claims);
  coho__claims_unref(claims);
  return err;
}

static void test_urls(void **state) {
  (void)state;
  static const char *const good[] = {"https://id.example/keys", "https://id.example:8443/k?x=1",
                                     "http://127.0.0.1:1/keys", "http://[::1]/keys",
                                     "http://localhost/keys"};
  static const char *const bad[] = {"http://id.example/keys",
                                    "http://127.0.0.1.example/",
                                    "http://localhost.example",
                                    "ftp://127.0.0.1/keys",
                                    "file:///etc/passwd",
                                    "https://ann:secret@id.example/",
                                    "id.example/keys",
                                    "/keys",
                                    "https://",
                                    ""};
  for (size_t i = 0; i < COHO_COUNT(good); i++)
    if (jwks_url_objection(good[i])) fail_msg("refused: %s", good[i]);
  for (size_t i = 0; i < COHO_COUNT(bad); i++)
    if (!jwks_url_objection(bad[i])) fail_msg("accepted: %s", bad[i]);
}

static void test_how_long_keys_are_kept(void **state) {
  (void)state;
  static const struct {
    const char *field;
    uint64_t seconds;
  } rows[] = {{NULL, 3600},
              {"", 3600},
              {"public", 3600},
              {"max-age=0", 300},
              {"max-age=299", 300},
              {"max-age=301", 301},
              {"public , MAX-AGE=7200, immutable", 7200},
              {"max-age=86401", 86400},
              {"max-age=99999999999999999999", 300},
              {"max-age=-1", 300},
              {"max-age", 3600},
              {"no-store", 300},
              {"max-age=7200, no-cache", 300},
              {"s-maxage=7200", 3600}};
  for (size_t i = 0; i < COHO_COUNT(rows); i++)
    assert_int_equal(jwks_keep_ms(rows[i].field), rows[i].seconds * 1000);
}

static void test_options(void **state) {
  (void)state;
  struct jwks_source good = {ISSUER, "https://id.example/"}, bad = {ISSUER, "http://id.example/"};
  struct jwks_source twice[] = {good, good}, nameless = {"", "https://id.example/"};
  struct jwks_fetch *f;
  assert_int_equal(coho_keys_new(NULL, &keys), 0);
  assert_int_equal(jwks_fetch_start(keys, &(struct jwks_options){&bad, 1, NULL, 0}, &f), COHO_EURL);
  assert_int_equal(jwks_fetch_start(keys, &(struct jwks_options){twice, 2, NULL, 0}, &f),
                   COHO_EEXISTS);
  assert_int_equal(jwks_fetch_start(keys, &(struct jwks_options){&nameless, 1, NULL, 0}, &f),
                   COHO_EOPTION);
  assert_int_equal(jwks_fetch_start(keys, &(struct jwks_options){twice, 17, NULL, 0}, &f),
                   COHO_EFULL);
  assert_int_equal(jwks_fetch_start(keys, &(struct jwks_options){NULL, 0, NULL, 0}, &f), 0);
  jwks_fetch_wait(f);
  jwks_fetch_stop(f);
  jwks_fetch_stop(NULL);
  coho_keys_free(keys);
}

static void test_fetched(void **state) {
  (void)state;
  static const char *const paths[] = {"/keys", "/moved"};
  atomic_store(&body, old_keys);
  for (size_t i = 0; i < COHO_COUNT(paths); i++) {
    struct jwks_fetch *f = fetch(base, paths[i], 0, NULL);
    if (failed) fail_msg("%s", failure);
    assert_int_equal(verdict(old_token), 0);
    assert_int_equal(verdict(new_token), COHO_ETOKENKEY);
    done(f);
  }
}

static void test_over_tls(void **state) {
  (void)state;
  atomic_store(&body, old_keys);
  struct jwks_fetch *f = fetch(secure_base, "/keys", 0, certs_cert("ca.pem", &root));
  if (failed) fail_msg("%s", failure);
  assert_int_equal(verdict(old_token), 0);
  done(f);
  f = fetch(secure_base, "/keys", 0, NULL); /* of an authority that nobody knows */
  assert_int_equal(failed, 1);
  assert_int_equal(verdict(old_token), COHO_ETOKENKEY);
  done(f);
}

/* One line says what went wrong. */
static void test_failures(void **state) {
  (void)state;
  static const struct {
    const char *path, *why;
  } rows[] = {{"/missing", "the server answered 404"},
              {"/text", "is no JSON object"},
              {"/large", "more than 256 KiB"},
              {"/away", "a redirect to another server"},
              {"/loop", "too many redirects"}};
  for (size_t i = 0; i < COHO_COUNT(rows); i++) {
    struct jwks_fetch *f = fetch(base, rows[i].path, 0, NULL);
    if (!strstr(failure, rows[i].why)) fail_msg("%s: %s", rows[i].path, failure);
    assert_int_equal(failed, 1);
    assert_int_equal(verdict(old_token), COHO_ETOKENKEY);
    done(f);
  }
}

static void test_nobody_listens(void **state) {
  (void)state;
  struct jwks_fetch *f = fetch("http://127.0.0.1:1", "/keys", 0, NULL);
  assert_int_equal(failed, 1);
  done(f);
}

/* What the whole world can read is no secret. */
static void test_a_secret_is_not_fetched(void **state) {
  (void)state;
  atomic_store(
      &body,
      "{\"keys\":[{\"kty\":\"oct\",\"k\":\"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY\"}]}");
  struct jwks_fetch *f = fetch(base, "/keys", 0, NULL);
  assert_int_equal(failed, 1);
  assert_non_null(strstr(failure, "it is a secret"));
  done(f);
}

/* A key that nobody knows is looked for: these are good for a day, which would be more than any test
   has. */
static void test_an_unknown_key(void **state) {
  (void)state;
  atomic_store(&body, old_keys);
  struct jwks_fetch *f = fetch(base, "/day", 100, NULL);
  assert_int_equal(verdict(old_token), 0);
  atomic_store(&body, new_keys);
  assert_int_equal(verdict(new_token), COHO_ETOKENKEY);
  await(&fetched, 2);
  assert_int_equal(verdict(new_token), 0);
  assert_int_equal(verdict(old_token), COHO_ETOKENKEY);
  done(f);
}

static void test_once_a_minute(void **state) {
  (void)state;
  atomic_store(&body, old_keys);
  atomic_store(&requests, 0);
  struct jwks_fetch *f = fetch(base, "/keys", 0, NULL);
  for (int i = 0; i < 1000; i++)
    assert_int_equal(verdict(new_token), COHO_ETOKENKEY);
  done(f);
  assert_int_equal(atomic_load(&requests), 1);
}

/* Keys are fetched again by themselves, and those that are there outlive a time when that fails. */
static void test_again_and_again(void **state) {
  (void)state;
  atomic_store(&body, old_keys);
  struct jwks_fetch *f = fetch(base, "/keys", 1, NULL);
  await(&fetched, 3);
  atomic_store(&body, "{}");
  await(&failed, 3);
  assert_int_equal(verdict(old_token), 0);
  atomic_store(&body, new_keys);
  await(&fetched, number_of(&fetched) + 2);
  assert_int_equal(verdict(new_token), 0);
  done(f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_urls),
      cmocka_unit_test(test_how_long_keys_are_kept),
      cmocka_unit_test(test_options),
      cmocka_unit_test(test_fetched),
      cmocka_unit_test(test_over_tls),
      cmocka_unit_test(test_failures),
      cmocka_unit_test(test_nobody_listens),
      cmocka_unit_test(test_a_secret_is_not_fetched),
      cmocka_unit_test(test_an_unknown_key),
      cmocka_unit_test(test_once_a_minute),
      cmocka_unit_test(test_again_and_again),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
