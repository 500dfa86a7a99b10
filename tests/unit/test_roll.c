/* Who has come, in order: read in pieces while others come and go. */
#include "hub/roll.h"

#include "base/check.h"
#include "support/alloc_fail.h"
#include "support/dice.h"

#include <coho/error.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The roll only keeps pointers: these stand for members. */
static char people[4096];

static struct coho__member *person(uint64_t number) {
  return (struct coho__member *)(void *)&people[number];
}

static uint64_t number_of(const struct coho__member *who) {
  return (uint64_t)((const char *)(const void *)who - people);
}

static void add(struct coho__roll *r, uint64_t number) {
  assert_int_equal(coho__roll_add(r, number, person(number)), 0);
  coho__roll_check(r);
}

static void remove_it(struct coho__roll *r, uint64_t number) {
  coho__roll_remove(r, number);
  coho__roll_check(r);
}

/* Those after number, as "3 4 ". */
static const char *after(const struct coho__roll *r, uint64_t number, size_t max) {
  static char text[400];
  struct coho__member *out[64];
  size_t n = coho__roll_after(r, number, out, max), len = 0;
  text[0] = '\0';
  for (size_t i = 0; i < n; i++)
    len += (size_t)snprintf(text + len, sizeof text - len, "%d ", (int)number_of(out[i]));
  return text;
}

static void test_in_order_from_a_number_on(void **state) {
  (void)state;
  struct coho__roll r = {.count = 0};
  assert_string_equal(after(&r, 0, 9), "");
  for (uint64_t i = 2; i <= 12; i += 2)
    add(&r, i);
  assert_string_equal(after(&r, 0, 9), "2 4 6 8 10 12 ");
  assert_string_equal(after(&r, 4, 2), "6 8 ");
  assert_string_equal(after(&r, 5, 2), "6 8 ");
  assert_string_equal(after(&r, 12, 9), "");
  assert_string_equal(after(&r, UINT64_MAX, 9), "");
  remove_it(&r, 6);
  remove_it(&r, 12);
  assert_string_equal(after(&r, 4, 9), "8 10 ");
  assert_string_equal(after(&r, 6, 9), "8 10 ");
  coho__roll_free(&r);
}

static void test_memory_is_given_back(void **state) {
  (void)state;
  struct coho__roll r = {.count = 0};
  for (uint64_t i = 1; i <= 1000; i++)
    add(&r, i);
  for (uint64_t i = 1; i <= 990; i++)
    remove_it(&r, i);
  assert_true(r.cap <= 64);
  for (uint64_t i = 991; i <= 1000; i++)
    remove_it(&r, i);
  alloc_assert_none_live();
  add(&r, 1001); /* numbers go on */
  assert_string_equal(after(&r, 990, 9), "1001 ");
  coho__roll_free(&r);
}

static void test_random_steps(void **state) {
  (void)state;
  enum { MOST = 4000 };
  struct coho__roll r = {.count = 0};
  struct dice d = dice_of(11);
  static bool here[MOST + 1];
  uint64_t last = 0;
  for (int step = 0; last < MOST; step++) {
    bool fails = dice(&d, 4) == 0;
    if (fails) alloc_fail_at(1);
    if (dice(&d, 5) < 3) {
      int err = coho__roll_add(&r, last + 1, person(last + 1));
      if (!err) here[++last] = true;
      if (err) assert_true(err == COHO_ENOMEM && alloc_failed());
    } else if (last) {
      uint64_t one = 1 + dice(&d, (uint32_t)last);
      if (here[one]) coho__roll_remove(&r, one);
      here[one] = false;
    }
    if (fails) alloc_fail_at(0);
    coho__roll_check(&r);
    uint64_t from = dice(&d, (uint32_t)last + 1), next = from + 1;
    struct coho__member *out;
    while (next <= last && !here[next])
      next++;
    size_t n = coho__roll_after(&r, from, &out, 1);
    assert_int_equal(n, next <= last);
    if (n) assert_int_equal(number_of(out), next);
  }
  coho__roll_free(&r);
}

static int start(void **state) {
  (void)state;
  alloc_fail_at(0);
  return 0;
}

static int end(void **state) {
  (void)state;
  alloc_assert_none_live();
  return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, end)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_in_order_from_a_number_on),
      TEST(test_memory_is_given_back),
      TEST(test_random_steps),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
