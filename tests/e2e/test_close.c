#include "base/clock.h"
#include "support/alloc_fail.h"
#include "support/raw.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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
  raw_connect(&raw, &w);
  assert_int_equal(raw_upgrade(&raw, "/", ""), 101);
  UNTIL(&w, server.opens == 1);
}

/* The peer is gone, or about to be seen gone. */
static void finish(void) {
  UNTIL(&w, server.closes == 1);
  raw_close(&raw);
  world_close(&w);
}

/* ---- the closing handshake ------------------------------------------------------------------ */

static void test_CT_09_answer_carries_the_same_code(void **state) {
  (void)state;
  struct raw_frame f;
  open_with(probe_options(&server));
  raw_frame(&raw, 8, true,
            "\x0f\xa1"
            "bye",
            5);
  assert_true(raw_next(&raw, &f));
  assert_int_equal(raw_code(&f), 4001);
  assert_true(raw_eof(&raw)); /* CT_10: the server closes TCP at once, without a reset */
  finish();
  assert_int_equal(server.ending.err, 0);
  assert_int_equal(server.ending.code, 4001);
  assert_string_equal(server.reason, "bye");
  assert_string_equal(server.order, "oc");
}

static void test_CL_07_no_code_is_1005(void **state) {
  (void)state;
  struct raw_frame f;
  open_with(probe_options(&server));
  raw_frame(&raw, 8, true, NULL, 0);
  assert_true(raw_next(&raw, &f));
  assert_int_equal(raw_code(&f), 1005);
  finish();
  assert_int_equal(server.ending.code, 1005);
  assert_int_equal(server.ending.err, 0);
}

static void test_CL_02_close_by_the_server(void **state) {
  (void)state;
  struct raw_frame f;
  open_with(probe_options(&server));
  assert_int_equal(coho_close(server.conn, 4002, "why"), 0);
  assert_true(raw_next(&raw, &f));
  assert_int_equal(raw_code(&f), 4002);
  assert_memory_equal(f.data + 2, "why", 3);
  /* CL_10: until the peer's Close data is ignored. */
  raw_frame(&raw, 1, true, "late", 4);
  raw_frame(&raw, 8, true, "\x0f\xa2", 2);
  assert_true(raw_eof(&raw));
  finish();
  assert_int_equal(server.messages, 0);
  assert_int_equal(server.ending.err, 0);
  assert_int_equal(server.ending.code, 4002);
}

static void test_close_without_code(void **state) {
  (void)state;
  struct raw_frame f;
  open_with(probe_options(&server));
  assert_int_equal(coho_close(server.conn, 0, NULL), 0);
  assert_true(raw_next(&raw, &f));
  assert_int_equal(f.len, 0);
  raw_frame(&raw, 8, true, NULL, 0);
  finish();
}

static void test_CL_09_simultaneous_close(void **state) {
  (void)state;
  coho_options so = probe_options(&server), co = probe_options(&client);
  world_open(&w, "/", &so);
  world_connect(&w, "/", &co);
  UNTIL(&w, client.opens == 1 && server.opens == 1);
  assert_int_equal(coho_close(server.conn, 4001, "s"), 0);
  assert_int_equal(coho_close(client.conn, 4002, "c"), 0);
  UNTIL(&w, client.closes == 1 && server.closes == 1);
  assert_int_equal(server.ending.code, 4002);
  assert_int_equal(client.ending.code, 4001);
  assert_int_equal(server.ending.err | client.ending.err, 0);
  world_close(&w);
}

static void test_invalid_arguments(void **state) {
  static const int codes[] = {-1, 1, 999, 1004, 1005, 1006, 1010, 1015, 1016, 2999, 5000, 70000};
  char reason[125];
  (void)state;
  open_with(probe_options(&server));
  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
    assert_int_equal(coho_close(server.conn, codes[i], NULL), COHO_EINVAL);
  memset(reason, 'r', sizeof reason - 1);
  reason[124] = '\0';
  assert_int_equal(coho_close(server.conn, 1000, reason), COHO_EINVAL);
  assert_int_equal(coho_close(server.conn, 1000, "\xff"), COHO_EINVAL);
  assert_int_equal(coho_close(server.conn, 0, "without code"), COHO_EINVAL);
  assert_int_equal(coho_send(server.conn, coho_text("still open")), COHO_SENT);
  reason[123] = '\0';
  assert_int_equal(coho_close(server.conn, 1000, reason), 0);
  raw_frame(&raw, 8, true, NULL, 0);
  finish();
}

static void test_CT_10_the_client_lets_the_server_close_first(void **state) {
  (void)state;
  coho_options so = probe_options(&server), co = probe_options(&client);
  struct raw_frame f;
  char head[2048], byte;
  world_open(&w, "/", &so);
  int listener = raw_listen(&w);
  world_connect(&w, "/", &co);
  raw_accept(&raw, &w, listener);
  raw_head(&raw, head, sizeof head);
  raw_answer(&raw, head, "");
  UNTIL(&w, client.opens == 1);
  raw_send(&raw, "\x88\x02\x03\xe8", 4);
  assert_true(raw_next(&raw, &f));
  assert_int_equal(raw_code(&f), 1000);
  UNTIL(&w, client.closes == 1);
  assert_int_equal(client.ending.err, 0);
  for (int i = 0; i < 20; i++)
    world_turn(&w);
  assert_int_equal(recv(raw.fd, &byte, 1, MSG_DONTWAIT), -1);
  assert_int_equal(errno, EAGAIN);
  shutdown(raw.fd, SHUT_WR);
  assert_true(raw_eof(&raw));
  raw_close(&raw);
  close(listener);
  world_close(&w);
}

/* ---- violations ----------------------------------------------------------------------------- */

static const struct {
  const char *name;
  const char *bytes;
  size_t len;
  unsigned code;
  int err;
} violations[] = {
    {"FR_02 not masked", "\x81\x05Hello", 7, 1002, COHO_EUNMASKED},
    {"FR_05 reserved bit", "\xc1\x80\0\0\0\0", 6, 1002, COHO_ERSV},
    {"FR_06 opcode", "\x83\x80\0\0\0\0", 6, 1002, COHO_EOPCODE},
    {"FR_07 length", "\x81\xfe\0\x01\0\0\0\0a", 9, 1002, COHO_ELENGTH},
    {"FR_16 announced", "\x82\xff\x0f\0\0\0\0\0\0\0\0\0\0\0", 14, 1009, COHO_EFRAMETOOBIG},
    {"FG_04 continuation", "\x80\x80\0\0\0\0", 6, 1002, COHO_ECONTINUATION},
    {"FG_03 interleaved", "\x01\x81\0\0\0\0x\x01\x81\0\0\0\0y", 14, 1002, COHO_EINTERLEAVED},
    {"CT_01 long ping", "\x89\xfe\0\x7e", 4, 1002, COHO_ECONTROLLEN},
    {"CT_07 one byte", "\x88\x81\0\0\0\0\x03", 7, 1002, COHO_ECLOSELEN},
    {"CL_08 code", "\x88\x82\0\0\0\0\x03\xed", 8, 1002, COHO_ECLOSECODE},
    {"CT_13 reason", "\x88\x84\0\0\0\0\x03\xe8\xc3\x28", 10, 1007, COHO_ECLOSEUTF8},
    {"DT_02 text", "\x81\x82\0\0\0\0\xc3\x28", 8, 1007, COHO_EUTF8},
};

/* CL_11: the peer is told, nothing of what follows is delivered, and it sees the end of the stream
   although it goes on sending. */
static void test_violations(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof violations / sizeof *violations; i++) {
    struct raw_frame f;
    static const char harmless[7] = {'\x81', '\x81', 0, 0, 0, 0, 'z'};
    char segment[64];
    setup(NULL);
    open_with(probe_options(&server));
    memcpy(segment, violations[i].bytes, violations[i].len);
    memcpy(segment + violations[i].len, harmless, sizeof harmless);
    raw_send(&raw, segment, violations[i].len + sizeof harmless);
    assert_true(raw_next(&raw, &f));
    if (raw_code(&f) != violations[i].code) fail_msg("%s", violations[i].name);
    assert_int_equal(server.messages, 0);
    /* CL_12: it is still drained, so that no reset overtakes the Close. */
    raw_frame(&raw, 1, true, "more", 4);
    world_turn(&w);
    raw_frame(&raw, 1, true, "and more", 8);
    assert_true(raw_eof(&raw));
    finish();
    assert_int_equal(server.ending.err, violations[i].err);
    assert_int_equal(server.error, violations[i].err);
    assert_int_equal(server.ending.code, 1006);
    assert_string_equal(server.order, "oec");
  }
}

static void test_what_came_before_a_violation_stays_answered(void **state) {
  (void)state;
  struct raw_frame f;
  server.message = probe_echo;
  open_with(probe_options(&server));
  raw_send(&raw, "\x81\x81\0\0\0\0a\x83\x80\0\0\0\0", 13);
  assert_true(raw_next(&raw, &f));
  assert_memory_equal(f.data, "a", 1);
  assert_true(raw_next(&raw, &f));
  assert_int_equal(raw_code(&f), 1002);
  finish();
}

/* More than is ever drained is on its way when the Close goes out: a reset would take it away. */
static void test_CL_12_CL_01_the_peer_reads_the_close_although_it_sent_on(void **state) {
  (void)state;
  static char block[256 * 1024];
  struct raw_frame f;
  coho_options o = probe_options(&server);
  o.max_message = 1000;
  open_with(o);
  static const char header[] = "\x82\xff\0\0\0\0\0\x10\0\0\1\2\3\4";
  raw_send(&raw, header, sizeof header - 1);
  for (int i = 0; i < 8; i++)
    (void)send(raw.fd, block, sizeof block, MSG_DONTWAIT | MSG_NOSIGNAL);
  UNTIL(&w, server.closes == 1);
  assert_true(raw_next(&raw, &f));
  assert_int_equal(f.opcode, 8);
  assert_int_equal(raw_code(&f), 1009);
  /* A library that is still writing would meet a reset before it reads. */
  int err = 0;
  socklen_t size = sizeof err;
  assert_int_equal(getsockopt(raw.fd, SOL_SOCKET, SO_ERROR, &err, &size), 0);
  assert_int_equal(err, 0);
  finish();
}

static void test_B18_a_flood_after_the_end_is_cut(void **state) {
  (void)state;
  static char block[65536];
  open_with(probe_options(&server));
  raw_send(&raw, "\x83\x80\0\0\0\0", 6);
  UNTIL(&w, server.closes == 1);
  size_t sent = 0;
  for (int i = 0; i < 2000; i++) {
    ssize_t n = send(raw.fd, block, sizeof block, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) break; /* the other side is closed */
    if (n > 0) sent += (size_t)n;
    world_turn(&w);
  }
  assert_true(sent < 64U << 20);
  assert_true(errno == EPIPE || errno == ECONNRESET);
  finish();
}

/* ---- ends without a handshake --------------------------------------------------------------- */

static void test_CL_13_end_of_stream_is_1006(void **state) {
  (void)state;
  open_with(probe_options(&server));
  raw_close(&raw);
  UNTIL(&w, server.closes == 1);
  assert_int_equal(server.ending.err, COHO_EABNORMAL);
  assert_int_equal(server.ending.code, 1006);
  assert_string_equal(server.order, "oec");
  world_close(&w);
}

static void test_reset_is_1006(void **state) {
  (void)state;
  struct linger at_once = {.l_onoff = 1};
  open_with(probe_options(&server));
  setsockopt(raw.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  raw_close(&raw);
  UNTIL(&w, server.closes == 1);
  assert_int_equal(server.ending.err, COHO_ECONNRESET);
  assert_int_equal(server.ending.code, 1006);
  world_close(&w);
}

static void test_abort_resets(void **state) {
  (void)state;
  open_with(probe_options(&server));
  coho_abort(server.conn);
  assert_int_equal(server.closes, 0); /* never inside the call */
  assert_int_equal(coho_send(server.conn, coho_text("x")), COHO_ECLOSED);
  world_turn(&w);
  assert_int_equal(server.closes, 1); /* but before the loop turns again */
  assert_int_equal(server.ending.err, COHO_ESTOPPED);
  assert_int_equal(server.ending.code, 1006);
  assert_false(raw_eof(&raw));
  finish();
}

static void test_an_id_never_means_the_next_connection(void **state) {
  (void)state;
  open_with(probe_options(&server));
  coho_id first = server.id;
  assert_int_equal(coho_send_id(first, coho_text("x")), COHO_QUEUED);
  raw_close(&raw);
  UNTIL(&w, server.closes == 1);
  assert_int_equal(coho_send_id(first, coho_text("x")), COHO_ESTALE);
  raw_connect(&raw, &w);
  assert_int_equal(raw_upgrade(&raw, "/", ""), 101);
  UNTIL(&w, server.opens == 2);
  assert_true(server.id != first);
  assert_int_equal(coho_send_id(first, coho_text("x")), COHO_ESTALE);
  assert_int_equal(coho_close_id(first, 1000, NULL), COHO_ESTALE);
  raw_close(&raw);
  UNTIL(&w, server.closes == 2);
  world_close(&w);
}

static void test_CL_18_close_timeout(void **state) {
  (void)state;
  struct raw_frame f;
  coho_options so = probe_options(&server);
  so.close_timeout_ms = 30;
  open_with(so);
  assert_int_equal(coho_close(server.conn, 1000, NULL), 0);
  assert_true(raw_next(&raw, &f));
  assert_true(raw_eof(&raw));
  finish();
  assert_int_equal(server.ending.err, COHO_ECLOSETIMEOUT);
}

static void test_B14_pong_timeout(void **state) {
  (void)state;
  struct raw_frame f;
  coho_options so = probe_options(&server);
  so.ping_interval_ms = 20;
  so.pong_timeout_ms = 20;
  open_with(so);
  assert_true(raw_next(&raw, &f));
  assert_int_equal(f.opcode, 9);
  UNTIL(&w, server.closes == 1);
  assert_int_equal(server.ending.err, COHO_EPONGTIMEOUT);
  finish();
}

static void test_B05_message_timeout(void **state) {
  (void)state;
  struct raw_frame f;
  coho_options so = probe_options(&server);
  so.message_timeout_ms = 30;
  so.ping_interval_ms = UINT32_MAX;
  open_with(so);
  raw_frame(&raw, 1, false, "never", 5);
  assert_true(raw_next(&raw, &f));
  assert_int_equal(raw_code(&f), 1008);
  finish();
  assert_int_equal(server.ending.err, COHO_EMESSAGETIMEOUT);
}

/* Pings and their answers are no messages. */
static void test_B15_idle_timeout(void **state) {
  (void)state;
  struct raw_frame f;
  coho_options so = probe_options(&server);
  so.idle_timeout_ms = 60;
  so.ping_interval_ms = 5;
  so.pong_timeout_ms = UINT32_MAX;
  open_with(so);
  unsigned pings = 0;
  for (;;) {
    assert_true(raw_next(&raw, &f));
    if (f.opcode != 9) break;
    pings++;
    raw_frame(&raw, 10, true, f.data, f.len);
  }
  assert_true(pings > 0);
  assert_int_equal(f.opcode, 8);
  assert_int_equal(raw_code(&f), 1000);
  raw_frame(&raw, 8, true, "\x03\xe8", 2);
  finish();
  assert_int_equal(server.ending.err, 0);
}

/* It counts from the last message, which comes a ping after the beginning. */
static void test_B15_a_message_puts_the_idle_timeout_off(void **state) {
  enum { LIMIT = 500 };
  (void)state;
  struct raw_frame f;
  coho_options so = probe_options(&server);
  server.message = probe_echo;
  so.idle_timeout_ms = LIMIT;
  so.ping_interval_ms = 100;
  open_with(so);
  assert_true(raw_next(&raw, &f));
  assert_int_equal(f.opcode, 9);
  raw_frame(&raw, 10, true, f.data, f.len);
  uint64_t start = coho__clock_ns();
  raw_frame(&raw, 1, true, "a", 1);
  do {
    assert_true(raw_next(&raw, &f));
    if (f.opcode == 9) raw_frame(&raw, 10, true, f.data, f.len);
  } while (f.opcode != 8);
  assert_int_equal(raw_code(&f), 1000);
  assert_true((coho__clock_ns() - start) / 1000000 >= LIMIT - 1);
  raw_frame(&raw, 8, true, "\x03\xe8", 2);
  finish();
}

/* As many as the limit are a message, one more is too much. */
static void test_B03_too_many_fragments(void **state) {
  enum { LIMIT = 4 };
  (void)state;
  struct raw_frame f;
  coho_options so = probe_options(&server);
  server.message = probe_echo;
  so.max_fragments = LIMIT;
  open_with(so);
  for (int i = 0; i < LIMIT; i++)
    raw_frame(&raw, i ? 0 : 1, i == LIMIT - 1, "a", 1);
  assert_true(raw_next(&raw, &f));
  assert_int_equal(f.opcode, 1);
  assert_int_equal(f.len, LIMIT);
  for (int i = 0; i <= LIMIT; i++)
    raw_frame(&raw, i ? 0 : 1, false, NULL, 0);
  assert_true(raw_next(&raw, &f));
  assert_int_equal(raw_code(&f), 1008);
  finish();
  assert_int_equal(server.ending.err, COHO_EFRAGMENTS);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_CT_09_answer_carries_the_same_code, setup),
      cmocka_unit_test_setup(test_CL_07_no_code_is_1005, setup),
      cmocka_unit_test_setup(test_CL_02_close_by_the_server, setup),
      cmocka_unit_test_setup(test_close_without_code, setup),
      cmocka_unit_test_setup(test_CL_09_simultaneous_close, setup),
      cmocka_unit_test_setup(test_invalid_arguments, setup),
      cmocka_unit_test_setup(test_CT_10_the_client_lets_the_server_close_first, setup),
      cmocka_unit_test(test_violations),
      cmocka_unit_test_setup(test_what_came_before_a_violation_stays_answered, setup),
      cmocka_unit_test_setup(test_CL_12_CL_01_the_peer_reads_the_close_although_it_sent_on, setup),
      cmocka_unit_test_setup(test_B18_a_flood_after_the_end_is_cut, setup),
      cmocka_unit_test_setup(test_CL_13_end_of_stream_is_1006, setup),
      cmocka_unit_test_setup(test_reset_is_1006, setup),
      cmocka_unit_test_setup(test_abort_resets, setup),
      cmocka_unit_test_setup(test_an_id_never_means_the_next_connection, setup),
      cmocka_unit_test_setup(test_CL_18_close_timeout, setup),
      cmocka_unit_test_setup(test_B14_pong_timeout, setup),
      cmocka_unit_test_setup(test_B05_message_timeout, setup),
      cmocka_unit_test_setup(test_B03_too_many_fragments, setup),
      cmocka_unit_test_setup(test_B15_idle_timeout, setup),
      cmocka_unit_test_setup(test_B15_a_message_puts_the_idle_timeout_off, setup),
  };
  alloc_fail_at(0);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  alloc_assert_none_live();
  return failed;
}
