/* Token buckets: exact over any time, whatever the clock does. */
#include "base/bucket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

struct step {
  uint64_t now;
  uint32_t take;   /* then */
  uint32_t tokens; /* before taking */
  uint64_t wait;   /* for one token, after taking */
};

struct row {
  const char *what;
  struct coho__bucket_rate rate;
  uint64_t start;
  struct step steps[7]; /* ended by one that does nothing */
};

#define MOST UINT32_MAX
#define LATE (UINT64_MAX - 5000)

/* clang-format off */
static const struct row rows[] = {
    {"begins full, and a burst empties it", {10, 3}, 0,
     {{0, 1, 3, 0}, {0, 1, 2, 0}, {0, 1, 1, 100}, {99, 0, 0, 1}, {100, 1, 1, 100}}},
    {"holds no more than its burst", {10, 3}, 50, {{60050, 3, 3, 100}, {60150, 1, 1, 100}}},
    {"what is less than a token is not lost", {3, 2}, 0,
     {{0, 2, 2, 334}, {333, 0, 0, 1}, {334, 1, 1, 333}, {666, 0, 0, 1}, {667, 1, 1, 333}, {1000, 1, 1, 334}}},
    {"one in a second", {1, 1}, 7, {{7, 1, 1, 1000}, {1006, 0, 0, 1}, {1007, 1, 1, 1000}}},
    {"a debt is paid first", {10, 2}, 0, {{0, 12, 2, 1100}, {1000, 0, 0, 100}, {1099, 0, 0, 1}, {1100, 0, 1, 0}}},
    {"the highest rate", {MOST, MOST}, 0,
     {{0, MOST, MOST, 1}, {1, 0, 4294967, 0}, {1, MOST, 4294967, 1000}, {999, 0, 0, 2}, {1000, 0, 0, 1}, {1001, 0, 4294967, 0}}},
    {"the lowest rate of the largest burst", {1, MOST}, 0,
     {{0, MOST, MOST, 1000}, {1000, MOST, 1, 4294967295ULL * 1000}, {LATE, 1, MOST, 0}}},
    {"time jumps forward", {5, 4}, 0, {{0, 4, 4, 200}, {LATE, 0, 4, 0}, {UINT64_MAX, 4, 4, 200}}},
    {"time jumps back", {5, 4}, 10000, {{10000, 4, 4, 200}, {3000, 0, 0, 200}, {3200, 1, 1, 200}}},
    {"time stands still", {5, 1}, 9, {{9, 1, 1, 200}, {9, 0, 0, 200}, {9, 1, 0, 400}}},
    {"nothing comes in", {0, 2}, 0, {{0, 2, 2, UINT64_MAX}, {LATE, 0, 0, UINT64_MAX}}},
    {"nothing fits", {9, 0}, 0, {{1000, 0, 0, 112}, {LATE, 0, 0, 112}}},
};
/* clang-format on */

static void play(const struct row *r) {
  struct coho__bucket b;
  coho__bucket_init(&b, r->rate, r->start);
  assert_true(coho__bucket_full(&b, r->rate));
  for (const struct step *s = r->steps; s->now || s->take || s->tokens || s->wait; s++) {
    coho__bucket_fill(&b, r->rate, s->now);
    uint32_t tokens = coho__bucket_tokens(&b);
    coho__bucket_take(&b, s->take);
    uint64_t wait = coho__bucket_wait(&b, r->rate, 1);
    if (tokens != s->tokens || wait != s->wait)
      fail_msg("%s, step %td: %u tokens, wait %llu", r->what, s - r->steps, tokens,
               (unsigned long long)wait);
    assert_int_equal(coho__bucket_full(&b, r->rate), b.level == (int64_t)r->rate.burst * 1000);
  }
}

static void test_B08_table(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    play(&rows[i]);
}

/* However often it is looked at. */
static void test_no_drift(void **state) {
  (void)state;
  static const uint32_t rates[] = {1, 3, 7, 999, 1001, 44100, 1000003, UINT32_MAX};
  for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
    struct coho__bucket_rate rate = {rates[i], UINT32_MAX};
    struct coho__bucket b;
    uint64_t taken = 0;
    coho__bucket_init(&b, rate, 0);
    coho__bucket_take(&b, UINT32_MAX);
    for (uint64_t now = 0; now < 10000; now += 1 + now % 3) {
      coho__bucket_fill(&b, rate, now);
      uint32_t n = coho__bucket_tokens(&b);
      coho__bucket_take(&b, n);
      taken += n;
    }
    coho__bucket_fill(&b, rate, 10000);
    taken += coho__bucket_tokens(&b);
    assert_int_equal(taken, (uint64_t)rates[i] * 10);
  }
}

/* After exactly that time, and not before. */
static void test_wait_is_exact(void **state) {
  (void)state;
  for (uint32_t per_second = 1; per_second < 4000; per_second += 13) {
    struct coho__bucket_rate rate = {per_second, 50};
    struct coho__bucket b;
    coho__bucket_init(&b, rate, 77);
    coho__bucket_take(&b, 60);
    uint64_t wait = coho__bucket_wait(&b, rate, 20);
    coho__bucket_fill(&b, rate, 77 + wait - 1);
    assert_true(coho__bucket_tokens(&b) < 20);
    coho__bucket_fill(&b, rate, 77 + wait);
    assert_true(coho__bucket_tokens(&b) >= 20);
    assert_int_equal(coho__bucket_wait(&b, rate, 20), 0);
  }
}

static void test_debt_does_not_overflow(void **state) {
  (void)state;
  struct coho__bucket_rate rate = {UINT32_MAX, UINT32_MAX};
  struct coho__bucket b;
  coho__bucket_init(&b, rate, 0);
  b.level = INT64_MIN / 2 + 5;
  for (int i = 0; i < 3; i++)
    coho__bucket_take(&b, UINT32_MAX);
  assert_int_equal(coho__bucket_tokens(&b), 0);
  assert_true(coho__bucket_wait(&b, rate, UINT32_MAX) > 0);
  coho__bucket_fill(&b, rate, UINT64_MAX);
  assert_true(coho__bucket_full(&b, rate));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_B08_table),
      cmocka_unit_test(test_no_drift),
      cmocka_unit_test(test_wait_is_exact),
      cmocka_unit_test(test_debt_does_not_overflow),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
