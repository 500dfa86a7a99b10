#include "base/alloc.h"
#include "support/alloc_fail.h"

#include <coho/core.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct call {
  void *ptr;
  size_t old_size, new_size;
};

static struct call last;
static char block[64];

static void *recording_alloc(void *ctx, void *ptr, size_t old_size, size_t new_size) {
  last = (struct call){ptr, old_size, new_size};
  assert_ptr_equal(ctx, &last);
  return new_size != 0 ? block : NULL;
}

static void test_sizes_reach_the_allocator(void **state) {
  (void)state;
  coho_set_allocator(recording_alloc, &last);
  void *p = coho__alloc(10);
  assert_null(last.ptr);
  assert_int_equal(last.new_size, 10);
  p = coho__realloc(p, 10, 20);
  assert_ptr_equal(last.ptr, block);
  assert_int_equal(last.old_size, 10);
  assert_int_equal(last.new_size, 20);
  coho__free(p, 20);
  assert_int_equal(last.old_size, 20);
  assert_int_equal(last.new_size, 0);
}

/* Size 0 would mean "free" to a program's allocator. */
static void test_no_block_of_size_0_is_asked_for(void **state) {
  (void)state;
  coho_set_allocator(recording_alloc, &last);
  void *p = coho__alloc(0);
  assert_non_null(p);
  assert_int_equal(last.new_size, 1);
  p = coho__realloc(p, 0, 0);
  assert_non_null(p);
  assert_int_equal(last.old_size, 1);
  coho__free(p, 0);
  assert_int_equal(last.old_size, 1);
  last.old_size = 77;
  coho__free(NULL, 5);
  assert_int_equal(last.old_size, 77); /* not called */
}

static void test_null_brings_malloc_back(void **state) {
  (void)state;
  coho_set_allocator(recording_alloc, &last);
  coho_set_allocator(NULL, &last);
  last = (struct call){NULL, 0, 0};
  char *p = (char *)coho__alloc(3);
  assert_non_null(p);
  memset(p, 'a', 3);
  p = (char *)coho__realloc(p, 3, 5000);
  assert_memory_equal(p, "aaa", 3);
  coho__free(p, 5000);
  assert_int_equal(last.new_size, 0);
}

static void test_strings(void **state) {
  (void)state;
  alloc_fail_at(0);
  char *a = coho__strdup("chat");
  char *b = coho__strndup("chat/room", 4);
  char *c = coho__strndup("a\0b", 3); /* ends at the first NUL: its size is its length */
  assert_string_equal(a, "chat");
  assert_string_equal(b, "chat");
  assert_string_equal(c, "a");
  coho__free_str(a);
  coho__free_str(b);
  coho__free_str(c);
  coho__free_str(NULL);
  alloc_assert_none_live();
}

static void test_zalloc_is_zeroed(void **state) {
  (void)state;
  const char zeros[64] = {0};
  coho_set_allocator(recording_alloc, &last);
  memset(block, 0x55, sizeof block);
  assert_memory_equal(coho__zalloc(sizeof block), zeros, sizeof zeros);
}

static void test_failure_leaves_the_old_block(void **state) {
  (void)state;
  alloc_fail_at(0);
  char *p = (char *)coho__alloc(4);
  memset(p, 'a', 4);
  alloc_fail_at(1);
  assert_null(coho__realloc(p, 4, 400));
  assert_true(alloc_failed());
  assert_int_equal(alloc_live(), 4);
  assert_memory_equal(p, "aaaa", 4);
  alloc_fail_at(1);
  assert_null(coho__zalloc(8));
  alloc_fail_at(2);
  char *first = coho__strdup("x");
  assert_non_null(first);
  assert_null(coho__strdup("y"));
  assert_int_equal(alloc_calls(), 2);
  coho__free_str(first);
  coho__free(p, 4);
  alloc_assert_none_live();
}

int main(void) {
  /* The failing allocator installs itself once: its tests come first. */
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_strings),
      cmocka_unit_test(test_failure_leaves_the_old_block),
      cmocka_unit_test(test_sizes_reach_the_allocator),
      cmocka_unit_test(test_no_block_of_size_0_is_asked_for),
      cmocka_unit_test(test_null_brings_malloc_back),
      cmocka_unit_test(test_zalloc_is_zeroed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
