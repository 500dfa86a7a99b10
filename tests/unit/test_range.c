#include "http/range.h"

#include "base/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_range(void **state) {
  (void)state;
  static const struct {
    const char *value;
    uint64_t size;
    enum coho__range_kind kind;
    uint64_t first, len;
  } rows[] = {
      {"bytes=0-0", 10, COHO_RANGE_PART, 0, 1},
      {"bytes=0-9", 10, COHO_RANGE_PART, 0, 10},
      {"bytes=3-5", 10, COHO_RANGE_PART, 3, 3},
      {"bytes=3-", 10, COHO_RANGE_PART, 3, 7},
      {"bytes=-3", 10, COHO_RANGE_PART, 7, 3},
      {"bytes=-30", 10, COHO_RANGE_PART, 0, 10},
      {"BYTES=1-2", 10, COHO_RANGE_PART, 1, 2},
      {"bytes=5-100", 10, COHO_RANGE_PART, 5, 5},
      {"bytes=0-99999999999999999999999999999999", 10, COHO_RANGE_PART, 0, 10},
      {"bytes=-99999999999999999999999999999999", 10, COHO_RANGE_PART, 0, 10},
      {"bytes=10-", 10, COHO_RANGE_BEYOND, 0, 0},
      {"bytes=10-11", 10, COHO_RANGE_BEYOND, 0, 0},
      {"bytes=-0", 10, COHO_RANGE_BEYOND, 0, 0},
      {"bytes=0-", 0, COHO_RANGE_BEYOND, 0, 0},
      {"bytes=18446744073709551616-", 10, COHO_RANGE_BEYOND, 0, 0},
      {"bytes=99999999999999999999999999999999-", 10, COHO_RANGE_BEYOND, 0, 0},
      {"bytes=-5", 0, COHO_RANGE_WHOLE, 0, 0},
      /* not ours, or not understood: ignored (RFC 9110 14.2) */
      {"", 10, COHO_RANGE_WHOLE, 0, 0},
      {"bytes", 10, COHO_RANGE_WHOLE, 0, 0},
      {"bytes=", 10, COHO_RANGE_WHOLE, 0, 0},
      {"bytes=-", 10, COHO_RANGE_WHOLE, 0, 0},
      {"bytes=5", 10, COHO_RANGE_WHOLE, 0, 0},
      {"bytes=5-3", 10, COHO_RANGE_WHOLE, 0, 0},
      {"bytes=+5-7", 10, COHO_RANGE_WHOLE, 0, 0},
      {"bytes=0x1-2", 10, COHO_RANGE_WHOLE, 0, 0},
      {"bytes=1-2-3", 10, COHO_RANGE_WHOLE, 0, 0},
      {"bytes=--3", 10, COHO_RANGE_WHOLE, 0, 0},
      {"bytes=1 -2", 10, COHO_RANGE_WHOLE, 0, 0},
      {"pages=1-2", 10, COHO_RANGE_WHOLE, 0, 0},
      /* several: the whole file, so that a small request cannot ask for a large answer */
      {"bytes=0-1,3-4", 10, COHO_RANGE_WHOLE, 0, 0},
      {"bytes=0-,0-,0-,0-", 10, COHO_RANGE_WHOLE, 0, 0},
  };
  for (size_t i = 0; i < COHO_COUNT(rows); i++) {
    struct coho__range range = {0, 0};
    assert_int_equal(coho__range_parse(coho__view_of(rows[i].value), rows[i].size, &range),
                     rows[i].kind);
    assert_true(range.first == rows[i].first);
    assert_true(range.len == rows[i].len);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_range)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
