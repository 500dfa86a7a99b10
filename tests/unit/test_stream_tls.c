/* TLS streams as their owners see them; what hostile peers do is in test_stream_tls_peer.c. */
#include "io/tls_wire.h"
#include "support/alloc_fail.h"
#include "support/certs.h"
#include "support/dice.h"
#include "support/stream_memory.h"
#include "tls_pair.h"

#include <openssl/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LONG = 700 * 1000 };

static struct cert root, leaf;
static coho_tls *server_tls, *client_tls;
static struct tls_pair p;
static char pattern[LONG];

static void make_tls(void) {
  coho_tls_options so = {.cert = certs_cert("leaf.pem", &leaf),
                         .key = certs_key("leaf-key.pem", &leaf)};
  coho_tls_options co = {.ca = certs_cert("root.pem", &root)};
  assert_int_equal(coho_tls_new(&so, &server_tls, NULL, 0), 0);
  assert_int_equal(coho_tls_new(&co, &client_tls, NULL, 0), 0);
}

static int setup(void **state) {
  (void)state;
  cert_make(&root, &(struct cert_spec){.name = "root", .authority = true});
  cert_make(&leaf, &(struct cert_spec){
                       .name = "leaf", .alt = "DNS:localhost,IP:127.0.0.1", .issuer = &root});
  for (size_t i = 0; i < LONG; i++)
    pattern[i] = (char)(i * 31 + i / 251);
  make_tls();
  return 0;
}

static int teardown(void **state) {
  (void)state;
  coho_tls_free(server_tls);
  coho_tls_free(client_tls);
  cert_free(&leaf);
  cert_free(&root);
  certs_clean();
  return 0;
}

static struct tls_pair_spec spec(void) {
  return (struct tls_pair_spec){.client = client_tls, .server = server_tls};
}

static void open_pair(void) {
  struct tls_pair_spec s = spec();
  tls_pair_open(&p, &s);
  tls_pair_settle(&p);
  assert_true(p.client.events && p.server.events);
}

static const char *fact(const struct tls_side *x, enum coho__stream_fact what) {
  static char text[128];
  return coho__stream_tell(x->s, what, text, sizeof text);
}

/* The server speaks this version at most. */
static void limit_version(int version) {
  struct coho__tls_set *set = coho__tls_current(server_tls);
  SSL_CTX_set_max_proto_version(set->pairs[0].context, version);
  coho__tls_set_unref(set);
}

/* ---- a conversation ------------------------------------------------------------------------- */

/* Question, answer, and both ends, in order. */
static void converse(const struct tls_pair_spec *s) {
  tls_pair_open(&p, s);
  tls_side_send(&p.client, "question", 8); /* before the handshake */
  assert_int_equal(p.client.out_done, 0);
  p.client.shuts = true;
  tls_pair_settle(&p);
  assert_int_equal(p.server.len, 8);
  assert_memory_equal(p.server.in, "question", 8);
  assert_int_equal(p.server.end, 0);
  p.server.shuts = true;
  tls_side_send(&p.server, pattern, 900);
  tls_pair_settle(&p);
  assert_int_equal(p.client.len, 900);
  assert_memory_equal(p.client.in, pattern, 900);
  assert_int_equal(p.client.end, 0);
  tls_pair_close(&p);
}

static void converse_at_every_cut(void) {
  struct tls_pair_spec s = spec();
  converse(&s);
  for (s.piece = 1; s.piece < 1600; s.piece++) {
    coho__tls_sessions_forget(&client_tls->sessions); /* the whole handshake each time */
    converse(&s);
  }
}

static void test_every_cut(void **state) {
  (void)state;
  converse_at_every_cut();
}

static void test_every_cut_of_tls_1_2(void **state) {
  (void)state;
  limit_version(TLS1_2_VERSION);
  converse_at_every_cut();
  limit_version(0);
}

/* A stream that takes nearly nothing at a time. */
static void test_narrow_streams(void **state) {
  (void)state;
  struct tls_pair_spec s = spec();
  for (s.room = 1; s.room < 40; s.room++) {
    for (s.piece = 1; s.piece < 5; s.piece++)
      converse(&s);
  }
}

static void test_many_bytes_both_ways(void **state) {
  (void)state;
  struct dice d = dice_of(7);
  for (int i = 0; i < 30; i++) {
    struct tls_pair_spec s = spec();
    size_t len = 1 + dice(&d, i % 3 ? 5000 : LONG);
    s.room = 1 + dice(&d, i % 2 ? 300 : 100000);
    s.piece = dice(&d, 3) ? 0 : 1 + dice(&d, 5000);
    if (s.room < 1000) len = COHO_MIN(len, (size_t)20000);
    tls_pair_open(&p, &s);
    p.client.asks = 1 + dice(&d, 100000);
    p.server.asks = 1 + dice(&d, 100);
    p.client.piece = 1 + dice(&d, 40000);
    p.server.piece = dice(&d, 2) ? 0 : 1 + dice(&d, 500);
    tls_side_send(&p.client, pattern, len);
    tls_side_send(&p.server, pattern, len);
    p.server.shuts = true;
    tls_pair_settle(&p);
    assert_int_equal(p.server.len, len);
    assert_int_equal(p.client.len, len);
    assert_memory_equal(p.server.in, pattern, len);
    assert_memory_equal(p.client.in, pattern, len);
    assert_int_equal(p.client.end, 0);
    tls_pair_close(&p);
  }
}

/* ---- events --------------------------------------------------------------------------------- */

static void test_the_first_event_comes_after_the_handshake(void **state) {
  (void)state;
  struct tls_pair_spec s = spec();
  char byte;
  struct iovec iov = {&byte, 1};
  s.piece = 10;
  tls_pair_open(&p, &s);
  while (!p.client.events) {
    assert_string_equal(fact(&p.client, COHO_STREAM_TLS), "");
    assert_int_equal(coho__stream_read(p.client.s, &byte, 1), COHO_STREAM_AGAIN);
    assert_int_equal(coho__stream_writev(p.client.s, &iov, 1), COHO_STREAM_AGAIN);
    assert_int_equal(p.server.events, 0);
    coho_loop_turn(p.loop, 0);
  }
  assert_string_not_equal(fact(&p.client, COHO_STREAM_TLS), "");
  tls_pair_settle(&p);
  assert_true(p.server.events > 0);
  tls_pair_close(&p);
}

static void test_again_brings_the_event(void **state) {
  (void)state;
  open_pair();
  unsigned before = p.client.events;
  tls_pair_settle(&p);
  assert_int_equal(p.client.events, before);
  coho__stream_again(p.client.s, COHO_IO_READ);
  tls_pair_settle(&p);
  assert_int_equal(p.client.events, before + 1);
  tls_pair_close(&p);
}

/* Data and the end arrive together; the owner that stops at a short count hears of the end, too. */
static void test_the_end_behind_data_has_its_event(void **state) {
  (void)state;
  open_pair();
  p.client.asks = 100;
  p.server.shuts = true;
  tls_side_send(&p.server, "last words", 10);
  tls_pair_settle(&p);
  assert_int_equal(p.client.len, 10);
  assert_int_equal(p.client.end, 0);
  /* Only our side is shut. */
  tls_side_send(&p.client, "still here", 10);
  tls_pair_settle(&p);
  assert_memory_equal(p.server.in, "still here", 10);
  struct iovec iov = {pattern, 1};
  assert_int_equal(coho__stream_writev(p.server.s, &iov, 1), COHO_ECLOSED);
  tls_pair_close(&p);
}

static void test_the_end_of_the_stream_below_is_an_end(void **state) {
  (void)state;
  open_pair();
  tls_side_send(&p.server, "cut", 3);
  assert_int_equal(coho__stream_shutdown(p.inner[1]), 0); /* without close_notify */
  tls_pair_settle(&p);
  assert_memory_equal(p.client.in, "cut", 3);
  assert_int_equal(p.client.end, 0);
  tls_pair_close(&p);
}

static void test_close_says_so(void **state) {
  (void)state;
  open_pair();
  tls_side_send(&p.server, "bye", 3);
  tls_side_close(&p.server, false);
  tls_pair_settle(&p);
  assert_memory_equal(p.client.in, "bye", 3);
  assert_int_equal(p.client.end, 0);
  tls_pair_close(&p);
}

static void test_reset_is_an_error(void **state) {
  (void)state;
  open_pair();
  tls_side_close(&p.server, true);
  tls_pair_settle(&p);
  assert_int_equal(p.client.end, COHO_ECONNRESET);
  struct iovec iov = {pattern, 1};
  assert_int_equal(coho__stream_writev(p.client.s, &iov, 1), COHO_ECONNRESET);
  assert_int_equal(coho__stream_writev(p.client.s, &iov, 1), COHO_ECONNRESET);
  tls_pair_close(&p);
}

/* A broken write does not take away what the peer sent before. */
static void test_reading_goes_on_after_a_broken_write(void **state) {
  (void)state;
  open_pair();
  p.client.hold = true;
  tls_side_send(&p.server, "late", 4);
  coho_loop_turn(p.loop, 0);
  assert_int_equal(coho__stream_shutdown(p.inner[0]), 0);
  tls_side_send(&p.client, "x", 1);
  assert_int_equal(p.client.broken, COHO_ECLOSED);
  p.client.hold = false;
  coho__stream_again(p.client.s, COHO_IO_READ);
  tls_pair_settle(&p);
  assert_memory_equal(p.client.in, "late", 4);
  tls_pair_close(&p);
}

static void close_it(struct coho__stream *s, unsigned events) {
  struct tls_side *x = (struct tls_side *)s->owner;
  (void)events;
  tls_side_close(x, true);
}

static void test_closed_inside_the_first_event(void **state) {
  (void)state;
  struct tls_pair_spec s = spec();
  tls_pair_open(&p, &s);
  p.server.s->on_event = close_it;
  tls_pair_settle(&p);
  assert_null(p.server.s);
  assert_int_equal(p.client.end, COHO_ECONNRESET);
  tls_pair_close(&p);
}

static void test_closed_during_the_handshake(void **state) {
  (void)state;
  struct tls_pair_spec s = spec();
  s.piece = 20;
  for (int turns = 0; turns < 60; turns++) {
    tls_pair_open(&p, &s);
    for (int i = 0; i < turns; i++)
      coho_loop_turn(p.loop, 0);
    tls_side_close(turns % 2 ? &p.client : &p.server, turns % 4 < 2);
    tls_pair_settle(&p);
    tls_pair_close(&p);
  }
}

/* ---- slow peers ----------------------------------------------------------------------------- */

/* What was not taken is given again: each byte once, and never more reported than went out. */
static void test_a_peer_that_reads_slowly(void **state) {
  (void)state;
  struct tls_pair_spec s = spec();
  s.room = 5000;
  tls_pair_open(&p, &s);
  tls_pair_settle(&p);
  p.client.hold = true;
  tls_side_send(&p.server, pattern, LONG);
  tls_pair_settle(&p);
  assert_true(p.server.out_done <= s.room);
  p.client.asks = 700;
  for (int i = 0; p.client.len < LONG; i++) {
    assert_true(i < 10000);
    p.client.hold = false;
    coho__stream_again(p.client.s, COHO_IO_READ);
    coho_loop_turn(p.loop, 0);
    p.client.hold = true;
    tls_pair_settle(&p);
    /* The client may hold a record that it has not all of, or not all read. */
    assert_true(p.server.out_done <= p.client.len + s.room + 2 * COHO_WIRE_RECORD);
  }
  assert_memory_equal(p.client.in, pattern, LONG);
  assert_int_equal(p.server.out_done, LONG);
  tls_pair_close(&p);
}

/* The end comes behind what had to wait. */
static void test_shutdown_waits_for_its_turn(void **state) {
  (void)state;
  struct tls_pair_spec s = spec();
  s.room = 30; /* less than a record of close_notify and what is before it */
  tls_pair_open(&p, &s);
  tls_pair_settle(&p);
  p.client.hold = true;
  p.server.shuts = true;
  tls_side_send(&p.server, "a few words", 11);
  tls_pair_settle(&p);
  p.client.hold = false;
  coho__stream_again(p.client.s, COHO_IO_READ);
  tls_pair_settle(&p);
  assert_memory_equal(p.client.in, "a few words", 11);
  assert_int_equal(p.client.end, 0);
  tls_pair_close(&p);
}

/* What waits was encrypted already: it goes also when nobody gives the rest of it again. */
static void test_shutdown_instead_of_the_rest(void **state) {
  (void)state;
  struct tls_pair_spec s = spec();
  s.room = 30;
  tls_pair_open(&p, &s);
  tls_pair_settle(&p);
  p.client.hold = true;
  tls_side_send(&p.server, "a few words", 11);
  assert_true(p.server.out_done < 11);
  p.server.out_done = p.server.out_len;
  assert_int_equal(coho__stream_shutdown(p.server.s), 0);
  tls_pair_settle(&p);
  p.client.hold = false;
  coho__stream_again(p.client.s, COHO_IO_READ);
  tls_pair_settle(&p);
  assert_memory_equal(p.client.in, "a few words", 11);
  assert_int_equal(p.client.end, 0);
  tls_pair_close(&p);
}

/* ---- system calls and memory ---------------------------------------------------------------- */

static void there_and_back(size_t len) {
  p.client.len = p.server.len = 0;
  tls_side_send(&p.client, pattern, len);
  tls_pair_settle(&p);
  assert_int_equal(p.server.len, len);
  tls_side_send(&p.server, pattern, len);
  tls_pair_settle(&p);
  assert_int_equal(p.client.len, len);
}

#ifndef COHO_HARD /* where one is many */
static struct coho__stream_vt counted_vt;
static const struct coho__stream_vt *real_vt;
static unsigned reads, writes;

static ssize_t count_read(struct coho__stream *s, void *buf, size_t cap) {
  reads++;
  return real_vt->read(s, buf, cap);
}

static ssize_t count_writev(struct coho__stream *s, const struct iovec *iov, int count) {
  writes++;
  return real_vt->writev(s, iov, count);
}

static void count_on(struct coho__stream *inner) {
  real_vt = inner->vt;
  counted_vt = *real_vt;
  counted_vt.read = count_read;
  counted_vt.writev = count_writev;
  inner->vt = &counted_vt;
  reads = writes = 0;
}

static void test_a_burst_is_one_write(void **state) {
  (void)state;
  struct tls_pair_spec s = spec();
  s.room = 1024 * 1024;
  tls_pair_open(&p, &s);
  tls_pair_settle(&p);
  count_on(p.inner[1]);
  p.server.piece = 13;
  tls_side_send(&p.server, pattern, 8 * 13);
  assert_int_equal(writes, 1);
  p.server.piece = 0;
  tls_side_send(&p.server, pattern, 128 * 1024);
  assert_int_equal(writes, 2);
  tls_side_send(&p.server, pattern, 512 * 1024);
  assert_int_equal(writes, 6);
  tls_pair_close(&p);
}

static void test_a_burst_is_one_read(void **state) {
  (void)state;
  struct tls_pair_spec s = spec();
  s.room = 1024 * 1024;
  tls_pair_open(&p, &s);
  tls_pair_settle(&p);
  p.client.asks = 512 * 1024;
  tls_side_send(&p.server, pattern, 400 * 1024);
  count_on(p.inner[0]);
  tls_pair_settle(&p);
  assert_int_equal(p.client.len, 400 * 1024);
  assert_int_equal(reads, 1);
  tls_pair_close(&p);
}
static void test_no_allocation_after_the_handshake(void **state) {
  (void)state;
  struct tls_pair_spec s = spec();
  s.room = 256 * 1024;
  s.piece = 30 * 1000; /* reads end inside a record */
  tls_pair_open(&p, &s);
  tls_pair_settle(&p);
  for (size_t len = 1; len <= 100 * 1000; len *= 4) {
    there_and_back(len);
    long before = alloc_calls();
    there_and_back(len);
    assert_int_equal(alloc_calls(), before);
  }
  tls_pair_close(&p);
}

#endif

static void test_nothing_is_left(void **state) {
  (void)state;
  coho_loop *loop = coho_loop_new();
  size_t before = alloc_live();
  coho_loop_free(loop);
  size_t base = alloc_live();
  open_pair();
  there_and_back(20000);
  size_t open = alloc_live();
  there_and_back(20000);
  assert_int_equal(alloc_live(), open); /* an idle one keeps no buffers */
  tls_pair_close(&p);
  assert_int_equal(alloc_live(), base);
  assert_true(before > base);
}

static void test_the_error_queue_stays_clean(void **state) {
  (void)state;
  struct tls_pair_spec s = spec();
  tls_pair_open(&p, &s);
  while (!p.server.events) {
    coho_loop_turn(p.loop, 0);
    assert_int_equal(ERR_peek_error(), 0);
  }
  ERR_put_error(ERR_LIB_USER, 0, 1, "", 0); /* of the program's own */
  there_and_back(3);
  assert_int_equal(ERR_peek_error(), 0);
  tls_pair_close(&p);
  assert_int_equal(ERR_peek_error(), 0);
}

static void test_out_of_memory_everywhere(void **state) {
  (void)state;
  struct tls_pair_spec s = spec();
  s.room = 600;
  s.piece = 100;
  for (long i = 1;; i++) {
    open_pair(); /* what is kept for the next connection is there */
    tls_pair_close(&p);
    size_t base = alloc_live();
    tls_pair_open(&p, &s);
    alloc_fail_at(i);
    tls_side_send(&p.client, pattern, 3000);
    tls_side_send(&p.server, pattern, 3000);
    tls_pair_settle(&p);
    bool failed = alloc_failed();
    alloc_fail_at(0);
    bool whole = p.client.len == 3000 && p.server.len == 3000;
    bool ended = p.client.end < 1 || p.server.end < 1 || p.client.broken || p.server.broken;
    assert_true(whole || (failed && ended));
    tls_pair_close(&p);
    assert_int_equal(alloc_live(), base);
    if (!failed) break;
  }
}

static void test_out_of_memory_at_the_beginning(void **state) {
  (void)state;
  for (long i = 1;; i++) {
    struct coho__stream *ends[2], *s = NULL;
    int err = 0;
    coho_loop *loop = coho_loop_new();
    assert_int_equal(stream_memory(loop, 100, 0, ends), 0);
    alloc_fail_at(i);
    s = i % 2 ? coho__stream_tls_server(ends[0], server_tls, UINT32_MAX, &err)
              : coho__stream_tls_client(ends[0], client_tls, "localhost", 1, &err);
    bool failed = alloc_failed();
    alloc_fail_at(0);
    assert_int_equal(err, failed ? COHO_ENOMEM : 0);
    assert_true(!s == failed);
    if (s) coho__stream_close(s, true);
    coho__stream_close(ends[1], true);
    coho_loop_free(loop);
    if (!failed && i > 4) break;
  }
}

/* ---- what it knows -------------------------------------------------------------------------- */

static void test_facts(void **state) {
  (void)state;
  struct coho__addr a;
  char small[4] = "old";
  open_pair();
  assert_string_equal(fact(&p.client, COHO_STREAM_TLS), "TLSv1.3 TLS_AES_128_GCM_SHA256");
  assert_string_equal(fact(&p.server, COHO_STREAM_TLS), "TLSv1.3 TLS_AES_128_GCM_SHA256");
  assert_string_equal(fact(&p.client, COHO_STREAM_SUBJECT), "CN=leaf");
  assert_string_equal(fact(&p.server, COHO_STREAM_SUBJECT), "");
  assert_string_equal(fact(&p.client, COHO_STREAM_TROUBLE), "");
  assert_string_equal(coho__stream_tell(p.client.s, COHO_STREAM_SUBJECT, small, 4), "CN=");
  assert_ptr_equal(coho__stream_tell(p.client.s, COHO_STREAM_SUBJECT, small, 0), small);
  assert_true(coho__stream_secure(p.client.s));
  assert_false(coho__stream_secure(p.inner[0]));
  assert_false(coho__stream_addr(p.client.s, &a)); /* as the stream below says */
  tls_pair_close(&p);
}

static void test_facts_of_tls_1_2(void **state) {
  (void)state;
  limit_version(TLS1_2_VERSION);
  open_pair();
  assert_string_equal(fact(&p.client, COHO_STREAM_TLS), "TLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256");
  tls_pair_close(&p);
  limit_version(0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_cut),
      cmocka_unit_test(test_every_cut_of_tls_1_2),
      cmocka_unit_test(test_narrow_streams),
      cmocka_unit_test(test_many_bytes_both_ways),
      cmocka_unit_test(test_the_first_event_comes_after_the_handshake),
      cmocka_unit_test(test_again_brings_the_event),
      cmocka_unit_test(test_the_end_behind_data_has_its_event),
      cmocka_unit_test(test_the_end_of_the_stream_below_is_an_end),
      cmocka_unit_test(test_close_says_so),
      cmocka_unit_test(test_reset_is_an_error),
      cmocka_unit_test(test_reading_goes_on_after_a_broken_write),
      cmocka_unit_test(test_closed_inside_the_first_event),
      cmocka_unit_test(test_closed_during_the_handshake),
      cmocka_unit_test(test_a_peer_that_reads_slowly),
      cmocka_unit_test(test_shutdown_waits_for_its_turn),
      cmocka_unit_test(test_shutdown_instead_of_the_rest),
#ifndef COHO_HARD
      cmocka_unit_test(test_a_burst_is_one_write),
      cmocka_unit_test(test_a_burst_is_one_read),
      cmocka_unit_test(test_no_allocation_after_the_handshake),
#endif
      cmocka_unit_test(test_nothing_is_left),
      cmocka_unit_test(test_the_error_queue_stays_clean),
      cmocka_unit_test(test_out_of_memory_everywhere),
      cmocka_unit_test(test_out_of_memory_at_the_beginning),
      cmocka_unit_test(test_facts),
      cmocka_unit_test(test_facts_of_tls_1_2),
  };
  alloc_fail_at(0);
  return cmocka_run_group_tests(tests, setup, teardown);
}
