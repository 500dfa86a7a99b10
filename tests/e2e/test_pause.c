#include "support/alloc_fail.h"
#include "support/raw.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static struct world w;
static struct probe server, client;
static struct raw raw;

static int setup(void **state) {
  (void)state;
  memset(&server, 0, sizeof server);
  memset(&client, 0, sizeof client);
  return 0;
}

static void open_with(coho_options so) {
  world_open(&w, "/", &so);
  raw_connect_narrow(&raw, &w);
  assert_int_equal(raw_upgrade(&raw, "/", ""), 101);
  UNTIL(&w, server.opens == 1);
}

static void finish(void) {
  raw_close(&raw);
  UNTIL(&w, server.closes == 1);
  world_close(&w);
}

/* Gives the world every chance to do what it should not do. */
static void turn_often(void) {
  for (int i = 0; i < 20; i++)
    world_turn(&w);
}

/* Three messages in one segment. */
static void send_three(void) {
  static const char bytes[] = "\x82\x83\0\0\0\0one\x82\x83\0\0\0\0two\x82\x85\0\0\0\0three";
  raw_send(&raw, bytes, sizeof bytes - 1);
}

static void pause_it(struct probe *p, coho_conn *c, coho_msg m) {
  (void)p;
  (void)m;
  coho_pause(c);
}

static void test_pause_stops_in_the_middle_of_a_read(void **state) {
  (void)state;
  server.message = pause_it;
  open_with(probe_options(&server));
  send_three();
  UNTIL(&w, server.messages == 1);
  turn_often();
  assert_int_equal(server.messages, 1);
  assert_string_equal(server.last, "one");
  coho_resume(server.conn);
  UNTIL(&w, server.messages == 2);
  turn_often();
  assert_int_equal(server.messages, 2);
  assert_string_equal(server.last, "two");
  server.message = NULL;
  coho_resume(server.conn);
  UNTIL(&w, server.messages == 3);
  assert_string_equal(server.last, "three");
  finish();
}

static void test_what_is_kept_is_given_back(void **state) {
  (void)state;
  open_with(probe_options(&server));
  send_three(); /* from now on it counts */
  UNTIL(&w, server.messages == 3);
  turn_often();
  size_t before = alloc_live();
  server.message = pause_it;
  send_three();
  UNTIL(&w, server.messages == 4);
  assert_true(alloc_live() > before);
  server.message = NULL;
  coho_resume(server.conn);
  UNTIL(&w, server.messages == 6);
  turn_often();
  assert_true(alloc_live() <= before);
  finish();
}

static void test_pause_is_a_switch_not_a_count(void **state) {
  (void)state;
  open_with(probe_options(&server));
  coho_pause(server.conn);
  coho_pause(server.conn);
  send_three();
  turn_often();
  assert_int_equal(server.messages, 0);
  coho_resume(server.conn);
  UNTIL(&w, server.messages == 3);
  coho_resume(server.conn); /* nothing to do */
  finish();
}

static void pause_and_resume(struct probe *p, coho_conn *c, coho_msg m) {
  pause_it(p, c, m);
  coho_resume(c);
}

static void test_resume_inside_the_same_handler(void **state) {
  (void)state;
  server.message = pause_and_resume;
  open_with(probe_options(&server));
  send_three();
  UNTIL(&w, server.messages == 3);
  finish();
}

static void test_a_frame_cut_by_the_pause_goes_on(void **state) {
  (void)state;
  server.message = pause_it;
  open_with(probe_options(&server));
  raw_send(&raw, "\x82\x81\0\0\0\0a\x82\x84\0\0", 11);
  UNTIL(&w, server.messages == 1);
  raw_send(&raw, "\0\0wx", 4);
  turn_often();
  server.message = NULL;
  coho_resume(server.conn);
  raw_send(&raw, "yz", 2);
  UNTIL(&w, server.messages == 2);
  assert_string_equal(server.last, "wxyz");
  finish();
}

static void test_the_peer_feels_a_pause(void **state) {
  (void)state;
  static char block[65536];
  size_t sent = 0;
  open_with(probe_options(&server));
  coho_pause(server.conn);
  for (int idle = 0; idle < 50; idle++) {
    ssize_t n = send(raw.fd, block, sizeof block, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0) {
      sent += (size_t)n;
      idle = 0;
      assert_true(sent < 64U << 20);
    } else {
      world_turn(&w);
    }
  }
  assert_int_equal(coho_conn_queued(server.conn), 0);
  coho_abort(server.conn);
  finish();
}

static void test_close_ends_a_pause(void **state) {
  (void)state;
  struct raw_frame f;
  open_with(probe_options(&server));
  coho_pause(server.conn);
  send_three();
  turn_often();
  assert_int_equal(coho_close(server.conn, 1000, NULL), 0);
  coho_pause(server.conn); /* of no use any more */
  assert_true(raw_next(&raw, &f));
  assert_int_equal(raw_code(&f), 1000);
  raw_frame(&raw, 8, true, "\x03\xe8", 2);
  UNTIL(&w, server.closes == 1);
  assert_int_equal(server.ending.err, 0);
  assert_int_equal(server.messages, 0);
  raw_close(&raw);
  world_close(&w);
}

static void test_pause_before_the_connection_is_open(void **state) {
  (void)state;
  coho_options so = probe_options(&server), co = probe_options(&client);
  world_open(&w, "/", &so);
  coho_conn *c = world_connect(&w, "/", &co);
  coho_pause(c);
  UNTIL(&w, client.opens == 1 && server.opens == 1);
  assert_int_equal(coho_send(server.conn, coho_text("early")), COHO_SENT);
  turn_often();
  assert_int_equal(client.messages, 0);
  coho_resume(c);
  UNTIL(&w, client.messages == 1);
  coho_close(c, 1000, NULL);
  UNTIL(&w, client.closes == 1 && server.closes == 1);
  world_close(&w);
}

static void pause_at_open(struct probe *p, coho_conn *c) {
  (void)p;
  coho_pause(c);
}

static void test_pause_in_on_open_keeps_what_came_behind_the_head(void **state) {
  (void)state;
  server.opened = pause_at_open;
  coho_options so = probe_options(&server);
  world_open(&w, "/", &so);
  raw_connect(&raw, &w);
  char head[1024];
  static const char request[] = "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n"
                                "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
                                "\x82\x81\0\0\0\0a";
  raw_send(&raw, request, sizeof request - 1);
  raw_head(&raw, head, sizeof head);
  turn_often();
  assert_int_equal(server.messages, 0);
  coho_resume(server.conn);
  UNTIL(&w, server.messages == 1);
  assert_string_equal(server.last, "a");
  finish();
}

static void test_the_end_of_the_stream_comes_after_the_pause(void **state) {
  (void)state;
  server.message = pause_it;
  open_with(probe_options(&server));
  send_three();
  UNTIL(&w, server.messages == 1);
  raw_close(&raw);
  turn_often();
  assert_int_equal(server.closes, 0);
  server.message = NULL;
  coho_resume(server.conn);
  UNTIL(&w, server.closes == 1);
  assert_string_equal(server.order, "ommmec");
  world_close(&w);
}

static bool over;

static void wake(void *arg) {
  (void)arg;
  over = true;
}

static void wait_for(uint32_t ms) {
  over = false;
  coho_timer *t = coho_timer_new(w.loop, wake, NULL);
  coho_timer_start(t, ms, 0);
  UNTIL(&w, over);
  coho_timer_free(t);
}

/* The engine's clock stands still: neither is the peer asked nor is it blamed. */
static void test_deadlines_wait_while_paused(void **state) {
  (void)state;
  coho_options so = probe_options(&server);
  struct raw_frame f;
  so.ping_interval_ms = 20;
  so.pong_timeout_ms = 60;
  so.message_timeout_ms = 60;
  open_with(so);
  raw_frame(&raw, 1, false, "half", 4);
  assert_true(raw_next(&raw, &f)); /* a ping: the deadlines run */
  assert_int_equal(f.opcode, 9);
  coho_pause(server.conn);
  wait_for(200);
  assert_int_equal(server.closes, 0);
  raw_frame(&raw, 10, true, NULL, 0);
  raw_frame(&raw, 0, true, "", 0);
  coho_resume(server.conn);
  UNTIL(&w, server.messages == 1);
  assert_int_equal(server.closes, 0);
  finish();
}

static void test_deadlines_go_on_after_a_pause(void **state) {
  (void)state;
  coho_options so = probe_options(&server);
  so.ping_interval_ms = 20;
  so.pong_timeout_ms = 20;
  open_with(so);
  coho_pause(server.conn);
  wait_for(50);
  coho_resume(server.conn);
  UNTIL(&w, server.closes == 1);
  assert_int_equal(server.ending.err, COHO_EPONGTIMEOUT);
  raw_close(&raw);
  world_close(&w);
}

/* The other connection, which may be read, is closed first although its silence began later. */
static void test_B15_a_pause_is_no_silence_of_the_peer(void **state) {
  static struct raw other;
  (void)state;
  coho_options so = probe_options(&server);
  so.idle_timeout_ms = 60;
  so.close_timeout_ms = 20;
  open_with(so);
  coho_conn *paused = server.conn;
  coho_id id = coho_conn_id(paused);
  coho_pause(paused);
  send_three();
  raw_connect(&other, &w);
  assert_int_equal(raw_upgrade(&other, "/", ""), 101);
  UNTIL(&w, server.closes >= 1);
  raw_close(&other);
  assert_int_equal(server.ending.err, COHO_ECLOSETIMEOUT);
  assert_int_equal(coho_send_id(id, coho_text("here")), COHO_QUEUED);
  coho_resume(paused);
  UNTIL(&w, server.messages == 3);
  server.closes = 0;
  finish();
}

static void test_abort_and_free_while_paused(void **state) {
  (void)state;
  server.message = pause_it;
  open_with(probe_options(&server));
  send_three();
  UNTIL(&w, server.messages == 1);
  coho_abort(server.conn);
  UNTIL(&w, server.closes == 1);
  raw_close(&raw);
  raw_connect(&raw, &w);
  assert_int_equal(raw_upgrade(&raw, "/", ""), 101);
  send_three();
  UNTIL(&w, server.messages == 2);
  world_close(&w);
  assert_int_equal(server.closes, 2);
  raw_close(&raw);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_pause_stops_in_the_middle_of_a_read, setup),
      cmocka_unit_test_setup(test_what_is_kept_is_given_back, setup),
      cmocka_unit_test_setup(test_pause_is_a_switch_not_a_count, setup),
      cmocka_unit_test_setup(test_resume_inside_the_same_handler, setup),
      cmocka_unit_test_setup(test_a_frame_cut_by_the_pause_goes_on, setup),
      cmocka_unit_test_setup(test_the_peer_feels_a_pause, setup),
      cmocka_unit_test_setup(test_close_ends_a_pause, setup),
      cmocka_unit_test_setup(test_pause_before_the_connection_is_open, setup),
      cmocka_unit_test_setup(test_pause_in_on_open_keeps_what_came_behind_the_head, setup),
      cmocka_unit_test_setup(test_the_end_of_the_stream_comes_after_the_pause, setup),
      cmocka_unit_test_setup(test_deadlines_wait_while_paused, setup),
      cmocka_unit_test_setup(test_deadlines_go_on_after_a_pause, setup),
      cmocka_unit_test_setup(test_B15_a_pause_is_no_silence_of_the_peer, setup),
      cmocka_unit_test_setup(test_abort_and_free_while_paused, setup),
  };
  alloc_fail_at(0);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  alloc_assert_none_live();
  return failed;
}
