#include "base/view.h"

#include "base/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void expect(struct coho__view v, const char *text) {
  assert_int_equal(v.len, strlen(text));
  assert_true(coho__view_eq(v, coho__view_of(text)));
}

static void test_of_null_is_empty(void **state) {
  (void)state;
  assert_int_equal(coho__view_of(NULL).len, 0);
  assert_true(coho__view_eq(coho__view_of(NULL), VIEW("")));
}

static void test_equality(void **state) {
  (void)state;
  assert_true(coho__view_eq(VIEW("a\0b"), VIEW("a\0b")));
  assert_false(coho__view_eq(VIEW("a\0b"), VIEW("a\0c")));
  assert_false(coho__view_eq(VIEW("ab"), VIEW("abc")));
  assert_false(coho__view_eq(VIEW("ab"), VIEW("aB")));
}

/* Only letters fold: '@' and '`', '[' and '{' differ by the same bit. */
static void test_equality_without_case(void **state) {
  (void)state;
  assert_true(coho__view_eq_nocase(VIEW("WebSocket"), VIEW("wEBsOCKET")));
  assert_true(coho__view_eq_nocase(VIEW("AZaz"), VIEW("azAZ")));
  assert_true(coho__view_eq_nocase(VIEW(""), coho__view_of(NULL)));
  assert_false(coho__view_eq_nocase(VIEW("@[\\]^_"), VIEW("`{|}~\x7f")));
  assert_false(coho__view_eq_nocase(VIEW("websocket"), VIEW("websocke")));
  assert_false(coho__view_eq_nocase(VIEW("\xc4"), VIEW("\xe4")));
}

static void test_trim(void **state) {
  (void)state;
  expect(coho__view_trim(VIEW("a b")), "a b");
  expect(coho__view_trim(VIEW(" \ta b\t ")), "a b");
  expect(coho__view_trim(VIEW(" \t ")), "");
  expect(coho__view_trim(VIEW("\ra\n")), "\ra\n"); /* RFC 9110 5.6.3: space and tab only */
  expect(coho__view_trim(coho__view_of(NULL)), "");
}

/* Joins the parts with '|', each followed by one. */
static const char *parts(const char *text) {
  static char out[64];
  size_t n = 0;
  struct coho__view rest = coho__view_of(text);
  while (rest.data != NULL) {
    struct coho__view v = coho__view_split(&rest, ',');
    memcpy(out + n, v.data, v.len);
    n += v.len;
    out[n++] = '|';
  }
  out[n] = '\0';
  return out;
}

static void test_split(void **state) {
  (void)state;
  assert_string_equal(parts("a"), "a|");
  assert_string_equal(parts("a,b,,c"), "a|b||c|");
  assert_string_equal(parts(","), "||");
  assert_string_equal(parts("a,"), "a||");
  assert_string_equal(parts(""), "|");
  assert_string_equal(parts(NULL), "");
}

static void test_number(void **state) {
  (void)state;
  static const struct {
    const char *text;
    uint64_t max;
    bool ok;
    uint64_t value;
  } rows[] = {
      {"0", 0, true, 0},
      {"1", 0, false, 0},
      {"9", 5, false, 0},
      {"007", 7, true, 7},
      {"65535", 65535, true, 65535},
      {"65536", 65535, false, 0},
      {"70000", 65535, false, 0},
      {"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
      {"18446744073709551616", UINT64_MAX, false, 0},
      {"99999999999999999999", UINT64_MAX, false, 0},
      {"184467440737095516150", UINT64_MAX, false, 0},
      {"", 9, false, 0},
      {"-1", 9, false, 0},
      {"+1", 9, false, 0},
      {" 1", 9, false, 0},
      {"1 ", 9, false, 0},
      {"0x1", 9, false, 0},
  };
  for (size_t i = 0; i < COHO_COUNT(rows); i++) {
    uint64_t value = 42;
    bool ok = coho__view_number(coho__view_of(rows[i].text), rows[i].max, &value);
    if (ok != rows[i].ok) fail_msg("%s up to %llu", rows[i].text, (unsigned long long)rows[i].max);
    assert_true(value == (ok ? rows[i].value : 42));
  }
}

static void test_take_nocase(void **state) {
  (void)state;
  struct coho__view v = VIEW("WSs://h"), short_one = VIEW("ws");
  assert_false(coho__view_take_nocase(&v, VIEW("ws://")));
  assert_int_equal(v.len, 7);
  assert_true(coho__view_take_nocase(&v, VIEW("wss://")));
  assert_true(coho__view_eq(v, VIEW("h")));
  assert_false(coho__view_take_nocase(&short_one, VIEW("ws:")));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_of_null_is_empty),
      cmocka_unit_test(test_equality),
      cmocka_unit_test(test_equality_without_case),
      cmocka_unit_test(test_trim),
      cmocka_unit_test(test_split),
      cmocka_unit_test(test_number),
      cmocka_unit_test(test_take_nocase),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
