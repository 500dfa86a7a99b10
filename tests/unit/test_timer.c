#include "io/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct ticker {
  coho_loop *loop;
  coho_timer *timer;
  unsigned fired;
  unsigned stop_after; /* 0: never */
  unsigned free_after;
  uint64_t last_ms;
};

static void tick(void *arg) {
  struct ticker *t = (struct ticker *)arg;
  t->fired++;
  t->last_ms = coho_loop_now_ms(t->loop);
  if (t->fired == t->stop_after) coho_timer_stop(t->timer);
  if (t->fired == t->free_after) coho_timer_free(t->timer);
}

static struct ticker ticker_new(coho_loop *loop) { return (struct ticker){.loop = loop}; }

static void test_fires_once_and_not_early(void **state) {
  (void)state;
  coho_loop *loop = coho_loop_new();
  struct ticker t = ticker_new(loop);
  t.timer = coho_timer_new(loop, tick, &t);
  uint64_t start_ms = coho_loop_now_ms(loop);
  coho_timer_start(t.timer, 10, 0);
  assert_int_equal(coho_loop_run(loop), 0);
  assert_int_equal(t.fired, 1);
  assert_true(t.last_ms >= start_ms + 10);
  coho_timer_free(t.timer);
  coho_loop_free(loop);
}

static void test_repeats_until_stopped_by_its_own_fn(void **state) {
  (void)state;
  coho_loop *loop = coho_loop_new();
  struct ticker t = ticker_new(loop);
  t.timer = coho_timer_new(loop, tick, &t);
  t.stop_after = 5;
  coho_timer_start(t.timer, 0, 1);
  coho_loop_run(loop);
  assert_int_equal(t.fired, 5);
  coho_timer_free(t.timer);
  coho_loop_free(loop);
}

static void test_may_be_freed_inside_its_own_fn(void **state) {
  (void)state;
  coho_loop *loop = coho_loop_new();
  struct ticker t = ticker_new(loop);
  t.timer = coho_timer_new(loop, tick, &t);
  t.free_after = 2;
  coho_timer_start(t.timer, 0, 4);
  coho_loop_run(loop);
  assert_int_equal(t.fired, 2);
  coho_loop_free(loop);
}

static void test_stopped_or_freed_it_does_not_fire_nor_keep_the_loop(void **state) {
  (void)state;
  coho_loop *loop = coho_loop_new();
  struct ticker t = ticker_new(loop);
  coho_timer *stopped = coho_timer_new(loop, tick, &t);
  coho_timer *freed = coho_timer_new(loop, tick, &t);
  coho_timer_start(stopped, 1, 1);
  coho_timer_start(freed, 1, 1);
  coho_timer_stop(stopped);
  coho_timer_free(freed);
  coho_timer_free(NULL);
  coho_loop_run(loop);
  assert_int_equal(t.fired, 0);
  coho_timer_free(stopped);
  coho_loop_free(loop); /* buries what was freed since the last turn */
}

static void test_start_again_replaces_the_first_start(void **state) {
  (void)state;
  coho_loop *loop = coho_loop_new();
  struct ticker t = ticker_new(loop);
  t.timer = coho_timer_new(loop, tick, &t);
  coho_timer_start(t.timer, 3600 * 1000, 1);
  coho_timer_start(t.timer, 1, 0);
  coho_loop_run(loop);
  assert_int_equal(t.fired, 1);
  coho_timer_free(t.timer);
  coho_loop_free(loop);
}

/* After a long time without a turn, now_ms of the loop is old: a delay counts from the clock. */
static void test_delay_counts_from_the_call_not_from_the_last_turn(void **state) {
  (void)state;
  coho_loop *loop = coho_loop_new();
  struct ticker t = ticker_new(loop);
  t.timer = coho_timer_new(loop, tick, &t);
  loop->now_ms -= 100000;
  coho_timer_start(t.timer, 50000, 0);
  coho_loop_turn(loop, 0);
  coho__wheel_turn(&loop->wheel, loop->now_ms + 40000);
  assert_int_equal(t.fired, 0);
  coho_timer_free(t.timer);
  coho_loop_free(loop);
}

static void test_repeats_missed_in_a_long_turn_are_not_made_up(void **state) {
  (void)state;
  coho_loop *loop = coho_loop_new();
  struct ticker t = ticker_new(loop);
  t.timer = coho_timer_new(loop, tick, &t);
  coho_timer_start(t.timer, 0, 100);
  loop->now_ms += 10000;
  coho__wheel_turn(&loop->wheel, loop->now_ms);
  assert_int_equal(t.fired, 1);
  coho__wheel_turn(&loop->wheel, loop->now_ms + 104);
  assert_int_equal(t.fired, 2);
  coho_timer_free(t.timer);
  coho_loop_free(loop);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_fires_once_and_not_early),
      cmocka_unit_test(test_repeats_until_stopped_by_its_own_fn),
      cmocka_unit_test(test_may_be_freed_inside_its_own_fn),
      cmocka_unit_test(test_stopped_or_freed_it_does_not_fire_nor_keep_the_loop),
      cmocka_unit_test(test_start_again_replaces_the_first_start),
      cmocka_unit_test(test_repeats_missed_in_a_long_turn_are_not_made_up),
      cmocka_unit_test(test_delay_counts_from_the_call_not_from_the_last_turn),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
