#include "http/admission.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/resource.h>

static void test_A01_never_above_max(void **state) {
  (void)state;
  struct coho__admission a;
  coho__admission_init(&a, 2);
  assert_true(coho__admission_enter(&a));
  assert_true(coho__admission_enter(&a));
  assert_false(coho__admission_enter(&a));
  assert_false(coho__admission_enter(&a));
  coho__admission_leave(&a);
  assert_true(coho__admission_enter(&a));
  assert_false(coho__admission_enter(&a));
}

/* The default leaves descriptors for what is not a connection. */
static void test_default_is_below_descriptors(void **state) {
  (void)state;
  struct coho__admission a;
  struct rlimit before, low;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
  low = before;
  low.rlim_cur = 256;
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
  coho__admission_init(&a, 0);
  assert_true(a.max >= 128 && a.max < 256);
  low.rlim_cur = 8;
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
  coho__admission_init(&a, 0);
  assert_true(a.max >= 1 && a.max < 8);
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_A01_never_above_max),
                                     cmocka_unit_test(test_default_is_below_descriptors)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
