#include "base/random.h"

#include "base/check.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { DRAW = 16 };

/* What a child draws first, after the parent's pool was filled. */
static void draw_in_child(uint8_t out[DRAW]) {
  int ends[2];
  int status = -1;
  assert_int_equal(pipe(ends), 0);
  pid_t child = fork();
  assert_int_not_equal(child, -1);
  if (child == 0) {
    uint8_t bytes[DRAW];
    coho__random(bytes, sizeof bytes);
    _exit(write(ends[1], bytes, sizeof bytes) == DRAW ? 0 : 1);
  }
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  assert_int_equal(read(ends[0], out, DRAW), DRAW);
  close(ends[0]);
  close(ends[1]);
}

static void test_fork_does_not_repeat_bytes(void **state) {
  (void)state;
  uint8_t draws[4][DRAW];
  coho__random(draws[0], DRAW); /* the pool holds what comes next */
  draw_in_child(draws[0]);
  draw_in_child(draws[1]);
  coho__random(draws[2], DRAW);
  draw_in_child(draws[3]);
  for (size_t i = 0; i < COHO_COUNT(draws); i++) {
    for (size_t j = 0; j < i; j++)
      assert_memory_not_equal(draws[i], draws[j], DRAW);
  }
}

/* A grandchild too, and its parent that goes on drawing. */
static void test_fork_in_a_child(void **state) {
  (void)state;
  uint8_t first;
  int status = -1;
  coho__random(&first, 1);
  pid_t child = fork();
  assert_int_not_equal(child, -1);
  if (child == 0) {
    uint8_t ours[DRAW], theirs[DRAW];
    coho__random(&first, 1);
    draw_in_child(theirs);
    coho__random(ours, DRAW);
    _exit(memcmp(ours, theirs, DRAW) != 0 ? 0 : 1);
  }
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
}

static void *draw_in_thread(void *out) {
  coho__random(out, DRAW);
  return NULL;
}

static void test_threads_draw_different_bytes(void **state) {
  (void)state;
  enum { THREADS = 8 };
  uint8_t draws[THREADS][DRAW];
  pthread_t threads[THREADS];
  for (size_t i = 0; i < THREADS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, draw_in_thread, draws[i]), 0);
  for (size_t i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  for (size_t i = 0; i < THREADS; i++) {
    for (size_t j = 0; j < i; j++)
      assert_memory_not_equal(draws[i], draws[j], DRAW);
  }
}

/* Every byte is written, none behind, for sizes around the pool's and beyond what one system call
   gives. 16 draws leave a byte zero with probability 2^-128. */
static void test_all_bytes_are_filled(void **state) {
  (void)state;
  static const size_t sizes[] = {0, 1, 4, 127, 128, 129, 511, 512, 513, 5000};
  for (size_t i = 0; i < COHO_COUNT(sizes); i++) {
    uint8_t any[5001] = {0};
    for (int draw = 0; draw < 16; draw++) {
      uint8_t bytes[5001] = {0};
      coho__random(bytes, sizes[i]);
      for (size_t n = 0; n <= sizes[i]; n++)
        any[n] |= bytes[n];
    }
    assert_null(memchr(any, 0, sizes[i]));
    assert_int_equal(any[sizes[i]], 0);
  }
}

/* No block of a long draw in small pieces comes twice. */
static void test_pool_never_repeats(void **state) {
  (void)state;
  static uint64_t drawn[4000];
  for (size_t i = 0; i < COHO_COUNT(drawn); i++) {
    coho__random(&drawn[i], sizeof drawn[i]);
    for (size_t j = 0; j < i; j++)
      assert_true(drawn[i] != drawn[j]);
  }
}

static void test_below(void **state) {
  (void)state;
  static const uint32_t limits[] = {1, 2, 3, 6, 1000, 0x80000001, UINT32_MAX};
  for (size_t i = 0; i < COHO_COUNT(limits); i++) {
    for (int n = 0; n < 2000; n++)
      assert_true(coho__random_below(limits[i]) < limits[i]);
  }
  /* All six sides, none far off 10,000: 10 standard deviations. */
  int sides[6] = {0};
  for (int n = 0; n < 60000; n++)
    sides[coho__random_below(6)]++;
  for (size_t i = 0; i < 6; i++)
    assert_in_range(sides[i], 9000, 11000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_fork_does_not_repeat_bytes),
      cmocka_unit_test(test_fork_in_a_child),
      cmocka_unit_test(test_threads_draw_different_bytes),
      cmocka_unit_test(test_all_bytes_are_filled),
      cmocka_unit_test(test_pool_never_repeats),
      cmocka_unit_test(test_below),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
