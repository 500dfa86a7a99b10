#include "base/chunk.h"

#include "support/alloc_fail.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_lives_until_the_last_reference(void **state) {
  (void)state;
  struct coho__chunk *c = coho__chunk_new(100);
  assert_non_null(c);
  assert_int_equal(c->len, 0);
  assert_int_equal(c->cap, 100);
  assert_ptr_equal(coho__chunk_ref(c), c);
  size_t live = alloc_live();
  assert_true(live >= 100);
  coho__chunk_unref(c);
  assert_int_equal(alloc_live(), live);
  memset(c->data, 'x', 100);
  coho__chunk_unref(c);
  coho__chunk_unref(NULL);
  assert_int_equal(alloc_live(), 0);
}

static void test_impossible_sizes(void **state) {
  (void)state;
  assert_null(coho__chunk_new(SIZE_MAX));
  assert_null(coho__chunk_new(SIZE_MAX - sizeof(struct coho__chunk) + 1));
  alloc_fail_at(1);
  assert_null(coho__chunk_new(10));
}

/* Each thread takes and drops references; the last to end frees. */
static void *borrow(void *arg) {
  struct coho__chunk *c = (struct coho__chunk *)arg;
  for (int i = 0; i < 20000; i++) {
    coho__chunk_ref(c);
    if (c->data[i % 8] != 'x') return NULL;
    coho__chunk_unref(c);
  }
  coho__chunk_unref(c);
  return arg;
}

static void test_shared_by_threads(void **state) {
  (void)state;
  enum { THREADS = 4 };
  pthread_t threads[THREADS];
  struct coho__chunk *c = coho__chunk_new(8);
  memset(c->data, 'x', 8);
  for (int i = 0; i < THREADS; i++) {
    coho__chunk_ref(c);
    assert_int_equal(pthread_create(&threads[i], NULL, borrow, c), 0);
  }
  coho__chunk_unref(c);
  for (int i = 0; i < THREADS; i++) {
    void *result = NULL;
    pthread_join(threads[i], &result);
    assert_non_null(result);
  }
  assert_int_equal(alloc_live(), 0);
}

static int start(void **state) {
  (void)state;
  alloc_fail_at(0);
  return 0;
}

#define TEST(f) cmocka_unit_test_setup(f, start)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_lives_until_the_last_reference),
      TEST(test_impossible_sizes),
      TEST(test_shared_by_threads),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
