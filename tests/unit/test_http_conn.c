#define _GNU_SOURCE /* SOCK_NONBLOCK */
#include "http/conn.h"

#include "base/check.h"
#include "support/clock.h"
#include "unit/httpd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static struct httpd server;
static size_t handled; /* calls of a handler in this test */

static void hello(coho_request *r, void *ctx) {
  (void)ctx;
  handled++;
  assert_int_equal(coho_reply(r, 200, "text/plain", "hello", 5), 0);
}

static void echo(coho_request *r, void *ctx) {
  coho_bytes body = coho_request_body(r);
  (void)ctx;
  assert_int_equal(coho_reply(r, 200, "text/plain", body.data, body.len), 0);
}

static int set_up(void **state) {
  (void)state;
  handled = 0;
  httpd_start(&server);
  httpd_route(&server, "GET", "/", hello);
  httpd_route(&server, "POST", "/echo", echo);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  clock_go();
  httpd_stop(&server);
  return 0;
}

/* ---- deadlines ------------------------------------------------------------------------------- */

static void test_A03_head_deadline(void **state) {
  (void)state;
  struct client c;
  server.conf.head_timeout_ms = 1;
  client_open(&c, &server, 4096, 0);
  client_wait_end(&c); /* not one byte came: nothing is said */
  assert_string_equal(client_text(&c), "");
  client_close(&c);
  client_open(&c, &server, 4096, 0);
  client_say(&c, "GET / HT");
  client_wait_end(&c);
  assert_string_equal(client_text(&c), STATUS("408 Request Timeout") TEXT(37) CLOSE NO_STORE
                      "\r\nthe request was not complete in time\n");
  client_close(&c);
}

static struct coho__http_conn *only_conn(void) {
  struct coho__list *node = server.http.conns.next;
  assert_ptr_not_equal(node, &server.http.conns);
  assert_ptr_equal(node->next, &server.http.conns);
  return COHO_LIST_ENTRY(node, struct coho__http_conn, node);
}

/* Empty lines before a request are allowed, but are none. */
static void test_A03_empty_lines_are_no_request(void **state) {
  (void)state;
  struct client c;
  server.conf.head_timeout_ms = 1;
  client_open(&c, &server, 4096, 0);
  client_say(&c, "\r\n\r\n");
  client_wait_end(&c);
  assert_string_equal(client_text(&c), "");
  client_close(&c);
}

/* Else a client could wait with its first byte until just before the deadline. */
static void test_A03_deadline_counts_from_accept(void **state) {
  (void)state;
  struct client c;
  client_open(&c, &server, 4096, 0);
  uint64_t deadline = only_conn()->timer.deadline;
  server.conf.head_timeout_ms = 123456; /* what a new deadline would be made of */
  client_say(&c, "G");
  assert_true(only_conn()->timer.deadline == deadline);
  client_say(&c, "ET / HTTP/1.1\r\nHost: a\r\n\r\n");
  client_say(&c, "G"); /* that of a further request counts from its first byte */
  assert_true(only_conn()->timer.deadline > deadline);
  client_close(&c);
}

static void test_A03_deadline_is_not_moved_by_bytes(void **state) {
  (void)state;
  struct client c;
  server.conf.head_timeout_ms = 50;
  client_open(&c, &server, 1 << 20, 0);
  client_say(&c, "GET / HTTP/1.1\r\n");
  for (size_t i = 0; !c.eof; i++) { /* ends only by the deadline, since the head never does */
    client_send(&c, &"X: y\r\n"[i % 6], 1);
    (void)coho_loop_turn(server.loop, 1);
  }
  assert_memory_equal(c.in, "HTTP/1.1 408 ", 13);
  client_close(&c);
}

static void test_body_deadline(void **state) {
  (void)state;
  struct client c;
  server.conf.body_timeout_ms = 1;
  server.conf.head_timeout_ms = UINT32_MAX; /* never */
  client_open(&c, &server, 4096, 0);
  client_say(&c, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab");
  client_wait_end(&c);
  assert_memory_equal(c.in, "HTTP/1.1 408 ", 13);
  client_close(&c);
  client_open(&c, &server, 4096, 0); /* also when nothing of it comes */
  client_say(&c, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n");
  client_wait_end(&c);
  assert_memory_equal(c.in, "HTTP/1.1 408 ", 13);
  client_close(&c);
}

static void test_idle_connection_ends_silently(void **state) {
  (void)state;
  struct client c;
  server.conf.keepalive_timeout_ms = 1;
  client_open(&c, &server, 4096, 0);
  client_say(&c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  client_wait_end(&c);
  assert_string_equal(client_text(&c), HELLO);
  client_close(&c);
}

static void large(coho_request *r, void *ctx) {
  static char body[100000];
  (void)ctx;
  memset(body, 'x', sizeof body);
  assert_int_equal(coho_reply(r, 200, "text/plain", body, sizeof body), 0);
}

static void test_A04_slow_reader(void **state) {
  (void)state;
  struct client c;
  server.conf.write_timeout_ms = 1;
  httpd_route(&server, "GET", "/large", large);
  client_open(&c, &server, 4096, 0);
  c.paused = true;
  client_say(&c, "GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  assert_false(coho__list_empty(&server.http.conns));
  while (!coho__list_empty(&server.http.conns))
    assert_true(coho_loop_turn(server.loop, -1) >= 0);
  c.paused = false;
  client_close(&c);
  assert_memory_equal(server.log, "unknown \"GET /large\" 200 4096 ", 30); /* as far as it went */
}

/* The peer reads in small steps: all comes, in order, and the next request is served then. */
static void test_large_reply(void **state) {
  (void)state;
  struct client c;
  httpd_route(&server, "GET", "/large", large);
  client_open(&c, &server, 1000, 0);
  client_say(&c, "GET /large HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const char *text = client_text(&c);
  const char *body = strstr(text, "\r\n\r\n");
  assert_non_null(body);
  assert_int_equal(strspn(body + 4, "x"), 100000);
  assert_string_equal(body + 4 + 100000, HELLO);
  client_close(&c);
}

/* ---- lingering ------------------------------------------------------------------------------- */

/* The answer arrives although the client still sends. */
static void test_linger_drains(void **state) {
  (void)state;
  struct client c;
  char block[4096] = {0};
  client_open(&c, &server, 4096, 0);
  client_say(&c, "nonsense\r\n\r\n");
  assert_true(c.eof);
  for (int i = 0; i < 8; i++)
    client_send(&c, block, sizeof block);
  assert_int_equal(c.err, 0);
  assert_false(coho__list_empty(&server.http.conns));
  client_close(&c);
  assert_true(coho__list_empty(&server.http.conns));
}

static void drown(struct client *c) {
  char block[4096] = {0};
  union {
    const char *from;
    void *to;
  } base = {.from = block};
  for (int i = 0; i < 40 && !coho__list_empty(&server.http.conns); i++) {
    struct iovec iov = {.iov_base = base.to, .iov_len = sizeof block};
    (void)coho__stream_writev(c->s, &iov, 1);
    httpd_settle(&server);
  }
}

/* Time passes until no connection is left, which is soon. */
static void wait_until_gone(void) {
  clock_stop();
  for (int ms = 0; ms < 1200; ms += 100) {
    assert_true(coho_loop_turn(server.loop, 0) >= 0);
    clock_move(100);
  }
  assert_true(coho__list_empty(&server.http.conns));
  clock_go();
}

static void test_linger_is_bounded(void **state) {
  (void)state;
  struct client c;
  client_open(&c, &server, 4096, 0);
  client_say(&c, "nonsense\r\n\r\n");
  drown(&c);
  /* What comes on and on is not read any more, and the timer ends it: closing now would be a reset,
     which takes the answer away from a peer that has not read it yet. */
  assert_int_equal(only_conn()->wait, COHO_HTTP_WAIT_LINGER);
  assert_in_range(only_conn()->lingered, 64 * 1024, 80 * 1024);
  wait_until_gone();
  client_close(&c);
}

static void test_linger_ends(void **state) {
  (void)state;
  struct client c;
  client_open(&c, &server, 4096, 0);
  client_say(&c, "nonsense\r\n\r\n");
  assert_int_equal(only_conn()->wait, COHO_HTTP_WAIT_LINGER);
  wait_until_gone();
  client_close(&c);
}

/* ---- admission and stopping ------------------------------------------------------------------ */

static void test_A01_over_the_limit(void **state) {
  (void)state;
  struct client a, b;
  server.admission.max = 1;
  client_open(&a, &server, 4096, 0);
  client_open(&b, &server, 4096, 0);
  client_say(&b, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  assert_true(b.eof);
  assert_string_equal(client_text(&b), STATUS("503 Service Unavailable") TEXT(52) CLOSE
                      "Retry-After: 5\r\n" NO_STORE
                      "\r\nthe server is at its limit of connections or memory\n");
  assert_int_equal(atomic_load(&server.admission.now), 1);
  assert_int_equal(handled, 0);
  client_close(&b);
  client_say(&a, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  assert_string_equal(client_text(&a), HELLO);
  client_close(&a);
  assert_string_equal(httpd_ask(&server, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"), HELLO);
}

/* Even turning away costs something: only so many at a time get a word. */
static void test_A01_flood_is_only_closed(void **state) {
  (void)state;
  enum { FLOOD = 100 };
  struct client c[FLOOD];
  size_t answered = 0, reset = 0;
  server.admission.max = 0;
  for (size_t i = 0; i < FLOOD; i++) {
    client_open(&c[i], &server, 4096, 0);
    if (c[i].err < 0) reset++;
    if (c[i].len) answered++;
  }
  assert_int_equal(answered, 16);
  assert_int_equal(reset, FLOOD - 16);
  for (size_t i = 0; i < FLOOD; i++)
    client_close(&c[i]);
}

static void stop(coho_request *r, void *ctx) {
  struct httpd *d = (struct httpd *)ctx;
  coho__http_drain(&d->http);
  hello(r, ctx);
}

static void test_drain(void **state) {
  (void)state;
  struct client idle, fresh, head, busy;
  httpd_route(&server, "GET", "/stop", stop);
  client_open(&idle, &server, 4096, 0);
  client_say(&idle, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  client_open(&fresh, &server, 4096, 0);
  client_open(&head, &server, 4096, 0);
  client_say(&head, "GET / HTTP/1.1\r\n");
  client_open(&busy, &server, 4096, 0);
  client_say(&busy, "GET /stop HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
  assert_true(idle.eof && fresh.eof && busy.eof && !head.eof);
  assert_string_equal(client_text(&idle), HELLO);
  client_say(&head, "Host: a\r\n\r\n");
  assert_true(head.eof);
  client_close(&idle);
  client_close(&fresh);
  assert_non_null(strstr(client_text(&head), CLOSE));
  assert_non_null(strstr(client_text(&busy), CLOSE));
  client_close(&head);
  client_close(&busy);
}

static void cut(coho_request *r, void *ctx) {
  struct httpd *d = (struct httpd *)ctx;
  struct coho__view rest;
  coho__http_cut(&d->http);
  assert_int_equal(coho_reply(r, 200, NULL, NULL, 0), COHO_ECLOSED);
  assert_int_equal(coho_reply_header(r, "A", "b"), COHO_ECLOSED);
  assert_true(coho__http_replied(r));
  coho__http_refuse(r, COHO_EORIGIN);
  assert_null(coho__http_take(r, &rest));
  assert_string_equal(coho_request_path(r), "/cut"); /* still there */
}

/* attacks 47: a handler that ends everything, its own connection included */
static void test_attack_47_cut_inside_a_handler(void **state) {
  (void)state;
  struct client a, b;
  httpd_route(&server, "GET", "/cut", cut);
  httpd_route_ws(&server, "/cut", cut);
  for (int i = 0; i < 2; i++) {
    client_open(&a, &server, 4096, 0);
    client_open(&b, &server, 4096, 0);
    client_say(&b, i ? "GET /cut HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n"
                     : "GET /cut HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_true(a.eof && b.eof);
    assert_true(coho__list_empty(&server.http.conns));
    client_close(&a);
    client_close(&b);
  }
}

/* The peer goes away at any place: nothing is left, nothing is said. */
static void test_peer_goes_away(void **state) {
  (void)state;
  static const char request[] =
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
  for (size_t len = 0; len < sizeof request; len++) {
    struct client c;
    client_open(&c, &server, 4096, 0);
    client_send(&c, request, len);
    client_close(&c);
    assert_true(coho__list_empty(&server.http.conns));
  }
}

/* A half-closed peer still gets its answers. */
static void test_half_close(void **state) {
  (void)state;
  struct client c;
  union {
    const char *from;
    void *to;
  } base = {.from = "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"};
  client_open(&c, &server, 200, 0);
  struct iovec iov = {.iov_base = base.to, .iov_len = strlen(base.from)};
  assert_int_equal(coho__stream_writev(c.s, &iov, 1), iov.iov_len);
  assert_int_equal(coho__stream_shutdown(c.s), 0);
  httpd_settle(&server);
  assert_true(c.eof);
  assert_string_equal(client_text(&c), HELLO HELLO);
  client_close(&c);
}

/* The same over a socket, where data and end come in one event. */
static void test_half_close_of_a_socket(void **state) {
  (void)state;
  static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  char answer[512] = "";
  int fds[2], err;
  server.conf.keepalive_timeout_ms = UINT32_MAX;
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
  struct coho__stream *s = coho__stream_tcp(server.loop, fds[0], &err);
  assert_non_null(s);
  assert_int_equal(write(fds[1], request, sizeof request - 1), sizeof request - 1);
  assert_int_equal(shutdown(fds[1], SHUT_WR), 0);
  coho__http_accept(&server.http, s);
  while (!coho__list_empty(&server.http.conns))
    assert_true(coho_loop_turn(server.loop, -1) >= 0);
  assert_true(read(fds[1], answer, sizeof answer - 1) > 0);
  assert_memory_equal(answer, "HTTP/1.1 200 ", 13);
  close(fds[1]);
}

static void test_many_requests_in_one_segment(void **state) {
  (void)state;
  static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  enum { MANY = 2000 };
  struct client c;
  client_open(&c, &server, MANY * sizeof request, 0);
  char *all = (char *)malloc(MANY * (sizeof request - 1));
  for (size_t i = 0; i < MANY; i++)
    memcpy(all + i * (sizeof request - 1), request, sizeof request - 1);
  client_send(&c, all, MANY * (sizeof request - 1));
  free(all);
  assert_int_equal(handled, MANY);
  client_close(&c);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(test_A03_head_deadline),
      TEST(test_A03_empty_lines_are_no_request),
      TEST(test_A03_deadline_counts_from_accept),
      TEST(test_A03_deadline_is_not_moved_by_bytes),
      TEST(test_body_deadline),
      TEST(test_idle_connection_ends_silently),
      TEST(test_A04_slow_reader),
      TEST(test_large_reply),
      TEST(test_linger_drains),
      TEST(test_linger_is_bounded),
      TEST(test_linger_ends),
      TEST(test_A01_over_the_limit),
      TEST(test_A01_flood_is_only_closed),
      TEST(test_drain),
      TEST(test_attack_47_cut_inside_a_handler),
      TEST(test_peer_goes_away),
      TEST(test_half_close),
      TEST(test_half_close_of_a_socket),
      TEST(test_many_requests_in_one_segment),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
