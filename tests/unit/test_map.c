#include "base/map.h"

#include "base/check.h"
#include "support/alloc_fail.h"
#include "support/dice.h"

#include <coho/error.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const uint64_t seed[2] = {0x0123456789abcdef, 0xfedcba9876543210};

/* SipHash-1-3 as CPython's hash() of bytes computes it. */
static void test_siphash_vectors(void **state) {
  (void)state;
  static const uint64_t keys[2][2] = {{0, 0}, {0xaed66ce184be2329, 0xebe9bbf1f1499052}};
  static const struct {
    const char *text;
    uint64_t hash[2];
  } rows[] = {
      {"a", {0x407448d2b89b1813, 0xd6300bc9f7cc0e73}},
      {"abcdefg", {0x6db12aae9070f506, 0x2cc75771f0205010}},
      {"abcdefgh", {0x3f7b849c0b8e35ea, 0xfd3011ff3947e7f4}},
      {"Sec-WebSocket-Key", {0x4e38862ece0dcb9b, 0xf487d6fb8784842b}},
  };
  for (size_t i = 0; i < COHO_COUNT(rows); i++) {
    for (size_t k = 0; k < 2; k++) {
      uint64_t hash = coho__siphash(keys[k], rows[i].text, strlen(rows[i].text));
      assert_true(hash == rows[i].hash[k]);
    }
  }
}

static void test_add_get_remove(void **state) {
  (void)state;
  struct coho__map m;
  int a, b;
  coho__map_init(&m, seed);
  assert_null(coho__map_get(&m, VIEW("room")));
  assert_null(coho__map_remove(&m, VIEW("room")));
  assert_int_equal(coho__map_add(&m, VIEW("room"), &a), 0);
  assert_int_equal(coho__map_add(&m, VIEW("room"), &b), COHO_EEXISTS);
  assert_int_equal(coho__map_add(&m, VIEW("room\0"), &b), 0);
  assert_int_equal(coho__map_add(&m, VIEW(""), &b), 0);
  assert_ptr_equal(coho__map_get(&m, VIEW("room")), &a);
  assert_ptr_equal(coho__map_get(&m, VIEW("room\0")), &b);
  assert_ptr_equal(coho__map_get(&m, coho__view_of(NULL)), &b);
  assert_null(coho__map_get(&m, VIEW("Room")));
  assert_ptr_equal(coho__map_remove(&m, VIEW("room")), &a);
  assert_null(coho__map_get(&m, VIEW("room")));
  assert_int_equal(m.count, 2);
  coho__map_check(&m);
  coho__map_free(&m);
  assert_null(coho__map_get(&m, VIEW("")));
}

static void test_replace(void **state) {
  (void)state;
  struct coho__map m;
  int a, b;
  coho__map_init(&m, seed);
  assert_null(coho__map_replace(&m, VIEW("room"), &a));
  assert_int_equal(coho__map_add(&m, VIEW("room"), &a), 0);
  alloc_fail_at(1); /* it needs no memory */
  assert_ptr_equal(coho__map_replace(&m, VIEW("room"), &b), &a);
  assert_null(coho__map_replace(&m, VIEW("other"), &b));
  assert_false(alloc_failed());
  alloc_fail_at(0);
  assert_ptr_equal(coho__map_get(&m, VIEW("room")), &b);
  assert_int_equal(m.count, 1);
  coho__map_check(&m);
  coho__map_free(&m);
}

/* Limits of memory are kept by it. */
static void test_says_what_an_entry_takes(void **state) {
  (void)state;
  struct coho__map m;
  coho__map_init(&m, seed);
  for (size_t n = 1; n <= 1000; n++) {
    char key[8];
    snprintf(key, sizeof key, "%06zu", n);
    assert_int_equal(coho__map_add(&m, (struct coho__view){key, 6}, &m), 0);
    if (n >= 8) assert_in_range(n * coho__map_entry_size(6), alloc_live(), alloc_live() * 2);
  }
  coho__map_free(&m);
}

static void test_keys_are_copied(void **state) {
  (void)state;
  struct coho__map m;
  char key[] = "topic";
  coho__map_init(&m, seed);
  assert_int_equal(coho__map_add(&m, coho__view_of(key), key), 0);
  key[0] = 'X';
  assert_ptr_equal(coho__map_get(&m, VIEW("topic")), key);
  coho__map_free(&m);
}

static char values[5000];

/* The key of values[i]. */
static struct coho__view key_of(size_t i) {
  static char text[32];
  snprintf(text, sizeof text, "key %zu", i);
  return coho__view_of(text);
}

static void fill(struct coho__map *m, size_t n) {
  coho__map_init(m, seed);
  for (size_t i = 0; i < n; i++)
    assert_int_equal(coho__map_add(m, key_of(i), &values[i]), 0);
}

static void test_shrinks(void **state) {
  (void)state;
  struct coho__map m;
  fill(&m, COHO_COUNT(values));
  size_t full = m.cap;
  for (size_t i = COHO_COUNT(values); i-- > 10;) {
    assert_ptr_equal(coho__map_remove(&m, key_of(i)), &values[i]);
    if (i % 100 == 0) coho__map_check(&m);
  }
  assert_true(m.cap <= 64 && full >= COHO_COUNT(values));
  for (size_t i = 0; i < 10; i++)
    assert_ptr_equal(coho__map_remove(&m, key_of(i)), &values[i]);
  assert_int_equal(alloc_live(), 0); /* not even a coho__map_free() is missing */
}

/* Walks, and removes each entry for which the dice say so: all are seen once. */
static void walk(struct coho__map *m, size_t n, struct dice *d, uint32_t one_of) {
  static char seen[COHO_COUNT(values)];
  struct coho__view key;
  size_t it = 0;
  memset(seen, 0, sizeof seen);
  for (char *v; (v = (char *)coho__map_next(m, &it, &key)) != NULL;) {
    size_t i = (size_t)(v - values);
    assert_true(coho__view_eq(key, key_of(i)));
    seen[i]++;
    if (dice(d, one_of) == 0) assert_ptr_equal(coho__map_remove(m, key_of(i)), v);
    if (i % 64 == 0) coho__map_check(m);
  }
  assert_null(coho__map_next(m, &it, NULL)); /* the end stays the end */
  for (size_t i = 0; i < n; i++)
    assert_int_equal(seen[i], 1);
}

static void test_walk_survives_removal_of_the_current_entry(void **state) {
  (void)state;
  static const size_t sizes[] = {0, 1, 2, 7, 8, 9, 100, COHO_COUNT(values)};
  struct dice d = dice_of(42);
  for (size_t i = 0; i < COHO_COUNT(sizes); i++) {
    for (uint32_t one_of = 1; one_of <= 3; one_of++) { /* 1: all, and the map shrinks meanwhile */
      struct coho__map m;
      fill(&m, sizes[i]);
      walk(&m, sizes[i], &d, one_of);
      if (one_of == 1) assert_int_equal(m.count, 0);
      coho__map_free(&m);
    }
  }
}

static void test_walk_does_not_see_what_is_added(void **state) {
  (void)state;
  struct coho__map m;
  size_t it = 0, seen = 0;
  fill(&m, 8);
  while (coho__map_next(&m, &it, NULL) != NULL) {
    assert_int_equal(coho__map_add(&m, key_of(100 + seen), &values[100]), 0);
    seen++;
  }
  assert_int_equal(seen, 8);
  assert_int_equal(m.count, 16);
  coho__map_free(&m);
}

static void test_out_of_memory(void **state) {
  (void)state;
  struct coho__map m;
  fill(&m, 8); /* full: the next one needs an entry and a table */
  for (long i = 1; i <= 2; i++) {
    alloc_fail_at(i);
    assert_int_equal(coho__map_add(&m, VIEW("x"), values), COHO_ENOMEM);
    assert_null(coho__map_get(&m, VIEW("x")));
    coho__map_check(&m);
  }
  alloc_fail_at(0);
  assert_int_equal(coho__map_add(&m, VIEW("x"), values), 0);
  coho__map_free(&m);
  fill(&m, 1000);
  for (size_t i = 0; i < 1000; i++) { /* the smaller table cannot be had: removing works anyway */
    alloc_fail_at(1);
    assert_ptr_equal(coho__map_remove(&m, key_of(i)), &values[i]);
  }
  coho__map_check(&m);
  alloc_fail_at(0);
  coho__map_free(&m);
}

/* Against an array of what is in. */
static void test_random_steps(void **state) {
  (void)state;
  enum { KEYS = 300 };
  bool in[KEYS] = {false};
  size_t count = 0;
  struct coho__map m;
  struct dice d = dice_of(7692);
  coho__map_init(&m, seed);
  for (int step = 0; step < 30000; step++) {
    size_t i = dice(&d, KEYS);
    bool adding = dice(&d, 100) < (step / 3000 % 2 == 0 ? 70U : 25U); /* tides */
    if (adding) {
      assert_int_equal(coho__map_add(&m, key_of(i), &values[i]), in[i] ? COHO_EEXISTS : 0);
      count += !in[i];
    } else {
      assert_ptr_equal(coho__map_remove(&m, key_of(i)), in[i] ? &values[i] : NULL);
      count -= in[i];
    }
    in[i] = adding;
    assert_int_equal(m.count, count);
    coho__map_check(&m);
    i = dice(&d, KEYS);
    assert_ptr_equal(coho__map_get(&m, key_of(i)), in[i] ? &values[i] : NULL);
  }
  coho__map_free(&m);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, alloc_setup, alloc_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_siphash_vectors),
      TEST(test_add_get_remove),
      TEST(test_replace),
      TEST(test_says_what_an_entry_takes),
      TEST(test_keys_are_copied),
      TEST(test_shrinks),
      TEST(test_walk_survives_removal_of_the_current_entry),
      TEST(test_walk_does_not_see_what_is_added),
      TEST(test_out_of_memory),
      TEST(test_random_steps),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
