/* What a peer of a TLS stream can cost: memory, time of a record, lines of the log. */
#include "base/alloc.h"
#include "io/tls_end.h"
#include "io/tls_wire.h"
#include "support/stream_memory.h"
#include "tls_peer.h"

#include <coho/core.h>
#include <coho/log.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
  MIB = 1024 * 1024,
  LONG = 700 * 1000,
  SMALL = 4 * 1024,     /* what everybody may keep */
  RECORD_MS = 30 * 1000 /* for one record */
};

static struct tls_trust trust;
static struct tls_pair p;
static struct tls_peer peer;
static char pattern[LONG];
static char record[32 * 1024];
static void *ballast; /* so that a few KiB are a small part of what is in use */

static int setup(void **state) {
  (void)state;
  tls_trust_make(&trust);
  for (size_t i = 0; i < sizeof pattern; i++)
    pattern[i] = (char)(i * 31 + i / 251);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  tls_trust_free(&trust);
  return 0;
}

/* About 15/16 of the limit are in use: a little more or less changes nothing. */
static void make_tight(void) {
  ballast = coho__alloc(4 * MIB);
  assert_non_null(ballast);
  coho_set_memory_limit(coho_memory_used() / 15 * 16);
}

static void relax(void) {
  coho_set_memory_limit(0);
  coho__free(ballast, ballast ? 4 * MIB : 0);
  ballast = NULL;
}

static int after_each(void **state) {
  (void)state;
  relax();
  coho_set_log(NULL, NULL, COHO_LOG_WARN);
  return 0;
}

static void open_server(void) {
  tls_pair_open_server(&p, &(struct tls_pair_spec){.server = trust.server});
  tls_peer_client(&peer, &p);
}

static void open_and_shake(void) {
  open_server();
  tls_peer_settle(&peer);
  assert_true(SSL_is_init_finished(peer.ssl));
  assert_int_equal(p.server.end, 1);
}

/* The record with so many bytes, which is not sent. */
static size_t make_record(size_t len) {
  tls_peer_write(&peer, pattern, len, len);
  int n = BIO_read(SSL_get_wbio(peer.ssl), record, sizeof record);
  assert_in_range(n, len, sizeof record);
  return (size_t)n;
}

static void put(size_t from, size_t to) {
  tls_peer_put(&peer, record + from, to - from);
  tls_pair_settle(&p);
}

/* ---- memory --------------------------------------------------------------------------------- */

/* Who sends a record without its end keeps what fits into a few KiB; or is told, and let go. */
static void test_a_part_of_a_record_while_memory_is_tight(void **state) {
  (void)state;
  char back[8] = "";
  open_and_shake();
  make_tight();
  uint64_t before = coho_memory_used();
  size_t len = make_record(SMALL - 200);
  put(0, len - 1);
  assert_int_equal(p.server.end, 1);
  put(len - 1, len);
  assert_int_equal(p.server.len, SMALL - 200);
  len = make_record(16000);
  put(0, len - 1);
  assert_int_equal(p.server.end, COHO_EMEMORY);
  assert_in_range(coho_memory_used(), before - SMALL, before + SMALL);
  tls_side_send(&p.server, "sorry", 5);
  tls_peer_settle(&peer);
  assert_int_equal(tls_peer_read(&peer, back, sizeof back), 5);
  /* What is under way is read, so that no reset takes these words away. */
  tls_peer_put(&peer, pattern, 40000);
  p.server.end = 1;
  coho__stream_again(p.server.s, COHO_IO_READ);
  tls_pair_settle(&p);
  assert_int_equal(p.server.end, 1);
  assert_int_equal(p.server.len, SMALL - 200);
  relax();
  tls_peer_close(&peer);
}

/* As long as there is memory, any record may be kept. */
static void test_a_part_of_a_record_is_kept(void **state) {
  (void)state;
  open_and_shake();
  size_t len = make_record(16000);
  put(0, len - 1);
  put(len - 1, len);
  assert_int_equal(p.server.len, 16000);
  assert_memory_equal(p.server.in, pattern, 16000);
  tls_peer_close(&peer);
}

static void test_a_client_hello_while_memory_is_tight(void **state) {
  (void)state;
  open_server();
  make_tight();
  tls_peer_put(&peer, "\x16\x03\x01\x2f\xff\x01\0\x2f\xfb", 9);
  tls_peer_put(&peer, pattern, 10000);
  tls_pair_settle(&p);
  assert_int_equal(p.server.end, COHO_EOVERLOAD);
  relax();
  tls_peer_close(&peer);
}

/* No more is encrypted than may be kept, and nothing is lost. */
static void test_what_is_not_read_while_memory_is_tight(void **state) {
  (void)state;
  tls_pair_open(
      &p, &(struct tls_pair_spec){.server = trust.server, .client = trust.client, .room = 5000});
  tls_pair_settle(&p);
  p.client.hold = true;
  make_tight();
  uint64_t before = coho_memory_used();
  tls_side_send(&p.server, pattern, LONG);
  tls_pair_settle(&p);
  assert_true(p.server.out_done > 0);
  assert_in_range(coho_memory_used(), before, before + SMALL);
  for (int i = 0; i < 20 && p.client.len < LONG; i++) {
    p.client.hold = false;
    coho__stream_again(p.client.s, COHO_IO_READ);
    coho_loop_turn(p.loop, 0);
    p.client.hold = true;
    tls_pair_settle(&p);
    assert_in_range(coho_memory_used(), before - SMALL, before + 3 * SMALL);
  }
  p.client.hold = false;
  coho__stream_again(p.client.s, COHO_IO_READ);
  tls_pair_settle(&p);
  assert_int_equal(p.client.len, LONG);
  assert_memory_equal(p.client.in, pattern, LONG);
  relax();
  tls_pair_close(&p);
}

/* An answer, or the end, finds room behind what waits. */
static void test_the_end_behind_what_waits_while_memory_is_tight(void **state) {
  (void)state;
  tls_pair_open(
      &p, &(struct tls_pair_spec){.server = trust.server, .client = trust.client, .room = 5000});
  tls_pair_settle(&p);
  p.client.hold = true;
  tls_side_send(&p.server, pattern, 100 * 1000); /* a burst waits */
  tls_pair_settle(&p);
  make_tight();
  p.server.out_done = p.server.out_len; /* the rest is not given again */
  assert_int_equal(coho__stream_shutdown(p.server.s), 0);
  relax();
  p.client.hold = false;
  coho__stream_again(p.client.s, COHO_IO_READ);
  tls_pair_settle(&p);
  assert_true(p.client.len > 0);
  assert_memory_equal(p.client.in, pattern, p.client.len);
  assert_int_equal(p.client.end, 0);
  tls_pair_close(&p);
}

/* ---- what OpenSSL takes --------------------------------------------------------------------- */

static void put_hello(void) {
  SSL_do_handshake(peer.ssl);
  int len = BIO_read(SSL_get_wbio(peer.ssl), record, sizeof record);
  put(0, (size_t)len);
}

static void test_a_handshake_counts(void **state) {
  (void)state;
  open_server();
  uint64_t before = coho_memory_used();
  put_hello();
  uint64_t shaking = coho_memory_used() - before;
  assert_in_range(shaking, COHO_TLS_SHAKING, COHO_TLS_SHAKING + 8 * 1024);
  tls_peer_settle(&peer);
  uint64_t open = coho_memory_used() - before;
  assert_in_range(open, COHO_TLS_OPEN, COHO_TLS_OPEN + 8 * 1024);
  tls_peer_close(&peer);
  tls_pair_open_client(&p, &(struct tls_pair_spec){.client = trust.client});
  tls_peer_bytes(&peer, &p, true);
  before = coho_memory_used();
  tls_side_close(&p.client, true);
  tls_pair_settle(&p);
  assert_in_range(before - coho_memory_used(), COHO_TLS_SHAKING, COHO_TLS_SHAKING + 140 * 1024);
  tls_peer_close(&peer);
}

/* All is given back, wherever it fails. */
static void test_what_is_counted_is_given_back(void **state) {
  (void)state;
  for (int at = 0; at < 4; at++) {
    uint64_t before = coho_memory_used();
    open_server();
    if (at == 1) put_hello();
    if (at == 2) tls_peer_put(&peer, "what is this", 12);
    if (at == 3) tls_peer_settle(&peer);
    tls_pair_settle(&p);
    tls_peer_close(&peer);
    assert_int_equal(coho_memory_used(), before);
  }
}

static void test_no_handshake_while_memory_is_tight(void **state) {
  (void)state;
  open_server();
  make_tight();
  uint64_t before = coho_memory_used();
  put_hello();
  assert_int_equal(p.server.end, COHO_EOVERLOAD);
  assert_in_range(coho_memory_used(), before - SMALL, before + SMALL);
  relax();
  tls_peer_close(&peer);
}

/* ---- the deadline of a record ---------------------------------------------------------------- */

/* As if so long had passed since then. */
static void pass_since(uint64_t then_ms, uint64_t ms) {
  coho__wheel_turn(&p.loop->wheel, then_ms + ms);
  tls_pair_settle(&p);
}

static void pass(uint64_t ms) { pass_since(coho__loop_time(p.loop), ms); }

static void test_A03_a_record_that_is_whole_has_no_deadline(void **state) {
  (void)state;
  open_and_shake();
  assert_int_equal(coho_loop_timeout(p.loop), -1);
  size_t len = make_record(1000);
  put(0, 3);
  assert_in_range(coho_loop_timeout(p.loop), 1, RECORD_MS);
  pass(RECORD_MS / 2);
  assert_int_equal(p.server.end, 1);
  put(3, len);
  assert_int_equal(p.server.len, 1000);
  assert_int_equal(coho_loop_timeout(p.loop), -1);
  tls_peer_close(&peer);
}

static void test_A03_bytes_do_not_move_the_deadline_of_a_record(void **state) {
  (void)state;
  open_and_shake();
  size_t len = make_record(1000), at = 100;
  put(0, at);
  uint64_t begun = coho__loop_time(p.loop);
  while (coho__loop_time(p.loop) < begun + 20 * COHO_WHEEL_STEP_MS) {
    coho_loop_turn(p.loop, 4);
    if (at + 1 < len) put(at, at + 1);
    if (at + 1 < len) at++;
  }
  assert_int_equal(p.server.end, 1);
  pass_since(begun, RECORD_MS + 2 * COHO_WHEEL_STEP_MS);
  assert_int_equal(p.server.end, COHO_EMESSAGETIMEOUT);
  assert_string_equal(tls_side_trouble(&p.server), "a TLS record was not complete in time");
  assert_int_equal(coho_loop_timeout(p.loop), -1);
  put(at, len);
  assert_int_equal(p.server.len, 0);
  tls_peer_close(&peer);
}

/* A stream of records, each cut, is no record that takes long. */
static void test_each_record_has_its_own_deadline(void **state) {
  (void)state;
  enum { EACH = 300 };
  open_and_shake();
  size_t len = 0, cut = 0;
  for (int i = 0; i < 6; i++) {
    tls_peer_write(&peer, pattern, EACH, EACH);
    int n = BIO_read(SSL_get_wbio(peer.ssl), record + len, (int)(sizeof record - len));
    len += (size_t)n;
    put(cut, len - 7);
    cut = len - 7;
    pass(RECORD_MS / 2 + RECORD_MS / 4);
    assert_int_equal(p.server.end, 1);
  }
  put(cut, len);
  assert_int_equal(p.server.len, 6 * EACH);
  tls_peer_close(&peer);
}

/* The rest came, and the owner did not want it yet. */
static void test_who_is_not_read_is_not_late(void **state) {
  (void)state;
  open_and_shake();
  size_t len = make_record(1000);
  put(0, 100);
  p.server.hold = true;
  put(100, len);
  for (int i = 0; i < 3; i++)
    pass(2 * RECORD_MS);
  assert_int_equal(p.server.end, 1);
  p.server.hold = false;
  coho__stream_again(p.server.s, COHO_IO_READ);
  tls_pair_settle(&p);
  assert_int_equal(p.server.len, 1000);
  assert_int_equal(p.server.end, 1);
  tls_peer_close(&peer);
}

/* ---- signs of life --------------------------------------------------------------------------- */

static void test_a_part_of_a_record_is_heard(void **state) {
  (void)state;
  open_and_shake();
  (void)coho__stream_heard(p.server.s);
  size_t len = make_record(1000);
  for (size_t i = 0; i < 3; i++) {
    assert_false(coho__stream_heard(p.server.s));
    put(i, i + 1);
    assert_true(coho__stream_heard(p.server.s));
  }
  put(3, len);
  assert_int_equal(p.server.len, 1000);
  assert_false(coho__stream_heard(p.inner[1])); /* where data is all there is to hear */
  tls_peer_close(&peer);
}

/* ---- the log --------------------------------------------------------------------------------- */

static unsigned lines;
static char line_text[512];

static void on_log(void *ctx, int level, const char *line) {
  (void)ctx;
  (void)level;
  lines++;
  snprintf(line_text, sizeof line_text, "%s", line);
}

/* OpenSSL has no words for it. */
static void test_close_notify_in_the_handshake(void **state) {
  (void)state;
  for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
    open_server();
    SSL_set_max_proto_version(peer.ssl, version);
    coho_set_log(on_log, NULL, COHO_LOG_INFO);
    lines = 0;
    put_hello();
    tls_peer_put(&peer, "\x15\x03\x03\0\x02\x01\0", 7);
    tls_pair_settle(&p);
    assert_string_equal(tls_side_trouble(&p.server), "the client closed during the TLS handshake");
    assert_int_equal(lines, 1);
    assert_non_null(strstr(line_text, "the client closed during the TLS handshake"));
    tls_peer_close(&peer);
  }
}

static void ignore(struct coho__stream *inner, unsigned events) {
  (void)inner;
  (void)events;
}

static void fail_one(const char *bytes, size_t len) {
  struct coho__stream *ends[2];
  int err;
  assert_int_equal(stream_memory(p.loop, 1000, 0, ends), 0);
  struct tls_side side = {.s = coho__stream_tls_server(ends[1], trust.server, UINT32_MAX, &err)};
  struct iovec iov = {record, len};
  memcpy(record, bytes, len);
  ends[0]->on_event = ignore;
  side.asks = 100;
  side.end = 1;
  side.s->owner = &side;
  side.s->on_event = p.server.s->on_event;
  if (len) assert_int_equal(coho__stream_writev(ends[0], &iov, 1), len);
  tls_pair_settle(&p);
  coho__stream_close(ends[0], false);
  tls_pair_settle(&p);
  assert_true(side.end < 0);
  tls_side_close(&side, true);
  tls_pair_settle(&p);
  free(side.in);
}

/* Failures, and who only knocks: each a few lines, whatever comes. */
static void test_few_lines_of_the_log_for_many(void **state) {
  (void)state;
  open_and_shake();
  coho_set_log(on_log, NULL, COHO_LOG_DEBUG);
  lines = 0;
  for (int i = 0; i < 200; i++)
    fail_one("g", 1);
  assert_in_range(lines, 16, 100);
  lines = 0;
  for (int i = 0; i < 200; i++)
    fail_one("", 0);
  assert_in_range(lines, 16, 100);
  tls_peer_close(&peer);
}

#define TEST(test) cmocka_unit_test_teardown(test, after_each)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_a_part_of_a_record_while_memory_is_tight),
      TEST(test_a_part_of_a_record_is_kept),
      TEST(test_a_client_hello_while_memory_is_tight),
      TEST(test_what_is_not_read_while_memory_is_tight),
      TEST(test_the_end_behind_what_waits_while_memory_is_tight),
      TEST(test_a_handshake_counts),
      TEST(test_what_is_counted_is_given_back),
      TEST(test_no_handshake_while_memory_is_tight),
      TEST(test_A03_a_record_that_is_whole_has_no_deadline),
      TEST(test_A03_bytes_do_not_move_the_deadline_of_a_record),
      TEST(test_each_record_has_its_own_deadline),
      TEST(test_who_is_not_read_is_not_late),
      TEST(test_a_part_of_a_record_is_heard),
      TEST(test_close_notify_in_the_handshake),
      TEST(test_few_lines_of_the_log_for_many),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
