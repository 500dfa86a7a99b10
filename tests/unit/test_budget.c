/* The budgets of the process: nothing above the limit, and all given back. */
#include "base/budget.h"

#include "base/alloc.h"

#include <coho/core.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

static int set_up(void **state) {
  (void)state;
  assert_int_equal(coho_memory_used(), 0);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  coho_set_memory_limit(0);
  coho__memory_set_default(UINT64_MAX);
  coho_set_context_limit(0);
  assert_int_equal(coho_memory_used(), 0);
  assert_int_equal(coho_contexts_used(), 0);
  return 0;
}

/* ---- memory -------------------------------------------------------------------------------- */

static void test_all_memory_is_counted(void **state) {
  (void)state;
  void *p = coho__alloc(100);
  assert_int_equal(coho_memory_used(), 100);
  p = coho__realloc(p, 100, 300);
  assert_int_equal(coho_memory_used(), 300);
  p = coho__realloc(p, 300, 20);
  assert_int_equal(coho_memory_used(), 20);
  char *s = coho__strdup("abc");
  assert_int_equal(coho_memory_used(), 24);
  coho__free_str(s);
  coho__free(p, 20);
}

static void test_nothing_above_the_limit(void **state) {
  (void)state;
  coho_set_memory_limit(1000);
  void *p = coho__alloc(600);
  assert_null(coho__alloc(401));
  assert_int_equal(coho_memory_used(), 600);
  assert_null(coho__realloc(p, 600, 1001));
  assert_null(coho__alloc(SIZE_MAX));
  p = coho__realloc(p, 600, 1000);
  assert_non_null(p);
  assert_null(coho__alloc(1));
  coho_set_memory_limit(10); /* what is there stays, and may shrink */
  p = coho__realloc(p, 1000, 500);
  assert_non_null(p);
  assert_null(coho__realloc(p, 500, 501));
  coho__free(p, 500);
}

static void *refuse(void *ctx, void *ptr, size_t old_size, size_t new_size) {
  (void)ctx;
  (void)ptr;
  (void)old_size;
  (void)new_size;
  return NULL;
}

static void test_what_the_allocator_refuses_is_not_counted(void **state) {
  (void)state;
  coho_set_allocator(refuse, NULL);
  assert_null(coho__alloc(100));
  coho_set_allocator(NULL, NULL);
}

/* What could not shrink is still there, although the limit would not let it in again. */
static void test_what_the_allocator_does_not_shrink_stays_counted(void **state) {
  (void)state;
  void *p = coho__alloc(100);
  coho_set_memory_limit(10);
  coho_set_allocator(refuse, NULL);
  assert_null(coho__realloc(p, 100, 50));
  coho_set_allocator(NULL, NULL);
  assert_int_equal(coho_memory_used(), 100);
  coho__free(p, 100);
}

static void test_default_holds_until_a_limit_is_set(void **state) {
  (void)state;
  coho__memory_set_default(100);
  assert_null(coho__alloc(101));
  coho_set_memory_limit(200);
  void *p = coho__alloc(200);
  assert_non_null(p);
  coho_set_memory_limit(UINT64_MAX); /* none */
  p = coho__realloc(p, 200, 400);
  assert_non_null(p);
  coho_set_memory_limit(0);
  assert_null(coho__alloc(1));
  coho__free(p, 400);
}

static void test_tight_above_seven_eighths(void **state) {
  (void)state;
  coho_set_memory_limit(8000);
  assert_false(coho__memory_tight());
  assert_true(coho__memory_spare(7500));
  assert_false(coho__memory_spare(7501));
  void *p = coho__alloc(7000);
  assert_false(coho__memory_tight());
  assert_true(coho__memory_spare(500));
  assert_false(coho__memory_spare(501));
  assert_false(coho__memory_spare(SIZE_MAX));
  p = coho__realloc(p, 7000, 7001);
  assert_true(coho__memory_tight());
  assert_false(coho__memory_spare(0));
  coho_set_memory_limit(UINT64_MAX);
  assert_false(coho__memory_tight());
  assert_true(coho__memory_spare(1 << 30));
  coho__free(p, 7001);
}

/* ---- contexts ------------------------------------------------------------------------------ */

static void test_B10_contexts(void **state) {
  (void)state;
  coho_set_context_limit(100);
  assert_true(coho__contexts_take(60));
  assert_false(coho__contexts_take(41));
  assert_false(coho__contexts_take(SIZE_MAX));
  assert_true(coho__contexts_take(40));
  assert_int_equal(coho_contexts_used(), 100);
  coho_set_context_limit(50); /* those that are there stay */
  coho__contexts_give(60);
  assert_false(coho__contexts_take(11));
  assert_true(coho__contexts_take(10));
  coho__contexts_give(50);
  coho_set_context_limit(0);
  assert_true(coho__contexts_take((size_t)128 << 20));
  assert_false(coho__contexts_take(1));
  coho__contexts_give((size_t)128 << 20);
}

/* ---- threads ------------------------------------------------------------------------------- */

enum { THREADS = 4, ROUNDS = 20000, LIMIT = 4096 };

static _Atomic unsigned above, refused;

static void *take_and_give(void *arg) {
  size_t n = *(const size_t *)arg;
  for (int i = 0; i < ROUNDS; i++) {
    void *p = coho__alloc(n);
    if (coho_memory_used() > LIMIT) atomic_fetch_add(&above, 1);
    if (!p) atomic_fetch_add(&refused, 1);
    coho__free(p, n);
    if (!coho__contexts_take(n)) continue;
    if (coho_contexts_used() > LIMIT) atomic_fetch_add(&above, 1);
    coho__contexts_give(n);
  }
  return NULL;
}

static void run_threads(const size_t sizes[THREADS]) {
  pthread_t threads[THREADS];
  size_t n[THREADS];
  atomic_store(&above, 0);
  atomic_store(&refused, 0);
  coho_set_memory_limit(LIMIT);
  coho_set_context_limit(LIMIT);
  for (size_t i = 0; i < THREADS; i++) {
    n[i] = sizes[i];
    assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, &n[i]), 0);
  }
  for (size_t i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  assert_int_equal(atomic_load(&above), 0);
}

static void test_threads_share_one_limit(void **state) {
  (void)state;
  run_threads((const size_t[THREADS]){1500, 1500, 1500, 1500});
}

/* What one is refused takes nothing away from the others, not even for a moment. */
static void test_a_refused_thread_disturbs_nobody(void **state) {
  (void)state;
  run_threads((const size_t[THREADS]){1000, LIMIT + 1, 1000, 1000});
  assert_int_equal(atomic_load(&refused), ROUNDS);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_all_memory_is_counted, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_nothing_above_the_limit, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_what_the_allocator_refuses_is_not_counted, set_up,
                                      tear_down),
      cmocka_unit_test_setup_teardown(test_what_the_allocator_does_not_shrink_stays_counted, set_up,
                                      tear_down),
      cmocka_unit_test_setup_teardown(test_default_holds_until_a_limit_is_set, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_tight_above_seven_eighths, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_B10_contexts, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_threads_share_one_limit, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_a_refused_thread_disturbs_nobody, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
