#include "support/alloc_fail.h"
#include "support/hubs.h"
#include "support/raw.h"

#include <coho/hub.h>
#include <stdio.h>
#include <string.h>

enum { KIB = 1024 };

static struct world w;
static struct probe server, client;
static struct raw a, b;
static coho_hub *hub;
static coho_conn *conns[2]; /* the server's, in the order of their opening */

static void note_conn(struct probe *p, coho_conn *c) {
  if (p->opens <= 2) conns[p->opens - 1] = c;
}

static int setup(void **state) {
  (void)state;
  memset(&server, 0, sizeof server);
  memset(&client, 0, sizeof client);
  memset(conns, 0, sizeof conns);
  server.opened = note_conn;
  hub = coho_hub_new(NULL);
  return 0;
}

static int setup_impatient(void **state) {
  setup(state);
  coho_hub_free(hub);
  hub = hub_with(NULL, &(coho_topic_options){.slow = COHO_SLOW_DISCONNECT});
  return 0;
}

static void open_with(coho_options so) {
  world_open(&w, "/", &so);
  raw_connect_narrow(&a, &w);
  assert_int_equal(raw_upgrade(&a, "/", ""), 101);
  raw_connect(&b, &w);
  assert_int_equal(raw_upgrade(&b, "/", ""), 101);
  UNTIL(&w, server.opens == 2);
}

static void finish(void) {
  raw_close(&a);
  raw_close(&b);
  UNTIL(&w, server.closes == 2);
  world_close(&w);
  assert_int_equal(coho_hub_subscribers(hub, "t"), 0);
  coho_hub_free(hub);
}

static void expect(struct raw *r, const char *text) {
  struct raw_frame f;
  assert_true(raw_next(r, &f));
  assert_int_equal(f.opcode, 1);
  assert_int_equal(f.len, strlen(text));
  assert_memory_equal(f.data, text, f.len);
}

/* Nothing more comes than this. */
static void expect_last(struct raw *r, size_t conn) {
  assert_int_equal(coho_send(conns[conn], coho_text("last")), COHO_SENT);
  expect(r, "last");
}

static void test_a_publish_reaches_the_subscribers_of_its_topic(void **state) {
  (void)state;
  open_with(probe_options(&server));
  assert_int_equal(coho_subscribe(hub, conns[0], "t"), 0);
  assert_int_equal(coho_subscribe(hub, conns[0], "u"), 0);
  assert_int_equal(coho_subscribe(hub, conns[1], "t"), 0);
  assert_int_equal(coho_hub_subscribers(hub, "t"), 2);
  assert_int_equal(coho_hub_subscribers(hub, "u"), 1);
  assert_int_equal(coho_hub_subscribers(hub, "v"), 0);
  assert_int_equal(coho_publish(hub, "t", coho_text("one")), 0);
  assert_int_equal(coho_publish(hub, "u", coho_text("two")), 0);
  assert_int_equal(coho_publish(hub, "v", coho_text("nobody")), 0);
  expect(&a, "one");
  expect(&a, "two");
  expect(&b, "one");
  expect_last(&a, 0);
  expect_last(&b, 1);
  finish();
}

static void test_results_of_subscribing(void **state) {
  (void)state;
  char name[257];
  memset(name, 'n', 256);
  name[256] = '\0';
  open_with(probe_options(&server));
  assert_int_equal(coho_subscribe(hub, conns[0], name), COHO_EINVAL);
  name[255] = '\0';
  assert_int_equal(coho_subscribe(hub, conns[0], name), 0);
  assert_int_equal(coho_subscribe(hub, conns[0], ""), COHO_EINVAL);
  assert_int_equal(coho_subscribe(hub, conns[0], "t"), 0);
  assert_int_equal(coho_subscribe(hub, conns[0], "t"), COHO_EEXISTS);
  assert_int_equal(coho_unsubscribe(hub, conns[1], "t"), COHO_ENOTFOUND);
  assert_int_equal(coho_unsubscribe(hub, conns[0], "t"), 0);
  assert_int_equal(coho_unsubscribe(hub, conns[0], "t"), COHO_ENOTFOUND);
  assert_int_equal(coho_subscribe(hub, conns[0], "t"), 0);
  /* A name is never a pattern. */
  assert_int_equal(coho_publish(hub, "#", coho_text("x")), 0);
  assert_int_equal(coho_publish(hub, "", coho_text("x")), COHO_EINVAL);
  coho_msg part = coho_text("half");
  part.flags = COHO_MORE;
  assert_int_equal(coho_publish(hub, "t", part), COHO_EINVAL);
  expect_last(&a, 0);
  finish();
}

static size_t at_close;

static void count_at_close(struct probe *p, coho_conn *c) {
  (void)p;
  at_close = coho_hub_subscribers(hub, "t");
  assert_int_equal(coho_unsubscribe(hub, c, "t"), COHO_ENOTFOUND);
  assert_int_equal(coho_subscribe(hub, c, "t"), COHO_ECLOSED);
}

static void test_a_subscription_ends_with_its_connection(void **state) {
  (void)state;
  server.closed = count_at_close;
  open_with(probe_options(&server));
  assert_int_equal(coho_subscribe(hub, conns[0], "t"), 0);
  assert_int_equal(coho_subscribe(hub, conns[1], "t"), 0);
  raw_close(&a);
  UNTIL(&w, server.closes == 1);
  assert_int_equal(at_close, 1);
  assert_int_equal(coho_publish(hub, "t", coho_text("still")), 0);
  expect(&b, "still");
  raw_connect(&a, &w);
  assert_int_equal(raw_upgrade(&a, "/", ""), 101);
  raw_close(&a);
  raw_close(&b);
  UNTIL(&w, server.closes == 3);
  world_close(&w);
  coho_hub_free(hub);
}

static void test_who_subscribes_after_a_publish_does_not_get_it(void **state) {
  (void)state;
  open_with(probe_options(&server));
  assert_int_equal(coho_subscribe(hub, conns[0], "t"), 0);
  assert_int_equal(coho_publish(hub, "t", coho_text("joined")), 0);
  assert_int_equal(coho_subscribe(hub, conns[1], "t"), 0);
  assert_int_equal(coho_publish(hub, "t", coho_text("hello")), 0);
  expect(&a, "joined");
  expect(&a, "hello");
  expect(&b, "hello");
  finish();
}

static void test_publishes_of_one_turn_leave_in_one_write(void **state) {
  (void)state;
#ifdef COHO_HARD
  coho_hub_free(hub);
  skip(); /* a turn takes two letters only */
#endif
  open_with(probe_options(&server));
  assert_int_equal(coho_subscribe(hub, conns[1], "t"), 0);
  for (int i = 0; i < 10; i++)
    assert_int_equal(coho_publish(hub, "t", coho_text("0123456789")), 0);
  b.len = 0;
  expect(&b, "0123456789");
  assert_int_equal(b.len, 9 * 12); /* the other nine came with it */
  finish();
}

static void test_a_publish_waits_for_a_message_in_parts(void **state) {
  (void)state;
  struct raw_frame f;
  open_with(probe_options(&server));
  coho_msg part = coho_text("half");
  part.flags = COHO_MORE;
  assert_int_equal(coho_subscribe(hub, conns[0], "t"), 0);
  assert_int_equal(coho_send(conns[0], part), COHO_SENT);
  assert_int_equal(coho_publish(hub, "t", coho_text("whole")), 0);
  assert_int_equal(coho_publish(hub, "t", coho_text("second")), 0);
  for (int i = 0; i < 5; i++)
    world_turn(&w);
  assert_int_equal(coho_conn_queued(conns[0]), 7 + 8);
  assert_int_equal(coho_send(conns[0], coho_text("rest")), COHO_SENT);
  assert_true(raw_next(&a, &f));
  assert_false(f.fin);
  assert_true(raw_next(&a, &f));
  assert_int_equal(f.opcode, 0);
  assert_memory_equal(f.data, "rest", 4);
  expect(&a, "whole");
  expect(&a, "second");
  finish();
}

/* The queue has no room for all of it, and what is held does not wait for the socket. */
static void publish_30_behind_a_part(coho_options so, size_t size) {
  static char block[20 * KIB];
  struct raw_frame f;
  open_with(so);
  memset(block, 'b', sizeof block);
  coho_msg part = coho_text("half");
  part.flags = COHO_MORE;
  assert_int_equal(coho_subscribe(hub, conns[1], "t"), 0);
  assert_int_equal(coho_send(conns[1], part), COHO_SENT);
  for (int i = 0; i < 30; i++)
    assert_int_equal(coho_publish(hub, "t", coho_text_n(block, size)), 0);
  for (int i = 0; i < 5; i++)
    world_turn(&w);
  assert_true(coho_send(conns[1], coho_text("rest")) >= 0);
  assert_true(raw_next(&b, &f) && raw_next(&b, &f));
  for (int i = 0; i < 30; i++) {
    assert_true(raw_next(&b, &f));
    assert_int_equal(f.len, size);
  }
  finish();
}

static void test_publishes_that_wait_for_parts_all_come(void **state) {
  (void)state;
  setup(state);
  publish_30_behind_a_part(probe_options(&server), 20 * KIB);
  /* All that is held leaves in one write, and no event says that there is room again. */
  setup(state);
  coho_options so = probe_options(&server);
  so.max_queue = 100 * KIB;
  so.low_mark = 99 * KIB;
  so.max_message = 1000;
  publish_30_behind_a_part(so, 4 * KIB);
}

static void test_held_publishes_are_bounded(void **state) {
  (void)state;
  struct raw_frame f;
  static char block[1000];
  coho_options so = probe_options(&server);
  so.max_queue = 20 * KIB;
  so.close_timeout_ms = 50;
  memset(block, 'b', sizeof block);
  open_with(so);
  coho_msg part = coho_text("half");
  part.flags = COHO_MORE;
  assert_int_equal(coho_subscribe(hub, conns[0], "t"), 0);
  assert_int_equal(coho_send(conns[0], part), COHO_SENT);
  for (int i = 0; i < 30; i++)
    assert_int_equal(coho_publish(hub, "t", coho_text_n(block, sizeof block)), 0);
  assert_true(raw_next(&a, &f));
  assert_true(raw_next(&a, &f));
  assert_int_equal(raw_code(&f), 1013);
  finish();
}

/* B16 */
static void test_a_slow_consumer_is_closed_with_1013(void **state) {
  (void)state;
  static char block[100 * KIB];
  struct raw_frame f;
  unsigned received = 0;
  coho_options so = probe_options(&server);
  so.max_queue = 1 << 20;
  memset(block, 'b', sizeof block);
  open_with(so);
  size_t before = alloc_live();
  assert_int_equal(coho_subscribe(hub, conns[0], "t"), 0); /* a does not read */
  for (int i = 0; i < 200; i++) {
    assert_int_equal(coho_publish(hub, "t", coho_text_n(block, sizeof block)), 0);
    world_turn(&w);
  }
  assert_true(alloc_live() - before < (3U << 20));
  while (raw_next(&a, &f) && f.opcode != 8)
    received++;
  assert_true(received > 10 && received < 200);
  assert_int_equal(raw_code(&f), 1013);
  finish();
}

static void test_one_message_is_shared_not_copied(void **state) {
  (void)state;
  static char block[50 * KIB];
#ifdef COHO_HARD
  coho_hub_free(hub);
  skip(); /* who is blocked gets nothing more from the hub */
#endif
  open_with(probe_options(&server));
  for (int i = 0; i < 2; i++)
    assert_int_equal(coho_subscribe(hub, conns[i], "t"), 0);
  /* Both blocked: what is published now waits in both queues. */
  for (int i = 0; i < 2; i++)
    while (coho_send(conns[i], coho_binary(block, sizeof block)) == COHO_SENT) {}
  size_t before = alloc_live();
  assert_int_equal(coho_publish(hub, "t", coho_binary(block, sizeof block)), 0);
  for (int i = 0; i < 3; i++)
    world_turn(&w);
  assert_true(coho_conn_queued(conns[0]) > sizeof block);
  assert_true(coho_conn_queued(conns[1]) > sizeof block);
  size_t after = alloc_live();
  assert_true(after >= before + sizeof block);
  assert_true(after < before + sizeof block + 2 * KIB);
  coho_abort(conns[0]);
  coho_abort(conns[1]);
  finish();
}

static void test_a_client_may_subscribe_too(void **state) {
  (void)state;
  coho_options so = probe_options(&server), co = probe_options(&client);
  world_open(&w, "/", &so);
  coho_conn *c = world_connect(&w, "/", &co);
  assert_int_equal(coho_subscribe(hub, c, "t"), COHO_ECLOSED); /* not yet open */
  UNTIL(&w, client.opens == 1 && server.opens == 1);
  assert_int_equal(coho_subscribe(hub, client.conn, "t"), 0);
  coho_msg part = coho_text("pa");
  part.flags = COHO_MORE;
  assert_true(coho_send(client.conn, part) >= 0);
  assert_int_equal(coho_publish(hub, "t", coho_text("held")), 0);
  for (int i = 0; i < 3; i++)
    world_turn(&w);
  assert_true(coho_send(client.conn, coho_text("rt")) >= 0);
  assert_int_equal(coho_publish(hub, "t", coho_text("up")), 0);
  UNTIL(&w, server.messages == 3);
  assert_string_equal(server.last, "up");
  assert_int_equal(server.bytes, 4 + 4 + 2);
  coho_close(client.conn, 1000, NULL);
  UNTIL(&w, client.closes == 1 && server.closes == 1);
  world_close(&w);
  coho_hub_free(hub);
}

static void publish_it(struct probe *p, coho_conn *c, coho_msg m) {
  (void)p;
  (void)c;
  assert_int_equal(coho_publish(hub, "t", m), 0);
}

static void test_what_one_says_all_hear(void **state) {
  (void)state;
  server.message = publish_it;
  open_with(probe_options(&server));
  assert_int_equal(coho_subscribe(hub, conns[0], "t"), 0);
  assert_int_equal(coho_subscribe(hub, conns[1], "t"), 0);
  raw_frame(&a, 1, true, "hi", 2);
  raw_frame(&a, 1, true, NULL, 0);
  expect(&a, "hi");
  expect(&a, "");
  expect(&b, "hi");
  expect(&b, "");
  finish();
}

static void test_the_hub_may_go_before_its_letters(void **state) {
  (void)state;
  open_with(probe_options(&server));
  assert_int_equal(coho_subscribe(hub, conns[0], "t"), 0);
  assert_int_equal(coho_publish(hub, "t", coho_text("late")), 0);
  assert_int_equal(coho_unsubscribe(hub, conns[0], "t"), 0);
  coho_hub_free(hub);
  hub = coho_hub_new(NULL);
  expect_last(&a, 0);
  finish();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_a_publish_reaches_the_subscribers_of_its_topic, setup),
      cmocka_unit_test_setup(test_results_of_subscribing, setup),
      cmocka_unit_test_setup(test_a_subscription_ends_with_its_connection, setup),
      cmocka_unit_test_setup(test_who_subscribes_after_a_publish_does_not_get_it, setup),
      cmocka_unit_test_setup(test_publishes_of_one_turn_leave_in_one_write, setup),
      cmocka_unit_test_setup(test_a_publish_waits_for_a_message_in_parts, setup),
      cmocka_unit_test(test_publishes_that_wait_for_parts_all_come),
      cmocka_unit_test_setup(test_held_publishes_are_bounded, setup_impatient),
      cmocka_unit_test_setup(test_a_slow_consumer_is_closed_with_1013, setup_impatient),
      cmocka_unit_test_setup(test_one_message_is_shared_not_copied, setup),
      cmocka_unit_test_setup(test_a_client_may_subscribe_too, setup),
      cmocka_unit_test_setup(test_what_one_says_all_hear, setup),
      cmocka_unit_test_setup(test_the_hub_may_go_before_its_letters, setup),
  };
  alloc_fail_at(0);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  alloc_assert_none_live();
  return failed;
}
