/* HTTP while memory is tight: new ones are turned away, large ones too, small ones are served. */
#include "http/http.h"

#include "base/alloc.h"
#include "base/budget.h"
#include "unit/httpd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define UPGRADE                                                                  \
  "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" \
  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==\r\n\r\n"
#define OVERLOAD                                        \
  STATUS("503 Service Unavailable")                     \
  TEXT(52)                                              \
  CLOSE "Retry-After: 5\r\n" NO_STORE "\r\n"            \
        "the server is at its limit of connections or " \
        "memory\n"

enum { BALLAST = 1024 * 1024 };

static void *ballast; /* so that a few KiB are a small part of what is in use */
static struct httpd server;
static struct client client;

static void hello(coho_request *r, void *ctx) {
  (void)ctx;
  assert_int_equal(coho_reply(r, 200, "text/plain", "hello", 5), 0);
}

static void upgraded(coho_request *r, void *ctx) {
  (void)ctx;
  assert_int_equal(coho_reply(r, 200, "text/plain", "hello", 5), 0);
}

static int set_up(void **state) {
  (void)state;
  ballast = coho__alloc(BALLAST);
  assert_non_null(ballast);
  httpd_start(&server);
  httpd_route(&server, "GET", "/", hello);
  httpd_route(&server, "POST", "/", hello);
  httpd_route_ws(&server, "/ws", upgraded);
  client_open(&client, &server, 1 << 20, 0);
  client_say(&client, GET);
  assert_string_equal(client_text(&client), HELLO);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  coho_set_memory_limit(0);
  client_close(&client);
  httpd_stop(&server);
  coho__free(ballast, BALLAST);
  return 0;
}

/* About 15/16 of the limit are in use: a little more or less changes nothing. */
static void make_tight(void) {
  coho_set_memory_limit(coho_memory_used() / 15 * 16);
  assert_true(coho__memory_tight());
}

static void test_A01_nobody_new_while_memory_is_tight(void **state) {
  (void)state;
  struct client fresh;
  make_tight();
  client_open(&fresh, &server, 4096, 0);
  assert_string_equal(client_text(&fresh), OVERLOAD);
  assert_true(fresh.eof);
  client_close(&fresh);
  client_say(&client, GET); /* who is here already stays */
  assert_string_equal(client_text(&client), HELLO);
  coho_set_memory_limit(0);
  assert_string_equal(httpd_ask(&server, GET), HELLO);
}

static unsigned warnings;

static void count_warning(void *ctx, int level, const char *line) {
  (void)ctx;
  assert_int_equal(level, COHO_LOG_WARN);
  assert_string_equal(line, coho_strerror(COHO_EOVERLOAD));
  warnings++;
}

/* All within a second of the loop, which does not turn. */
static void test_one_line_of_the_log_for_many(void **state) {
  (void)state;
  coho_set_log(count_warning, NULL, COHO_LOG_WARN);
  for (int i = 0; i < 100; i++)
    coho__http_complain(&server.http, COHO_HTTP_LIMIT_ALL);
  assert_int_equal(warnings, 1);
  server.loop->now_ms += 1000;
  coho__http_complain(&server.http, COHO_HTTP_LIMIT_ALL);
  assert_int_equal(warnings, 2);
}

static void test_no_upgrade_while_memory_is_tight(void **state) {
  (void)state;
  make_tight();
  client_say(&client, UPGRADE);
  assert_string_equal(client_text(&client), OVERLOAD);
  assert_true(client.eof);
}

static void test_no_large_head_while_memory_is_tight(void **state) {
  (void)state;
  static char field[6000];
  make_tight();
  memset(field, 'a', sizeof field - 1);
  client_say(&client, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
  client_say(&client, field);
  assert_string_equal(client_text(&client), OVERLOAD);
  assert_true(client.eof);
}

static void test_no_large_body_while_memory_is_tight(void **state) {
  (void)state;
  static char body[10000];
  make_tight();
  memset(body, 'a', sizeof body - 1);
  client_say(&client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4000\r\n\r\n");
  client_send(&client, body, 4000);
  assert_string_equal(client_text(&client), HELLO);
  client_say(&client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9000\r\n\r\n");
  client_send(&client, body, 9000);
  assert_string_equal(client_text(&client), OVERLOAD);
  assert_true(client.eof);
}

static const struct coho__addresses_limits one_shake = {.shakes = {1, 1}};

static bool tell_addr(const struct coho__stream *s, struct coho__addr *peer) {
  (void)s;
  return coho__addr_parse(peer, "192.0.2.1", 80);
}

static void test_A02_tls_is_not_started_above_the_rate(void **state) {
  (void)state;
  struct client c[2];
  struct coho__stream *s = client_make(&c[0], &server, 4096, 0);
  struct coho__stream_vt vt = *s->vt;
  vt.secure = true;
  vt.addr = tell_addr;
  assert_int_equal(coho__admission_limit(&server.admission, &one_shake), 0);
  for (int i = 0; i < 2; i++) {
    if (i) s = client_make(&c[i], &server, 4096, 0);
    s->vt = &vt;
    coho__http_accept(&server.http, s);
    httpd_settle(&server);
    assert_int_equal(c[i].eof, i == 1);
  }
  assert_string_equal(server.last, coho_strerror(COHO_EHANDSHAKERATE));
  client_close(&c[0]);
  client_close(&c[1]);
  httpd_settle(&server);
  coho__admission_free(&server.admission);
}

/* There is nobody to tell before a TLS handshake, which costs more than being told is worth. */
static void test_A01_tls_is_not_started_for_a_503(void **state) {
  (void)state;
  struct client c;
  struct coho__stream *s = client_make(&c, &server, 4096, 0);
  struct coho__stream_vt vt = *s->vt;
  vt.secure = true;
  s->vt = &vt;
  server.admission.max = 1;
  coho__http_accept(&server.http, s);
  httpd_settle(&server);
  assert_true(c.eof);
  assert_true(c.err < 0); /* reset */
  assert_int_equal(c.len, 0);
  client_close(&c);
}

int main(void) {
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(test_A01_nobody_new_while_memory_is_tight),
      TEST(test_one_line_of_the_log_for_many),
      TEST(test_no_upgrade_while_memory_is_tight),
      TEST(test_no_large_head_while_memory_is_tight),
      TEST(test_no_large_body_while_memory_is_tight),
      TEST(test_A02_tls_is_not_started_above_the_rate),
      TEST(test_A01_tls_is_not_started_for_a_503),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
