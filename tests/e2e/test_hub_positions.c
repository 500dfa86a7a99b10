/* Positions: who comes back goes on exactly where it was, or is told how many are missing. */
#include "support/alloc_fail.h"
#include "support/follower.h"
#include "support/hubs.h"

#include "hub/hub.h"

#include <stdio.h>
#include <string.h>

static coho_loop *loop;
static coho_hub *hub;
static struct follower f;

static void open_hub(const coho_topic_options *opt) {
  loop = coho_loop_new();
  hub = hub_with(NULL, opt);
  assert_non_null(loop);
  assert_non_null(hub);
  follower_init(&f, hub, loop);
}

static void close_hub(void) {
  coho__hub_check(hub);
  follower_end(&f);
  coho_hub_free(hub);
  coho_loop_free(loop);
  alloc_assert_none_live();
}

static coho_pos position(const char *topic) {
  coho_pos pos;
  assert_int_equal(coho_hub_position(hub, topic, &pos), 0);
  return pos;
}

/* "first .. last " */
static const char *run_of(unsigned first, unsigned last) {
  static char text[4096];
  size_t len = 0;
  text[0] = '\0';
  for (unsigned i = first; i <= last; i++)
    len += (size_t)snprintf(text + len, sizeof text - len, "%u ", i);
  return text;
}

static void test_resume_at_every_offset(void **state) {
  (void)state;
  enum { LAST = 150 };
  open_hub(NULL);
  publish_numbers(hub, "t", 1, LAST);
  coho_pos end = position("t");
  assert_int_equal(end.offset, LAST);
  for (unsigned since = 0; since <= LAST; since++) {
    coho_pos pos = {end.epoch, since};
    assert_int_equal(follower_follow(&f, "t", &pos), 0);
    assert_int_equal(f.start.lost, 0);
    assert_int_equal(f.start.pos.offset, since);
    assert_int_equal(f.start.pos.epoch, end.epoch);
    loop_settle(loop);
    follower_expect(&f, run_of(since + 1, LAST));
    assert_int_equal(follower_leave(&f, "t"), 0);
    coho__hub_check(hub);
  }
  close_hub();
}

/* Some of what is missing is on its way to the loop already, some is not. */
static void test_resume_while_others_are_being_served(void **state) {
  (void)state;
  struct follower other;
  open_hub(NULL);
  follower_init(&other, hub, loop);
  assert_int_equal(follower_follow(&other, "t", NULL), 0);
  publish_numbers(hub, "t", 1, 5);
  loop_settle(loop);
  publish_numbers(hub, "t", 6, 9); /* not delivered yet */
  for (unsigned since = 0; since <= 9; since++) {
    struct follower g;
    follower_init(&g, hub, loop);
    coho_pos pos = {position("t").epoch, since};
    assert_int_equal(follower_follow(&g, "t", &pos), 0);
    publish_number(hub, "t", 10 + since);
    loop_settle(loop);
    follower_expect(&g, run_of(since + 1, 10 + since));
    assert_int_equal(follower_leave(&g, "t"), 0);
    follower_end(&g);
    /* Again something is under way. */
    if (since < 9) continue;
    follower_expect(&other, run_of(1, 19));
  }
  follower_end(&other);
  close_hub();
}

static void test_live_starts_at_once_whatever_is_under_way(void **state) {
  (void)state;
  struct follower early;
  open_hub(NULL);
  follower_init(&early, hub, loop);
  assert_int_equal(follower_follow(&early, "t", NULL), 0);
  publish_numbers(hub, "t", 1, 3);
  assert_int_equal(follower_follow(&f, "t", NULL), 0);
  assert_int_equal(f.start.pos.offset, 3);
  publish_numbers(hub, "t", 4, 5);
  loop_settle(loop);
  follower_expect(&early, "1 2 3 4 5 ");
  follower_expect(&f, "4 5 ");
  follower_end(&early);
  close_hub();
}

static void test_since_0_is_all_that_is_held(void **state) {
  (void)state;
  coho_pos zero = {0, 0};
  open_hub(&(coho_topic_options){.history_count = 4});
  assert_int_equal(follower_follow(&f, "new", &zero), 0);
  assert_int_equal(f.start.lost, 0);
  assert_int_equal(f.start.pos.offset, 0);
  publish_numbers(hub, "t", 1, 10);
  assert_int_equal(follower_follow(&f, "t", &zero), 0);
  assert_int_equal(f.start.lost, 0);
  assert_int_equal(f.start.pos.offset, 6);
  follower_expect(&f, "7 8 9 10 ");
  publish_number(hub, "new", 1);
  loop_settle(loop);
  follower_expect(&f, "1 ");
  close_hub();
}

static void test_foreign_positions(void **state) {
  (void)state;
  open_hub(&(coho_topic_options){.history_count = 4});
  publish_numbers(hub, "t", 1, 10);
  coho_pos end = position("t");
  const coho_pos foreign[] = {
      {end.epoch ^ 1, 8}, {end.epoch, 11}, {end.epoch, UINT64_MAX}, {0, 7}, {end.epoch + 1, 0},
  };
  for (size_t i = 0; i < COHO_COUNT(foreign); i++) {
    assert_int_equal(follower_follow(&f, "t", &foreign[i]), 0);
    assert_true(f.start.lost == COHO_LOST_UNKNOWN);
    assert_int_equal(f.start.pos.offset, 6);
    assert_true(f.start.pos.epoch == end.epoch);
    follower_expect(&f, "7 8 9 10 ");
    assert_int_equal(follower_leave(&f, "t"), 0);
  }
  close_hub();
}

static void expect_lost(coho_pos since, uint64_t lost, const char *heard) {
  assert_int_equal(follower_follow(&f, "t", &since), 0);
  assert_int_equal(f.start.lost, lost);
  assert_int_equal(f.start.pos.offset, since.offset + lost);
  follower_expect(&f, heard);
  assert_int_equal(follower_leave(&f, "t"), 0);
}

static void test_trimmed_by_count(void **state) {
  (void)state;
  open_hub(&(coho_topic_options){.history_count = 3});
  publish_numbers(hub, "t", 1, 10);
  uint64_t epoch = position("t").epoch;
  expect_lost((coho_pos){epoch, 0}, 7, "8 9 10 ");
  expect_lost((coho_pos){epoch, 6}, 1, "8 9 10 ");
  expect_lost((coho_pos){epoch, 7}, 0, "8 9 10 ");
  expect_lost((coho_pos){epoch, 9}, 0, "10 ");
  expect_lost((coho_pos){epoch, 10}, 0, "");
  close_hub();
}

static void test_trimmed_by_bytes(void **state) {
  (void)state;
  static char block[1000];
  coho_hub_stats st;
  open_hub(&(coho_topic_options){.history_bytes = 4000});
  memset(block, 'b', sizeof block);
  for (int i = 0; i < 10; i++) {
    assert_int_equal(coho_publish(hub, "t", coho_text_n(block, sizeof block)), 0);
    coho_hub_get_stats(hub, &st);
    assert_true(st.bytes <= 4000);
  }
  assert_int_equal(st.messages, 3);
  coho_pos since = {position("t").epoch, 2};
  assert_int_equal(follower_follow(&f, "t", &since), 0);
  assert_int_equal(f.start.lost, 5);
  assert_int_equal(f.messages, 3);
  close_hub();
}

static void wait_ms(uint32_t ms) {
  uint64_t end = coho__loop_time(loop) + ms;
  while (coho__loop_time(loop) <= end)
    assert_true(coho_loop_turn(loop, 5) >= 0);
}

static void test_trimmed_by_age(void **state) {
  (void)state;
  open_hub(&(coho_topic_options){.history_age_ms = 1});
  publish_numbers(hub, "t", 1, 3);
  coho_pos since = position("t");
  wait_ms(3);
  publish_number(hub, "t", 4);
  assert_true(position("t").epoch == since.epoch);
  since.offset = 1;
  assert_int_equal(follower_follow(&f, "t", &since), 0);
  assert_int_equal(f.start.lost, 2);
  follower_expect(&f, "4 ");
  close_hub();
}

/* Nothing is held, and the number of the missing is known all the same. */
static void test_no_history(void **state) {
  (void)state;
  coho_hub_stats st;
  open_hub(&(coho_topic_options){.flags = COHO_NO_HISTORY});
  publish_numbers(hub, "t", 1, 5);
  coho_hub_get_stats(hub, &st);
  assert_int_equal(st.messages, 0);
  coho_pos since = {position("t").epoch, 2};
  assert_int_equal(follower_follow(&f, "t", &since), 0);
  assert_int_equal(f.start.lost, 3);
  publish_numbers(hub, "t", 6, 9);
  coho_hub_get_stats(hub, &st);
  assert_int_equal(st.messages, 4);
  loop_settle(loop);
  follower_expect(&f, "6 7 8 9 ");
  coho_hub_get_stats(hub, &st);
  assert_int_equal(st.messages, 0);
  close_hub();
}

/* What a slow one has not got yet is kept for it, within the limits. */
static void test_no_history_keeps_for_the_slow(void **state) {
  (void)state;
  coho_hub_stats st;
  open_hub(&(coho_topic_options){.flags = COHO_NO_HISTORY, .history_count = 5});
  assert_int_equal(follower_follow(&f, "t", NULL), 0);
  f.room = 2;
  publish_numbers(hub, "t", 1, 4);
  loop_settle(loop);
  coho_hub_get_stats(hub, &st);
  assert_int_equal(st.messages, 2);
  publish_numbers(hub, "t", 5, 9);
  loop_settle(loop);
  coho_hub_get_stats(hub, &st);
  assert_int_equal(st.messages, 5);
  follower_take(&f, FOLLOWER_ANY);
  loop_settle(loop);
  follower_expect(&f, "1 2 (2) 5 6 7 8 9 ");
  coho_hub_get_stats(hub, &st);
  assert_int_equal(st.messages, 0);
  close_hub();
}

/* A resumed one that cannot take all at once goes on later, without a hole. */
static void test_a_replay_stops_and_goes_on(void **state) {
  (void)state;
  coho_pos zero = {0, 0};
  open_hub(NULL);
  publish_numbers(hub, "t", 1, 10);
  f.room = 0;
  assert_int_equal(follower_follow(&f, "t", &zero), 0);
  follower_expect(&f, "");
  for (unsigned i = 1; i <= 10; i++) {
    follower_take(&f, 1);
    publish_number(hub, "t", 10 + i);
    loop_settle(loop);
    coho__hub_check(hub);
  }
  follower_expect(&f, "1 2 3 4 5 6 7 8 9 10 ");
  follower_take(&f, FOLLOWER_ANY);
  loop_settle(loop);
  follower_expect(&f, "11 12 13 14 15 16 17 18 19 20 ");
  close_hub();
}

/* A long one is dealt out, and who only listens is not kept waiting for its end. */
static void test_a_long_replay_is_dealt_out(void **state) {
  (void)state;
  struct follower live;
  coho_pos zero = {0, 0};
  open_hub(NULL);
  follower_init(&live, hub, loop);
  assert_int_equal(follower_follow(&live, "other", NULL), 0);
  publish_numbers(hub, "t", 1, 1000);
  assert_int_equal(follower_follow(&f, "t", &zero), 0);
  assert_true(f.messages > 0 && f.messages < 1000);
  publish_number(hub, "other", 1);
  while (live.messages == 0)
    assert_true(coho_loop_turn(loop, 0) >= 0);
  assert_true(f.messages < 1000);
  loop_settle(loop);
  assert_int_equal(f.messages, 1000);
  assert_int_equal(f.last.offset, 1000);
  assert_int_equal(f.gaps, 0);
  follower_end(&live);
  close_hub();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_resume_at_every_offset),
      cmocka_unit_test(test_resume_while_others_are_being_served),
      cmocka_unit_test(test_live_starts_at_once_whatever_is_under_way),
      cmocka_unit_test(test_since_0_is_all_that_is_held),
      cmocka_unit_test(test_foreign_positions),
      cmocka_unit_test(test_trimmed_by_count),
      cmocka_unit_test(test_trimmed_by_bytes),
      cmocka_unit_test(test_trimmed_by_age),
      cmocka_unit_test(test_no_history),
      cmocka_unit_test(test_no_history_keeps_for_the_slow),
      cmocka_unit_test(test_a_replay_stops_and_goes_on),
      cmocka_unit_test(test_a_long_replay_is_dealt_out),
  };
  alloc_fail_at(0);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  alloc_assert_none_live();
  return failed;
}
