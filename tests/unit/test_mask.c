/* Masking: against the formula of RFC 6455 5.3, at every length, alignment and cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/mask.h"

#include <stdbool.h>
#include <string.h>

enum { LONGEST = 150 };

static uint32_t key_of(const uint8_t bytes[4]) {
  uint32_t key;
  memcpy(&key, bytes, 4);
  return key;
}

static void test_FR_13_formula_at_every_length_and_alignment(void **state) {
  (void)state;
  static const uint8_t key[4] = {0x37, 0xfa, 0x21, 0x3d};
  for (size_t align = 0; align < 8; align++) {
    for (size_t len = 0; len <= LONGEST; len++) {
      uint8_t data[LONGEST + 16];
      for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7);
      coho__mask(data + align, len, key_of(key));
      for (size_t i = 0; i < sizeof data; i++) {
        bool inside = i >= align && i < align + len;
        uint8_t expected = (uint8_t)((i * 7) ^ (inside ? key[(i - align) & 3] : 0));
        assert_int_equal(data[i], expected);
      }
    }
  }
}

static void test_FR_13_pieces_go_on_where_the_last_ended(void **state) {
  (void)state;
  static const uint8_t key[4] = {1, 2, 4, 8};
  for (size_t cut = 0; cut <= LONGEST; cut++) {
    uint8_t whole[LONGEST] = {0}, pieces[LONGEST] = {0};
    coho__mask(whole, LONGEST, key_of(key));
    uint32_t next = coho__mask(pieces, cut, key_of(key));
    coho__mask(pieces + cut, LONGEST - cut, next);
    assert_memory_equal(whole, pieces, LONGEST);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_FR_13_formula_at_every_length_and_alignment),
      cmocka_unit_test(test_FR_13_pieces_go_on_where_the_last_ended),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
