/* Patterns: what they match, now and later; and what they do not. */
#include "support/alloc_fail.h"
#include "support/hub_world.h"

#include "base/clock.h"
#include "hub/hub.h"
#include "hub/leaf.h"
#include "hub/part.h"
#include "io/mailbox.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static struct hub_world w;

static void test_topics_that_are_there_and_topics_that_come(void **state) {
  (void)state;
  hub_world_open(&w, NULL);
  publish_number(w.hub, "room/tea", 1);
  assert_int_equal(follower_follow_pattern(&w.f, "room/+"), 0);
  assert_int_equal(follower_follow_pattern(&w.f, "room/+"), COHO_EEXISTS);
  publish_number(w.hub, "room/tea", 2);
  publish_number(w.hub, "room/milk", 3);
  publish_number(w.hub, "room/milk/cold", 4);
  publish_number(w.hub, "room", 5);
  hub_world_settle(&w);
  follower_expect(&w.f, "room/tea=2 room/milk=3 ");
  assert_int_equal(hub_world_stats(&w).subscriptions, 1);
  assert_int_equal(coho_hub_subscribers(w.hub, "room/tea"), 0);
  hub_world_close(&w);
}

/* A message comes once for each subscription that matches. */
static void test_overlapping(void **state) {
  (void)state;
  hub_world_open(&w, NULL);
  assert_int_equal(follower_follow_pattern(&w.f, "a/#"), 0);
  assert_int_equal(follower_follow_pattern(&w.f, "+/+"), 0);
  assert_int_equal(follower_follow(&w.f, "a/b", NULL), 0);
  assert_int_equal(follower_follow_pattern(&w.g, "#"), 0);
  publish_number(w.hub, "a/b", 1);
  hub_world_settle(&w);
  follower_expect(&w.f, "1 a/b=1 a/b=1 ");
  assert_int_equal(coho__sink_unsubscribe_pattern(w.hub, &w.f.sink, (struct coho__view){"a/#", 3}),
                   0);
  assert_int_equal(coho__sink_unsubscribe_pattern(w.hub, &w.f.sink, (struct coho__view){"a/#", 3}),
                   COHO_ENOTFOUND);
  assert_int_equal(follower_leave(&w.f, "a/b"), 0);
  publish_number(w.hub, "a/b", 2);
  publish_number(w.hub, "a", 3);
  hub_world_settle(&w);
  follower_expect(&w.f, "a/b=2 ");
  follower_expect(&w.g, "a/b=1 a/b=2 a=3 ");
  hub_world_close(&w);
}

/* What was published before is not for it, although it is still to be delivered to others. */
static void test_from_now_on(void **state) {
  (void)state;
  hub_world_open(&w, NULL);
  assert_int_equal(follower_follow(&w.g, "a", NULL), 0);
  publish_number(w.hub, "a", 1);
  assert_int_equal(follower_follow_pattern(&w.f, "#"), 0);
  publish_number(w.hub, "a", 2);
  hub_world_settle(&w);
  follower_expect(&w.g, "1 2 ");
  follower_expect(&w.f, "a=2 ");
  hub_world_close(&w);
}

static void test_companions_are_not_matched(void **state) {
  (void)state;
  hub_world_open(&w, NULL);
  assert_int_equal(coho_presence_enter(w.hub, "a", "ann", NULL), 0);
  assert_int_equal(follower_follow_pattern(&w.f, "#"), 0);
  assert_int_equal(follower_follow_pattern(&w.g, "+/+"), 0);
  assert_int_equal(coho_presence_enter(w.hub, "a", "bob", NULL), 0);
  assert_int_equal(coho_presence_enter(w.hub, "new", "bob", NULL), 0);
  hub_world_settle(&w);
  follower_expect(&w.f, "");
  follower_expect(&w.g, "");
  hub_world_close(&w);
}

static void test_what_is_no_pattern(void **state) {
  (void)state;
  static const char *const wrong[] = {"", "a/#/b", "a//b", "#a", "a b", "a/presence", "/", "+a"};
  hub_world_open(&w, NULL);
  for (size_t i = 0; i < COHO_COUNT(wrong); i++)
    assert_int_equal(follower_follow_pattern(&w.f, wrong[i]), COHO_EINVAL);
  hub_world_close(&w);
}

/* By pattern too, one that is slow goes on from the history, in each topic for itself. */
static void test_slow_in_several_topics(void **state) {
  (void)state;
  hub_world_open_topics(&w, &(coho_topic_options){.history_count = 3});
  assert_int_equal(follower_follow_pattern(&w.f, "#"), 0);
  w.f.room = 0;
  for (unsigned n = 1; n <= 5; n++) {
    publish_number(w.hub, "a", n);
    if (n < 3) publish_number(w.hub, "b", 10 + n);
    hub_world_settle(&w);
  }
  follower_take(&w.f, FOLLOWER_ANY);
  hub_world_settle(&w);
  assert_int_equal(w.f.messages, 5);
  assert_non_null(strstr(w.f.heard, "a=(2) a=3 a=4 a=5 "));
  assert_non_null(strstr(w.f.heard, "b=11 b=12 "));
  publish_number(w.hub, "a", 6);
  hub_world_settle(&w);
  assert_int_equal(w.f.messages, 6);
  hub_world_close(&w);
}

/* A pattern keeps no topic that nobody would miss; and has it again when it comes back. */
static void test_topics_come_and_go_under_a_pattern(void **state) {
  (void)state;
  char name[16];
  hub_world_open(&w, &(coho_hub_options){.max_topics = 3});
  coho_hub_configure(w.hub, "#", &(coho_topic_options){.history_age_ms = 1});
  assert_int_equal(follower_follow_pattern(&w.f, "#"), 0);
  for (unsigned n = 0; n < 3; n++) {
    snprintf(name, sizeof name, "t%u", n);
    publish_number(w.hub, name, n);
  }
  hub_world_settle(&w);
  assert_int_equal(coho_publish(w.hub, "another", coho_text("x")), COHO_EFULL);
  while (hub_world_stats(&w).topics)
    assert_true(coho_loop_turn(w.loop, 50) >= 0);
  publish_number(w.hub, "another", 3);
  publish_number(w.hub, "t0", 4);
  hub_world_settle(&w);
  follower_expect(&w.f, "t0=0 t1=1 t2=2 another=3 t0=4 ");
  hub_world_close(&w);
}

/* Given up on one loop, and used again before it was forgotten. */
static void test_a_bare_topic_that_is_used_again(void **state) {
  (void)state;
  hub_world_open_topics(&w, &(coho_topic_options){.flags = COHO_NO_HISTORY, .history_age_ms = 1});
  assert_int_equal(follower_follow_pattern(&w.f, "#"), 0);
  publish_number(w.hub, "t", 1);
  hub_world_settle(&w);
  hub_world_wait(&w, 5);
  coho__hub_lock(w.hub);
  struct coho__topic *t = coho__hub_find(w.hub, (struct coho__view){"t", 1});
  struct coho__leaf *l = coho__leaf_find(t, w.hub->parts[w.loop->index]);
  coho__leaf_drop_if_idle(l, coho__clock_ms());
  assert_int_equal(t->leaf_count, 0);
  coho__hub_unlock(w.hub);
  publish_number(w.hub, "t", 2);
  hub_world_settle(&w);
  assert_int_equal(w.f.last.offset, 2);
  follower_expect(&w.f, "t=1 t=2 ");
  hub_world_close(&w);
}

/* Of one loop; there is room again when one goes. */
static void test_B21_patterns_are_bounded(void **state) {
  (void)state;
  char text[16];
  hub_world_open(&w, NULL);
  publish_number(w.hub, "p5", 1);
  for (unsigned n = 0; n < COHO_PATTERNS_MOST; n++) {
    snprintf(text, sizeof text, "p%u/#", n);
    assert_int_equal(follower_follow_pattern(&w.f, text), 0);
  }
  assert_int_equal(follower_follow_pattern(&w.f, "more"), COHO_EFULL);
  assert_int_equal(follower_follow_pattern(&w.g, "p7/#"), 0); /* there is that one already */
  struct coho__view gone = {"p6/#", 4};
  assert_int_equal(coho__sink_unsubscribe_pattern(w.hub, &w.f.sink, gone), 0);
  assert_int_equal(follower_follow_pattern(&w.f, "+"), 0);
  publish_number(w.hub, "p5", 2);
  publish_number(w.hub, "p6", 3);
  hub_world_settle(&w);
  follower_expect(&w.f, "p5=2 p5=2 p6=3 ");
  hub_world_close(&w);
}

/* Topics that were there before a pattern, and have followers, too: it comes between what was published
   and what will be. */
static void test_a_pattern_among_others(void **state) {
  (void)state;
  hub_world_open(&w, NULL);
  assert_int_equal(follower_follow(&w.g, "a/b", NULL), 0);
  publish_number(w.hub, "a/b", 1);
  assert_int_equal(follower_follow_pattern(&w.f, "a/+"), 0);
  publish_number(w.hub, "a/b", 2);
  assert_int_equal(follower_follow_pattern(&w.f, "+/b"), 0);
  publish_number(w.hub, "a/b", 3);
  assert_int_equal(coho__sink_unsubscribe_pattern(w.hub, &w.f.sink, (struct coho__view){"a/+", 3}),
                   0);
  publish_number(w.hub, "a/b", 4);
  hub_world_settle(&w);
  follower_expect(&w.g, "1 2 3 4 ");
  follower_expect(&w.f, "a/b=3 a/b=4 ");
  hub_world_close(&w);
}

/* ---- topics that other threads make ---------------------------------------------------------- */

enum { THREADS = 3, MADE = 200 };

static void *make_topics(void *arg) {
  char name[32];
  for (unsigned n = 0; n < MADE; n++) {
    snprintf(name, sizeof name, "%s/%u", (const char *)arg, n);
    publish_numbers(w.hub, name, 1, 2);
  }
  return NULL;
}

static unsigned whole; /* topics of which both came, in order */

static void count_whole(struct follower *f, const struct coho__delivery *d) {
  (void)f;
  assert_true(d->message->pos.offset == (uint64_t)(d->message->msg.data[0] - '0'));
  whole += d->message->pos.offset == 2;
}

static void test_topics_made_by_other_threads(void **state) {
  (void)state;
  static char names[THREADS][2] = {"a", "b", "c"};
  pthread_t threads[THREADS];
  hub_world_open(&w, NULL);
  whole = 0;
  w.f.taken = count_whole;
  assert_int_equal(follower_follow_pattern(&w.f, "+/#"), 0);
  for (int i = 0; i < THREADS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, make_topics, names[i]), 0);
  while (whole < THREADS * MADE)
    assert_true(coho_loop_turn(w.loop, 5) >= 0);
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  assert_int_equal(w.f.messages, 2 * THREADS * MADE);
  hub_world_close(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_topics_that_are_there_and_topics_that_come),
      cmocka_unit_test(test_overlapping),
      cmocka_unit_test(test_from_now_on),
      cmocka_unit_test(test_companions_are_not_matched),
      cmocka_unit_test(test_what_is_no_pattern),
      cmocka_unit_test(test_slow_in_several_topics),
      cmocka_unit_test(test_topics_come_and_go_under_a_pattern),
      cmocka_unit_test(test_a_bare_topic_that_is_used_again),
      cmocka_unit_test(test_B21_patterns_are_bounded),
      cmocka_unit_test(test_a_pattern_among_others),
      cmocka_unit_test(test_topics_made_by_other_threads),
  };
  alloc_fail_at(0);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  alloc_assert_none_live();
  return failed;
}
