#include "base/strlist.h"

#include "support/alloc_fail.h"

#include <coho/error.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_copy_is_deep(void **state) {
  (void)state;
  char first[] = "one";
  const char *list[] = {first, "", "three", NULL};
  char **copy;
  assert_int_equal(coho__strlist_copy(&copy, list), 0);
  first[0] = 'X';
  list[1] = NULL;
  assert_string_equal(copy[0], "one");
  assert_string_equal(copy[1], "");
  assert_string_equal(copy[2], "three");
  assert_null(copy[3]);
  coho__strlist_free(copy);
  alloc_assert_none_live();
}

/* An empty list is not an absent one: of Origins the first allows none. */
static void test_empty_and_none(void **state) {
  (void)state;
  const char *empty[] = {NULL};
  char **copy;
  assert_int_equal(coho__strlist_copy(&copy, empty), 0);
  assert_non_null(copy);
  assert_null(copy[0]);
  coho__strlist_free(copy);
  assert_int_equal(coho__strlist_copy(&copy, NULL), 0);
  assert_null(copy);
  coho__strlist_free(copy);
  alloc_assert_none_live();
}

static void test_length(void **state) {
  (void)state;
  const char *list[] = {"a", "b", NULL};
  assert_int_equal(coho__strlist_len(list), 2);
  assert_int_equal(coho__strlist_len(list + 2), 0);
  assert_int_equal(coho__strlist_len(NULL), 0);
}

static void test_out_of_memory(void **state) {
  (void)state;
  const char *list[] = {"a", NULL};
  char *none[] = {NULL}, **copy = none;
  alloc_fail_at(1);
  assert_int_equal(coho__strlist_copy(&copy, list), COHO_ENOMEM);
  assert_null(copy);
  alloc_fail_at(0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_copy_is_deep),
      cmocka_unit_test(test_empty_and_none),
      cmocka_unit_test(test_length),
      cmocka_unit_test(test_out_of_memory),
  };
  alloc_fail_at(0);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
