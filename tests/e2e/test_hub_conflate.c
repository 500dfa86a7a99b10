/* Conflation: of each key the latest, not too often; who is slow is told how many values it missed. */
#include "support/alloc_fail.h"
#include "support/hub_world.h"

#include "io/loop.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONG = 1000000, SHORT = 20 };

static struct hub_world w;

static void open_world(uint32_t interval_ms) {
  hub_world_open_topics(
      &w, &(coho_topic_options){.slow = COHO_SLOW_CONFLATE, .interval_ms = interval_ms});
}

static coho_pos publish(const char *key, const char *text) {
  coho_publish_options opt = {.key = key};
  coho_pos pos;
  assert_int_equal(coho_publish_with(w.hub, "t", coho_text(text), &opt, &pos), 0);
  return pos;
}

static void test_the_first_goes_at_once_then_the_latest_of_each_key(void **state) {
  (void)state;
  open_world(SHORT);
  assert_int_equal(follower_follow(&w.f, "t", NULL), 0);
  publish("a", "a1");
  hub_world_settle(&w);
  follower_expect(&w.f, "a1 ");
  publish("a", "a2");
  publish("b", "b1");
  publish("a", "a3");
  publish("b", "b2");
  publish(NULL, "plain");
  while (w.f.messages < 4)
    assert_true(coho_loop_turn(w.loop, 5) >= 0);
  follower_expect(&w.f, "a3 b2 plain ");
  assert_int_equal(w.f.gaps, 0);
  assert_int_equal(hub_world_stats(&w).messages, 3);
  hub_world_close(&w);
}

static void test_not_before_the_interval_is_over(void **state) {
  (void)state;
  open_world(LONG);
  assert_int_equal(follower_follow(&w.f, "t", NULL), 0);
  publish("a", "1");
  hub_world_settle(&w);
  for (int i = 0; i < 100; i++) {
    publish("a", "more");
    hub_world_settle(&w);
  }
  follower_expect(&w.f, "1 ");
  hub_world_close(&w);
}

static void publish_again(struct follower *f, const struct coho__delivery *d) {
  (void)f;
  (void)d;
  publish("a", "again");
}

/* Not even when something new comes while it delivers. */
static void test_what_comes_meanwhile_waits(void **state) {
  (void)state;
  open_world(LONG);
  assert_int_equal(follower_follow(&w.f, "t", NULL), 0);
  w.f.taken = publish_again;
  publish("a", "1");
  hub_world_settle(&w);
  hub_world_settle(&w);
  follower_expect(&w.f, "1 ");
  w.f.taken = NULL;
  hub_world_close(&w);
}

/* Of more keys than go at once each comes once. */
static void test_a_round_of_many_keys(void **state) {
  (void)state;
  enum { KEYS = 500 };
  char key[16];
  open_world(LONG);
  assert_int_equal(follower_follow(&w.f, "t", NULL), 0);
  for (int round = 0; round < 3; round++)
    for (int i = 0; i < KEYS; i++) {
      snprintf(key, sizeof key, "%d", i);
      publish(key, key);
    }
  hub_world_settle(&w);
  assert_int_equal(w.f.messages, KEYS);
  assert_int_equal(w.f.last.offset, 3 * KEYS);
  hub_world_close(&w);
}

static void test_who_comes_later_gets_the_latest_values(void **state) {
  (void)state;
  coho_pos zero = {0, 0};
  open_world(LONG);
  publish("a", "a1");
  publish("b", "b1");
  coho_pos middle = publish("c", "c1");
  publish("a", "a2");
  publish("c", "c2");
  assert_int_equal(follower_follow(&w.f, "t", &zero), 0);
  assert_int_equal(w.f.start.lost, 0);
  follower_expect(&w.f, "b1 a2 c2 ");
  assert_int_equal(follower_follow(&w.g, "t", &middle), 0);
  assert_int_equal(w.g.start.lost, 0);
  follower_expect(&w.g, "a2 c2 ");
  hub_world_close(&w);
}

/* One that is slow: the gap is what g got and f neither got nor can get any more. */
static void test_the_gap_counts_what_others_got(void **state) {
  (void)state;
  open_world(1);
  assert_int_equal(follower_follow(&w.f, "t", NULL), 0);
  assert_int_equal(follower_follow(&w.g, "t", NULL), 0);
  w.f.room = 1;
  const char *const texts[] = {"a1", "a2", "b2", "a3", "b3", "c3", "a4"};
  for (unsigned i = 0; i < COHO_COUNT(texts); i++) {
    publish((const char[]){texts[i][0], '\0'}, texts[i]);
    while (w.g.messages <= i)
      assert_true(coho_loop_turn(w.loop, 5) >= 0);
  }
  follower_expect(&w.g, "a1 a2 b2 a3 b3 c3 a4 ");
  follower_expect(&w.f, "a1 ");
  follower_take(&w.f, FOLLOWER_ANY);
  /* a2, b2, a3 are gone. */
  follower_expect(&w.f, "(3) b3 c3 a4 ");
  hub_world_close(&w);
}

/* The same when it takes some of it, and what it has not taken is replaced. */
static void test_the_gap_counts_what_is_replaced_later(void **state) {
  (void)state;
  open_world(1);
  assert_int_equal(follower_follow(&w.f, "t", NULL), 0);
  assert_int_equal(follower_follow(&w.g, "t", NULL), 0);
  w.f.room = 0;
  const char *const texts[] = {"a1", "b1", "c1", "d1", "a2", "b3", "c3", "d4"};
  for (unsigned i = 0; i < COHO_COUNT(texts); i++) {
    if (i == 5) follower_take(&w.f, 2);
    publish((const char[]){texts[i][0], '\0'}, texts[i]);
    while (w.g.messages <= i)
      assert_true(coho_loop_turn(w.loop, 5) >= 0);
  }
  follower_expect(&w.f, "(1) b1 ");
  follower_take(&w.f, FOLLOWER_ANY);
  /* c1 and d1 were still to be had then. */
  follower_expect(&w.f, "(2) a2 b3 c3 d4 ");
  assert_int_equal(w.f.messages + w.f.lost, w.g.messages);
  assert_int_equal(hub_world_stats(&w).dropped, 3);
  assert_int_equal(hub_world_stats(&w).gaps, 2);
  hub_world_close(&w);
}

static void test_positions_of_what_a_limit_took(void **state) {
  (void)state;
  coho_topic_options opt = {.slow = COHO_SLOW_CONFLATE, .history_count = 2};
  hub_world_open_topics(&w, &opt);
  coho_pos first = publish("a", "a1");
  publish("b", "b1");
  publish("c", "c1");
  coho_pos last = publish("d", "d1");
  assert_int_equal(follower_follow(&w.f, "t", &first), 0);
  assert_true(w.f.start.lost == COHO_LOST_UNKNOWN);
  follower_expect(&w.f, "c1 d1 ");
  assert_int_equal(follower_follow(&w.g, "t", &last), 0);
  assert_int_equal(w.g.start.lost, 0);
  hub_world_close(&w);
}

/* ---- a publisher that never pauses ----------------------------------------------------------- */

static _Atomic bool over;

static void *publish_without_end(void *arg) {
  while (!over)
    publish("a", "value");
  publish("a", "last");
  return arg;
}

static void test_a_flood_from_another_thread_is_conflated(void **state) {
  (void)state;
  pthread_t thread;
  open_world(LONG);
  assert_int_equal(follower_follow(&w.f, "t", NULL), 0);
  over = false;
  assert_int_equal(pthread_create(&thread, NULL, publish_without_end, NULL), 0);
  while (hub_world_stats(&w).published < 20000)
    assert_true(coho_loop_turn(w.loop, 1) >= 0);
  over = true;
  pthread_join(thread, NULL);
  hub_world_settle(&w);
  assert_int_equal(w.f.messages, 1);
  hub_world_close(&w);
}

static void test_the_last_value_arrives(void **state) {
  (void)state;
  pthread_t thread;
  open_world(1);
  assert_int_equal(follower_follow(&w.f, "t", NULL), 0);
  over = false;
  assert_int_equal(pthread_create(&thread, NULL, publish_without_end, NULL), 0);
  while (w.f.messages < 5)
    assert_true(coho_loop_turn(w.loop, 5) >= 0);
  over = true;
  pthread_join(thread, NULL);
  uint64_t last = hub_world_position(&w, "t").offset;
  while (w.f.last.offset < last)
    assert_true(coho_loop_turn(w.loop, 5) >= 0);
  hub_world_close(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_first_goes_at_once_then_the_latest_of_each_key),
      cmocka_unit_test(test_not_before_the_interval_is_over),
      cmocka_unit_test(test_what_comes_meanwhile_waits),
      cmocka_unit_test(test_a_round_of_many_keys),
      cmocka_unit_test(test_who_comes_later_gets_the_latest_values),
      cmocka_unit_test(test_the_gap_counts_what_others_got),
      cmocka_unit_test(test_the_gap_counts_what_is_replaced_later),
      cmocka_unit_test(test_positions_of_what_a_limit_took),
      cmocka_unit_test(test_a_flood_from_another_thread_is_conflated),
      cmocka_unit_test(test_the_last_value_arrives),
  };
  alloc_fail_at(0);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  alloc_assert_none_live();
  return failed;
}
