#include "base/sized.h"

#include <coho/core.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The same structure in three versions of the library. */
struct old {
  uint32_t a;
};
struct present {
  uint32_t a, b;
};
struct newer {
  uint32_t a, b, c;
};

static void test_same_size(void **state) {
  (void)state;
  struct present in = {1, 2}, out = {9, 9};
  assert_int_equal(coho__sized_read(&out, sizeof out, &in, sizeof in), 0);
  assert_int_equal(out.a, 1);
  assert_int_equal(out.b, 2);
}

static void test_none_is_zero(void **state) {
  (void)state;
  struct present out = {9, 9};
  assert_int_equal(coho__sized_read(&out, sizeof out, NULL, sizeof out), 0);
  assert_int_equal(out.a | out.b, 0);
}

static void test_what_an_old_program_lacks_is_zero(void **state) {
  (void)state;
  struct old in = {1};
  struct present out = {9, 9};
  assert_int_equal(coho__sized_read(&out, sizeof out, &in, sizeof in), 0);
  assert_int_equal(out.a, 1);
  assert_int_equal(out.b, 0);
}

static void test_what_a_new_program_leaves_out_is_fine(void **state) {
  (void)state;
  struct newer in = {1, 2, 0};
  struct present out = {9, 9};
  assert_int_equal(coho__sized_read(&out, sizeof out, &in, sizeof in), 0);
  assert_int_equal(out.a, 1);
  assert_int_equal(out.b, 2);
}

static void test_what_we_do_not_know_is_refused(void **state) {
  (void)state;
  struct newer in = {1, 2, 0x80000000};
  struct present out;
  assert_int_equal(coho__sized_read(&out, sizeof out, &in, sizeof in), COHO_EOPTION);
}

/* ---- the same through the public engine ------------------------------------------------------ */

struct newer_options {
  coho_ws_options known;
  uint64_t added;
};

static bool is_made(const void *opt, size_t size) {
  coho_ws *ws = coho_ws_new_sized(COHO_SERVER, (const coho_ws_options *)opt, size);
  coho_ws_free(ws);
  return ws != NULL;
}

static void test_engine_of_an_old_program(void **state) {
  (void)state;
  /* Behind what it knows lies something that must not be taken for options. */
  union {
    coho_ws_options options;
    unsigned char bytes[sizeof(coho_ws_options)];
  } in;
  size_t size = offsetof(coho_ws_options, flags);
  memset(in.bytes, 0xff, sizeof in.bytes);
  in.options.max_message = in.options.max_frame = 1000;
  in.options.max_output = 0;
  assert_true(is_made(&in.options, size));
  assert_false(is_made(&in.options, sizeof in.options));
}

static void test_engine_of_a_new_program(void **state) {
  (void)state;
  struct newer_options in = {.known = {.max_message = 1000}};
  assert_true(is_made(&in, sizeof in));
  in.added = 1;
  assert_false(is_made(&in, sizeof in));
}

static void test_engine_wants_a_role(void **state) {
  (void)state;
  static const int roles[] = {0, 3, -1};
  for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++) {
    coho_role role;
    memcpy(&role, &roles[i], sizeof role);
    coho_ws *ws = coho_ws_new(role, NULL);
    assert_null(ws);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_same_size),
      cmocka_unit_test(test_none_is_zero),
      cmocka_unit_test(test_what_an_old_program_lacks_is_zero),
      cmocka_unit_test(test_what_a_new_program_leaves_out_is_fine),
      cmocka_unit_test(test_what_we_do_not_know_is_refused),
      cmocka_unit_test(test_engine_of_an_old_program),
      cmocka_unit_test(test_engine_of_a_new_program),
      cmocka_unit_test(test_engine_wants_a_role),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
