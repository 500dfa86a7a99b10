/* What time takes is taken in small steps, and whoever has to wait does not wait long. */
#include "support/alloc_fail.h"
#include "support/hub_world.h"

#include "base/clock.h"
#include "hub/hub.h"
#include "hub/presence.h"
#include "hub/receipts.h"

#include <stdio.h>
#include <string.h>

#ifdef COHO_HARD
enum { CROWD = 40, MESSAGES = 100, FREED_MOST = 4 };
#else
enum { CROWD = 3000, MESSAGES = 20000, FREED_MOST = 1024 };
#endif

enum { GRACE = 1000000 };

static struct hub_world w;

/* With topics that hold all MESSAGES. */
static void open_large(void) {
  hub_world_open_topics(&w, &(coho_topic_options){.history_bytes = 1 << 24,
                                                  .history_count = MESSAGES,
                                                  .history_age_ms = GRACE});
}

static void crowd(int (*come_or_go)(const char *id)) {
  char id[16];
  for (int i = 0; i < CROWD; i++) {
    snprintf(id, sizeof id, "m%d", i);
    assert_int_equal(come_or_go(id), 0);
  }
}

static int enter(const char *id) { return coho_presence_enter(w.hub, "room", id, NULL); }
static int leave(const char *id) { return coho_presence_leave(w.hub, "room", id); }

/* One turn of upkeep, as if so much time had passed. */
static void sweep(uint64_t ms) {
  coho__hub_lock(w.hub);
  coho__hub_sweep(w.hub, coho__clock_ms() + ms);
  coho__hub_unlock(w.hub);
}

/* More than a history holds leave at once, and who follows gets each of them. */
static void test_B21_a_crowd_leaves_in_turns(void **state) {
  (void)state;
  hub_world_open_topics(&w, &(coho_topic_options){.grace_ms = GRACE});
  crowd(enter);
  crowd(leave);
  assert_int_equal(follower_follow(&w.f, "room/presence", NULL), 0);
  size_t members = CROWD;
  sweep(GRACE + 1);
  for (int turn = 0; members; turn++) {
    size_t left = (size_t)hub_world_stats(&w).members;
    assert_true(turn == 0 || left < members);
    assert_true(members - left <= COHO_LEAVES_MOST);
    members = left;
    assert_true(coho_loop_turn(w.loop, 0) >= 0);
  }
  hub_world_settle(&w);
  assert_int_equal(w.f.messages, CROWD);
  assert_int_equal(w.f.gaps, 0);
  hub_world_close(&w);
}

/* Where no loop has a part of the hub, those who publish do the work, some of it each. */
static void test_without_a_loop_publishers_go_on(void **state) {
  (void)state;
  hub_world_open_topics(&w, &(coho_topic_options){.grace_ms = GRACE});
  crowd(enter);
  crowd(leave);
  size_t members = CROWD;
  for (sweep(GRACE + 1); members;) {
    size_t left = (size_t)hub_world_stats(&w).members;
    assert_in_range(members - left, 1, COHO_LEAVES_MOST);
    members = left;
    publish_number(w.hub, "tea", 1);
  }
  hub_world_close(&w);
}

/* Who asks for the list meanwhile does not make all of them leave. */
static void test_who_is_gone_is_not_listed(void **state) {
  (void)state;
  hub_world_open_topics(&w, &(coho_topic_options){.grace_ms = 1});
  crowd(enter);
  crowd(leave);
  hub_world_wait(&w, 2);
  size_t here = coho_presence_list(w.hub, "room", NULL, NULL, NULL);
  assert_int_equal(here, 0);
  hub_world_close(&w);
}

static void test_histories_are_freed_in_turns(void **state) {
  (void)state;
  open_large();
  assert_int_equal(follower_follow(&w.f, "tea", NULL), 0);
  publish_numbers(w.hub, "room", 1, MESSAGES);
  size_t messages = MESSAGES;
  sweep(GRACE + 1);
  for (int turn = 0; messages; turn++) {
    size_t held = (size_t)hub_world_stats(&w).messages;
    assert_true(turn == 0 || held < messages);
    assert_true(messages - held <= FREED_MOST);
    messages = held;
    assert_true(coho_loop_turn(w.loop, 0) >= 0);
  }
  hub_world_close(&w);
}

/* The loop that was to go on is gone: another does. */
static void test_the_loop_at_work_is_freed(void **state) {
  (void)state;
  open_large();
  coho_loop *other = coho_loop_new();
  struct follower f;
  follower_init(&f, w.hub, other);
  assert_int_equal(follower_follow(&f, "tea", NULL), 0);
  publish_numbers(w.hub, "room", 1, MESSAGES);
  sweep(GRACE + 1);
  assert_true(w.hub->upkeep.posted);
  follower_end(&f);
  coho_loop_free(other);
  assert_false(w.hub->upkeep.posted);
  hub_world_pass(&w, GRACE + 1);
  assert_int_equal(hub_world_stats(&w).messages, 0);
  hub_world_close(&w);
}

/* One that is busy with something else does not keep the others from it. */
static void test_the_loop_at_work_does_not_turn(void **state) {
  (void)state;
  open_large();
  assert_int_equal(follower_follow(&w.f, "tea", NULL), 0);
  publish_numbers(w.hub, "room", 1, MESSAGES);
  sweep(GRACE + 1);
  uint64_t held = hub_world_stats(&w).messages;
  sweep(GRACE + 1);
  assert_int_equal(hub_world_stats(&w).messages, held);
  for (unsigned seconds = 2; held; seconds += 2) {
    sweep(GRACE + seconds * 1000);
    assert_true(hub_world_stats(&w).messages < held);
    held = hub_world_stats(&w).messages;
  }
  hub_world_close(&w);
}

static size_t receipts_of(const char *topic) {
  coho__hub_lock(w.hub);
  const struct coho__topic *t = coho__hub_find(w.hub, coho__view_of(topic));
  const struct coho__receipts *r = (const struct coho__receipts *)t->store;
  size_t n = r ? r->map.count : 0;
  coho__hub_unlock(w.hub);
  return n;
}

static void test_receipts_are_freed_in_turns(void **state) {
  (void)state;
  char key[16];
  const coho_publish_options opt = {.idempotency_key = key};
  hub_world_open(&w, NULL);
  assert_int_equal(follower_follow(&w.f, "tea", NULL), 0);
  for (int i = 0; i < COHO_RECEIPTS_MOST; i++) {
    snprintf(key, sizeof key, "%d", i);
    assert_int_equal(coho_publish_with(w.hub, "room", coho_text("x"), &opt, NULL), 0);
  }
  size_t receipts = receipts_of("room");
  assert_int_equal(receipts, COHO_RECEIPTS_MOST);
  sweep(COHO_RECEIPTS_AGE_MS + 1);
  for (int turn = 0; receipts; turn++) {
    size_t left = receipts_of("room");
    assert_true(turn == 0 || left < receipts);
    assert_true(receipts - left <= FREED_MOST);
    receipts = left;
    assert_true(coho_loop_turn(w.loop, 0) >= 0);
  }
  hub_world_close(&w);
}

static void test_the_hub_is_freed_at_work(void **state) {
  (void)state;
  open_large();
  assert_int_equal(follower_follow(&w.f, "tea", NULL), 0);
  publish_numbers(w.hub, "room", 1, MESSAGES);
  sweep(GRACE + 1);
  assert_true(w.hub->upkeep.posted);
  hub_world_close(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_B21_a_crowd_leaves_in_turns),
      cmocka_unit_test(test_without_a_loop_publishers_go_on),
      cmocka_unit_test(test_who_is_gone_is_not_listed),
      cmocka_unit_test(test_histories_are_freed_in_turns),
      cmocka_unit_test(test_the_loop_at_work_is_freed),
      cmocka_unit_test(test_the_loop_at_work_does_not_turn),
      cmocka_unit_test(test_receipts_are_freed_in_turns),
      cmocka_unit_test(test_the_hub_is_freed_at_work),
  };
  alloc_fail_at(0);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  alloc_assert_none_live();
  return failed;
}
