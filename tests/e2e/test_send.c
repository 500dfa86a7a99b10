#include "support/alloc_fail.h"
#include "support/raw.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { KIB = 1024 };

static struct world w;
static struct probe server;
static struct raw raw;
static char data[256 * KIB];

static int setup(void **state) {
  (void)state;
  memset(&server, 0, sizeof server);
  for (size_t i = 0; i < sizeof data; i++)
    data[i] = (char)('a' + i % 26);
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

/* Sends until the queue is full; returns the number of messages taken. */
static size_t fill_queue(size_t len) {
  size_t taken = 0;
  int got;
  while ((got = coho_send(server.conn, coho_text_n(data, len))) >= 0)
    taken++;
  assert_int_equal(got, COHO_EFULL);
  return taken;
}

/* ---- results -------------------------------------------------------------------------------- */

static void test_sent_when_the_peer_reads(void **state) {
  (void)state;
  open_with(probe_options(&server));
  struct raw_frame f;
  assert_int_equal(coho_send(server.conn, coho_text("hi")), COHO_SENT);
  assert_true(raw_next(&raw, &f));
  assert_memory_equal(f.data, "hi", 2);
  assert_int_equal(coho_conn_queued(server.conn), 0);
  finish();
  assert_int_equal(server.drains, 0);
}

static void test_closed_after_close(void **state) {
  (void)state;
  open_with(probe_options(&server));
  assert_int_equal(coho_close(server.conn, 1000, NULL), 0);
  assert_int_equal(coho_send(server.conn, coho_text("late")), COHO_ECLOSED);
  assert_int_equal(coho_ping(server.conn, NULL, 0), COHO_ECLOSED);
  assert_int_equal(coho_close(server.conn, 1000, NULL), COHO_ECLOSED);
  finish();
}

static void test_busy_inside_a_message_of_another_type(void **state) {
  (void)state;
  struct raw_frame f;
  open_with(probe_options(&server));
  coho_msg part = coho_text("half");
  part.flags = COHO_MORE;
  assert_int_equal(coho_send(server.conn, part), COHO_SENT);
  assert_int_equal(coho_send(server.conn, coho_binary("x", 1)), COHO_EBUSY);
  assert_int_equal(coho_send(server.conn, coho_text("rest")), COHO_SENT);
  assert_true(raw_next(&raw, &f));
  assert_int_equal(f.opcode, 1);
  assert_false(f.fin);
  assert_true(raw_next(&raw, &f));
  assert_int_equal(f.opcode, 0);
  assert_true(f.fin);
  assert_int_equal(coho_send(server.conn, coho_binary("x", 1)), COHO_SENT);
  finish();
}

static void test_unknown_type_is_refused(void **state) {
  (void)state;
  open_with(probe_options(&server));
  assert_int_equal(coho_send(server.conn, (coho_msg){.type = 8}), COHO_EINVAL);
  finish();
}

static void test_too_big_for_an_empty_queue(void **state) {
  (void)state;
  coho_options so = probe_options(&server);
  so.max_message = 100;
  so.max_queue = 1000;
  open_with(so);
  assert_int_equal(coho_send(server.conn, coho_text_n(data, 1000)), COHO_ETOOBIG);
  /* The frame counts, not the payload: 4 bytes of header. */
  assert_int_equal(coho_send(server.conn, coho_text_n(data, 997)), COHO_ETOOBIG);
  assert_int_equal(coho_send(server.conn, coho_text_n(data, 996)), COHO_SENT);
  finish();
}

/* ---- the cap and the marks ------------------------------------------------------------------ */

static void cap_is_strict(size_t len) {
  coho_options so = probe_options(&server);
  so.max_queue = 100 * KIB;
  open_with(so);
  size_t before = alloc_live();
  size_t taken = fill_queue(len);
  assert_true(coho_conn_queued(server.conn) <= 100 * KIB);
  assert_true(coho_conn_queued(server.conn) + len + 10 > 100 * KIB);
  /* Overhead is bounded, too. */
  assert_true(alloc_live() - before < 2 * 100 * KIB + 8 * KIB);
  assert_int_equal(server.drains, 0);
  for (size_t i = 0; i < taken; i++) {
    struct raw_frame f;
    assert_true(raw_next(&raw, &f));
    assert_int_equal(f.len, len);
    assert_memory_equal(f.data, data, len);
  }
  UNTIL(&w, server.drains == 1);
  assert_int_equal(coho_conn_queued(server.conn), 0);
  finish();
  assert_int_equal(server.drains, 1);
}

static void test_cap_is_strict_for_small_messages(void **state) {
  (void)state;
  cap_is_strict(100);
}

static void test_cap_is_strict_for_large_messages(void **state) {
  (void)state;
  cap_is_strict(40 * KIB);
}

static size_t queued_at_drain;

static void note_queued(struct probe *p, coho_conn *c) {
  (void)p;
  queued_at_drain = coho_conn_queued(c);
}

static void test_drain_comes_at_the_low_mark(void **state) {
  (void)state;
  struct raw_frame f;
  coho_options so = probe_options(&server);
  so.max_queue = 16 * KIB * KIB;
  so.low_mark = 70 * KIB;
  server.drained = note_queued;
  open_with(so);
  fill_queue(64 * KIB);
  while (server.drains == 0)
    assert_true(raw_next(&raw, &f));
  assert_true(queued_at_drain <= so.low_mark);
  finish();
}

static void test_queued_promises_a_drain_below_the_mark_too(void **state) {
  (void)state;
  struct raw_frame f;
  open_with(probe_options(&server));
  size_t taken = 0;
  int got;
  do {
    got = coho_send(server.conn, coho_text_n(data, 200 * KIB));
    taken++;
  } while (got == COHO_SENT);
  assert_int_equal(got, COHO_QUEUED);
  assert_true(coho_conn_queued(server.conn) < 1 << 20);
  while (taken--) {
    assert_true(raw_next(&raw, &f));
    assert_int_equal(f.len, 200 * KIB);
  }
  UNTIL(&w, server.drains == 1);
  finish();
}

static void refill(struct probe *p, coho_conn *c) {
  (void)c;
  if (p->drains < 3) fill_queue(10 * KIB);
}

static void test_one_drain_for_each_time_above(void **state) {
  (void)state;
  struct raw_frame f;
  coho_options so = probe_options(&server);
  so.max_queue = 4 * KIB * KIB;
  server.drained = refill;
  open_with(so);
  fill_queue(10 * KIB);
  while (server.drains < 3)
    assert_true(raw_next(&raw, &f));
  while (coho_conn_queued(server.conn))
    assert_true(raw_next(&raw, &f));
  finish();
  assert_int_equal(server.drains, 3);
}

/* ---- order ---------------------------------------------------------------------------------- */

static void send_all_sizes(struct probe *p, coho_conn *c, coho_msg m) {
  static const size_t sizes[] = {1, 20000, 10, 3000, 50000, 5, 130000, 2};
  (void)p;
  (void)m;
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    assert_true(coho_send(c, coho_text_n(data, sizes[i])) >= 0);
}

static void expect_all_sizes(void) {
  static const size_t sizes[] = {1, 20000, 10, 3000, 50000, 5, 130000, 2};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    struct raw_frame f;
    assert_true(raw_next(&raw, &f));
    assert_int_equal(f.len, sizes[i]);
    assert_memory_equal(f.data, data, f.len);
  }
}

static void test_order_is_kept_inside_a_handler(void **state) {
  (void)state;
  server.message = send_all_sizes;
  open_with(probe_options(&server));
  raw_frame(&raw, 1, true, "go", 2);
  expect_all_sizes();
  finish();
}

static void test_order_is_kept_outside_handlers(void **state) {
  (void)state;
  open_with(probe_options(&server));
  send_all_sizes(&server, server.conn, coho_text(""));
  expect_all_sizes();
  finish();
}

/* A client's large frame is no direct write, since it is masked. */
static void test_order_is_kept_by_a_client(void **state) {
  (void)state;
  static struct probe client;
  memset(&client, 0, sizeof client);
  client.message = send_all_sizes;
  coho_options so = probe_options(&server), co = probe_options(&client);
  world_open(&w, "/", &so);
  world_connect(&w, "/", &co);
  UNTIL(&w, server.opens == 1 && client.opens == 1);
  static const size_t sizes[] = {1, 20000, 10, 3000, 50000, 5, 130000, 2};
  size_t expected = 0;
  assert_int_equal(coho_send(server.conn, coho_text("go")), COHO_SENT);
  for (unsigned i = 0; i < 8; i++) {
    UNTIL(&w, server.messages > i);
    expected += sizes[i];
    if (server.messages == i + 1) assert_int_equal(server.bytes, expected);
  }
  assert_int_equal(server.bytes, expected);
  coho_close(client.conn, 1000, NULL);
  UNTIL(&w, server.closes == 1 && client.closes == 1);
  world_close(&w);
}

/* A client queues what is too long for the cork, also when the socket takes it at once. */
static void test_a_queue_that_is_empty_again_costs_nothing(void **state) {
  enum { LONG = 200 * KIB };
  static struct probe client;
  (void)state;
  memset(&client, 0, sizeof client);
  coho_options so = probe_options(&server), co = probe_options(&client);
  so.deflate.mode = COHO_DEFLATE_OFF;
  world_open(&w, "/", &so);
  world_connect(&w, "/", &co);
  UNTIL(&w, client.opens == 1 && server.opens == 1);
  assert_int_equal(coho_send(client.conn, coho_text("")), COHO_SENT); /* from now on it counts */
  UNTIL(&w, server.messages == 1);
  for (int i = 0; i < 20; i++)
    world_turn(&w);
  size_t before = alloc_live();
  assert_int_equal(coho_send(client.conn, coho_binary(data, LONG)), COHO_SENT);
  UNTIL(&w, server.messages == 2);
  for (int i = 0; i < 20; i++)
    world_turn(&w);
  assert_int_equal(alloc_live(), before);
  assert_int_equal(coho_close(client.conn, 1000, NULL), 0);
  UNTIL(&w, client.closes == 1 && server.closes == 1);
  world_close(&w);
}

static void test_what_was_sent_before_close_still_goes_out(void **state) {
  (void)state;
  struct raw_frame f;
  open_with(probe_options(&server));
  for (int i = 0; i < 8; i++)
    assert_true(coho_send(server.conn, coho_text_n(data, 200 * KIB)) >= 0);
  assert_int_equal(coho_close(server.conn, 4000, "enough"), 0);
  for (int i = 0; i < 8; i++) {
    assert_true(raw_next(&raw, &f));
    assert_int_equal(f.len, 200 * KIB);
  }
  assert_true(raw_next(&raw, &f));
  assert_int_equal(raw_code(&f), 4000);
  assert_memory_equal(f.data + 2, "enough", 6);
  finish();
}

/* ---- peers that do not read ----------------------------------------------------------------- */

static void test_write_deadline(void **state) {
  (void)state;
  coho_options so = probe_options(&server);
  so.write_timeout_ms = 30;
  so.max_queue = 64 * KIB * KIB;
  open_with(so);
  for (int i = 0; i < 60; i++)
    (void)coho_send(server.conn, coho_text_n(data, sizeof data));
  UNTIL(&w, server.closes == 1);
  assert_int_equal(server.ending.err, COHO_EWRITETIMEOUT);
  assert_int_equal(server.ending.code, 1006);
  assert_int_equal(server.error, COHO_EWRITETIMEOUT);
  raw_close(&raw);
  world_close(&w);
}

/* Messages of 4,000 bytes, framed by a client, to be sent piece by piece. */
static struct {
  char *bytes;
  size_t len, at;
} burst;

static void make_burst(size_t count) {
  static const unsigned char head[8] = {0x82, 0xfe, 4000 >> 8, 4000 & 255};
  burst.len = count * 4008;
  burst.at = 0;
  burst.bytes = (char *)malloc(burst.len);
  assert_non_null(burst.bytes);
  for (size_t i = 0; i < count; i++) {
    memcpy(burst.bytes + i * 4008, head, 8); /* the mask is zero */
    memcpy(burst.bytes + i * 4008 + 8, data, 4000);
  }
}

static bool send_burst(void) {
  size_t left = burst.len - burst.at;
  ssize_t n = left ? send(raw.fd, burst.bytes + burst.at, left, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;
  if (n > 0) burst.at += (size_t)n;
  return n > 0;
}

static void test_an_echo_never_loses_a_message_to_a_peer_that_does_not_read(void **state) {
  (void)state;
  enum { COUNT = 4000 };
  coho_options so = probe_options(&server);
  so.max_message = 16 * KIB;
  so.max_queue = 70 * KIB;
  server.message = probe_echo; /* asserts that no send fails */
  open_with(so);
  size_t before = alloc_live();
  make_burst(COUNT);
  for (int idle = 0; idle < 30; idle++) {
    if (send_burst()) idle = 0;
    world_turn(&w);
  }
  assert_true(burst.at < burst.len); /* the server stopped to read */
  /* One read, at most, besides the queue. */
  assert_true(alloc_live() - before < 2 * 70 * KIB + 600 * KIB);
  for (int i = 0; i < COUNT; i++) {
    struct raw_frame f;
    (void)send_burst();
    assert_true(raw_next(&raw, &f));
    assert_int_equal(f.len, 4000);
    assert_memory_equal(f.data, data, 4000);
  }
  assert_int_equal(server.messages, COUNT);
  free(burst.bytes);
  finish();
}

static unsigned refused;

static void echo_what_fits(struct probe *p, coho_conn *c, coho_msg m) {
  (void)p;
  if (coho_send(c, m) < 0) refused++;
}

static void test_without_auto_pause_the_queue_fills(void **state) {
  (void)state;
  coho_options so = probe_options(&server);
  so.max_message = 16 * KIB;
  so.max_queue = 70 * KIB;
  so.flags = COHO_NO_AUTO_PAUSE;
  server.message = echo_what_fits;
  open_with(so);
  refused = 0;
  for (int i = 0; i < 4000 && !refused; i++)
    raw_frame(&raw, 2, true, data, 4000);
  UNTIL(&w, refused > 0);
  assert_true(coho_conn_queued(server.conn) <= 70 * KIB);
  finish();
}

static void test_pongs_do_not_pile_up(void **state) {
  (void)state;
  coho_options so = probe_options(&server);
  so.max_queue = 64 * KIB;
  open_with(so);
  fill_queue(1000);
  size_t before = coho_conn_queued(server.conn);
  for (int i = 0; i < 500; i++)
    raw_frame(&raw, 9, true, data, 125);
  for (int i = 0; i < 50; i++)
    world_turn(&w);
  assert_true(coho_conn_queued(server.conn) <= before + 127);
  finish();
}

static void test_EPIPE_ends_with_1006(void **state) {
  (void)state;
  open_with(probe_options(&server));
  struct linger at_once = {.l_onoff = 1};
  setsockopt(raw.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  raw_close(&raw);
  for (int i = 0; i < 100 && server.conn; i++) {
    (void)coho_send(server.conn, coho_text_n(data, 20000));
    world_turn(&w);
  }
  UNTIL(&w, server.closes == 1);
  assert_int_equal(server.ending.err, COHO_ECONNRESET);
  assert_int_equal(server.ending.code, 1006);
  assert_int_equal(server.errors, 1);
  world_close(&w);
}

/* What the peer said before it broke is not lost. */
static void test_last_words_are_heard_after_a_broken_write(void **state) {
  (void)state;
  open_with(probe_options(&server));
  struct linger at_once = {.l_onoff = 1};
  setsockopt(raw.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  raw_frame(&raw, 1, true, "last words", 10);
  raw_close(&raw);
  (void)coho_send(server.conn, coho_text_n(data, 20000));
  UNTIL(&w, server.closes == 1);
  assert_string_equal(server.order, "omec");
  assert_string_equal(server.last, "last words");
  assert_int_equal(server.ending.err, COHO_ECONNRESET);
  world_close(&w);
}

/* B16: by id, the sender was told that it is queued; so there is an end, and no silent hole. */
static void test_overflow_by_id_closes_with_1013(void **state) {
  (void)state;
  struct raw_frame f;
  size_t received = 0;
  coho_options so = probe_options(&server);
  so.max_queue = 1 << 20;
  open_with(so);
  for (int i = 0; i < 100; i++) {
    int got = coho_send_id(server.id, coho_text_n(data, 100 * KIB));
    assert_true(got == COHO_QUEUED || got == COHO_ESTALE);
    world_turn(&w);
  }
  while (raw_next(&raw, &f) && f.opcode != 8)
    received++;
  assert_true(received > 0 && received < 100);
  assert_int_equal(raw_code(&f), 1013);
  finish();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_sent_when_the_peer_reads, setup),
      cmocka_unit_test_setup(test_closed_after_close, setup),
      cmocka_unit_test_setup(test_busy_inside_a_message_of_another_type, setup),
      cmocka_unit_test_setup(test_unknown_type_is_refused, setup),
      cmocka_unit_test_setup(test_too_big_for_an_empty_queue, setup),
      cmocka_unit_test_setup(test_cap_is_strict_for_small_messages, setup),
      cmocka_unit_test_setup(test_cap_is_strict_for_large_messages, setup),
      cmocka_unit_test_setup(test_drain_comes_at_the_low_mark, setup),
      cmocka_unit_test_setup(test_queued_promises_a_drain_below_the_mark_too, setup),
      cmocka_unit_test_setup(test_one_drain_for_each_time_above, setup),
      cmocka_unit_test_setup(test_order_is_kept_inside_a_handler, setup),
      cmocka_unit_test_setup(test_order_is_kept_outside_handlers, setup),
      cmocka_unit_test_setup(test_order_is_kept_by_a_client, setup),
      cmocka_unit_test_setup(test_a_queue_that_is_empty_again_costs_nothing, setup),
      cmocka_unit_test_setup(test_what_was_sent_before_close_still_goes_out, setup),
      cmocka_unit_test_setup(test_write_deadline, setup),
      cmocka_unit_test_setup(test_an_echo_never_loses_a_message_to_a_peer_that_does_not_read,
                             setup),
      cmocka_unit_test_setup(test_without_auto_pause_the_queue_fills, setup),
      cmocka_unit_test_setup(test_pongs_do_not_pile_up, setup),
      cmocka_unit_test_setup(test_EPIPE_ends_with_1006, setup),
      cmocka_unit_test_setup(test_last_words_are_heard_after_a_broken_write, setup),
      cmocka_unit_test_setup(test_overflow_by_id_closes_with_1013, setup),
  };
  alloc_fail_at(0);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  alloc_assert_none_live();
  return failed;
}
