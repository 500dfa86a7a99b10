/*
 * How fast a peer may send: slowed down, nothing is lost and order is kept; or closed with 1008. What
 * is in one segment is read in one turn, in which no token comes in: so many messages are delivered
 * and no more, however slow the machine is.
 */
#include "support/alloc_fail.h"
#include "support/raw.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct world w;
static struct probe server, client;
static struct raw raw;
static size_t longest; /* part of a message */

static int setup(void **state) {
  (void)state;
  memset(&server, 0, sizeof server);
  memset(&client, 0, sizeof client);
  longest = 0;
  return 0;
}

static void open_with(coho_options so) {
  world_open(&w, "/", &so);
  raw_connect(&raw, &w);
  assert_int_equal(raw_upgrade(&raw, "/", ""), 101);
  UNTIL(&w, server.opens == 1);
}

static void finish(void) {
  raw_close(&raw);
  UNTIL(&w, server.closes == 1);
  world_close(&w);
}

/* Frames of one byte in one segment: 'a', 'b', ... */
static void send_bytes(unsigned opcode, unsigned n) {
  unsigned char bytes[32 * 7];
  assert_true(n <= 32);
  for (unsigned i = 0; i < n; i++) {
    unsigned char frame[7] = {(unsigned char)(0x80 | opcode), 0x81, 0, 0, 0, 0,
                              (unsigned char)('a' + i)};
    memcpy(bytes + i * 7, frame, 7);
  }
  raw_send(&raw, bytes, (size_t)n * 7);
}

/* The Close of the server, and what its program was told. */
static void expect_1008(void) {
  struct raw_frame f;
  do
    assert_true(raw_next(&raw, &f));
  while (f.opcode != 8);
  assert_int_equal(raw_code(&f), 1008);
  UNTIL(&w, server.closes == 1);
  assert_int_equal(server.ending.err, COHO_ERATE);
  assert_int_equal(server.ending.code, 1006);
  assert_int_equal(server.error, COHO_ERATE);
  assert_true(raw_eof(&raw));
  finish();
}

static void collect(struct probe *p, coho_conn *c, coho_msg m) {
  char *text = (char *)p->ctx;
  (void)c;
  strncat(text, m.data, m.len);
}

/* ---- messages -------------------------------------------------------------------------------- */

static void test_B08_messages_are_slowed_down(void **state) {
  (void)state;
  char text[64] = "";
  coho_options so = probe_options(&server);
  so.rate_messages = (coho_rate){.per_second = 50, .burst = 3};
  server.message = collect;
  server.ctx = text;
  open_with(so);
  send_bytes(2, 9);
  UNTIL(&w, server.messages >= 3);
  assert_int_equal(server.messages, 3);
  UNTIL(&w, server.messages == 9);
  assert_string_equal(text, "abcdefghi");
  assert_int_equal(server.errors, 0);
  finish();
}

static void test_B08_too_many_messages_close(void **state) {
  (void)state;
  coho_options so = probe_options(&server);
  so.rate_messages = (coho_rate){.per_second = 1, .burst = 3};
  so.flags = COHO_RATE_CLOSE;
  open_with(so);
  send_bytes(2, 9);
  UNTIL(&w, server.closes == 1);
  assert_string_equal(server.order, "ommmec");
  assert_string_equal(server.last, "c");
  expect_1008();
}

/* The default of a burst is a second's worth. */
static void test_burst_by_default(void **state) {
  (void)state;
  coho_options so = probe_options(&server);
  so.rate_messages.per_second = 5;
  so.flags = COHO_RATE_CLOSE;
  open_with(so);
  send_bytes(2, 6);
  UNTIL(&w, server.closes == 1);
  assert_int_equal(server.messages, 5);
  expect_1008();
}

/* Other frames are no messages. */
static void test_only_messages_count_as_messages(void **state) {
  (void)state;
  coho_options so = probe_options(&server);
  so.rate_messages = (coho_rate){.per_second = 1, .burst = 1};
  so.flags = COHO_RATE_CLOSE;
  open_with(so);
  send_bytes(10, 8);
  raw_frame(&raw, 1, false, "a", 1);
  raw_frame(&raw, 0, false, "b", 1);
  raw_frame(&raw, 0, true, "c", 1);
  send_bytes(10, 8);
  UNTIL(&w, server.pongs == 16);
  assert_int_equal(server.messages, 1);
  finish();
}

/* ---- frames ---------------------------------------------------------------------------------- */

static void test_B06_pings_are_slowed_down(void **state) {
  (void)state;
  coho_options so = probe_options(&server);
  struct raw_frame f;
  so.rate_frames = (coho_rate){.per_second = 50, .burst = 4};
  open_with(so);
  send_bytes(9, 12);
  UNTIL(&w, server.pings >= 4);
  assert_int_equal(server.pings, 4);
  for (int c = 'a'; c < 'a' + 12; c++) {
    assert_true(raw_next(&raw, &f));
    assert_int_equal(f.opcode, 10);
    assert_int_equal(*f.data, c);
  }
  assert_int_equal(server.errors, 0);
  finish();
}

static void test_B07_too_many_pongs_close(void **state) {
  (void)state;
  coho_options so = probe_options(&server);
  so.rate_frames = (coho_rate){.per_second = 1, .burst = 4};
  so.flags = COHO_RATE_CLOSE;
  open_with(so);
  send_bytes(10, 12);
  UNTIL(&w, server.closes == 1);
  assert_int_equal(server.pongs, 4);
  expect_1008();
}

/* They bring no event, and count all the same. */
static void test_B04_fragments_count_as_frames(void **state) {
  (void)state;
  coho_options so = probe_options(&server);
  so.rate_frames = (coho_rate){.per_second = 1, .burst = 4};
  so.flags = COHO_RATE_CLOSE;
  open_with(so);
  raw_send(&raw, "\x02\x80\0\0\0\0\x00\x80\0\0\0\0\x00\x80\0\0\0\0\x00\x80\0\0\0\0\x00\x80\0\0\0\0",
           30);
  UNTIL(&w, server.closes == 1);
  assert_int_equal(server.messages, 0);
  expect_1008();
}

static void test_B03_fragments_are_paid_for_later(void **state) {
  (void)state;
  coho_options so = probe_options(&server);
  so.rate_frames = (coho_rate){.per_second = 100, .burst = 2};
  open_with(so);
  raw_send(&raw,
           "\x02\x81\0\0\0\0a\x00\x81\0\0\0\0b\x00\x81\0\0\0\0c\x80\x81\0\0\0\0d"
           "\x82\x81\0\0\0\0e\x82\x81\0\0\0\0f",
           42);
  UNTIL(&w, server.messages >= 1);
  assert_int_equal(server.messages, 1);
  assert_string_equal(server.last, "abcd");
  UNTIL(&w, server.messages == 3);
  assert_string_equal(server.last, "f");
  finish();
}

/* ---- bytes ----------------------------------------------------------------------------------- */

static void measure(struct probe *p, coho_conn *c, coho_msg m) {
  (void)p;
  (void)c;
  longest = m.len > longest ? m.len : longest;
}

static void test_B08_bytes_are_slowed_down(void **state) {
  (void)state;
  static const char data[1000] = {0};
  coho_options so = probe_options(&server);
  so.rate_bytes = (coho_rate){.per_second = 4000, .burst = 100};
  so.flags = COHO_STREAM;
  server.message = measure;
  open_with(so);
  raw_frame(&raw, 2, true, data, sizeof data);
  UNTIL(&w, server.bytes > 0);
  assert_true(server.bytes <= 100 - 8); /* the header counts */
  UNTIL(&w, server.bytes == sizeof data);
  assert_true(longest <= 100);
  assert_true(server.messages >= 10);
  finish();
}

static void test_B08_too_many_bytes_close(void **state) {
  (void)state;
  static const char data[100] = {0};
  coho_options so = probe_options(&server);
  so.rate_bytes = (coho_rate){.per_second = 10, .burst = 50};
  so.flags = COHO_RATE_CLOSE | COHO_STREAM;
  open_with(so);
  raw_frame(&raw, 2, true, data, 10);
  UNTIL(&w, server.messages == 1);
  raw_frame(&raw, 2, true, data, 50);
  UNTIL(&w, server.closes == 1);
  assert_int_equal(server.messages, 1);
  expect_1008();
}

/* What came in one segment with the handshake is no way around. */
static void test_bytes_behind_the_head_count(void **state) {
  (void)state;
  static const char request[] = "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n"
                                "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
                                "\x82\x85\0\0\0\0abcde\x82\x85\0\0\0\0fghij";
  char head[1024];
  coho_options so = probe_options(&server);
  so.rate_bytes = (coho_rate){.per_second = 1, .burst = 21};
  so.flags = COHO_RATE_CLOSE;
  world_open(&w, "/", &so);
  raw_connect(&raw, &w);
  raw_send(&raw, request, sizeof request - 1);
  raw_head(&raw, head, sizeof head);
  UNTIL(&w, server.closes == 1);
  assert_string_equal(server.order, "oec");
  expect_1008();
}

/* ---- together with the rest ------------------------------------------------------------------ */

static void test_no_rates_by_default(void **state) {
  (void)state;
  open_with(probe_options(&server));
  for (int i = 0; i < 100; i++)
    send_bytes(2, 32);
  UNTIL(&w, server.messages == 3200);
  finish();
}

static void test_memory_is_given_back(void **state) {
  (void)state;
  coho_options so = probe_options(&server);
  so.rate_messages = (coho_rate){.per_second = 100, .burst = 1};
  open_with(so);
  send_bytes(2, 5);
  UNTIL(&w, server.messages == 5);
  raw_close(&raw);
  UNTIL(&w, server.closes == 1);
  world_turn(&w);
  uint64_t before = coho_memory_used();
  raw_connect(&raw, &w);
  assert_int_equal(raw_upgrade(&raw, "/", ""), 101);
  send_bytes(2, 5);
  UNTIL(&w, server.messages >= 6);
  assert_true(coho_memory_used() > before);
  UNTIL(&w, server.messages == 10);
  raw_close(&raw);
  UNTIL(&w, server.closes == 2);
  world_turn(&w);
  assert_int_equal(coho_memory_used(), before);
  world_close(&w);
}

static void pause_it(struct probe *p, coho_conn *c, coho_msg m) {
  (void)p;
  (void)m;
  coho_pause(c);
}

/* The last one that its rate allows pauses it: both have to end before it goes on. */
static void test_a_pause_and_a_rate(void **state) {
  (void)state;
  coho_options so = probe_options(&server);
  so.rate_messages = (coho_rate){.per_second = 50, .burst = 1};
  server.message = pause_it;
  open_with(so);
  send_bytes(2, 4);
  for (unsigned i = 1; i <= 4; i++) {
    UNTIL(&w, server.messages >= i);
    assert_int_equal(server.messages, i);
    for (int k = 0; k < (i % 2 ? 0 : 20); k++) /* so that either is the first to end */
      world_turn(&w);
    assert_int_equal(server.messages, i);
    coho_resume(server.conn);
  }
  finish();
}

static void close_it(struct probe *p, coho_conn *c, coho_msg m) {
  (void)p;
  (void)m;
  assert_int_equal(coho_close(c, 1000, NULL), 0);
}

/* Closing is not slowed down: neither by what waits, nor by what still comes. */
/* What piled up meanwhile is no fault of the peer's; what comes later is. */
static void test_a_pause_and_a_rate_that_closes(void **state) {
  (void)state;
  coho_options so = probe_options(&server);
  so.rate_messages = (coho_rate){.per_second = 50, .burst = 2};
  so.flags = COHO_RATE_CLOSE;
  open_with(so);
  coho_pause(server.conn);
  send_bytes(2, 6);
  world_turn(&w);
  assert_int_equal(server.messages, 0);
  coho_resume(server.conn);
  UNTIL(&w, server.messages == 6);
  assert_int_equal(server.closes, 0);
  raw_frame(&raw, 9, true, NULL, 0); /* its pong: all was read */
  struct raw_frame f;
  assert_true(raw_next(&raw, &f));
  assert_int_equal(f.opcode, 10);
  send_bytes(2, 9);
  expect_1008();
}

static void test_the_peers_close_is_seen(void **state) {
  (void)state;
  struct raw_frame f;
  coho_options so = probe_options(&server);
  so.rate_messages = (coho_rate){.per_second = 1, .burst = 1};
  so.rate_frames = so.rate_bytes = (coho_rate){.per_second = 1, .burst = 1000};
  server.message = close_it;
  open_with(so);
  send_bytes(2, 30);
  assert_true(raw_next(&raw, &f));
  assert_int_equal(raw_code(&f), 1000);
  for (int i = 0; i < 40; i++)
    send_bytes(2, 30);
  raw_frame(&raw, 8, true, "\x03\xe8", 2);
  UNTIL(&w, server.closes == 1);
  assert_int_equal(server.ending.err, 0);
  assert_int_equal(server.messages, 1);
  finish();
}

static void test_close_ends_the_waiting(void **state) {
  (void)state;
  struct raw_frame f;
  coho_options so = probe_options(&server);
  so.rate_messages = (coho_rate){.per_second = 1, .burst = 1};
  open_with(so);
  send_bytes(2, 30);
  UNTIL(&w, server.messages >= 1);
  assert_int_equal(coho_close(server.conn, 1000, NULL), 0);
  raw_frame(&raw, 8, true, "\x03\xe8", 2);
  assert_true(raw_next(&raw, &f));
  assert_int_equal(raw_code(&f), 1000);
  UNTIL(&w, server.closes == 1);
  assert_int_equal(server.ending.err, 0);
  finish();
}

static void test_the_end_of_the_stream_comes_last(void **state) {
  (void)state;
  char text[64] = "";
  coho_options so = probe_options(&server);
  so.rate_messages = (coho_rate){.per_second = 100, .burst = 1};
  server.message = collect;
  server.ctx = text;
  open_with(so);
  send_bytes(2, 10);
  raw_close(&raw);
  UNTIL(&w, server.closes == 1);
  assert_string_equal(text, "abcdefghij");
  assert_int_equal(server.ending.err, COHO_EABNORMAL);
  world_close(&w);
}

/* The peer's pong waits behind what is slowed down: that is not its fault. */
static void test_a_slowed_peer_is_not_blamed(void **state) {
  (void)state;
  struct raw_frame f;
  coho_options so = probe_options(&server);
  so.rate_messages = (coho_rate){.per_second = 10, .burst = 1};
  so.ping_interval_ms = 20;
  so.pong_timeout_ms = 60;
  so.message_timeout_ms = 60;
  open_with(so);
  assert_true(raw_next(&raw, &f));
  assert_int_equal(f.opcode, 9);
  send_bytes(2, 5);
  raw_frame(&raw, 1, false, "half", 4);
  raw_frame(&raw, 10, true, NULL, 0);
  raw_frame(&raw, 0, true, "", 0);
  UNTIL(&w, server.messages == 6 || server.closes);
  assert_int_equal(server.closes, 0);
  finish();
}

static void test_abort_and_free_while_slowed_down(void **state) {
  (void)state;
  coho_options so = probe_options(&server);
  so.rate_messages = (coho_rate){.per_second = 1, .burst = 1};
  open_with(so);
  send_bytes(2, 5);
  UNTIL(&w, server.messages >= 1);
  coho_abort(server.conn);
  UNTIL(&w, server.closes == 1);
  raw_close(&raw);
  raw_connect(&raw, &w);
  assert_int_equal(raw_upgrade(&raw, "/", ""), 101);
  send_bytes(2, 5);
  UNTIL(&w, server.messages >= 2);
  world_close(&w);
  assert_int_equal(server.closes, 2);
  raw_close(&raw);
}

static void test_a_server_may_be_slowed_down_too(void **state) {
  (void)state;
  char head[1024], text[64] = "";
  coho_options co = probe_options(&client);
  memset(&w, 0, sizeof w);
  w.loop = coho_loop_new();
  int listener = raw_listen(&w);
  co.rate_messages = (coho_rate){.per_second = 50, .burst = 3};
  client.message = collect;
  client.ctx = text;
  world_connect(&w, "/", &co);
  raw_accept(&raw, &w, listener);
  raw_head(&raw, head, sizeof head);
  raw_answer_with(&raw, head, "", "\x82\x01x\x82\x01y");
  UNTIL(&w, client.opens == 1);
  raw_send(&raw, "\x82\x01z\x82\x01u\x82\x01v", 9);
  UNTIL(&w, client.messages >= 3);
  assert_int_equal(client.messages, 3);
  UNTIL(&w, client.messages == 5);
  assert_string_equal(text, "xyzuv");
  raw_close(&raw);
  UNTIL(&w, client.closes == 1);
  close(listener);
  coho_loop_free(w.loop);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_B08_messages_are_slowed_down, setup),
      cmocka_unit_test_setup(test_B08_too_many_messages_close, setup),
      cmocka_unit_test_setup(test_burst_by_default, setup),
      cmocka_unit_test_setup(test_only_messages_count_as_messages, setup),
      cmocka_unit_test_setup(test_B06_pings_are_slowed_down, setup),
      cmocka_unit_test_setup(test_B07_too_many_pongs_close, setup),
      cmocka_unit_test_setup(test_B04_fragments_count_as_frames, setup),
      cmocka_unit_test_setup(test_B03_fragments_are_paid_for_later, setup),
      cmocka_unit_test_setup(test_B08_bytes_are_slowed_down, setup),
      cmocka_unit_test_setup(test_B08_too_many_bytes_close, setup),
      cmocka_unit_test_setup(test_bytes_behind_the_head_count, setup),
      cmocka_unit_test_setup(test_no_rates_by_default, setup),
      cmocka_unit_test_setup(test_memory_is_given_back, setup),
      cmocka_unit_test_setup(test_a_pause_and_a_rate, setup),
      cmocka_unit_test_setup(test_a_pause_and_a_rate_that_closes, setup),
      cmocka_unit_test_setup(test_the_peers_close_is_seen, setup),
      cmocka_unit_test_setup(test_close_ends_the_waiting, setup),
      cmocka_unit_test_setup(test_the_end_of_the_stream_comes_last, setup),
      cmocka_unit_test_setup(test_a_slowed_peer_is_not_blamed, setup),
      cmocka_unit_test_setup(test_abort_and_free_while_slowed_down, setup),
      cmocka_unit_test_setup(test_a_server_may_be_slowed_down_too, setup),
  };
  alloc_fail_at(0);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  alloc_assert_none_live();
  return failed;
}
