/* More names than a hub may have topics: those that nobody has give way, and never those of others. */
#include "support/alloc_fail.h"
#include "support/hub_world.h"

#include "base/clock.h"
#include "hub/hub.h"

#include <stdio.h>
#include <string.h>

static struct hub_world w;

static void open_crowded(uint32_t max_topics) {
  hub_world_open(&w, &(coho_hub_options){.max_topics = max_topics});
}

/* Publishes once to each of so many names that nobody follows. */
static void flood(unsigned names) {
  char name[32];
  for (unsigned i = 0; i < names; i++) {
    snprintf(name, sizeof name, "flood/%u", i);
    publish_number(w.hub, name, 1);
  }
}

static bool has(const char *topic) {
  coho_pos pos;
  return coho_hub_position(w.hub, topic, &pos) == 0;
}

/* ---- who gives way --------------------------------------------------------------------------- */

static void test_B21_one_message_to_each_name_keeps_nobody_out(void **state) {
  (void)state;
  open_crowded(100);
  flood(1000);
  assert_int_equal(hub_world_stats(&w).topics, 100);
  assert_int_equal(hub_world_stats(&w).forgotten, 900);
  assert_int_equal(follower_follow(&w.f, "tea", NULL), 0);
  assert_int_equal(coho_presence_enter(w.hub, "room", "ann", NULL), 0);
  flood(1000);
  publish_number(w.hub, "tea", 1);
  hub_world_settle(&w);
  follower_expect(&w.f, "1 ");
  assert_int_equal(coho_presence_list(w.hub, "room", NULL, NULL, NULL), 1);
  assert_int_equal(hub_world_stats(&w).refused, 0);
  assert_int_equal(hub_world_stats(&w).topics, 100);
  hub_world_close(&w);
}

static void test_the_one_longest_without_use_gives_way(void **state) {
  (void)state;
  open_crowded(3);
  publish_number(w.hub, "a", 1);
  publish_number(w.hub, "b", 1);
  publish_number(w.hub, "c", 1);
  publish_number(w.hub, "a", 2);
  publish_number(w.hub, "d", 1);
  assert_true(has("a") && !has("b") && has("c"));
  assert_int_equal(follower_follow(&w.f, "c", NULL), 0);
  assert_int_equal(follower_leave(&w.f, "c"), 0);
  publish_number(w.hub, "e", 1);
  assert_true(!has("a") && has("c") && has("d"));
  hub_world_close(&w);
}

/* Who asks where a topic is that has nothing to lose does not push out one that has. */
static void test_one_never_published_to_gives_way_first(void **state) {
  (void)state;
  coho_pos pos;
  open_crowded(3);
  publish_number(w.hub, "a", 1);
  (void)coho_presence_list(w.hub, "b", NULL, NULL, &pos);
  assert_true(has("b/presence"));
  publish_number(w.hub, "c", 1);
  publish_number(w.hub, "d", 1);
  assert_true(has("a") && has("c") && has("d") && !has("b/presence"));
  assert_int_equal(hub_world_stats(&w).forgotten, 0);
  hub_world_close(&w);
}

static void test_all_in_use_is_full(void **state) {
  (void)state;
  coho_pos pos;
  hub_world_open(&w, &(coho_hub_options){.max_topics = 4});
  publish_number(w.hub, "followed", 1);
  assert_int_equal(follower_follow(&w.f, "followed", NULL), 0);
  assert_int_equal(follower_follow(&w.f, "silent", NULL), 0);
  publish_number(w.hub, "inhabited", 1);
  assert_int_equal(coho_presence_enter(w.hub, "inhabited", "ann", NULL), 0);
  assert_int_equal(follower_follow(&w.g, "inhabited/presence", NULL), 0);
  assert_int_equal(coho_publish(w.hub, "more", coho_text("x")), COHO_EFULL);
  assert_int_equal(follower_follow(&w.g, "more", NULL), COHO_EFULL);
  assert_int_equal(coho_presence_enter(w.hub, "more", "ann", NULL), COHO_EFULL);
  (void)coho_presence_list(w.hub, "more", NULL, NULL, &pos);
  assert_true(pos.epoch == 0);
  assert_int_equal(follower_leave(&w.f, "followed"), 0);
  publish_number(w.hub, "more", 1);
  assert_false(has("followed"));
  assert_true(has("silent") && has("inhabited") && has("inhabited/presence"));
  hub_world_close(&w);
}

/* A follower of everything is not who keeps a topic. */
static void test_B21_patterns_keep_no_topic(void **state) {
  (void)state;
  open_crowded(100);
  assert_int_equal(follower_follow_pattern(&w.f, "#"), 0);
  flood(100);
  hub_world_settle(&w);
  assert_int_equal(w.f.messages, 100);
  assert_int_equal(coho_publish(w.hub, "tea", coho_text("1")), COHO_EFULL);
  while (coho_publish(w.hub, "tea", coho_text("1")) == COHO_EFULL)
    assert_true(coho_loop_turn(w.loop, 50) >= 0);
  publish_number(w.hub, "flood/99", 2); /* that is there still, for who follows, too */
  while (w.f.messages < 102)
    assert_true(coho_loop_turn(w.loop, 50) >= 0);
  assert_int_equal(w.f.gaps, 0);
  hub_world_close(&w);
}

/* ---- who comes back -------------------------------------------------------------------------- */

static void test_who_comes_back_to_one_that_gave_way(void **state) {
  (void)state;
  open_crowded(2);
  for (unsigned life = 0; life < 50; life++) {
    publish_numbers(w.hub, "a", 1, 3);
    coho_pos old = hub_world_position(&w, "a");
    flood(2);
    assert_false(has("a"));
    publish_numbers(w.hub, "a", 1, 5);
    assert_true(hub_world_position(&w, "a").epoch != old.epoch);
    assert_int_equal(follower_follow(&w.f, "a", &old), 0);
    assert_true(w.f.start.lost == COHO_LOST_UNKNOWN);
    hub_world_settle(&w);
    follower_expect(&w.f, "1 2 3 4 5 ");
    assert_int_equal(follower_leave(&w.f, "a"), 0);
    flood(2);
  }
  hub_world_close(&w);
}

/* A topic that is open has an epoch of its own, which is none of those of its later lives. */
static void test_epochs_of_one_that_was_open_for_long(void **state) {
  (void)state;
  open_crowded(2);
  assert_int_equal(follower_follow(&w.f, "a", NULL), 0);
  for (unsigned others = 0; others < 130; others++) {
    publish_number(w.hub, "a", 1);
    coho_pos old = hub_world_position(&w, "a");
    flood(1 + others);
    assert_int_equal(follower_leave(&w.f, "a"), 0);
    flood(2);
    assert_int_equal(follower_follow(&w.f, "a", &old), 0);
    assert_true(w.f.start.lost == COHO_LOST_UNKNOWN);
  }
  hub_world_close(&w);
}

/* ---- what it costs --------------------------------------------------------------------------- */

/* Histories of topics that give way are freed, whoever still has one of their messages. */
static void test_a_message_outlives_its_topic(void **state) {
  (void)state;
  static char block[1000];
  open_crowded(2);
  assert_int_equal(follower_follow(&w.f, "a", NULL), 0);
  assert_int_equal(coho_publish(w.hub, "a", coho_text_n(block, sizeof block)), 0);
  assert_int_equal(follower_leave(&w.f, "a"), 0);
  flood(2);
  assert_true(hub_world_stats(&w).bytes < sizeof block);
  hub_world_close(&w);
}

static void test_receipts_go_with_their_topic(void **state) {
  (void)state;
  const coho_publish_options opt = {.idempotency_key = "k"};
  coho_pos one, two;
  open_crowded(1);
  assert_int_equal(coho_publish_with(w.hub, "a", coho_text("1"), &opt, &one), 0);
  publish_number(w.hub, "b", 1);
  assert_int_equal(coho_publish_with(w.hub, "a", coho_text("1"), &opt, &two), 0);
  assert_true(one.epoch != two.epoch);
  assert_int_equal(hub_world_stats(&w).repeated, 0);
  hub_world_close(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_B21_one_message_to_each_name_keeps_nobody_out),
      cmocka_unit_test(test_the_one_longest_without_use_gives_way),
      cmocka_unit_test(test_one_never_published_to_gives_way_first),
      cmocka_unit_test(test_all_in_use_is_full),
      cmocka_unit_test(test_B21_patterns_keep_no_topic),
      cmocka_unit_test(test_who_comes_back_to_one_that_gave_way),
      cmocka_unit_test(test_epochs_of_one_that_was_open_for_long),
      cmocka_unit_test(test_a_message_outlives_its_topic),
      cmocka_unit_test(test_receipts_go_with_their_topic),
  };
  alloc_fail_at(0);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  alloc_assert_none_live();
  return failed;
}
