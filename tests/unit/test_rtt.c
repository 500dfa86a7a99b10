#include "ws/rtt.h"

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include <math.h>
#include <string.h>

static void test_sixteen_bits_are_exact_to_a_thousandth(void **state) {
  (void)state;
  for (uint64_t us = 1; us < (uint64_t)1 << 40; us += us / 97 + 1) {
    uint64_t back = coho__rtt_unpack(coho__rtt_pack(us));
    uint64_t off = back > us ? back - us : us - back;
    assert_true(off * 1000 <= us);
  }
  assert_int_equal(coho__rtt_unpack(coho__rtt_pack(2047)), 2047);
}

static void test_the_ends_of_the_range(void **state) {
  (void)state;
  assert_int_equal(coho__rtt_unpack(coho__rtt_pack(0)), 1);
  assert_int_equal(coho__rtt_pack(UINT64_MAX), UINT16_MAX);
  assert_true(isnan(coho__rtt_ms(0)));
  assert_true(coho__rtt_ms(coho__rtt_pack(1500)) > 1.499 &&
              coho__rtt_ms(coho__rtt_pack(1500)) < 1.501);
}

static void test_the_smooth_one_follows_slowly(void **state) {
  (void)state;
  struct coho__rtts r = {0, 0};
  coho__rtts_add(&r, 1000);
  assert_int_equal(coho__rtt_unpack(r.smooth), 1000);
  coho__rtts_add(&r, 1800);
  assert_int_equal(coho__rtt_unpack(r.last), 1800);
  assert_int_equal(coho__rtt_unpack(r.smooth), 1100);
  for (int i = 0; i < 100; i++)
    coho__rtts_add(&r, 1800);
  assert_true(coho__rtt_unpack(r.smooth) > 1700 && coho__rtt_unpack(r.smooth) <= 1800);
}

static void test_a_stamp_tells_its_age(void **state) {
  (void)state;
  uint8_t stamp[COHO_ENGINE_STAMP];
  uint64_t us;
  coho__rtt_stamp(stamp);
  coho_msg pong = coho_binary(stamp, sizeof stamp);
  assert_true(coho__rtt_read(&pong, &us));
  assert_true(us < 60000000);
}

static void test_other_pongs_are_none_of_ours(void **state) {
  (void)state;
  uint8_t stamp[COHO_ENGINE_STAMP];
  uint64_t us;
  coho__rtt_stamp(stamp);
  coho_msg pong = coho_binary(stamp, sizeof stamp - 1);
  assert_false(coho__rtt_read(&pong, &us));
  stamp[0] ^= 1;
  pong = coho_binary(stamp, sizeof stamp);
  assert_false(coho__rtt_read(&pong, &us));
  pong = coho_binary(NULL, 0);
  assert_false(coho__rtt_read(&pong, &us));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sixteen_bits_are_exact_to_a_thousandth),
      cmocka_unit_test(test_the_ends_of_the_range),
      cmocka_unit_test(test_the_smooth_one_follows_slowly),
      cmocka_unit_test(test_a_stamp_tells_its_age),
      cmocka_unit_test(test_other_pongs_are_none_of_ours),
  };
  return cmocka_run_group_tests_name("rtt", tests, NULL, NULL);
}
