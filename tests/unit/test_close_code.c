/* Close codes: every one of them, in both directions (RFC 6455 7.4). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/close_code.h"

static bool valid_by_the_table(uint32_t code) {
  static const uint32_t defined[] = {1000, 1001, 1002, 1003, 1007, 1008,
                                     1009, 1010, 1011, 1012, 1013, 1014};
  for (size_t i = 0; i < sizeof defined / sizeof defined[0]; i++)
    if (code == defined[i]) return true;
  return code >= 3000 && code <= 4999;
}

static void test_CT_07_every_code_that_may_arrive(void **state) {
  (void)state;
  for (uint32_t code = 0; code <= UINT16_MAX; code++)
    assert_int_equal(coho__close_code_valid(code), valid_by_the_table(code));
}

static void test_CL_04_only_a_client_sends_1010(void **state) {
  (void)state;
  for (int code = -1; code <= UINT16_MAX; code++) {
    bool valid = code > 0 && valid_by_the_table((uint32_t)code);
    assert_int_equal(coho__close_code_sendable(code, COHO_CLIENT), valid);
    assert_int_equal(coho__close_code_sendable(code, COHO_SERVER), valid && code != 1010);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_CT_07_every_code_that_may_arrive),
      cmocka_unit_test(test_CL_04_only_a_client_sends_1010),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
