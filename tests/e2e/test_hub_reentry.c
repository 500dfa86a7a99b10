/* What on_gap may do: everything. It runs in the middle of a delivery, a replay or a subscription. */
#include "support/alloc_fail.h"
#include "support/hubs.h"
#include "support/raw.h"

#include "hub/hub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct world w;
static struct probe server;
static struct raw a, b;
static coho_conn *conns[2];
static coho_hub *hub;
static unsigned gaps;
static void (*then)(coho_conn *c, const char *topic, coho_pos pos);

static void on_gap(coho_conn *c, const char *topic, uint64_t lost, coho_pos pos) {
  assert_true(lost > 0);
  if (gaps++ < 100 && then) then(c, topic, pos);
}

static void note_conn(struct probe *p, coho_conn *c) { conns[p->opens - 1] = c; }

static void open_pair(void (*act)(coho_conn *c, const char *topic, coho_pos pos)) {
  coho_options so = probe_options(&server);
  memset(&server, 0, sizeof server);
  server.opened = note_conn;
  gaps = 0;
  then = act;
  hub = hub_with(&(coho_hub_options){.on_gap = on_gap}, &(coho_topic_options){.history_count = 3});
  world_open(&w, "/", &so);
  raw_connect_narrow(&a, &w);
  assert_int_equal(raw_upgrade(&a, "/", ""), 101);
  raw_connect(&b, &w);
  assert_int_equal(raw_upgrade(&b, "/", ""), 101);
  UNTIL(&w, server.opens == 2);
}

static void close_pair(void) {
  coho__hub_check(hub);
  raw_close(&a);
  raw_close(&b);
  UNTIL(&w, server.closes == 2);
  assert_int_equal(coho_hub_subscribers(hub, "t"), 0);
  world_close(&w);
  coho_hub_free(hub);
  alloc_assert_none_live();
}

static void publish(unsigned first, unsigned last) {
  char text[16];
  for (unsigned n = first; n <= last; n++) {
    snprintf(text, sizeof text, "%u", n);
    assert_int_equal(coho_publish(hub, "t", coho_text(text)), 0);
  }
}

static void expect(struct raw *r, const char *text) {
  struct raw_frame f;
  assert_true(raw_next(r, &f));
  assert_int_equal(f.opcode, 1);
  assert_int_equal(f.len, strlen(text));
  assert_memory_equal(f.data, text, f.len);
}

/* ---- the places ------------------------------------------------------------------------------ */

/* The loop was too slow: both miss 4 of 7. */
static void gap_in_delivery(void) {
  for (int i = 0; i < 2; i++) {
    assert_int_equal(coho_subscribe(hub, conns[i], "t"), 0);
    assert_int_equal(coho_subscribe_pattern(hub, conns[i], "#"), 0);
  }
  publish(1, 7);
  for (int i = 0; i < 5; i++)
    world_turn(&w);
}

/* The first is slow, and behind by both subscriptions when it has room again. */
static void gap_in_replay(void) {
  static char block[20000];
  struct raw_frame f;
  assert_int_equal(coho_subscribe(hub, conns[0], "t"), 0);
  assert_int_equal(coho_subscribe_pattern(hub, conns[0], "#"), 0);
  assert_int_equal(coho_subscribe(hub, conns[1], "t"), 0);
  while (coho_conn_queued(conns[0]) < 600000)
    assert_true(coho_send(conns[0], coho_binary(block, sizeof block)) >= 0);
  for (unsigned n = 1; n <= 7; n++) {
    publish(n, n);
    for (int i = 0; i < 3; i++)
      world_turn(&w);
  }
  while (gaps == 0 && raw_next(&a, &f)) {}
  for (int i = 0; i < 5; i++)
    world_turn(&w);
}

/* What it asked for is not held. */
static void gap_in_subscription(void) {
  coho_pos since;
  publish(1, 7);
  assert_int_equal(coho_hub_position(hub, "t", &since), 0);
  since.offset = 1;
  assert_int_equal(coho_subscribe_from(hub, conns[0], "t", since, NULL), 0);
  for (int i = 0; i < 5; i++)
    world_turn(&w);
}

static void (*const places[])(void) = {gap_in_delivery, gap_in_replay, gap_in_subscription};

static void everywhere(void (*act)(coho_conn *c, const char *topic, coho_pos pos),
                       void (*check)(void)) {
  for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
    open_pair(act);
    places[i]();
    assert_true(gaps > 0);
    if (check) check();
    coho__hub_check(hub);
    publish(8, 20);
    for (int k = 0; k < 5; k++)
      world_turn(&w);
    close_pair();
  }
}

/* ---- what it does ---------------------------------------------------------------------------- */

static void leave(coho_conn *c, const char *topic, coho_pos pos) {
  (void)pos;
  (void)coho_unsubscribe(hub, c, topic);
  (void)coho_unsubscribe_pattern(hub, c, "#");
}

static void test_it_unsubscribes(void **state) {
  (void)state;
  everywhere(leave, NULL);
}

static void leave_and_return(coho_conn *c, const char *topic, coho_pos pos) {
  assert_true(pos.offset > 0);
  if (coho_unsubscribe(hub, c, topic) == 0) assert_int_equal(coho_subscribe(hub, c, topic), 0);
  if (coho_unsubscribe_pattern(hub, c, "#") == 0)
    assert_int_equal(coho_subscribe_pattern(hub, c, "#"), 0);
}

static void test_it_unsubscribes_and_subscribes(void **state) {
  (void)state;
  everywhere(leave_and_return, NULL);
}

/* Which has what waits for c sent to it, itself in the middle of that. */
static void follow_more(coho_conn *c, const char *topic, coho_pos pos) {
  coho_pos zero = {0, 0};
  (void)pos;
  (void)coho_unsubscribe(hub, c, topic);
  assert_int_equal(coho_subscribe_from(hub, c, topic, zero, NULL), 0);
  (void)coho_subscribe_from(hub, c, "more", zero, NULL);
}

static void test_it_subscribes_from_the_past(void **state) {
  (void)state;
  everywhere(follow_more, NULL);
}

static void close_it(coho_conn *c, const char *topic, coho_pos pos) {
  (void)topic;
  (void)pos;
  (void)coho_close(c, 4000, "a gap");
  coho_pos zero = {0, 0};
  (void)coho_subscribe_from(hub, c, "more", zero, NULL);
}

static void test_it_closes(void **state) {
  (void)state;
  everywhere(close_it, NULL);
}

static void abort_all(coho_conn *c, const char *topic, coho_pos pos) {
  (void)c;
  (void)topic;
  (void)pos;
  coho_abort(conns[0]);
  coho_abort(conns[1]);
}

static void test_it_aborts_others_too(void **state) {
  (void)state;
  everywhere(abort_all, NULL);
}

static void publish_more(coho_conn *c, const char *topic, coho_pos pos) {
  coho_hub_stats st;
  (void)c;
  (void)topic;
  (void)pos;
  if (gaps > 3) return;
  publish(1000, 1010);
  assert_int_equal(coho_publish(hub, "more", coho_text("new")), 0);
  coho_hub_get_stats(hub, &st);
  assert_true(st.gaps <= gaps);
}

static void test_it_publishes(void **state) {
  (void)state;
  everywhere(publish_more, NULL);
}

static void leave_the_other(coho_conn *c, const char *topic, coho_pos pos) {
  coho_conn *other = conns[c == conns[0]];
  (void)pos;
  (void)coho_unsubscribe(hub, other, topic);
  (void)coho_unsubscribe_pattern(hub, other, "#");
  if (gaps == 1) (void)coho_subscribe_pattern(hub, other, "+");
}

static void test_it_unsubscribes_another(void **state) {
  (void)state;
  everywhere(leave_the_other, NULL);
}

/* ---- and what comes of it -------------------------------------------------------------------- */

/* A subscription in the middle of a delivery starts behind it. */
static void join_behind(coho_conn *c, const char *topic, coho_pos pos) {
  (void)pos;
  if (c == conns[0] && gaps == 1) assert_int_equal(coho_subscribe(hub, conns[1], topic), 0);
}

static void test_who_is_subscribed_meanwhile_starts_behind(void **state) {
  (void)state;
  open_pair(join_behind);
  assert_int_equal(coho_subscribe(hub, conns[0], "t"), 0);
  publish(1, 5);
  for (int i = 0; i < 3; i++)
    world_turn(&w);
  publish(6, 6);
  expect(&a, "3");
  expect(&a, "4");
  expect(&a, "5");
  expect(&a, "6");
  expect(&b, "6");
  assert_int_equal(gaps, 1);
  close_pair();
}

static void test_each_gap_is_told_once(void **state) {
  (void)state;
  open_pair(follow_more);
  publish(1, 7);
  coho_pos since;
  assert_int_equal(coho_hub_position(hub, "t", &since), 0);
  since.offset = 2;
  then = NULL;
  assert_int_equal(coho_subscribe_from(hub, conns[1], "t", since, NULL), 0);
  assert_int_equal(gaps, 1);
  expect(&b, "5");
  expect(&b, "6");
  expect(&b, "7");
  publish(8, 8);
  expect(&b, "8");
  assert_int_equal(gaps, 1);
  close_pair();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_it_unsubscribes),
      cmocka_unit_test(test_it_unsubscribes_and_subscribes),
      cmocka_unit_test(test_it_subscribes_from_the_past),
      cmocka_unit_test(test_it_closes),
      cmocka_unit_test(test_it_aborts_others_too),
      cmocka_unit_test(test_it_publishes),
      cmocka_unit_test(test_it_unsubscribes_another),
      cmocka_unit_test(test_who_is_subscribed_meanwhile_starts_behind),
      cmocka_unit_test(test_each_gap_is_told_once),
  };
  alloc_fail_at(0);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  alloc_assert_none_live();
  return failed;
}
