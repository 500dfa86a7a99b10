/* Presence: who is here, what is told about it, and when somebody is gone. */
#include "support/alloc_fail.h"
#include "support/hub_world.h"

#include <stdio.h>
#include <string.h>

enum { GRACE = 30 };

static struct hub_world w;
static char list[1024];

static int enter(const char *id, const char *info) {
  return coho_presence_enter(w.hub, "room", id, info);
}

static int leave(const char *id) { return coho_presence_leave(w.hub, "room", id); }

static void note(void *ctx, const char *id, const char *info) {
  size_t len = strlen(list);
  (void)ctx;
  snprintf(list + len, sizeof list - len, "%s:%s ", id, info);
}

static void expect_list(size_t count, const char *text, coho_pos *pos) {
  list[0] = '\0';
  assert_int_equal(coho_presence_list(w.hub, "room", note, NULL, pos), count);
  assert_string_equal(list, text);
}

static void open_world(void) {
  hub_world_open_topics(&w, &(coho_topic_options){.grace_ms = GRACE});
}

static void test_join_update_leave(void **state) {
  (void)state;
  open_world();
  assert_int_equal(follower_follow(&w.f, "room/presence", NULL), 0);
  assert_int_equal(enter("ann", "{\"a\":1}"), 0);
  assert_int_equal(enter("bob", "[]"), 0);
  hub_world_settle(&w);
  follower_expect(&w.f, "{\"event\":\"join\",\"id\":\"ann\",\"info\":{\"a\":1}} "
                        "{\"event\":\"join\",\"id\":\"bob\",\"info\":[]} ");
  expect_list(2, "ann:{\"a\":1} bob:[] ", NULL);
  assert_int_equal(enter("ann", "2"), 0);
  hub_world_settle(&w);
  follower_expect(&w.f, "{\"event\":\"update\",\"id\":\"ann\",\"info\":2} ");
  assert_int_equal(leave("ann"), 0);
  assert_int_equal(leave("bob"), 0);
  /* ann came twice. */
  while (w.f.messages < 4)
    assert_true(coho_loop_turn(w.loop, 50) >= 0);
  follower_expect(&w.f, "{\"event\":\"leave\",\"id\":\"bob\"} ");
  expect_list(1, "ann:2 ", NULL);
  assert_int_equal(leave("ann"), 0);
  while (w.f.messages < 5)
    assert_true(coho_loop_turn(w.loop, 50) >= 0);
  follower_expect(&w.f, "{\"event\":\"leave\",\"id\":\"ann\"} ");
  expect_list(0, "", NULL);
  assert_int_equal(leave("ann"), COHO_ENOTFOUND);
  assert_int_equal(hub_world_stats(&w).members, 0);
  hub_world_close(&w);
}

static void test_the_same_id_is_one_member(void **state) {
  (void)state;
  open_world();
  assert_int_equal(follower_follow(&w.f, "room/presence", NULL), 0);
  assert_int_equal(enter("ann", "1"), 0);
  assert_int_equal(enter("ann", "1"), 0);
  assert_int_equal(hub_world_stats(&w).members, 1);
  assert_int_equal(leave("ann"), 0);
  hub_world_wait(&w, 2 * GRACE);
  expect_list(1, "ann:1 ", NULL);
  assert_int_equal(leave("ann"), 0);
  assert_int_equal(leave("ann"), COHO_ENOTFOUND);
  hub_world_wait(&w, 2 * GRACE);
  expect_list(0, "", NULL);
  hub_world_settle(&w);
  follower_expect(&w.f, "{\"event\":\"join\",\"id\":\"ann\",\"info\":1} "
                        "{\"event\":\"leave\",\"id\":\"ann\"} ");
  hub_world_close(&w);
}

static void test_who_comes_back_in_time_was_never_away(void **state) {
  (void)state;
  hub_world_open_topics(&w, &(coho_topic_options){.grace_ms = 1000000});
  assert_int_equal(follower_follow(&w.f, "room/presence", NULL), 0);
  assert_int_equal(enter("ann", "1"), 0);
  assert_int_equal(leave("ann"), 0);
  expect_list(1, "ann:1 ", NULL);
  assert_int_equal(enter("ann", "1"), 0);
  hub_world_settle(&w);
  follower_expect(&w.f, "{\"event\":\"join\",\"id\":\"ann\",\"info\":1} ");
  hub_world_close(&w);
}

/* The list and what comes after its position are all there is to know. */
static void test_list_then_follow(void **state) {
  (void)state;
  coho_pos pos;
  open_world();
  expect_list(0, "", &pos);
  assert_int_equal(enter("ann", "1"), 0);
  assert_int_equal(follower_follow(&w.f, "room/presence", &pos), 0);
  assert_int_equal(w.f.start.lost, 0);
  follower_expect(&w.f, "{\"event\":\"join\",\"id\":\"ann\",\"info\":1} ");
  expect_list(1, "ann:1 ", &pos);
  assert_int_equal(enter("bob", "2"), 0);
  assert_int_equal(follower_follow(&w.g, "room/presence", &pos), 0);
  assert_int_equal(w.g.start.lost, 0);
  hub_world_settle(&w);
  follower_expect(&w.g, "{\"event\":\"join\",\"id\":\"bob\",\"info\":2} ");
  hub_world_close(&w);
}

static void test_what_is_no_member(void **state) {
  (void)state;
  char id[257], info[1027];
  memset(id, 'i', 256);
  id[256] = '\0';
  memset(info, '1', sizeof info);
  info[1025] = '\0';
  open_world();
  assert_int_equal(enter("", "1"), COHO_EINVAL);
  assert_int_equal(enter(id, "1"), COHO_EINVAL);
  assert_int_equal(enter("\xff", "1"), COHO_EINVAL);
  assert_int_equal(enter("a", info), COHO_EINVAL);
  assert_int_equal(enter("a", "{"), COHO_EINVAL);
  assert_int_equal(enter("a", "1 2"), COHO_EINVAL);
  assert_int_equal(enter("a", "{\"a\":1,\"a\":2}"), COHO_EINVAL);
  assert_int_equal(enter("a", "[[[[[[[[{}]]]]]]]]"), COHO_EINVAL);
  assert_int_equal(coho_presence_enter(w.hub, "", "a", NULL), COHO_EINVAL);
  assert_int_equal(leave("a"), COHO_ENOTFOUND);
  expect_list(0, "", NULL);
  id[255] = '\0';
  assert_int_equal(enter(id, NULL), 0);
  assert_int_equal(enter("a", "[[[[[[[{}, \"[\\\"[\"]]]]]]]"), 0);
  assert_int_equal(coho_presence_list(w.hub, "room", NULL, NULL, NULL), 2);
  hub_world_close(&w);
}

/* A topic with the longest name has a companion too, and one more byte makes no name. */
static void test_the_longest_name(void **state) {
  (void)state;
  char name[255 + sizeof "/presence"];
  memset(name, 'n', 255);
  memcpy(name + 255, "/presence", sizeof "/presence");
  open_world();
  assert_int_equal(follower_follow(&w.f, name, NULL), 0);
  assert_int_equal(coho_hub_subscribers(w.hub, name), 1);
  name[255] = '\0';
  assert_int_equal(coho_presence_enter(w.hub, name, "ann", "1"), 0);
  hub_world_settle(&w);
  assert_int_equal(w.f.messages, 1);
  memset(name, 'n', 256);
  name[256] = '\0';
  assert_int_equal(coho_presence_enter(w.hub, name, "ann", "1"), COHO_EINVAL);
  assert_int_equal(coho_publish(w.hub, name, coho_text("x")), COHO_EINVAL);
  hub_world_close(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_join_update_leave),
      cmocka_unit_test(test_the_same_id_is_one_member),
      cmocka_unit_test(test_who_comes_back_in_time_was_never_away),
      cmocka_unit_test(test_list_then_follow),
      cmocka_unit_test(test_what_is_no_member),
      cmocka_unit_test(test_the_longest_name),
  };
  alloc_fail_at(0);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  alloc_assert_none_live();
  return failed;
}
