#include "http/conditions.h"

#include "base/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DATE    "Sun, 06 Nov 1994 08:49:37 GMT"
#define EARLIER "Sun, 06 Nov 1994 08:49:36 GMT"
#define LATER   "Sun, 06 Nov 1994 08:49:38 GMT"

/* A file with the ETag "x" that was changed on DATE. */
static const struct coho__validators now = {"\"x\"", 784111777};

static void parse(struct coho__http1 *head, const char *fields) {
  char text[512];
  size_t used;
  int len = snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", fields);
  coho__http1_init(head, COHO_HTTP1_REQUEST, NULL);
  assert_int_equal(coho__http1_input(head, text, (size_t)len, &used), 1);
}

static void test_check(void **state) {
  (void)state;
  static const struct {
    const char *fields;
    int status;
  } rows[] = {
      {"", 0},
      {"If-None-Match: \"x\"\r\n", 304},
      {"If-None-Match: W/\"x\"\r\n", 304},
      {"If-None-Match: *\r\n", 304},
      {"If-None-Match: \"y\", \"x\"\r\n", 304},
      {"If-None-Match: \"y\"\r\nIf-None-Match: \"x\"\r\n", 304},
      {"If-None-Match: \"y\"\r\n", 0},
      {"If-None-Match: \"a,\"x\"\"\r\n", 0},
      {"If-None-Match: x\r\n", 0},
      {"If-None-Match: w/\"x\"\r\n", 0},
      {"If-Modified-Since: " DATE "\r\n", 304},
      {"If-Modified-Since: " LATER "\r\n", 304},
      {"If-Modified-Since: " EARLIER "\r\n", 0},
      {"If-Modified-Since: yesterday\r\n", 0},
      /* the ETag decides alone (RFC 9110 13.1.3) */
      {"If-None-Match: \"y\"\r\nIf-Modified-Since: " LATER "\r\n", 0},
      {"If-Match: \"x\"\r\n", 0},
      {"If-Match: *\r\n", 0},
      {"If-Match: \"y\"\r\n", 412},
      {"If-Match: W/\"x\"\r\n", 412},
      {"If-Unmodified-Since: " DATE "\r\n", 0},
      {"If-Unmodified-Since: " EARLIER "\r\n", 412},
      {"If-Unmodified-Since: soon\r\n", 0},
      {"If-Match: \"x\"\r\nIf-Unmodified-Since: " EARLIER "\r\n", 0},
      {"If-Match: \"y\"\r\nIf-None-Match: \"x\"\r\n", 412},
      {"If-Match: \"x\"\r\nIf-None-Match: \"x\"\r\n", 304},
  };
  for (size_t i = 0; i < COHO_COUNT(rows); i++) {
    struct coho__http1 head;
    parse(&head, rows[i].fields);
    if (coho__conditions_check(&head, &now) != rows[i].status) fail_msg("%s", rows[i].fields);
    coho__http1_free(&head);
  }
}

/* Without a date to compare with, dates are ignored. */
static void test_no_date(void **state) {
  (void)state;
  static const struct coho__validators asset = {"\"x\"", -1};
  struct coho__http1 head;
  parse(&head, "If-Modified-Since: " LATER "\r\nIf-Unmodified-Since: " EARLIER "\r\n");
  assert_int_equal(coho__conditions_check(&head, &asset), 0);
  coho__http1_free(&head);
}

static void test_if_range(void **state) {
  (void)state;
  static const struct {
    const char *fields;
    bool ranged;
  } rows[] = {
      {"", true},
      {"If-Range: \"x\"\r\n", true},
      {"If-Range: \"y\"\r\n", false},
      {"If-Range: W/\"x\"\r\n", false},
      {"If-Range: " DATE "\r\n", true},
      {"If-Range: " LATER "\r\n", false},
      {"If-Range: " EARLIER "\r\n", false},
      {"If-Range: \r\n", false},
      {"If-Range: x\r\n", false},
  };
  for (size_t i = 0; i < COHO_COUNT(rows); i++) {
    struct coho__http1 head;
    parse(&head, rows[i].fields);
    if (coho__conditions_range(&head, &now) != rows[i].ranged) fail_msg("%s", rows[i].fields);
    coho__http1_free(&head);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_check), cmocka_unit_test(test_no_date),
                                     cmocka_unit_test(test_if_range)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
