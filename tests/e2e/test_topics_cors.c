/* Pages of other origins, and what all answers have (Fetch 3.2). */
#include "support/text.h"
#include "support/web.h"

#include <string.h>

#define EVIL "Origin: https://evil.example\r\n"
#define GOOD "Origin: https://good.example\r\n"

static struct web web;
static struct web_client a;

static const char *const good[] = {"https://good.example", NULL};
static const char *const good_or_any[] = {"https://good.example", "*", NULL};
static const char *const null_listed[] = {"null", NULL};

static const char FOREIGN[] = WEB_ERROR("forbidden", "the Origin is not allowed");

static void open_web(const char *const *origins) {
  coho_topics_options mo = {.origins = origins};
  web_open(&web, &mo, NULL);
}

static void history(const char *fields, int status) {
  web_get(&a, fields, "/t/room/history");
  assert_int_equal(web_answer(&a), status);
  web_check_field(&a, "Vary", "Origin");
  web_check_field(&a, "Cache-Control", "no-store");
  web_check_field(&a, "X-Content-Type-Options", "nosniff");
}

/* NULL: none. */
static void expect_allowed(const char *origin, bool credentials) {
  web_check_field(&a, "Access-Control-Allow-Origin", origin);
  web_check_field(&a, "Access-Control-Allow-Credentials", credentials ? "true" : NULL);
  if (origin)
    web_check_field(&a, "Access-Control-Expose-Headers", "Coho-Position, Coho-Gap, Retry-After");
}

static void expect_good(void) { expect_allowed("https://good.example", true); }

static void test_by_default_only_our_own_pages(void **state) {
  (void)state;
  open_web(NULL);
  history("", 200);
  expect_allowed(NULL, false);
  history("Origin: http://h\r\n", 200);
  expect_allowed("http://h", true);
  history(EVIL, 403);
  assert_string_equal(a.body, text_json(FOREIGN));
  web_check_field(&a, "WWW-Authenticate", NULL);
  expect_allowed(NULL, false);
  history("Origin: null\r\n", 403);
  history("Origin: http://h, http://h\r\n", 403);
  history("Origin: http://h\r\n" EVIL, 403);
}

static void test_a_list_lets_in_its_origins(void **state) {
  (void)state;
  open_web(good);
  history(GOOD, 200);
  expect_good();
  history("Origin: https://good.example.evil.example\r\n", 403);
  history("Origin: http://good.example\r\n", 403);
  history("Origin: http://h\r\n", 403);
}

/* Whoever any page may be, it does not get what only its visitor's cookies open. */
static void test_any_origin_comes_without_credentials(void **state) {
  (void)state;
  open_web(good_or_any);
  history(EVIL, 200);
  expect_allowed("*", false);
  history(GOOD, 200);
  expect_good();
  web_close(&web);
  open_web(null_listed);
  history("Origin: null\r\n", 200);
  expect_allowed("null", false);
}

static void test_streams_polls_posts_and_errors_have_the_fields_too(void **state) {
  (void)state;
  open_web(good);
  web_get(&a, GOOD, "/t/room?since=0&wait=0");
  web_check(&a, 200, "{'messages':[],'next':'E.0'}");
  expect_good();
  web_post(&a, "/t/room", GOOD, "x", 1);
  web_check(&a, 200, "{'pos':'E.1'}");
  expect_good();
  web_get(&a, GOOD, "/t/room?since=5");
  web_check(&a, 400, NULL);
  expect_good();
  web_get(&a, GOOD, "/t/a//b");
  web_check(&a, 404, NULL);
  expect_good();
  web_send(&a, "PUT /t/a HTTP/1.1\r\nHost: h\r\n" GOOD "\r\n");
  web_check(&a, 405, NULL);
  expect_good();
  web_get(&a, GOOD, "/t/room");
  assert_int_equal(web_begin(&a), 200);
  expect_good();
}

/* A form of another site can POST without being asked. */
static void test_a_foreign_page_publishes_nothing(void **state) {
  (void)state;
  open_web(good);
  web_post(&a, "/t/room", EVIL "Content-Type: text/plain\r\n", "x", 1);
  web_check(&a, 403, FOREIGN);
  web_ask(&a, "/t/room/history", 200, "{'messages':[],'next':'E.0'}");
}

static void preflight(const char *target, const char *fields, int status) {
  web_send(&a,
           "OPTIONS %s HTTP/1.1\r\nHost: h\r\n%sAccess-Control-Request-Method: POST\r\n"
           "Access-Control-Request-Headers: authorization,idempotency-key\r\n\r\n",
           target, fields);
  a.len = 0;
  int got = web_begin(&a);
  assert_int_equal(got, status);
}

static void test_preflight(void **state) {
  (void)state;
  open_web(good);
  const char *const both[] = {"/t/room", "/t/", "/t/room/history", "/t/room/presence"};
  for (size_t i = 0; i < 4; i++) {
    const char *methods = i < 2 ? "GET, HEAD, POST, OPTIONS" : "GET, HEAD, OPTIONS";
    preflight(both[i], GOOD, 204);
    expect_good();
    web_check_field(&a, "Access-Control-Allow-Methods", methods);
    assert_string_equal(
        web_field(&a, "Access-Control-Allow-Headers"),
        "Authorization, Content-Type, Idempotency-Key, Coho-Key, Last-Event-ID, Cache-Control");
    web_check_field(&a, "Access-Control-Max-Age", "600");
    web_check_field(&a, "Allow", methods);
    web_check_field(&a, "Vary", "Origin");
    web_check_field(&a, "Content-Length", NULL);
  }
  preflight("/t/room", "", 204);
  web_check_field(&a, "Access-Control-Allow-Methods", NULL);
  web_check_field(&a, "Allow", "GET, HEAD, POST, OPTIONS");
}

static void test_a_foreign_preflight_is_refused(void **state) {
  (void)state;
  open_web(good);
  preflight("/t/room", EVIL, 403);
  expect_allowed(NULL, false);
  web_check_field(&a, "Access-Control-Allow-Methods", NULL);
}

/* coho__refuse() in on_upgrade. */
static void test_refused_handshakes_are_json_that_is_not_kept(void **state) {
  (void)state;
  open_web(NULL);
  web_get(&a,
          "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
          "/t/room?since=5");
  web_check(&a, 400, WEB_ERROR("bad-since", "since is no position"));
  web_check_field(&a, "Cache-Control", "no-store");
  web_check_field(&a, "Content-Type", "application/json");
}

#define TEST(f) cmocka_unit_test_teardown(f, web_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_by_default_only_our_own_pages),
      TEST(test_a_list_lets_in_its_origins),
      TEST(test_any_origin_comes_without_credentials),
      TEST(test_streams_polls_posts_and_errors_have_the_fields_too),
      TEST(test_a_foreign_page_publishes_nothing),
      TEST(test_preflight),
      TEST(test_a_foreign_preflight_is_refused),
      TEST(test_refused_handshakes_are_json_that_is_not_kept),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
