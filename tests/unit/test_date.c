#include "http/date.h"

#include "base/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_format(void **state) {
  (void)state;
  static const struct {
    int64_t seconds;
    const char *text;
  } rows[] = {
      {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
      {784111777, "Sun, 06 Nov 1994 08:49:37 GMT"}, /* the example of RFC 9110 5.6.7 */
      {951782399, "Mon, 28 Feb 2000 23:59:59 GMT"},
      {951782400, "Tue, 29 Feb 2000 00:00:00 GMT"},
      {4107542400, "Mon, 01 Mar 2100 00:00:00 GMT"}, /* 2100 has no 29 February */
      {253402300799, "Fri, 31 Dec 9999 23:59:59 GMT"},
      {-1, "Thu, 01 Jan 1970 00:00:00 GMT"},
      {INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT"},
  };
  char text[COHO_DATE_SIZE];
  for (size_t i = 0; i < COHO_COUNT(rows); i++)
    assert_string_equal(coho__date_format(text, rows[i].seconds), rows[i].text);
}

/* Every day of 400 years comes back as it went. */
static void test_round_trip(void **state) {
  (void)state;
  char text[COHO_DATE_SIZE];
  for (int64_t day = 0; day < 146097; day++) {
    int64_t seconds = day * 86400 + day % 86400, back = 0;
    coho__date_format(text, seconds);
    assert_true(coho__date_parse(coho__view_of(text), &back));
    assert_true(back == seconds);
  }
}

static void test_parse_three_forms(void **state) {
  (void)state;
  static const char *const rows[] = {
      "Sun, 06 Nov 1994 08:49:37 GMT",
      "Sunday, 06-Nov-94 08:49:37 GMT",
      "Sun Nov  6 08:49:37 1994",
  };
  for (size_t i = 0; i < COHO_COUNT(rows); i++) {
    int64_t seconds = 0;
    assert_true(coho__date_parse(coho__view_of(rows[i]), &seconds));
    assert_true(seconds == 784111777);
  }
}

static void test_parse_refuses(void **state) {
  (void)state;
  static const char *const rows[] = {
      "",
      "0",
      "Sun, 06 Nov 1994 08:49:37",
      "Sun, 06 Nov 1994 08:49:37 GMT ",
      "Sun, 06 Nov 1994 08:49:37 UTC",
      "Sun, 6 Nov 1994 08:49:37 GMT",
      "Xxx, 06 Nov 1994 08:49:37 GMT",
      "Sun, 06 Xxx 1994 08:49:37 GMT",
      "Sun, 06 Nov 1994 24:49:37 GMT",
      "Sun, 06 Nov 1994 08:60:37 GMT",
      "Sun, 06 Nov 1994 08:49:61 GMT",
      "Sun, 00 Nov 1994 08:49:37 GMT",
      "Sun, 32 Nov 1994 08:49:37 GMT",
      "Sun, 06 Nov 1969 08:49:37 GMT",
      "Sun, 06 Nov -994 08:49:37 GMT",
      "Sun, 06 Nov +994 08:49:37 GMT",
  };
  for (size_t i = 0; i < COHO_COUNT(rows); i++) {
    int64_t seconds;
    assert_false(coho__date_parse(coho__view_of(rows[i]), &seconds));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_format),
      cmocka_unit_test(test_round_trip),
      cmocka_unit_test(test_parse_three_forms),
      cmocka_unit_test(test_parse_refuses),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
