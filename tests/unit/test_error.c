#include "base/error.h"

#include <coho/error.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ROW(name, value, answer, rfc, text) {name, #name, answer, rfc, text},
static const struct {
  int err;
  const char *name;
  int answer;
  const char *rfc, *text;
} rows[] = {COHO_ERRORS(ROW)};
enum { ROWS = sizeof rows / sizeof rows[0] };

static void test_each_error_tells_its_row(void **state) {
  (void)state;
  for (size_t i = 0; i < ROWS; i++) {
    assert_string_equal(coho_errname(rows[i].err), rows[i].name);
    assert_string_equal(coho_strerror(rows[i].err), rows[i].text);
    assert_string_equal(coho_error_rfc(rows[i].err), rows[i].rfc);
    assert_int_equal(coho_error_answer(rows[i].err), rows[i].answer);
  }
}

static void test_no_value_is_used_twice(void **state) {
  (void)state;
  for (size_t i = 0; i < ROWS; i++) {
    assert_in_range(-rows[i].err, 1, 200);
    for (size_t j = 0; j < i; j++)
      assert_int_not_equal(rows[i].err, rows[j].err);
  }
}

/* RFC 6455 7.4: what a Close may carry; RFC 9110 15: errors of a client or a server. */
static void test_answers_are_sendable(void **state) {
  (void)state;
  for (size_t i = 0; i < ROWS; i++) {
    int answer = rows[i].answer;
    bool http = answer >= 400 && answer <= 505;
    bool close =
        answer == 1002 || answer == 1003 || answer == 1013 || (answer >= 1007 && answer <= 1011);
    if (answer != 0 && !http && !close) fail_msg("%s answers %d", rows[i].name, answer);
  }
}

/* Before the handshake is complete the peer is told an HTTP status, whatever failed. */
static void test_every_error_has_a_status(void **state) {
  (void)state;
  for (size_t i = 0; i < ROWS; i++)
    assert_in_range(coho__error_status(rows[i].err), 400, 599);
  assert_int_equal(coho__error_status(COHO_EORIGIN), 403);
  assert_int_equal(coho__error_status(COHO_EHTTPVERSION), 505);
  assert_int_equal(coho__error_status(COHO_ENOMEM), 500);
  assert_int_equal(coho__error_status(COHO_EMEMORY), 503);
  assert_int_equal(coho__error_status(COHO_EINVAL), 500);
  assert_int_equal(coho__error_status(-91), 500);
}

/* A sentence fits behind "echo: ". */
static void test_texts_read_well(void **state) {
  (void)state;
  for (size_t i = 0; i < ROWS; i++) {
    size_t len = strlen(rows[i].text);
    assert_in_range(len, 5, 80);
    assert_int_not_equal(rows[i].text[len - 1], '.');
    assert_true(rows[i].rfc[0] == '\0' || strncmp(rows[i].rfc, "RFC ", 4) == 0);
  }
}

static void test_success(void **state) {
  (void)state;
  assert_string_equal(coho_errname(0), "COHO_OK");
  assert_string_equal(coho_errname(1), "COHO_OK");
  assert_string_equal(coho_strerror(0), "success");
  assert_int_equal(coho_error_answer(0), 0);
}

static void test_unknown_values(void **state) {
  (void)state;
  static const int values[] = {-55, -91, -200, -1000000, INT_MIN};
  for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
    assert_string_equal(coho_strerror(values[i]), "unknown error");
    assert_string_equal(coho_errname(values[i]), "unknown error");
    assert_string_equal(coho_error_rfc(values[i]), "");
    assert_int_equal(coho_error_answer(values[i]), 0);
  }
}

static void test_version(void **state) {
  (void)state;
  assert_string_equal(coho_version(), COHO_VERSION);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_each_error_tells_its_row),
      cmocka_unit_test(test_no_value_is_used_twice),
      cmocka_unit_test(test_answers_are_sendable),
      cmocka_unit_test(test_every_error_has_a_status),
      cmocka_unit_test(test_texts_read_well),
      cmocka_unit_test(test_success),
      cmocka_unit_test(test_unknown_values),
      cmocka_unit_test(test_version),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
