/* Refusals that are made before a mount has the request: nothing keeps them, and a page can read them. */
#include "support/web.h"

#include "base/check.h"

#include <stdio.h>
#include <string.h>

#define GOOD "Origin: https://good.example\r\n"
#define EVIL "Origin: https://evil.example\r\n"

static struct web web;
static struct web_client a;

static int setup(void **state) {
  (void)state;
  static const char *const good[] = {"https://good.example", NULL};
  const coho_topics_options mo = {.origins = good, .max_message = 10};
  web_open(&web, &mo, NULL);
  web_connect(&a, &web);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  web_part(&a);
  web_close(&web);
  return 0;
}

/* The next answer: not to be stored, and for whom. NULL: for no page. */
static void expect(int status, const char *origin) {
  assert_int_equal(web_answer(&a), status);
  assert_string_equal(web_field(&a, "Cache-Control"), "no-store");
  const char *allowed = web_field(&a, "Access-Control-Allow-Origin");
  if (!origin) {
    assert_null(allowed);
    return;
  }
  assert_non_null(allowed);
  assert_string_equal(allowed, origin);
}

static void expect_code(const char *code) {
  char wanted[64];
  (void)snprintf(wanted, sizeof wanted, "{\"error\":{\"code\":\"%s\",", code);
  if (strncmp(a.body, wanted, strlen(wanted)) != 0) fail_msg("%s", a.body);
}

/* It is no name of a topic, and the connection goes on. */
static void test_A12_an_encoded_slash(void **state) {
  (void)state;
  web_get(&a, GOOD, "/t/a%%2Fb");
  expect(404, "https://good.example");
  expect_code("bad-name");
  web_get(&a, EVIL, "/t/a%%2fb");
  expect(403, NULL);
  expect_code("forbidden");
  web_get(&a, "", "/t/a%%2Fb/history");
  expect(404, NULL);
  web_get(&a, GOOD, "/elsewhere/a%%2Fb");
  expect(404, NULL);
  assert_string_equal(a.body, "Not Found\n");
}

static void test_A12_a_body_that_is_too_large(void **state) {
  (void)state;
  web_send(&a, "POST /t/a HTTP/1.1\r\nHost: h\r\n" GOOD "Content-Length: 11\r\n\r\n");
  expect(413, "https://good.example");
  expect_code("too-big");
}

/* In chunks it is seen when it comes. */
static void test_A12_chunks_that_are_too_large(void **state) {
  (void)state;
  web_send(&a, "POST /t/a HTTP/1.1\r\nHost: h\r\n" GOOD
               "Transfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n0\r\n\r\n");
  expect(413, "https://good.example");
  expect_code("too-big");
}

static void test_A12_a_body_that_is_none(void **state) {
  (void)state;
  web_send(&a, "POST /t/a HTTP/1.1\r\nHost: h\r\n" GOOD "Content-Length: x\r\n\r\n");
  expect(400, "https://good.example");
}

static void test_A12_chunks_that_are_none(void **state) {
  (void)state;
  web_send(&a, "POST /t/a HTTP/1.1\r\nHost: h\r\n" GOOD "Transfer-Encoding: chunked\r\n\r\nx\r\n");
  expect(400, "https://good.example");
}

static void test_A12_an_expectation(void **state) {
  (void)state;
  web_send(&a,
           "POST /t/a HTTP/1.1\r\nHost: h\r\n" GOOD "Content-Length: 1\r\nExpect: more\r\n\r\nx");
  expect(417, "https://good.example");
}

/* Of a foreign page nothing is told but that it is one. */
static void test_A12_a_foreign_page(void **state) {
  (void)state;
  web_send(&a, "POST /t/a HTTP/1.1\r\nHost: h\r\n" EVIL "Content-Length: x\r\n\r\n");
  expect(403, NULL);
  expect_code("forbidden");
}

/* Where it is not even known what was asked for, no page can be told; nothing keeps it either. */
static void test_A12_what_is_no_request(void **state) {
  (void)state;
  web_send(&a, "GET /t/%%zz HTTP/1.1\r\nHost: h\r\n" GOOD "\r\n");
  expect(400, NULL);
}

static void test_A12_a_long_target(void **state) {
  (void)state;
  char target[32 * 1024];
  memset(target, 'a', sizeof target);
  target[sizeof target - 1] = '\0';
  web_send(&a, "GET /t/%s HTTP/1.1\r\nHost: h\r\n\r\n", target);
  expect(414, NULL);
}

static void test_A12_a_method_of_another_route(void **state) {
  (void)state;
  web_send(&a, "PUT /t/a HTTP/1.1\r\nHost: h\r\n" GOOD "\r\n");
  expect(405, "https://good.example");
  expect_code("bad-request");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_A12_an_encoded_slash),
      TEST(test_A12_a_body_that_is_too_large),
      TEST(test_A12_chunks_that_are_too_large),
      TEST(test_A12_a_body_that_is_none),
      TEST(test_A12_chunks_that_are_none),
      TEST(test_A12_an_expectation),
      TEST(test_A12_a_foreign_page),
      TEST(test_A12_what_is_no_request),
      TEST(test_A12_a_long_target),
      TEST(test_A12_a_method_of_another_route),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
