/* A pool: numbers that stay, elements that do not move, segments that are given back. */
#include "base/pool.h"

#include "base/check.h"
#include "support/alloc_fail.h"
#include "support/dice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 3000 };

/* An element that says which it is. */
struct thing {
  uint64_t name;
  uint32_t number;
  uint32_t fill;
};

static struct thing *things[MOST]; /* NULL: not in */
static uint32_t numbers[MOST];

static struct thing *add(struct coho__pool *p, uint32_t *number) {
  struct thing *t = (struct thing *)coho__pool_add(p, number);
  if (!t) return NULL;
  static const struct thing zero = {0, 0, 0};
  assert_memory_equal(t, &zero, sizeof zero);
  assert_true(*number != COHO_POOL_NONE);
  memset(t, 0xa5, sizeof *t);
  return t;
}

static void fill(struct coho__pool *p, size_t n) {
  coho__pool_init(p, sizeof(struct thing), 6);
  for (size_t i = 0; i < n; i++) {
    things[i] = add(p, &numbers[i]);
    assert_non_null(things[i]);
    things[i]->name = i;
    things[i]->number = numbers[i];
  }
}

static void remove_thing(struct coho__pool *p, size_t i) {
  assert_int_equal(things[i]->name, i);
  coho__pool_remove(p, numbers[i]);
  things[i] = NULL;
}

static void test_numbers_are_elements(void **state) {
  (void)state;
  struct coho__pool p;
  fill(&p, MOST);
  coho__pool_check(&p);
  assert_int_equal(p.used, MOST);
  for (size_t i = 0; i < MOST; i++) {
    assert_ptr_equal(coho__pool_at(&p, numbers[i]), things[i]);
    assert_int_equal(things[i]->name, i);
    assert_int_equal(things[i]->number, numbers[i]);
    assert_int_equal((uintptr_t)things[i] % sizeof(uint64_t), 0);
  }
  coho__pool_free(&p);
  assert_int_equal(p.used, 0);
}

/* Else a subscription would cost more than it says. */
static void test_an_element_costs_its_size(void **state) {
  (void)state;
#ifdef COHO_HARD
  skip(); /* segments are tiny there */
#endif
  struct coho__pool p;
  fill(&p, MOST);
  assert_in_range(alloc_live(), MOST * sizeof(struct thing), MOST * (sizeof(struct thing) + 2));
  coho__pool_free(&p);
}

static void test_sizes_that_are_odd(void **state) {
  (void)state;
  static const size_t sizes[] = {4, 5, 7, 12, 100, 4000};
  for (size_t i = 0; i < COHO_COUNT(sizes); i++) {
    struct coho__pool p;
    uint32_t some[200];
    coho__pool_init(&p, sizes[i], 6);
    for (size_t k = 0; k < COHO_COUNT(some); k++)
      memset(coho__pool_add(&p, &some[k]), (int)k, sizes[i]);
    for (size_t k = 0; k < COHO_COUNT(some); k++) {
      const unsigned char *bytes = (const unsigned char *)coho__pool_at(&p, some[k]);
      for (size_t b = 0; b < sizes[i]; b++)
        assert_int_equal(bytes[b], k);
    }
    coho__pool_check(&p);
    for (size_t k = 0; k < COHO_COUNT(some); k++)
      coho__pool_remove(&p, some[k]);
    assert_int_equal(alloc_live(), 0);
  }
}

static void test_segments_are_given_back(void **state) {
  (void)state;
  struct coho__pool p;
  fill(&p, MOST);
  size_t full = alloc_live();
  for (size_t i = MOST / 10; i < MOST; i++)
    remove_thing(&p, i);
  coho__pool_check(&p);
  assert_true(full - alloc_live() >= (MOST * 9 / 10 - 100) * sizeof(struct thing));
  for (size_t i = 0; i < MOST / 10; i++)
    remove_thing(&p, i);
  assert_int_equal(alloc_live(), 0); /* nor is coho__pool_free() needed */
  fill(&p, 1);
  coho__pool_free(&p);
}

/* One element in each segment is all that keeps them; what is added then fills their places. */
static void test_places_are_used_again(void **state) {
  (void)state;
  struct coho__pool p;
  fill(&p, MOST);
  size_t full = alloc_live();
  for (size_t i = 0; i < MOST; i++)
    if (i % 2) remove_thing(&p, i);
  coho__pool_check(&p);
  for (size_t i = 0; i < MOST; i++) {
    if (things[i]) continue;
    things[i] = add(&p, &numbers[i]);
    things[i]->name = i;
  }
  coho__pool_check(&p);
  assert_true(alloc_live() <= full);
  for (size_t i = 0; i < MOST; i++)
    remove_thing(&p, i);
}

static void test_out_of_memory(void **state) {
  (void)state;
  for (long i = 1;; i++) {
    struct coho__pool p;
    bool failed = false;
    coho__pool_init(&p, sizeof(struct thing), 6);
    alloc_fail_at(i);
    for (size_t k = 0; k < 500; k++) {
      things[k] = add(&p, &numbers[k]);
      if (!things[k]) {
        assert_true(alloc_failed() && !failed);
        failed = true;
        assert_int_equal(p.used, k);
        coho__pool_check(&p);
        things[k] = add(&p, &numbers[k]); /* the next time there is memory */
        assert_non_null(things[k]);
      }
      things[k]->name = k;
    }
    alloc_fail_at(0);
    for (size_t k = 0; k < 500; k++)
      remove_thing(&p, k);
    alloc_assert_none_live();
    if (!failed) break;
  }
}

/* Against an array of what is in, in tides. */
static void test_random_steps(void **state) {
  (void)state;
  struct coho__pool p;
  struct dice d = dice_of(64);
  size_t used = 0;
  memset(things, 0, sizeof things);
  coho__pool_init(&p, sizeof(struct thing), 6);
  for (int step = 0; step < 20000; step++) {
    size_t i = dice(&d, MOST / 4);
    bool adding = dice(&d, 100) < (step / 2500 % 2 ? 20U : 80U);
    if (adding && !things[i]) {
      things[i] = add(&p, &numbers[i]);
      things[i]->name = i;
      used++;
    } else if (!adding && things[i]) {
      remove_thing(&p, i);
      used--;
    }
    assert_int_equal(p.used, used);
    coho__pool_check(&p);
    i = dice(&d, MOST / 4);
    if (things[i]) assert_ptr_equal(coho__pool_at(&p, numbers[i]), things[i]);
  }
  for (size_t i = 0; i < MOST; i++)
    if (things[i]) remove_thing(&p, i);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, alloc_setup, alloc_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_numbers_are_elements),  TEST(test_an_element_costs_its_size),
      TEST(test_sizes_that_are_odd),    TEST(test_segments_are_given_back),
      TEST(test_places_are_used_again), TEST(test_out_of_memory),
      TEST(test_random_steps),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
