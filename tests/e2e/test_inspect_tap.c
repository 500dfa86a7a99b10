/* Following the frames of one connection. */
#include "support/raw.h"

#include <coho/inspect.h>
#include <stdio.h>
#include <string.h>

enum { KEPT = 256 };

static struct world w;
static struct probe server, client;

static struct {
  unsigned batches, ends;
  size_t count;
  uint64_t lost, lost_at_end;
  coho_tapped frames[KEPT];
  char data[KEPT][300];
  bool stop; /* in the handler */
} seen;

static coho_tap *tap;

static int setup(void **state) {
  (void)state;
  memset(&w, 0, sizeof w);
  memset(&server, 0, sizeof server);
  memset(&client, 0, sizeof client);
  memset(&seen, 0, sizeof seen);
  tap = NULL;
  return 0;
}

static void on_frames(void *ctx, const coho_tapped *frames, size_t count) {
  assert_ptr_equal(ctx, &seen);
  assert_int_equal(seen.ends, 0);
  seen.batches++;
  for (size_t i = 0; i < count; i++) {
    seen.lost += frames[i].lost;
    if (seen.count + i >= KEPT) continue;
    coho_tapped *f = &seen.frames[seen.count + i];
    *f = frames[i];
    memcpy(seen.data[seen.count + i], f->data, f->data_len < 300 ? f->data_len : 300);
  }
  seen.count += count;
  if (seen.stop) coho_tap_stop(tap);
}

static void on_end(void *ctx, uint64_t lost) {
  assert_ptr_equal(ctx, &seen);
  seen.ends++;
  seen.lost_at_end = lost;
  tap = NULL;
}

static coho_tap_options tap_options(void) {
  return (coho_tap_options){.loop = w.loop, .on_frames = on_frames, .on_end = on_end, .ctx = &seen};
}

static void open_world(coho_options so, coho_options co) {
  server.message = probe_echo;
  world_open(&w, "/", &so);
  world_connect(&w, "/", &co);
  UNTIL(&w, client.opens == 1 && server.opens == 1);
}

static void open_plain(void) {
  coho_options so = probe_options(&server), co = probe_options(&client);
  so.deflate.mode = co.deflate.mode = COHO_DEFLATE_OFF;
  open_world(so, co);
}

/* From the first frame on. */
static void start(const coho_tap_options *opt) {
  assert_int_equal(coho_tap_start(server.id, opt, &tap), 0);
  assert_non_null(tap);
  world_turn(&w);
}

static void start_plain(void) {
  open_plain();
  coho_tap_options opt = tap_options();
  start(&opt);
}

static void assert_frame(size_t i, unsigned opcode, unsigned flags, const char *data) {
  assert_true(i < seen.count);
  assert_int_equal(seen.frames[i].opcode, opcode);
  assert_int_equal(seen.frames[i].flags, flags);
  assert_int_equal(seen.frames[i].len, strlen(data));
  assert_int_equal(seen.frames[i].data_len, strlen(data));
  assert_memory_equal(seen.data[i], data, strlen(data));
  assert_true(seen.frames[i].time_us > 0);
}

static void test_both_directions_in_order(void **state) {
  (void)state;
  start_plain();
  coho_send(client.conn, coho_text("one"));
  coho_send(client.conn, coho_binary("2", 1));
  coho_ping(client.conn, "p", 1);
  UNTIL(&w, seen.count == 6);
  assert_frame(0, 1, COHO_TAPPED_FIN, "one");
  assert_frame(1, 1, COHO_TAPPED_FIN | COHO_TAPPED_OUT, "one");
  assert_frame(2, 2, COHO_TAPPED_FIN, "2");
  assert_frame(3, 2, COHO_TAPPED_FIN | COHO_TAPPED_OUT, "2");
  assert_frame(4, 9, COHO_TAPPED_FIN, "p");
  assert_frame(5, 10, COHO_TAPPED_FIN | COHO_TAPPED_OUT, "p");
  coho_tap_stop(tap);
  world_close(&w);
}

static void test_fragments_and_closing(void **state) {
  (void)state;
  coho_msg part = coho_text("he");
  start_plain();
  part.flags = COHO_MORE;
  coho_send(client.conn, part);
  coho_send(client.conn, coho_text("llo"));
  coho_close(client.conn, 1000, "bye");
  UNTIL(&w, seen.ends == 1);
  assert_frame(0, 1, 0, "he");
  assert_frame(1, 0, COHO_TAPPED_FIN, "llo");
  assert_frame(2, 1, COHO_TAPPED_FIN | COHO_TAPPED_OUT, "hello");
  assert_frame(3, 8, COHO_TAPPED_FIN,
               "\x03\xe8"
               "bye");
  assert_frame(4, 8, COHO_TAPPED_FIN | COHO_TAPPED_OUT,
               "\x03\xe8"
               "bye");
  assert_int_equal(seen.count, 5);
  assert_int_equal(seen.lost_at_end, 0);
  world_close(&w);
}

/* A frame that comes byte by byte is one record, with its first bytes. */
static void test_a_frame_in_pieces(void **state) {
  (void)state;
  static struct raw raw;
  static const unsigned char frame[] = {0x81, 0x86, 0, 0, 0, 0, 'a', 'b', 'c', 'd', 'e', 'f'};
  coho_options so = probe_options(&server);
  world_open(&w, "/", &so);
  coho_tap_options opt = tap_options();
  opt.max_payload = 4;
  raw_connect(&raw, &w);
  assert_int_equal(raw_upgrade(&raw, "/", ""), 101);
  UNTIL(&w, server.opens == 1);
  start(&opt);
  for (size_t i = 0; i < sizeof frame; i++) {
    assert_int_equal(seen.count, 0);
    raw_send(&raw, &frame[i], 1);
    for (int k = 0; k < 3; k++)
      world_turn(&w);
  }
  UNTIL(&w, seen.count == 1);
  assert_int_equal(seen.frames[0].len, 6);
  assert_int_equal(seen.frames[0].data_len, 4);
  assert_memory_equal(seen.data[0], "abcd", 4);
  raw_close(&raw);
  UNTIL(&w, seen.ends == 1);
  world_close(&w);
}

static void compressed(uint32_t flags) {
  coho_options so = probe_options(&server), co = probe_options(&client);
  char big[2000];
  memset(big, 'x', sizeof big);
  so.flags = flags;
  open_world(so, co);
  if (flags & COHO_STREAM) server.message = NULL;
  coho_tap_options opt = tap_options();
  start(&opt);
  coho_send(client.conn, coho_text_n(big, sizeof big));
}

static void test_compressed_messages_are_shown_as_they_are_too(void **state) {
  (void)state;
  compressed(0);
  UNTIL(&w, seen.count == 4);
  const coho_tapped *f = seen.frames;
  assert_int_equal(f[0].flags, COHO_TAPPED_FIN | COHO_TAPPED_RSV1);
  assert_int_equal(f[1].flags, COHO_TAPPED_FIN | COHO_TAPPED_MESSAGE);
  assert_int_equal(f[2].flags, COHO_TAPPED_FIN | COHO_TAPPED_MESSAGE | COHO_TAPPED_OUT);
  assert_int_equal(f[3].flags, COHO_TAPPED_FIN | COHO_TAPPED_RSV1 | COHO_TAPPED_OUT);
  assert_in_range(f[0].len, 1, 300);
  assert_int_equal(f[1].len, 2000);
  assert_int_equal(f[1].data_len, 256);
  assert_memory_equal(seen.data[1], "xxxxx", 5);
  assert_int_equal(f[2].len, 2000);
  coho_tap_stop(tap);
  world_close(&w);
}

/* The frame is unpacked in steps, and shown once. */
static void test_a_compressed_stream(void **state) {
  (void)state;
  compressed(COHO_STREAM);
  UNTIL(&w, server.bytes == 2000 && seen.count >= 2);
  uint64_t whole = 0;
  size_t frames = 0;
  for (size_t i = 0; i < seen.count; i++) {
    frames += !(seen.frames[i].flags & COHO_TAPPED_MESSAGE);
    if (seen.frames[i].flags & COHO_TAPPED_MESSAGE) whole += seen.frames[i].len;
  }
  assert_int_equal(frames, 1);
  assert_int_equal(whole, 2000);
  coho_tap_stop(tap);
  world_close(&w);
}

/* Whoever is slow gets what fits, and the number of what did not. */
static void test_a_slow_observer_loses_and_is_told(void **state) {
  (void)state;
  coho_tap_options opt = tap_options();
  opt.max_waiting = 3;
  open_plain();
  server.message = NULL;
  coho_loop *slow = coho_loop_new();
  opt.loop = slow;
  start(&opt);
  for (int i = 0; i < 10; i++)
    coho_send(client.conn, coho_text("x"));
  UNTIL(&w, server.messages == 10);
  coho_loop_turn(slow, 0);
  assert_int_equal(seen.count, 3);
  assert_int_equal(seen.lost, 0);
  coho_send(client.conn, coho_text("x"));
  UNTIL(&w, server.messages == 11);
  coho_loop_turn(slow, 0);
  assert_int_equal(seen.count, 4);
  assert_int_equal(seen.lost, 7);
  for (int i = 0; i < 5; i++)
    coho_send(client.conn, coho_text("x"));
  UNTIL(&w, server.messages == 16);
  coho_abort(server.conn);
  UNTIL(&w, server.closes == 1);
  while (!seen.ends)
    coho_loop_turn(slow, 5);
  assert_int_equal(seen.count, 7);
  assert_int_equal(seen.lost + seen.lost_at_end, 7 + 2);
  world_close(&w);
  coho_loop_free(slow);
}

static void test_stopped_is_silent(void **state) {
  (void)state;
  start_plain();
  coho_send(client.conn, coho_text("one"));
  coho_send(client.conn, coho_text("two"));
  seen.stop = true;
  UNTIL(&w, client.messages == 2);
  unsigned batches = seen.batches;
  assert_int_equal(batches, 1);
  coho_send(client.conn, coho_text("three"));
  coho_close(client.conn, 1000, NULL);
  UNTIL(&w, server.closes == 1);
  for (int i = 0; i < 5; i++)
    world_turn(&w);
  assert_int_equal(seen.batches, batches);
  assert_int_equal(seen.ends, 0);
  world_close(&w);
}

static void test_two_may_follow_one(void **state) {
  (void)state;
  coho_tap *second;
  start_plain();
  coho_tap_options opt = tap_options();
  assert_int_equal(coho_tap_start(server.id, &opt, &second), 0);
  world_turn(&w);
  coho_send(client.conn, coho_text("one"));
  UNTIL(&w, seen.count == 4);
  coho_tap_stop(second);
  coho_send(client.conn, coho_text("two"));
  UNTIL(&w, seen.count == 6);
  coho_tap_stop(tap);
  world_close(&w);
}

static void test_ends_of_loops(void **state) {
  (void)state;
  coho_tap_options opt = tap_options();
  open_plain();
  opt.loop = coho_loop_new();
  start(&opt);
  coho_loop_free(opt.loop); /* the observer's: nobody is told, nothing leaks */
  coho_send(client.conn, coho_text("one"));
  UNTIL(&w, client.messages == 1);
  opt.loop = coho_loop_new();
  start(&opt);
  world_close(&w); /* the connection's */
  coho_loop_turn(opt.loop, 0);
  assert_int_equal(seen.ends, 1);
  coho_loop_free(opt.loop);
}

static void test_wrong_taps(void **state) {
  (void)state;
  coho_tap_options opt = tap_options(); /* no loop yet */
  open_plain();
  assert_int_equal(coho_tap_start(server.id, &opt, &tap), COHO_EINVAL);
  opt = tap_options();
  opt.on_frames = NULL;
  assert_int_equal(coho_tap_start(server.id, &opt, &tap), COHO_EINVAL);
  opt = tap_options();
  opt.max_payload = 65537;
  assert_int_equal(coho_tap_start(server.id, &opt, &tap), COHO_EOPTION);
  opt.max_payload = 65536;
  opt.max_waiting = 65536;
  assert_int_equal(coho_tap_start(server.id, &opt, &tap), COHO_EOPTION);
  opt = tap_options();
  assert_int_equal(coho_tap_start(server.id + 1, &opt, &tap), COHO_ESTALE);
  coho_id id = server.id;
  coho_abort(server.conn);
  UNTIL(&w, server.closes == 1);
  assert_int_equal(coho_tap_start(id, &opt, &tap), COHO_ESTALE);
  coho_tap_stop(NULL);
  world_close(&w);
}

/* It ends between the question and its letter. */
static void test_too_late(void **state) {
  (void)state;
  open_plain();
  coho_tap_options opt = tap_options();
  coho_abort(server.conn);
  assert_int_equal(coho_tap_start(server.id, &opt, &tap), 0);
  UNTIL(&w, seen.ends == 1);
  assert_int_equal(seen.count, 0);
  world_close(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_both_directions_in_order, setup),
      cmocka_unit_test_setup(test_fragments_and_closing, setup),
      cmocka_unit_test_setup(test_a_frame_in_pieces, setup),
      cmocka_unit_test_setup(test_compressed_messages_are_shown_as_they_are_too, setup),
      cmocka_unit_test_setup(test_a_compressed_stream, setup),
      cmocka_unit_test_setup(test_a_slow_observer_loses_and_is_told, setup),
      cmocka_unit_test_setup(test_stopped_is_silent, setup),
      cmocka_unit_test_setup(test_two_may_follow_one, setup),
      cmocka_unit_test_setup(test_ends_of_loops, setup),
      cmocka_unit_test_setup(test_wrong_taps, setup),
      cmocka_unit_test_setup(test_too_late, setup),
  };
  return cmocka_run_group_tests_name("inspect_tap", tests, NULL, NULL);
}
