/* Pages of other origins, and what all answers have (Fetch 3.2). */
#include "support/web.h"

#include <string.h>

#define EVIL "Origin: https://evil.example\r\n"
#define GOOD "Origin: https://good.example\r\n"

static struct web web;
static struct web_client a;

static const char *const good[] = {"https://good.example", NULL};
static const char *const good_or_any[] = {"https://good.example", "*", NULL};
static const char *const null_listed[] = {"null", NULL};

static const char FOREIGN[] =
    "{\"error\":{\"code\":\"forbidden\",\"text\":\"the Origin is not allowed\"}}";

static void open_web(const char *const *origins) {
  coho_topics_options mo = {.origins = origins};
  web_open(&web, &mo, NULL);
  web_connect(&a, &web);
}

static void finish(void) {
  web_part(&a);
  web_close(&web);
}

static void history(const char *fields, int status) {
  web_get(&a, fields, "/t/room/history");
  assert_int_equal(web_answer(&a), status);
  assert_string_equal(web_field(&a, "Vary"), "Origin");
  assert_string_equal(web_field(&a, "Cache-Control"), "no-store");
  assert_string_equal(web_field(&a, "X-Content-Type-Options"), "nosniff");
}

static void expect_allowed(const char *origin, bool credentials) {
  const char *allowed = web_field(&a, "Access-Control-Allow-Origin");
  const char *with = web_field(&a, "Access-Control-Allow-Credentials");
  if (!origin) {
    assert_null(allowed);
    assert_null(with);
    return;
  }
  assert_non_null(allowed);
  assert_string_equal(allowed, origin);
  assert_string_equal(web_field(&a, "Access-Control-Expose-Headers"),
                      "Coho-Position, Coho-Gap, Retry-After");
  if (credentials)
    assert_string_equal(with, "true");
  else
    assert_null(with);
}

static void test_by_default_only_our_own_pages(void **state) {
  (void)state;
  open_web(NULL);
  history("", 200);
  expect_allowed(NULL, false);
  history("Origin: http://h\r\n", 200);
  expect_allowed("http://h", true);
  history(EVIL, 403);
  assert_string_equal(a.body, FOREIGN);
  assert_null(web_field(&a, "WWW-Authenticate"));
  expect_allowed(NULL, false);
  history("Origin: null\r\n", 403);
  history("Origin: http://h, http://h\r\n", 403);
  history("Origin: http://h\r\n" EVIL, 403);
  finish();
}

static void test_a_list_lets_in_its_origins(void **state) {
  (void)state;
  open_web(good);
  history(GOOD, 200);
  expect_allowed("https://good.example", true);
  history("Origin: https://good.example.evil.example\r\n", 403);
  history("Origin: http://good.example\r\n", 403);
  history("Origin: http://h\r\n", 403);
  finish();
}

/* Whoever any page may be, it does not get what only its visitor's cookies open. */
static void test_any_origin_comes_without_credentials(void **state) {
  (void)state;
  open_web(good_or_any);
  history(EVIL, 200);
  expect_allowed("*", false);
  history(GOOD, 200);
  expect_allowed("https://good.example", true);
  finish();
  open_web(null_listed);
  history("Origin: null\r\n", 200);
  expect_allowed("null", false);
  finish();
}

static void test_streams_polls_posts_and_errors_have_the_fields_too(void **state) {
  (void)state;
  open_web(good);
  web_get(&a, GOOD, "/t/room?since=0&wait=0");
  web_check(&a, 200, "{\"messages\":[],\"next\":\"E.0\"}");
  expect_allowed("https://good.example", true);
  web_post(&a, "/t/room", GOOD, "x", 1);
  web_check(&a, 200, "{\"pos\":\"E.1\"}");
  expect_allowed("https://good.example", true);
  web_get(&a, GOOD, "/t/room?since=5");
  web_check(&a, 400, NULL);
  expect_allowed("https://good.example", true);
  web_get(&a, GOOD, "/t/a//b");
  web_check(&a, 404, NULL);
  expect_allowed("https://good.example", true);
  web_send(&a, "PUT /t/a HTTP/1.1\r\nHost: h\r\n" GOOD "\r\n");
  web_check(&a, 405, NULL);
  expect_allowed("https://good.example", true);
  web_get(&a, GOOD, "/t/room");
  assert_int_equal(web_begin(&a), 200);
  expect_allowed("https://good.example", true);
  finish();
}

/* A form of another site can POST without being asked. */
static void test_a_foreign_page_publishes_nothing(void **state) {
  (void)state;
  open_web(good);
  web_post(&a, "/t/room", EVIL "Content-Type: text/plain\r\n", "x", 1);
  web_check(&a, 403, FOREIGN);
  web_get(&a, "", "/t/room/history");
  web_check(&a, 200, "{\"messages\":[],\"next\":\"E.0\"}");
  finish();
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
    expect_allowed("https://good.example", true);
    assert_string_equal(web_field(&a, "Access-Control-Allow-Methods"), methods);
    assert_string_equal(
        web_field(&a, "Access-Control-Allow-Headers"),
        "Authorization, Content-Type, Idempotency-Key, Coho-Key, Last-Event-ID, Cache-Control");
    assert_string_equal(web_field(&a, "Access-Control-Max-Age"), "600");
    assert_string_equal(web_field(&a, "Allow"), methods);
    assert_string_equal(web_field(&a, "Vary"), "Origin");
    assert_null(web_field(&a, "Content-Length"));
  }
  preflight("/t/room", "", 204);
  assert_null(web_field(&a, "Access-Control-Allow-Methods"));
  assert_string_equal(web_field(&a, "Allow"), "GET, HEAD, POST, OPTIONS");
  finish();
}

static void test_a_foreign_preflight_is_refused(void **state) {
  (void)state;
  open_web(good);
  preflight("/t/room", EVIL, 403);
  expect_allowed(NULL, false);
  assert_null(web_field(&a, "Access-Control-Allow-Methods"));
  finish();
}

/* coho__refuse() in on_upgrade. */
static void test_refused_handshakes_are_json_that_is_not_kept(void **state) {
  (void)state;
  open_web(NULL);
  web_get(&a,
          "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
          "/t/room?since=5");
  web_check(&a, 400, "{\"error\":{\"code\":\"bad-since\",\"text\":\"since is no position\"}}");
  assert_string_equal(web_field(&a, "Cache-Control"), "no-store");
  assert_string_equal(web_field(&a, "Content-Type"), "application/json");
  finish();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_by_default_only_our_own_pages),
      cmocka_unit_test(test_a_list_lets_in_its_origins),
      cmocka_unit_test(test_any_origin_comes_without_credentials),
      cmocka_unit_test(test_streams_polls_posts_and_errors_have_the_fields_too),
      cmocka_unit_test(test_a_foreign_page_publishes_nothing),
      cmocka_unit_test(test_preflight),
      cmocka_unit_test(test_a_foreign_preflight_is_refused),
      cmocka_unit_test(test_refused_handshakes_are_json_that_is_not_kept),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
