/* Idempotency keys: known for their time, the oldest forgotten first, never more than so many. */
#include "hub/receipts.h"

#include "base/check.h"
#include "support/alloc_fail.h"
#include "support/dice.h"

#include <coho/error.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { AGE = COHO_RECEIPTS_AGE_MS, MOST = COHO_RECEIPTS_MOST };

static const uint64_t seed[2] = {1, 2};

/* ---- helpers -------------------------------------------------------------------------------- */

static struct coho__view key_of(size_t i) {
  static char text[32];
  snprintf(text, sizeof text, "key %zu", i);
  return coho__view_of(text);
}

static void add(struct coho__receipts *r, size_t i, uint64_t now_ms) {
  assert_int_equal(coho__receipts_add(r, key_of(i), now_ms, (coho_pos){7, i}), 0);
}

/* Whether it is known, and then its position is the one that was given. */
static bool knows(struct coho__receipts *r, size_t i, uint64_t now_ms) {
  coho_pos pos = {0, 0};
  if (!coho__receipts_find(r, key_of(i), now_ms, &pos)) return false;
  assert_true(pos.epoch == 7 && pos.offset == i);
  return true;
}

/* ---- time ----------------------------------------------------------------------------------- */

static void test_is_known_for_its_time(void **state) {
  (void)state;
  struct coho__receipts r;
  coho__receipts_init(&r, seed);
  assert_false(knows(&r, 1, 1000));
  assert_true(coho__receipts_next(&r) == UINT64_MAX);
  add(&r, 1, 1000);
  assert_true(coho__receipts_next(&r) == 1000 + AGE);
  assert_true(knows(&r, 1, 1000));
  assert_false(knows(&r, 2, 1000));
  assert_true(knows(&r, 1, 1000 + AGE - 1));
  assert_false(knows(&r, 1, 1000 + AGE));
  coho__receipts_check(&r);
  add(&r, 1, 1000 + AGE); /* it may come again, with another time */
  assert_true(knows(&r, 1, 1000 + 2 * AGE - 1));
  coho__receipts_free(&r);
}

static void test_B21_shrinks_to_the_last_few(void **state) {
  (void)state;
  struct coho__receipts r;
  size_t count = COHO_RECEIPTS_LEAST + 2;
  coho__receipts_init(&r, seed);
  for (size_t i = 0; i < count && i < COHO_RECEIPTS_MOST; i++)
    add(&r, i, 10);
  count = r.map.count;
  coho__receipts_shrink(&r, 0);
  assert_int_equal(r.map.count, count);
  coho__receipts_shrink(&r, UINT64_MAX);
  coho__receipts_check(&r);
  assert_int_equal(r.map.count, COHO_RECEIPTS_LEAST);
  assert_true(knows(&r, count - 1, 10));
  assert_int_equal(knows(&r, 0, 10), count == COHO_RECEIPTS_LEAST);
  coho__receipts_free(&r);
}

static void test_expires_from_the_oldest_on(void **state) {
  (void)state;
  struct coho__receipts r;
  coho__receipts_init(&r, seed);
  for (size_t i = 0; i < 5; i++)
    add(&r, i, i * 10);
  coho__receipts_expire(&r, AGE + 20);
  coho__receipts_check(&r);
  assert_int_equal(r.map.count, 2);
  assert_false(knows(&r, 2, AGE + 20));
  assert_true(knows(&r, 3, AGE + 20));
  assert_true(coho__receipts_next(&r) == AGE + 30);
  coho__receipts_expire(&r, UINT64_MAX);
  assert_int_equal(alloc_live(), 0); /* an empty one takes nothing */
  assert_int_equal(r.bytes, 0);
}

/* A key that was sent again does not live longer: its first time counts. */
static void test_finding_does_not_renew(void **state) {
  (void)state;
  struct coho__receipts r;
  coho__receipts_init(&r, seed);
  add(&r, 1, 0);
  add(&r, 2, 5);
  for (uint64_t now = 0; now < AGE; now += AGE / 10)
    assert_true(knows(&r, 1, now));
  assert_false(knows(&r, 1, AGE));
  assert_true(knows(&r, 2, AGE));
  coho__receipts_free(&r);
}

/* ---- limits --------------------------------------------------------------------------------- */

static void test_the_oldest_gives_way(void **state) {
  (void)state;
  struct coho__receipts r;
  coho__receipts_init(&r, seed);
  for (size_t i = 0; i < MOST + 5; i++) {
    add(&r, i, i);
    assert_int_equal(r.map.count, COHO_MIN(i + 1, (size_t)MOST));
  }
  coho__receipts_check(&r);
  for (size_t i = 0; i < MOST + 5; i++)
    assert_int_equal(knows(&r, i, MOST + 5), i >= 5);
  coho__receipts_free(&r);
  assert_int_equal(r.bytes, 0);
}

static void test_bytes_are_memory(void **state) {
  (void)state;
  struct coho__receipts r;
  coho__receipts_init(&r, seed);
  for (size_t i = 0; i < MOST; i++)
    add(&r, i, 0);
  size_t live = alloc_live();
  assert_in_range(r.bytes, live * 8 / 10, live * 12 / 10);
  coho__receipts_free(&r);
}

static void test_keys_are_bytes(void **state) {
  (void)state;
  static char longest[COHO_RECEIPT_KEY_MAX];
  struct coho__receipts r;
  coho_pos pos;
  coho__receipts_init(&r, seed);
  assert_int_equal(coho__receipts_add(&r, VIEW(""), 0, (coho_pos){1, 1}), 0);
  assert_int_equal(coho__receipts_add(&r, VIEW("a"), 0, (coho_pos){1, 2}), 0);
  assert_int_equal(coho__receipts_add(&r, VIEW("a\0b"), 0, (coho_pos){1, 3}), 0);
  memset(longest, 'x', sizeof longest);
  struct coho__view key = {longest, sizeof longest};
  assert_int_equal(coho__receipts_add(&r, key, 0, (coho_pos){1, 4}), 0);
  coho__receipts_check(&r);
  assert_true(coho__receipts_find(&r, VIEW(""), 0, &pos) && pos.offset == 1);
  assert_true(coho__receipts_find(&r, VIEW("a\0b"), 0, &pos) && pos.offset == 3);
  assert_true(coho__receipts_find(&r, key, 0, &pos) && pos.offset == 4);
  assert_false(coho__receipts_find(&r, VIEW("A"), 0, &pos));
  coho__receipts_free(&r);
}

/* ---- against a model ------------------------------------------------------------------------ */

enum { KEYS = 200 };

static void test_random_steps(void **state) {
  (void)state;
  struct coho__receipts r;
  struct dice d = dice_of(8);
  uint64_t at[KEYS], order[KEYS], now = AGE, orders = 0; /* order 0: not there */
  memset(order, 0, sizeof order);
  coho__receipts_init(&r, seed);
  for (int step = 0; step < 20000; step++) {
    size_t i = dice(&d, KEYS), count = 0, oldest = KEYS;
    now += dice(&d, AGE / 100);
    for (size_t k = 0; k < KEYS; k++) {
      if (order[k] && now - at[k] >= AGE) order[k] = 0;
      count += order[k] != 0;
      if (order[k] && (oldest == KEYS || order[k] < order[oldest])) oldest = k;
    }
    bool known = order[i] != 0;
    assert_int_equal(knows(&r, i, now), known);
    coho__receipts_check(&r);
    assert_int_equal(r.map.count, count);
    if (known) continue;
    alloc_fail_at(dice(&d, 5) == 0 ? 1 + (long)dice(&d, 2) : 0);
    int err = coho__receipts_add(&r, key_of(i), now, (coho_pos){7, i});
    assert_int_equal(err, alloc_failed() ? COHO_ENOMEM : 0);
    alloc_fail_at(0);
    coho__receipts_check(&r);
    if (err) continue;
    at[i] = now;
    order[i] = ++orders;
    if (count == MOST) order[oldest] = 0;
  }
  coho__receipts_free(&r);
}

static bool attempt(long i) {
  enum { TRIES = COHO_MIN(MOST + 2, 50) };
  struct coho__receipts r;
  bool failed = false;
  coho__receipts_init(&r, seed);
  alloc_fail_at(i);
  for (size_t k = 0; k < TRIES; k++) {
    size_t count = r.map.count;
    uint64_t bytes = r.bytes;
    int err = coho__receipts_add(&r, key_of(k), 0, (coho_pos){7, k});
    if (!err) continue;
    assert_true(err == COHO_ENOMEM && alloc_failed() && !failed);
    assert_true(r.map.count == count && r.bytes == bytes); /* nor did the oldest give way */
    coho__receipts_check(&r);
    failed = true;
    k--; /* now there is memory */
  }
  coho__receipts_free(&r);
  return failed;
}

static void test_out_of_memory(void **state) {
  (void)state;
  alloc_fail_each(300, attempt);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, alloc_setup, alloc_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_is_known_for_its_time),
      TEST(test_B21_shrinks_to_the_last_few),
      TEST(test_expires_from_the_oldest_on),
      TEST(test_finding_does_not_renew),
      TEST(test_the_oldest_gives_way),
      TEST(test_bytes_are_memory),
      TEST(test_keys_are_bytes),
      TEST(test_random_steps),
      TEST(test_out_of_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
