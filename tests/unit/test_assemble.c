/* Assembly: the limit counts payload, the cost counts fragments (RFC 6455 10.4). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/assemble.h"

#include <coho/error.h>

enum { MIB = 1024 * 1024 };

static void test_FR_16_sum_of_the_headers_counts(void **state) {
  (void)state;
  struct coho__assembly a;
  coho__assembly_init(&a);
  assert_int_equal(coho__assembly_frame(&a, 600, 1000, UINT32_MAX), 0);
  assert_int_equal(coho__assembly_frame(&a, 401, 1000, UINT32_MAX), COHO_ETOOBIG);
  assert_int_equal(coho__assembly_frame(&a, 400, 1000, UINT32_MAX), 0);
  assert_int_equal(coho__assembly_frame(&a, 0, 1000, UINT32_MAX), 0);
  assert_int_equal(coho__assembly_frame(&a, 1, 1000, UINT32_MAX), COHO_ETOOBIG);
  coho__assembly_reset(&a);
  assert_int_equal(coho__assembly_frame(&a, 1000, 1000, UINT32_MAX), 0);
  assert_int_equal(coho__assembly_frame(&a, INT64_MAX, 1000, UINT32_MAX), COHO_ETOOBIG);
  coho__assembly_free(&a);
}

static void test_FR_16_many_small_honest_fragments_pass(void **state) {
  (void)state;
  struct coho__assembly a;
  coho__assembly_init(&a);
  for (int i = 0; i < 65536; i++)
    assert_int_equal(coho__assembly_frame(&a, 64, 4 * MIB, UINT32_MAX), 0);
  assert_int_equal(coho__assembly_frame(&a, 0, 4 * MIB, UINT32_MAX), 0);
}

static void test_FR_16_empty_fragments_end(void **state) {
  (void)state;
  struct coho__assembly a;
  coho__assembly_init(&a);
  long n = 0;
  while (coho__assembly_frame(&a, 0, MIB, UINT32_MAX) == 0)
    n++;
  assert_int_equal(n, (4 * MIB + 64 * 1024) / COHO_FRAGMENT_COST);
  assert_int_equal(coho__assembly_frame(&a, 0, MIB, UINT32_MAX), COHO_EFRAGMENTS);
}

static void test_FR_16_the_largest_limit_does_not_overflow(void **state) {
  (void)state;
  struct coho__assembly a;
  coho__assembly_init(&a);
  assert_int_equal(coho__assembly_frame(&a, INT64_MAX, UINT64_MAX, UINT32_MAX), 0);
  assert_int_equal(coho__assembly_frame(&a, 1, UINT64_MAX, UINT32_MAX), 0);
}

static void test_B03_a_limit_of_fragments(void **state) {
  (void)state;
  struct coho__assembly a;
  coho__assembly_init(&a);
  for (int message = 0; message < 2; message++) {
    for (int i = 0; i < 3; i++)
      assert_int_equal(coho__assembly_frame(&a, 0, MIB, 3), 0);
    assert_int_equal(coho__assembly_frame(&a, 0, MIB, 3), COHO_EFRAGMENTS);
    coho__assembly_reset(&a);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_FR_16_sum_of_the_headers_counts),
      cmocka_unit_test(test_FR_16_many_small_honest_fragments_pass),
      cmocka_unit_test(test_FR_16_empty_fragments_end),
      cmocka_unit_test(test_B03_a_limit_of_fragments),
      cmocka_unit_test(test_FR_16_the_largest_limit_does_not_overflow),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
