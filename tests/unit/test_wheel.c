#include "io/wheel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct probe {
  struct coho__wheel_timer timer;
  struct coho__wheel *wheel;
  uint64_t due_ms;
  uint64_t fired_ms;
  unsigned fired;
  struct coho__wheel_timer *stops;
};

static uint64_t now_ms;

static void fire(struct coho__wheel_timer *t) {
  struct probe *p = COHO_CONTAINER_OF(t, struct probe, timer);
  p->fired++;
  p->fired_ms = now_ms;
  if (p->stops) coho__wheel_stop(p->wheel, p->stops);
}

static void set(struct coho__wheel *w, struct probe *p, uint64_t delay_ms) {
  *p = (struct probe){.wheel = w, .due_ms = now_ms + delay_ms};
  coho__wheel_timer_init(&p->timer, fire);
  coho__wheel_set(w, &p->timer, now_ms, delay_ms);
}

/* As a loop does: sleeps as long as the wheel allows, then turns it. */
static void run_until_empty(struct coho__wheel *w) {
  while (w->count > 0) {
    int wait = coho__wheel_wait(w, now_ms);
    assert_true(wait >= 0);
    now_ms += (uint64_t)wait;
    coho__wheel_turn(w, now_ms);
    coho__wheel_check(w);
  }
}

static const uint64_t delays[] = {
    0,       1,        3,        4,        5,         251,        252,        253,
    256,     257,      16379,    16380,    16384,     16385,      1048575,    1048576,
    1048580, 67108863, 67108864, 67108868, 200000000, 4294967292, 4294967296, 20000000000,
};

static void test_fires_in_the_step_of_its_deadline(void **state) {
  (void)state;
  for (uint64_t start = 0; start < 300; start += 7) {
    for (size_t i = 0; i < COHO_COUNT(delays); i++) {
      struct coho__wheel w;
      struct probe p;
      now_ms = start;
      coho__wheel_init(&w, now_ms);
      set(&w, &p, delays[i]);
      coho__wheel_check(&w);
      run_until_empty(&w);
      assert_int_equal(p.fired, 1);
      assert_true(p.fired_ms >= p.due_ms);
      assert_true(p.fired_ms <= p.due_ms + COHO_WHEEL_STEP_MS);
    }
  }
}

static uint32_t noise(uint32_t *seed) {
  *seed = *seed * 1664525 + 1013904223;
  return *seed >> 8;
}

static void test_many_timers_each_fire_once_in_time(void **state) {
  (void)state;
  static struct probe probes[2000];
  struct coho__wheel w;
  uint32_t seed = 1;
  now_ms = 123456789;
  coho__wheel_init(&w, now_ms);
  for (size_t i = 0; i < COHO_COUNT(probes); i++) {
    set(&w, &probes[i], noise(&seed) % (1U << noise(&seed) % 24));
    now_ms += noise(&seed) % 3;
  }
  coho__wheel_check(&w);
  run_until_empty(&w);
  for (size_t i = 0; i < COHO_COUNT(probes); i++) {
    assert_int_equal(probes[i].fired, 1);
    assert_true(probes[i].fired_ms >= probes[i].due_ms);
  }
}

static struct probe *order[8];
static size_t ordered;

static void fire_in_order(struct coho__wheel_timer *t) {
  order[ordered++] = COHO_CONTAINER_OF(t, struct probe, timer);
}

static void test_one_long_jump_fires_all_in_order(void **state) {
  (void)state;
  static const uint64_t at[] = {5000, 40, 1000000, 300, 8};
  struct probe p[COHO_COUNT(at)];
  struct coho__wheel w;
  now_ms = 0;
  ordered = 0;
  coho__wheel_init(&w, 0);
  for (size_t i = 0; i < COHO_COUNT(at); i++) {
    coho__wheel_timer_init(&p[i].timer, fire_in_order);
    coho__wheel_set(&w, &p[i].timer, 0, at[i]);
  }
  coho__wheel_turn(&w, 2000000);
  coho__wheel_check(&w);
  assert_int_equal(ordered, 5);
  assert_ptr_equal(order[0], &p[4]);
  assert_ptr_equal(order[1], &p[1]);
  assert_ptr_equal(order[2], &p[3]);
  assert_ptr_equal(order[3], &p[0]);
  assert_ptr_equal(order[4], &p[2]);
}

static void test_stopped_timer_neither_fires_nor_wakes(void **state) {
  (void)state;
  struct coho__wheel w;
  struct probe p;
  now_ms = 10;
  coho__wheel_init(&w, now_ms);
  for (size_t i = 0; i < COHO_COUNT(delays); i++) {
    set(&w, &p, delays[i]);
    assert_true(coho__wheel_is_set(&p.timer));
    coho__wheel_stop(&w, &p.timer);
    coho__wheel_stop(&w, &p.timer);
    assert_false(coho__wheel_is_set(&p.timer));
    assert_int_equal(coho__wheel_wait(&w, now_ms), -1);
    coho__wheel_check(&w);
  }
  coho__wheel_turn(&w, now_ms + 100000);
  assert_int_equal(p.fired, 0);
}

static void test_restart_moves_the_deadline(void **state) {
  (void)state;
  struct coho__wheel w;
  struct probe p;
  now_ms = 0;
  coho__wheel_init(&w, 0);
  set(&w, &p, 100);
  coho__wheel_set(&w, &p.timer, 0, 50000);
  assert_int_equal(w.count, 1);
  coho__wheel_turn(&w, 49000);
  assert_int_equal(p.fired, 0);
  coho__wheel_turn(&w, 50000);
  assert_int_equal(p.fired, 1);
}

static void test_timer_may_stop_another_of_the_same_step(void **state) {
  (void)state;
  struct coho__wheel w;
  struct probe first, second;
  now_ms = 0;
  coho__wheel_init(&w, 0);
  set(&w, &first, 20);
  set(&w, &second, 20);
  first.stops = &second.timer;
  coho__wheel_turn(&w, 40);
  coho__wheel_check(&w);
  assert_int_equal(first.fired, 1);
  assert_int_equal(second.fired, 0);
}

static void fire_and_restart(struct coho__wheel_timer *t) {
  struct probe *p = COHO_CONTAINER_OF(t, struct probe, timer);
  p->fired++;
  coho__wheel_set(p->wheel, t, now_ms, 0);
}

static void test_timer_that_restarts_itself_at_once_lets_the_turn_end(void **state) {
  (void)state;
  struct coho__wheel w;
  struct probe p;
  now_ms = 0;
  coho__wheel_init(&w, 0);
  set(&w, &p, 0);
  p.timer.fire = fire_and_restart;
  now_ms = 1000;
  coho__wheel_turn(&w, now_ms);
  assert_in_range(p.fired, 1, 2);
  assert_true(coho__wheel_is_set(&p.timer));
  assert_true(coho__wheel_wait(&w, now_ms) > 0);
}

/* A loop that slept in a debugger: time is far ahead of the wheel when a timer is set. */
static void test_delay_counts_from_now_though_the_wheel_is_behind(void **state) {
  (void)state;
  struct coho__wheel w;
  struct probe p;
  now_ms = 0;
  coho__wheel_init(&w, 0);
  now_ms = 777777;
  set(&w, &p, 1000);
  coho__wheel_turn(&w, now_ms + 999);
  assert_int_equal(p.fired, 0);
  coho__wheel_turn(&w, now_ms + 1004);
  assert_int_equal(p.fired, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_fires_in_the_step_of_its_deadline),
      cmocka_unit_test(test_many_timers_each_fire_once_in_time),
      cmocka_unit_test(test_one_long_jump_fires_all_in_order),
      cmocka_unit_test(test_stopped_timer_neither_fires_nor_wakes),
      cmocka_unit_test(test_restart_moves_the_deadline),
      cmocka_unit_test(test_timer_may_stop_another_of_the_same_step),
      cmocka_unit_test(test_timer_that_restarts_itself_at_once_lets_the_turn_end),
      cmocka_unit_test(test_delay_counts_from_now_though_the_wheel_is_behind),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
