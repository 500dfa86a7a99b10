/* Replies in parts, on streams in memory: bytes, what waits, and all ways to answer on one connection. */
#include "http/conn.h"
#include "http/parts.h"

#include "support/mixture.h"
#include "unit/holding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PARTS CHUNKED "\r\n3\r\none\r\na\r\ntwo or ten\r\n0\r\n\r\n"
#define FAILED \
  STATUS("500 Internal Server Error") TEXT(22) CLOSE NO_STORE "\r\nInternal Server Error\n[end]"

static void send_parts(coho_request *r) {
  assert_int_equal(coho_reply_part(r, "one", 3), COHO_SENT);
  assert_int_equal(coho_reply_part(r, "", 0), COHO_SENT);
  assert_int_equal(coho_reply_part(r, "two or ten", 10), COHO_SENT);
}

static void all_parts(coho_request *r, void *ctx) {
  (void)ctx;
  assert_int_equal(coho_reply_begin(r, 200, "text/plain"), 0);
  send_parts(r);
  assert_int_equal(coho_reply_end(r), 0);
  assert_int_equal(coho_reply_end(r), COHO_EBUSY);
  assert_int_equal(coho_reply_part(r, "x", 1), COHO_EBUSY);
}

static void end_later(void *r) { assert_int_equal(coho_reply_end((coho_request *)r), 0); }

static void parts_later(void *arg) {
  coho_request *r = (coho_request *)arg;
  send_parts(r);
  holding_post(end_later, r);
}

static void stream(coho_request *r, void *ctx) {
  (void)ctx;
  assert_int_equal(coho_reply_part(r, "x", 1), COHO_EBUSY);
  assert_int_equal(coho_reply_end(r), COHO_EBUSY);
  assert_int_equal(coho_reply_begin(r, 200, "text/plain"), 0);
  assert_int_equal(coho_reply_begin(r, 200, "text/plain"), COHO_EBUSY);
  assert_int_equal(coho_reply(r, 200, NULL, NULL, 0), COHO_EBUSY);
  assert_int_equal(coho_request_defer(r, &held_callbacks), 0);
  holding_post(parts_later, r);
}

static void endless(coho_request *r, void *ctx) {
  (void)ctx;
  assert_int_equal(coho_reply_begin(r, 200, "text/plain"), 0);
}

static struct mixture *mixture;

static void serve_mixture(coho_request *r, void *ctx) {
  (void)ctx;
  mixture_serve(r, mixture);
}

static int set_up(void **state) {
  (void)holding_set_up(state);
  httpd_route(&server, "GET", "/parts", all_parts);
  httpd_route(&server, "GET", "/stream", stream);
  httpd_route(&server, "GET", "/endless", endless);
  return 0;
}

/* ---- bytes ----------------------------------------------------------------------------------- */

static void test_parts_are_chunks(void **state) {
  (void)state;
  httpd_expect(&server, GET("/parts") GET("/"), PARTS HELLO);
  httpd_expect(&server, GET("/stream") GET("/stream") GET("/"), PARTS PARTS HELLO);
  httpd_expect(&server, "GET /stream HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" GET("/"),
               CHUNKED CLOSE "\r\n3\r\none\r\na\r\ntwo or ten\r\n0\r\n\r\n[end]");
}

/* RFC 9112 6.3: nothing but the end of the connection tells a client of HTTP/1.0 where it ends. */
static void test_parts_of_http_1_0(void **state) {
  (void)state;
  static const char answers[] =
      STATUS("200 OK") "Content-Type: text/plain\r\n" CLOSE "\r\nonetwo or ten[end]";
  httpd_expect(&server, "GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", answers);
  httpd_expect(&server, "GET /parts HTTP/1.0\r\n\r\n", answers);
}

static void test_head(void **state) {
  (void)state;
  struct client c;
  httpd_expect(&server, HEAD("/parts") GET("/"), CHUNKED "\r\n" HELLO);
  httpd_expect(&server, HEAD("/endless") GET("/"), CHUNKED "\r\n" HELLO);
  client_open(&c, &server, 4096, 0);
  client_say(&c, HEAD("/hold") GET("/"));
  assert_int_equal(coho_reply_header(held.r, "A", "b"), 0);
  held_begin();
  assert_int_equal(coho_reply_part(held.r, "x", 1), COHO_SENT);
  assert_string_equal(held.order, "");
  httpd_settle(&server);
  assert_string_equal(held.order, "g");
  assert_string_equal(client_text(&c), CHUNKED "A: b\r\n\r\n" HELLO);
  client_say(&c, HEAD("/hold"));
  held_begin();
  assert_int_equal(coho_reply_end(held.r), 0);
  held_answered();
  httpd_settle(&server);
  assert_string_equal(held.order, "g");
  assert_string_equal(client_text(&c), CHUNKED "\r\n");
  client_close(&c);
}

static void test_handler_without_end(void **state) {
  (void)state;
  httpd_expect(&server, GET("/endless"), FAILED);
  (void)httpd_ask(&server, GET("/endless"));
  assert_string_equal(server.last, "the handler of /endless did not end its reply");
  assert_non_null(strstr(server.log, " \"GET /endless\" 500 202 "));
}

static void much_without_end(coho_request *r, void *ctx) {
  static char data[100000];
  (void)ctx;
  assert_int_equal(coho_reply_begin(r, 200, "text/plain"), 0);
  for (int i = 0; i < 3; i++)
    assert_true(coho_reply_part(r, data, sizeof data) >= 0);
}

/* Part of it is out: only a cut tells the peer that something is missing. */
static void test_handler_without_end_is_cut(void **state) {
  (void)state;
  struct client c;
  httpd_route(&server, "GET", "/much", much_without_end);
  client_open(&c, &server, 1 << 20, 0);
  client_say(&c, GET("/much"));
  assert_int_equal(c.err, COHO_ECONNRESET);
  assert_true(coho__list_empty(&server.http.conns));
  client_close(&c);
}

/* ---- shared parts ---------------------------------------------------------------------------- */

static void test_shared_part(void **state) {
  (void)state;
  const struct coho__view pieces[] = {VIEW("data: "), VIEW("hello"), VIEW("\n\n")};
  struct client a, b;
  struct coho__part p;
  assert_int_equal(coho__part_make(&p, pieces, 0), COHO_EINVAL);
  assert_int_equal(coho__part_make(&p, pieces, 3), 0);
  client_open(&a, &server, 4096, 0);
  client_open(&b, &server, 4096, 0);
  client_say(&a, GET("/hold"));
  coho_request *first = held.r;
  client_say(&b, "GET /hold HTTP/1.0\r\n\r\n");
  assert_int_equal(coho_reply_begin(first, 200, "text/plain"), 0);
  held_begin();
  assert_int_equal(coho__reply_share(first, &p), COHO_SENT);
  assert_int_equal(coho__reply_share(held.r, &p), COHO_SENT);
  assert_int_equal(p.chunk->refs, 3);
  coho__chunk_unref(p.chunk);
  httpd_settle(&server);
  assert_string_equal(client_text(&a), CHUNKED "\r\nd\r\ndata: hello\n\n\r\n");
  assert_string_equal(client_text(&b),
                      STATUS("200 OK") "Content-Type: text/plain\r\n" CLOSE "\r\ndata: hello\n\n");
  client_close(&a);
  client_close(&b);
  assert_string_equal(held.order, "gg");
}

/* ---- a peer that reads slowly ---------------------------------------------------------------- */

static void open_slow(struct client *c, uint64_t queue) {
  server.conf.max_reply_queue = queue;
  client_open(c, &server, 300, 0);
  client_say(c, GET("/hold"));
  held_begin();
  httpd_settle(&server);
  c->paused = true;
}

static void read_on(struct client *c) {
  c->paused = false;
  coho__stream_again(c->s, COHO_IO_READ);
  httpd_settle(&server);
}

static void test_queue_is_capped(void **state) {
  (void)state;
  static char data[2000];
  struct client c;
  memset(data, 'x', sizeof data);
  open_slow(&c, 1000);
  assert_int_equal(coho_reply_part(held.r, data, 995), COHO_ETOOBIG);
  assert_int_equal(coho_reply_part(held.r, data, 299),
                   COHO_SENT); /* written at the end of the turn */
  assert_true(coho_reply_queued(held.r) > 299);
  httpd_settle(&server);
  assert_string_equal(held.order, "");
  size_t waiting = coho_reply_queued(held.r);
  assert_true(waiting > 0 && waiting < 300);
  assert_int_equal(coho_reply_part(held.r, data, 100), COHO_QUEUED);
  assert_int_equal(coho_reply_queued(held.r), waiting + 106); /* "64\r\n", "\r\n" */
  size_t room = 1000 - coho_reply_queued(held.r);
  assert_int_equal(coho_reply_part(held.r, data, room - 6), COHO_EFULL);
  assert_int_equal(coho_reply_queued(held.r), waiting + 106);
  assert_int_equal(coho_reply_part(held.r, data, room - 7), COHO_QUEUED);
  assert_int_equal(coho_reply_queued(held.r), 1000);
  assert_int_equal(coho_reply_part(held.r, data, 1), COHO_EFULL);
  assert_string_equal(held.order, "");
  read_on(&c);
  assert_string_equal(held.order, "d");
  assert_int_equal(coho_reply_queued(held.r), 0);
  assert_int_equal(coho_reply_part(held.r, data, 1), COHO_SENT);
  assert_int_equal(coho_reply_end(held.r), 0);
  held_answered();
  httpd_settle(&server);
  assert_string_equal(held.order, "d");
  char *text = strdup(client_text(&c));
  char *body = strstr(text, "\r\n\r\n") + 4;
  static const size_t sizes[] = {299, 100, 0, 1, 0};
  for (size_t i = 0; i < 5; i++) {
    char *data_at;
    size_t n = strtoul(body, &data_at, 16);
    assert_int_equal(n, i == 2 ? room - 7 : sizes[i]);
    assert_memory_equal(data_at, "\r\n", 2);
    body = data_at + 2 + n;
    assert_memory_equal(body, "\r\n", 2);
    body += 2;
  }
  assert_string_equal(body, "");
  free(text);
  client_close(&c);
}

/* Little waits, but the peer has not read any of it: there is no news. */
static void test_no_drain_before_the_peer_reads(void **state) {
  (void)state;
  static char data[299];
  struct client c;
  open_slow(&c, 1000);
  assert_int_equal(coho_reply_part(held.r, data, sizeof data), COHO_SENT);
  httpd_settle(&server);
  assert_int_equal(coho_reply_part(held.r, data, 1), COHO_QUEUED);
  assert_true(coho_reply_queued(held.r) <= 250);
  coho__http_drain(&server.http);
  httpd_settle(&server);
  assert_string_equal(held.order, "s");
  read_on(&c);
  assert_string_equal(held.order, "sd");
  client_close(&c);
  assert_string_equal(held.order, "sdg");
}

static void fill_again(coho_request *r, char which) {
  static char data[100];
  if (which != 'd') return;
  assert_true(coho_reply_queued(r) <= 250); /* a quarter */
  if (strlen(held.order) == 5) {
    assert_int_equal(coho_reply_end(r), 0);
    held_answered();
    return;
  }
  while (coho_reply_part(r, data, sizeof data) != COHO_EFULL) {}
}

/* The way of whoever has much to say: until it is full, then again on each drain. */
static void test_drain_by_drain(void **state) {
  (void)state;
  static char data[100];
  struct client c;
  open_slow(&c, 1000);
  held.called = fill_again;
  while (coho_reply_part(held.r, data, sizeof data) != COHO_EFULL) {}
  read_on(&c);
  assert_string_equal(held.order, "ddddd");
  assert_null(held.r);
  assert_memory_equal(c.in + c.len - 5, "0\r\n\r\n", 5);
  client_say(&c, GET("/"));
  assert_non_null(strstr(c.in + c.len - 100, "hello"));
  client_close(&c);
}

/* A reply made in one go does not stand in memory while the peer takes it. */
static void test_long_reply_is_written_on_the_way(void **state) {
  (void)state;
  static char data[10000];
  struct client c;
  server.conf.max_reply_queue = 20000;
  client_open(&c, &server, 1 << 20, 0);
  client_say(&c, GET("/hold"));
  held_begin();
  for (int i = 0; i < 50; i++)
    assert_int_equal(coho_reply_part(held.r, data, sizeof data), COHO_SENT);
  assert_int_equal(coho_reply_end(held.r), 0);
  held_answered();
  httpd_settle(&server);
  assert_true(c.len > 50 * sizeof data);
  client_close(&c);
}

static void test_A04_write_deadline(void **state) {
  (void)state;
  static char data[400];
  struct client c;
  server.conf.write_timeout_ms = 1;
  open_slow(&c, 1000);
  while (coho_reply_part(held.r, data, sizeof data) != COHO_EFULL) {}
  while (held.r)
    assert_true(coho_loop_turn(server.loop, -1) >= 0);
  assert_string_equal(held.order, "g");
  assert_true(coho__list_empty(&server.http.conns));
  client_close(&c);
}

/* Nothing waits for the peer: no deadline of ours runs. */
static void test_waiting_has_no_deadline(void **state) {
  (void)state;
  struct client c;
  server.conf.write_timeout_ms = server.conf.keepalive_timeout_ms = 1;
  server.conf.head_timeout_ms = server.conf.body_timeout_ms = 1;
  open_slow(&c, 1000);
  assert_int_equal(coho_reply_part(held.r, "x", 1), COHO_SENT);
  httpd_settle(&server);
  assert_int_equal(coho_loop_timeout(server.loop), -1);
  client_close(&c);
  assert_string_equal(held.order, "g");
}

/* ---- all of it on one connection -------------------------------------------------------------- */

/* Writes and reads as the dice say, through buffers so small that everything is met half done. */
static void play(struct mixture *m, struct client *c) {
  size_t sent = 0;
  c->paused = true;
  /* A check begins at the front of an answer: not too often, when they come byte by byte. */
  while (dice(&m->dice, 128) || !mixture_check(m, c->in, c->len)) {
    union {
      const char *from;
      void *to;
    } base = {.from = m->text + sent};
    struct iovec iov = {.iov_base = base.to, .iov_len = 1 + dice(&m->dice, 200)};
    if (iov.iov_len > m->len - sent) iov.iov_len = m->len - sent;
    ssize_t n = iov.iov_len && dice(&m->dice, 2) ? coho__stream_writev(c->s, &iov, 1) : 0;
    sent += n > 0 ? (size_t)n : 0;
    c->paused = dice(&m->dice, 2);
    if (!c->paused) coho__stream_again(c->s, COHO_IO_READ);
    assert_true(coho_loop_turn(server.loop, 0) >= 0);
    assert_false(c->eof);
  }
  c->paused = false;
}

static void test_any_mixture_in_order(void **state) {
  (void)state;
  static const size_t buffers[] = {100, 500, 3000, 1 << 16}, pieces[] = {0, 1, 7, 1000};
  struct mixture m;
  server.conf.max_reply_queue = 4000;
  httpd_route(&server, "*", MIXTURE_PATTERN, serve_mixture);
  for (uint64_t seed = 0; seed < 16; seed++) {
    struct client c;
    mixture_make(&m, seed);
    mixture = &m;
    client_open(&c, &server, buffers[seed % 4], pieces[seed / 4]);
    play(&m, &c);
    client_close(&c);
  }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, holding_tear_down)
  const struct CMUnitTest tests[] = {
      TEST(test_parts_are_chunks),
      TEST(test_parts_of_http_1_0),
      TEST(test_head),
      TEST(test_handler_without_end),
      TEST(test_handler_without_end_is_cut),
      TEST(test_shared_part),
      TEST(test_queue_is_capped),
      TEST(test_no_drain_before_the_peer_reads),
      TEST(test_drain_by_drain),
      TEST(test_long_reply_is_written_on_the_way),
      TEST(test_A04_write_deadline),
      TEST(test_waiting_has_no_deadline),
      TEST(test_any_mixture_in_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
