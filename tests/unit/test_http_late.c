/* Requests that are answered later, on streams in memory: until they are, or the peer or the server goes. */
#include "http/conn.h"
#include "http/late.h"

#include "unit/holding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void answer(void *r) { holding_hello((coho_request *)r, NULL); }

static void late(coho_request *r, void *ctx) {
  (void)ctx;
  assert_int_equal(coho_request_defer(r, &held_callbacks), 0);
  assert_int_equal(coho_request_defer(r, &held_callbacks), COHO_EBUSY);
  holding_post(answer, r);
}

static void now(coho_request *r, void *ctx) {
  assert_int_equal(coho_request_defer(r, &held_callbacks), 0);
  holding_hello(r, ctx);
  assert_int_equal(coho_reply(r, 200, NULL, NULL, 0), COHO_EBUSY);
  assert_int_equal(coho_reply_begin(r, 200, NULL), COHO_EBUSY);
  assert_int_equal(coho_request_defer(r, &held_callbacks), COHO_EBUSY);
}

static void echo_later(void *arg) {
  coho_request *r = (coho_request *)arg;
  coho_bytes body = coho_request_body(r);
  char text[200];
  int n = snprintf(text, sizeof text, "%s %s %s %s %s %.*s", coho_request_method(r),
                   coho_request_path(r), coho_request_query_string(r), coho_request_param(r, "x"),
                   coho_request_header(r, "Name"), (int)body.len, body.data);
  assert_int_equal(coho_reply(r, 200, "text/plain", text, (size_t)n), 0);
}

static void echo(coho_request *r, void *ctx) {
  (void)ctx;
  assert_int_equal(coho_request_defer(r, &held_callbacks), 0);
  holding_post(echo_later, r);
}

static int set_up(void **state) {
  (void)holding_set_up(state);
  httpd_route(&server, "GET", "/late", late);
  httpd_route(&server, "GET", "/now", now);
  httpd_route(&server, "POST", "/echo/:x", echo);
  return 0;
}

/* ---- bytes ----------------------------------------------------------------------------------- */

static void test_late_reply_is_like_any(void **state) {
  (void)state;
  httpd_expect(&server, GET("/late") GET("/late") GET("/"), HELLO HELLO HELLO);
  httpd_expect(&server, GET("/now") GET("/late"), HELLO HELLO);
  httpd_expect(&server, "GET /late HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", HELLO_CLOSE);
  httpd_expect(&server, "GET /late HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
               STATUS("200 OK") "Content-Length: 5\r\nContent-Type: text/plain\r\n"
                                "Connection: keep-alive\r\n\r\nhello");
  assert_string_equal(held.order, ""); /* answered requests hear nothing */
}

static void test_request_stays_readable(void **state) {
  (void)state;
  static const char posts[] = "POST /echo/%41?q=1 HTTP/1.1\r\nHost: a\r\nName: b\r\n"
                              "Content-Length: 4\r\n\r\nbody" GET("/");
  httpd_expect(&server, posts,
               STATUS("200 OK") "Content-Length: 25\r\nContent-Type: text/plain\r\n\r\n"
                                "POST /echo/A q=1 A b body" HELLO);
}

static void test_forgotten_request(void **state) {
  (void)state;
  static const char post[] = "POST /hold?q=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody";
  struct client c;
  client_open(&c, &server, 4096, 0);
  client_say(&c, post);
  coho_request_forget(held.r);
  assert_string_equal(coho_request_method(held.r), "POST");
  assert_string_equal(coho_request_path(held.r), "/hold");
  assert_string_equal(coho_request_query_string(held.r), "q=1");
  assert_string_equal(coho_request_query(held.r, "q"), "1");
  assert_null(coho_request_header(held.r, "Host"));
  assert_null(coho_request_cookie(held.r, "a"));
  assert_int_equal(coho_request_body(held.r).len, 0);
  coho_request_forget(held.r);
  holding_hello(held.r, NULL);
  held_answered();
  httpd_settle(&server);
  client_say(&c, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
  coho_request_forget(held.r);
  assert_string_equal(coho_request_query_string(held.r), "");
  holding_hello(held.r, NULL);
  held_answered();
  client_say(&c, GET("/"));
  assert_string_equal(client_text(&c), HELLO HELLO HELLO);
  static const char line[] = "unknown \"POST /hold?q=1\" 200 ";
  assert_memory_equal(server.log, line, sizeof line - 1);
  client_close(&c);
}

static void test_wrong_calls(void **state) {
  (void)state;
  struct client c;
  const coho_late no_gone = {.on_drain = held_callbacks.on_drain};
  holding_open(&c);
  assert_int_equal(coho_request_defer(NULL, &held_callbacks), COHO_EINVAL);
  assert_int_equal(coho_request_defer(held.r, NULL), COHO_EINVAL);
  assert_int_equal(coho_request_defer(held.r, &no_gone), COHO_EINVAL);
  struct {
    coho_late known;
    void *unknown;
  } newer = {held_callbacks, &newer};
  assert_int_equal(coho_request_defer_sized(held.r, &newer.known, sizeof newer), COHO_EOPTION);
  static const int bodiless[] = {100, 199, 204, 205, 304, 600};
  for (size_t i = 0; i < sizeof bodiless / sizeof *bodiless; i++)
    assert_int_equal(coho_reply_begin(held.r, bodiless[i], "text/plain"), COHO_EINVAL);
  assert_int_equal(coho_reply_begin(held.r, 200, "a\nb"), COHO_EINVAL);
  held_begin();
  assert_int_equal(coho_reply_part(held.r, NULL, 1), COHO_EINVAL);
  assert_int_equal(coho_reply_header(held.r, "A", "b"), COHO_EBUSY);
  assert_null(coho_request_loop(NULL));
  assert_ptr_equal(coho_request_loop(held.r), server.loop);
  client_close(&c);
  assert_string_equal(held.order, "g");
}

static void upgrade(coho_request *r, void *ctx) {
  (void)ctx;
  assert_int_equal(coho_request_defer(r, &held_callbacks), COHO_EINVAL);
  assert_int_equal(coho_reply_begin(r, 200, "text/plain"), COHO_EINVAL);
  holding_hello(r, ctx);
}

static void test_handshakes_are_not_put_off(void **state) {
  (void)state;
  httpd_route_ws(&server, "/ws", upgrade);
  const char *text =
      httpd_ask(&server, "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n");
  assert_memory_equal(text, "HTTP/1.1 200 OK\r\n", 17);
}

/* ---- a peer that leaves ---------------------------------------------------------------------- */

static void test_peer_leaves(void **state) {
  (void)state;
  struct client c;
  holding_open(&c);
  client_close(&c);
  assert_string_equal(held.order, "g");
  static const char unanswered[] = "unknown \"GET /hold\" 499 0 ";
  assert_memory_equal(server.log, unanswered, sizeof unanswered - 1);
  assert_int_equal(atomic_load(&server.counters.requests), 0); /* none was answered */
  holding_open(&c);
  held_begin();
  httpd_settle(&server);
  size_t sent = c.len;
  client_close(&c);
  assert_string_equal(held.order, "gg");
  char line[64];
  snprintf(line, sizeof line, "unknown \"GET /hold\" 200 %zu ", sent);
  assert_memory_equal(strchr(server.log, '\n') + 1, line, strlen(line));
  assert_int_equal(atomic_load(&server.counters.requests), 1);
}

/* It asked for more, which is kept up to a piece; then only the end is looked for. */
static void test_peer_leaves_behind_pipelined_requests(void **state) {
  (void)state;
  static char more[100000];
  struct client c;
  memset(more, 'x', sizeof more);
  for (size_t len = 1; len <= sizeof more; len *= 10) {
    held.order[0] = 0;
    client_open(&c, &server, 1 << 20, 0);
    client_say(&c, GET("/hold") GET("/"));
    client_send(&c, more, len);
    struct coho__http_conn *conn = coho__http_conn_of(held.r);
    assert_true(conn->rest.cap <= 16 * 1024);
    assert_string_equal(held.order, "");
    client_close(&c);
    assert_string_equal(held.order, "g");
  }
}

static void test_half_closed_peer_is_gone(void **state) {
  (void)state;
  struct client c;
  holding_open(&c);
  assert_int_equal(coho__stream_shutdown(c.s), 0);
  httpd_settle(&server);
  assert_string_equal(held.order, "g");
  client_close(&c);
}

/* One that is answered before anybody looks at the end gets its answer, as ever. */
static void test_half_closed_peer_gets_a_reply_that_is_there(void **state) {
  (void)state;
  struct client c;
  holding_open(&c);
  holding_hello(held.r, NULL);
  held_answered();
  assert_int_equal(coho__stream_shutdown(c.s), 0);
  httpd_settle(&server);
  assert_string_equal(client_text(&c), HELLO);
  assert_string_equal(held.order, "");
  client_close(&c);
}

static void gone_calls(coho_request *r, char which) {
  char peer[COHO_ADDR_MAX];
  if (which != 'g') return;
  assert_int_equal(coho_reply_part(r, "x", 1), COHO_ECLOSED);
  assert_int_equal(coho_reply_end(r), COHO_ECLOSED);
  assert_true(coho_reply(r, 200, NULL, NULL, 0) < 0);
  assert_true(coho_reply_begin(r, 200, NULL) < 0);
  assert_true(coho_reply_header(r, "A", "b") < 0);
  assert_int_equal(coho_request_defer(r, &held_callbacks), COHO_ECLOSED);
  assert_int_equal(coho_reply_queued(r), 0);
  (void)coho_request_peer(r, peer, sizeof peer);
  coho__http_cut(&server.http);
}

static void test_calls_in_on_gone(void **state) {
  (void)state;
  struct client c;
  held.called = gone_calls;
  holding_open(&c);
  client_close(&c);
  holding_open(&c);
  held_begin();
  client_close(&c);
  assert_string_equal(held.order, "gg");
}

/* ---- stopping -------------------------------------------------------------------------------- */

static void end_it(coho_request *r, char which) {
  if (which != 's') return;
  assert_int_equal(coho_reply_end(r), 0);
  held_answered();
}

static void test_stop_is_told_once(void **state) {
  (void)state;
  struct client c;
  holding_open(&c);
  held_begin();
  coho__http_drain(&server.http);
  assert_string_equal(held.order, ""); /* not inside the call */
  httpd_settle(&server);
  coho__http_drain(&server.http);
  httpd_settle(&server);
  assert_string_equal(held.order, "s");
  assert_int_equal(coho_reply_end(held.r), 0);
  held_answered();
  httpd_settle(&server);
  assert_true(c.eof);
  client_close(&c);
  assert_string_equal(held.order, "s");
}

static void test_ending_in_on_stop(void **state) {
  (void)state;
  struct client c;
  held.called = end_it;
  client_open(&c, &server, 4096, 0);
  client_say(&c, GET("/hold") GET("/"));
  held_begin();
  coho__http_drain(&server.http);
  httpd_settle(&server);
  assert_true(c.eof);
  assert_string_equal(client_text(&c), CHUNKED "\r\n0\r\n\r\n");
  client_close(&c);
}

/* Also when it comes only then. */
static void test_request_during_the_stop(void **state) {
  (void)state;
  struct client c;
  client_open(&c, &server, 4096, 0);
  client_say(&c, "GET /hold");
  coho__http_drain(&server.http);
  client_say(&c, " HTTP/1.1\r\nHost: a\r\n\r\n");
  assert_string_equal(held.order, "s");
  client_close(&c);
  assert_string_equal(held.order, "sg");
}

static void test_cut(void **state) {
  (void)state;
  struct client c, idle;
  client_open(&idle, &server, 4096, 0);
  holding_open(&c);
  held_begin();
  coho__http_cut(&server.http);
  assert_string_equal(held.order, ""); /* not inside the call */
  assert_int_equal(coho_reply_part(held.r, "x", 1), COHO_ECLOSED);
  assert_int_equal(coho_reply_end(held.r), COHO_ECLOSED);
  coho__http_cut(&server.http);
  httpd_settle(&server);
  assert_string_equal(held.order, "g");
  assert_int_equal(c.err, COHO_ECONNRESET);
  assert_true(coho__list_empty(&server.http.conns));
  client_close(&c);
  client_close(&idle);
}

static void test_end(void **state) {
  (void)state;
  struct client c;
  holding_open(&c);
  coho__http_end(&server.http);
  assert_string_equal(held.order, "g");
  httpd_settle(&server);
  client_close(&c);
}

static void cut_all(coho_request *r, char which) {
  (void)r;
  (void)which;
  coho__http_cut(&server.http);
}

static void hold_and_cut(coho_request *r, void *ctx) {
  held_serve(r, ctx);
  coho__http_cut(&server.http);
  assert_string_equal(held.order, "");
  assert_int_equal(coho_reply(r, 200, NULL, NULL, 0), COHO_ECLOSED);
}

/* attacks 47: a handler that ends everything, its own connection included */
static void test_attack_47_cut_inside_callbacks(void **state) {
  (void)state;
  struct client a, b;
  held.called = cut_all;
  client_open(&a, &server, 4096, 0);
  client_open(&b, &server, 4096, 0);
  client_say(&a, GET("/hold"));
  coho__http_drain(&server.http);
  httpd_settle(&server);
  assert_string_equal(held.order, "sg");
  client_close(&a);
  client_close(&b);
  server.http.draining = false;
  held.called = NULL;
  held.order[0] = 0;
  assert_int_equal(coho__list_empty(&server.http.conns), true);
}

static void test_attack_47_cut_inside_the_handler(void **state) {
  (void)state;
  struct client c;
  holding_tear_down(NULL);
  set_up(NULL);
  coho__routes_free(&server.routes);
  coho__routes_init(&server.routes);
  httpd_route(&server, "GET", "/hold", hold_and_cut);
  holding_open(&c);
  assert_string_equal(held.order, "g");
  client_close(&c);
}

/* Answering is the last that a callback does; the connection goes on. */
static void answer_it(coho_request *r, char which) {
  if (which == 's') holding_hello(r, NULL);
  held_answered();
}

static void test_reply_in_on_stop(void **state) {
  (void)state;
  struct client c;
  held.called = answer_it;
  holding_open(&c);
  coho__http_drain(&server.http);
  httpd_settle(&server);
  assert_string_equal(held.order, "s");
  assert_non_null(strstr(client_text(&c), CLOSE "\r\nhello"));
  client_close(&c);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, holding_tear_down)
  const struct CMUnitTest tests[] = {
      TEST(test_late_reply_is_like_any),
      TEST(test_request_stays_readable),
      TEST(test_forgotten_request),
      TEST(test_wrong_calls),
      TEST(test_handshakes_are_not_put_off),
      TEST(test_peer_leaves),
      TEST(test_peer_leaves_behind_pipelined_requests),
      TEST(test_half_closed_peer_is_gone),
      TEST(test_half_closed_peer_gets_a_reply_that_is_there),
      TEST(test_calls_in_on_gone),
      TEST(test_stop_is_told_once),
      TEST(test_ending_in_on_stop),
      TEST(test_request_during_the_stop),
      TEST(test_cut),
      TEST(test_end),
      TEST(test_attack_47_cut_inside_callbacks),
      TEST(test_attack_47_cut_inside_the_handler),
      TEST(test_reply_in_on_stop),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
