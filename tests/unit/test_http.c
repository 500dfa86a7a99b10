#include "http/http.h"

#include "base/check.h"
#include "support/alloc_fail.h"
#include "unit/httpd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define UPGRADE                                                                  \
  "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" \
  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==\r\n"

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
  handled++;
  assert_int_equal(coho_reply(r, 200, "text/plain", body.data, body.len), 0);
}

static void silent(coho_request *r, void *ctx) {
  (void)r;
  (void)ctx;
}

static int set_up(void **state) {
  (void)state;
  handled = 0;
  httpd_start(&server);
  httpd_route(&server, "GET", "/", hello);
  httpd_route(&server, "POST", "/echo", echo);
  httpd_route(&server, "GET", "/silent", silent);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  httpd_stop(&server);
  return 0;
}

/* ---- requests and their answers -------------------------------------------------------------- */

static void test_get(void **state) {
  (void)state;
  httpd_expect(&server, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", HELLO);
  httpd_expect(&server, "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", HELLO);
  httpd_expect(&server, "GET /nope HTTP/1.1\r\nHost: a\r\n\r\n", NOT_FOUND);
}

static void test_head_has_no_body(void **state) {
  (void)state;
  httpd_expect(&server, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\nHEAD /nope HTTP/1.1\r\nHost: a\r\n\r\n",
               STATUS("200 OK") "Content-Length: 5\r\nContent-Type: text/plain\r\n\r\n" STATUS(
                   "404 Not Found") TEXT(10) NO_STORE "\r\n");
}

static void test_method_not_allowed(void **state) {
  (void)state;
  httpd_expect(&server, "DELETE /echo HTTP/1.1\r\nHost: a\r\n\r\n",
               STATUS("405 Method Not Allowed") TEXT(19) "Allow: POST, OPTIONS\r\n" NO_STORE
                                                         "\r\nMethod Not Allowed\n");
}

/* RFC 9110 9.3.7: answered for every path that is served, unless it has a route of its own. */
static void test_options(void **state) {
  (void)state;
  httpd_expect(&server, "OPTIONS / HTTP/1.1\r\nHost: a\r\n\r\n",
               STATUS("204 No Content") "Allow: GET, HEAD, OPTIONS\r\n\r\n");
  httpd_expect(&server, "OPTIONS /echo HTTP/1.0\r\n\r\n",
               STATUS("204 No Content") CLOSE "Allow: POST, OPTIONS\r\n\r\n[end]");
  httpd_expect(&server, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
               STATUS("204 No Content") "Allow: GET, HEAD, OPTIONS\r\n\r\n");
  httpd_expect(&server, "OPTIONS /nope HTTP/1.1\r\nHost: a\r\n\r\n", NOT_FOUND);
  /* its body is not read: no further request */
  httpd_expect(&server, "OPTIONS / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx",
               STATUS("204 No Content") CLOSE "Allow: GET, HEAD, OPTIONS\r\n\r\n[end]");
  httpd_route(&server, "OPTIONS", "/echo", hello);
  httpd_expect(&server, "OPTIONS /echo HTTP/1.1\r\nHost: a\r\n\r\n", HELLO);
}

static void test_pipelined_in_order(void **state) {
  (void)state;
  httpd_expect(
      &server,
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\none"
      "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "1\r\nt\r\n2;x=y\r\nwo\r\n0\r\nA: b\r\n\r\n"
      "GET /nope HTTP/1.1\r\nHost: a\r\n\r\n",
      STATUS("200 OK") "Content-Length: 3\r\nContent-Type: text/plain\r\n\r\none" HELLO STATUS(
          "200 OK") "Content-Length: 3\r\nContent-Type: text/plain\r\n\r\ntwo" NOT_FOUND);
}

/* RFC 9112 9.3 */
static void test_persistence(void **state) {
  (void)state;
  httpd_expect(&server, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET / HTTP/1.1\r\n",
               HELLO_CLOSE);
  httpd_expect(&server, "GET / HTTP/1.1\r\nHost: a\r\nConnection: x, CLOSE\r\n\r\n", HELLO_CLOSE);
  httpd_expect(&server, "GET / HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n", HELLO_CLOSE);
  httpd_expect(&server, "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\nGET / HTTP/1.0\r\n\r\n",
               STATUS("200 OK") "Content-Length: 5\r\nContent-Type: text/plain\r\n"
                                "Connection: keep-alive\r\n\r\nhello" HELLO_CLOSE);
  httpd_expect(&server, "GET / HTTP/1.0\r\nConnection: Keep-Alive, close\r\n\r\n", HELLO_CLOSE);
}

static void test_handler_without_reply(void **state) {
  (void)state;
  httpd_expect(&server, "GET /silent HTTP/1.1\r\nHost: a\r\n\r\n",
               REFUSED("500 Internal Server Error", 22, "Internal Server Error"));
  assert_string_equal(server.last, "the handler of /silent did not reply");
}

static void test_access_log(void **state) {
  (void)state;
  httpd_ask(&server, "GET /?token=secret&a=b HTTP/1.1\r\nHost: a\r\n\r\n");
  assert_memory_equal(server.log, "unknown \"GET /?token=*&a=b\" 200 ", 31);
  server.log[0] = 0;
  httpd_ask(&server, "GET nonsense HTTP/1.1\r\nHost: a\r\n\r\n");
  assert_memory_equal(server.log, "unknown \"GET nonsense\" 400 ", 27);
  server.log[0] = 0;
  httpd_ask(&server, "G(T / HTTP/1.1\r\n");
  assert_memory_equal(server.log, "unknown \"- -\" 400 ", 18);
  assert_string_equal(server.last, "unknown \"-\" refused: malformed request line");
  assert_int_equal(atomic_load(&server.counters.requests), 3);
}

/* ---- what is refused ------------------------------------------------------------------------- */

/* Each of these is a 400, closes, and the request behind it is not looked at. */
static void test_A07_malformed(void **state) {
  (void)state;
#define BEHIND "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
  static const char *const rows[] = {
      "GET  / HTTP/1.1\r\nHost: a\r\n\r\n" BEHIND,
      "GET / HTTP/1.1 \r\nHost: a\r\n\r\n" BEHIND,
      "GET / HTTP/1.1\nHost: a\n\n" BEHIND,
      "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n" BEHIND,
      "GET / HTTP/1.1\r\nHost: a\r\nX: a\nY: b\r\n\r\n" BEHIND,
      "GET / HTTP/1.1\r\n Host: a\r\n\r\n" BEHIND,
      "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n" BEHIND,
      "GET / HTTP/1.1\r\nHost : a\r\n\r\n" BEHIND,
      "GET / HTTP/1.1\r\nHost: a\r\nX: \x0b\r\n\r\n" BEHIND,
      "GET / HTTP/1.1\r\n\r\n" BEHIND,
      "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" BEHIND,
      "GET / HTTP/1.1\r\nHost: a b\r\n\r\n" BEHIND,
      "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n" BEHIND,
      "GET /a%00b HTTP/1.1\r\nHost: a\r\n\r\n" BEHIND,
      "GET a HTTP/1.1\r\nHost: a\r\n\r\n" BEHIND,
      "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n" BEHIND,
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
      "0\r\n\r\n" BEHIND,
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd" BEHIND,
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\nabc" BEHIND,
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -3\r\n\r\nabc" BEHIND,
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc" BEHIND,
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0x3\r\n\r\nabc" BEHIND,
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1_0\r\n\r\n0123456789" BEHIND,
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\nabc" BEHIND,
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n" BEHIND,
      "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" BEHIND,
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n" BEHIND,
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n" BEHIND,
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n" BEHIND,
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n" BEHIND,
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n" BEHIND,
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n" BEHIND,
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;a\nb\r\na\r\n" BEHIND,
  };
  for (size_t i = 0; i < COHO_COUNT(rows); i++) {
    const char *answer = httpd_ask(&server, rows[i]);
    if (strncmp(answer, STATUS("400 Bad Request"), 35) != 0) fail_msg("%s\n%s", rows[i], answer);
    assert_non_null(strstr(answer, "\r\n" CLOSE));
    assert_string_equal(answer + strlen(answer) - 5, "[end]");
    assert_null(strstr(answer + 1, "HTTP/1.1 "));
  }
  assert_int_equal(handled, 0);
}

static void test_A07_nul_in_head(void **state) {
  (void)state;
  static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n";
  httpd_expect_n(&server, request, sizeof request - 1,
                 REFUSED("400 Bad Request", 23, "malformed header field"));
}

static void test_A05_limits(void **state) {
  (void)state;
  static char big[40000], fields[80 * 8 + 1] = "";
  memset(big, 'a', sizeof big - 1);
  for (size_t i = 0; i < sizeof fields - 1; i++)
    fields[i] = "X: abc\r\n"[i % 8];
  static char request[60000];
  (void)snprintf(request, sizeof request, "GET /%s HTTP/1.1\r\nHost: a\r\n\r\n", big);
  assert_string_equal(httpd_ask(&server, request),
                      REFUSED("414 URI Too Long", 31, "the request target is too long"));
  (void)snprintf(request, sizeof request, "GET / HTTP/1.1\r\nX: %s\r\n\r\n", big);
  assert_string_equal(httpd_ask(&server, request), REFUSED("431 Request Header Fields Too Large",
                                                           32, "the header fields are too large"));
  (void)snprintf(request, sizeof request, "GET / HTTP/1.1\r\n%s\r\n", fields);
  assert_string_equal(httpd_ask(&server, request),
                      REFUSED("431 Request Header Fields Too Large", 23, "too many header fields"));
  (void)snprintf(request, sizeof request, "%.100s / HTTP/1.1\r\n", big);
  assert_string_equal(httpd_ask(&server, request),
                      REFUSED("501 Not Implemented", 31, "the request method is too long"));
  assert_string_equal(httpd_ask(&server, "GET / HTTP/2.0\r\n"),
                      REFUSED("505 HTTP Version Not Supported", 28, "the HTTP version is not 1.x"));
}

/* attacks 2: a head that never ends, in many reads, costs no more than its limit */
static void test_attack_2_endless_head(void **state) {
  (void)state;
  struct client c;
  char block[1024];
  memset(block, 'a', sizeof block);
  client_open(&c, &server, 4096, 1);
  client_say(&c, "GET / HTTP/1.1\r\nX: ");
  for (int i = 0; i < 64 && !c.eof; i++)
    client_send(&c, block, sizeof block);
  assert_true(c.eof);
  assert_memory_equal(c.in, "HTTP/1.1 431 ", 13);
  client_close(&c);
}

static void test_body_limit(void **state) {
  (void)state;
  server.conf.max_body = 5;
  httpd_expect(&server, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde",
               STATUS("200 OK") "Content-Length: 5\r\nContent-Type: text/plain\r\n\r\nabcde");
  httpd_expect(&server, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabcdef",
               REFUSED("413 Content Too Large", 42, "the request body is larger than the limit"));
  httpd_expect(&server,
               "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
               "chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n",
               REFUSED("413 Content Too Large", 42, "the request body is larger than the limit"));
  /* nobody wants this body: the path decides first, and the body is no request */
  httpd_expect(&server, "POST /nope HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabcdef",
               STATUS("404 Not Found") TEXT(10) CLOSE NO_STORE "\r\nNot Found\n[end]");
  httpd_expect(&server, "POST /nope HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
               STATUS("404 Not Found") TEXT(10) CLOSE NO_STORE "\r\nNot Found\n[end]");
}

static void test_coding_not_supported(void **state) {
  (void)state;
  httpd_expect(&server,
               "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
               REFUSED("501 Not Implemented", 37, "the transfer coding is not supported"));
}

/* ---- Expect ---------------------------------------------------------------------------------- */

#define CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"

static void test_expect_continue(void **state) {
  (void)state;
  struct client c;
  client_open(&c, &server, 4096, 0);
  client_say(&c, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
                 "Expect: 100-Continue\r\n\r\n");
  assert_string_equal(client_text(&c), CONTINUE);
  client_say(&c, "abc");
  assert_string_equal(client_text(&c),
                      STATUS("200 OK") "Content-Length: 3\r\nContent-Type: text/plain\r\n\r\nabc");
  client_close(&c);
  /* no body, nothing to wait for; nobody there who wants it; HTTP/1.0 knows no 100 */
  httpd_expect(&server, "GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n", HELLO);
  httpd_expect(
      &server,
      "POST /nope HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n",
      STATUS("404 Not Found") TEXT(10) CLOSE NO_STORE "\r\nNot Found\n[end]");
  httpd_expect(&server, "POST /echo HTTP/1.0\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\na",
               STATUS("200 OK") "Content-Length: 1\r\nContent-Type: text/plain\r\n" CLOSE
                                "\r\na[end]");
}

static void test_other_expectation(void **state) {
  (void)state;
  httpd_expect(&server, "GET / HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\n\r\n",
               REFUSED("417 Expectation Failed", 34, "an expectation that cannot be met"));
}

/* ---- upgrades -------------------------------------------------------------------------------- */

static char upgraded_rest[64];
static struct coho__stream *upgraded;

/* What did not come with the head is still in the stream, which says so. */
static void read_rest(struct coho__stream *s, unsigned events) {
  char buf[64];
  ssize_t n = 0;
  if (events & COHO_IO_READ) n = coho__stream_read(s, buf, sizeof buf);
  if (n > 0) strncat(upgraded_rest, buf, (size_t)n);
}

static void upgrade(coho_request *r, void *ctx) {
  struct httpd *d = (struct httpd *)ctx;
  struct coho__view rest;
  char answer[128];
  handled++;
  assert_int_equal(coho_reply_header(r, "X-A", "b"), 0);
  struct coho__view fields = coho__http_fields(r);
  int len = snprintf(answer, sizeof answer, "101 %.*s", (int)fields.len, fields.data);
  upgraded = coho__http_take(r, &rest);
  assert_non_null(upgraded);
  assert_ptr_equal(coho__http_of(r), &d->http);
  upgraded->on_event = read_rest;
  (void)snprintf(upgraded_rest, sizeof upgraded_rest, "%.*s", (int)rest.len, rest.data);
  assert_int_equal(coho__stream_writev(upgraded, &(struct iovec){answer, (size_t)len}, 1), len);
  assert_int_equal(coho_reply(r, 200, NULL, NULL, 0), COHO_EBUSY);
  assert_int_equal(coho_reply_header(r, "X-C", "d"), COHO_EBUSY);
  assert_true(coho__http_replied(r));
}

static void close_upgraded(void) {
  coho__stream_close(upgraded, false);
  coho__admission_leave(&server.admission, NULL, 0);
  coho__count(&server.counters.sockets, UINT64_MAX);
  httpd_settle(&server);
}

/* attacks 7: what comes behind the head is not a request but the first frames */
static void test_attack_7_bytes_behind_an_upgrade(void **state) {
  (void)state;
  struct client c;
  httpd_route_ws(&server, "/ws", upgrade);
  client_open(&c, &server, 4096, 0);
  client_say(&c, UPGRADE "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
  assert_string_equal(client_text(&c), "101 X-A: b\r\n");
  assert_string_equal(upgraded_rest, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  assert_int_equal(handled, 1);
  assert_true(coho__list_empty(&server.http.conns));
  assert_int_equal(atomic_load(&server.counters.sockets), 1);
  assert_int_equal(atomic_load(&server.counters.requests), 1);
  assert_memory_equal(server.log, "unknown \"GET /ws\" 101 0 ", 23);
  close_upgraded();
  client_close(&c);
}

static void test_HS_21_continue_before_101(void **state) {
  (void)state;
  struct client c;
  httpd_route_ws(&server, "/ws", upgrade);
  client_open(&c, &server, 24, 0); /* so small that the 100 does not fit at once */
  client_say(&c, UPGRADE "Expect: 100-continue\r\n\r\n");
  assert_string_equal(client_text(&c), CONTINUE "101 X-A: b\r\n");
  close_upgraded();
  client_close(&c);
}

static void refuse_origin(coho_request *r, void *ctx) {
  (void)ctx;
  assert_int_equal(coho_reply_header(r, "Set-Cookie", "a=b"), 0);
  coho__http_refuse(r, COHO_EORIGIN);
  coho__http_refuse(r, COHO_EREFUSED); /* too late */
}

static void refuse_version(coho_request *r, void *ctx) {
  (void)ctx;
  coho__http_refuse(r, COHO_EWSVERSIONOTHER);
}

/* A08, attacks 8: after any answer but 101 the connection ends, and what follows is no request */
static void test_A08_refused_upgrade_closes(void **state) {
  (void)state;
  httpd_route_ws(&server, "/ws", refuse_origin);
  httpd_route_ws(&server, "/old", refuse_version);
  httpd_expect(&server, UPGRADE "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
               REFUSED("403 Forbidden", 26, "the Origin is not allowed"));
  httpd_expect(&server,
               "GET /old HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\nGET / HTTP/1.1\r\n",
               STATUS("426 Upgrade Required") TEXT(47) CLOSE
               "Upgrade: websocket\r\nConnection: Upgrade\r\n"
               "Sec-WebSocket-Version: 13\r\n" NO_STORE "\r\n"
               "only version 13 of the protocol is spoken here\n[end]");
  httpd_expect(&server, "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\nGET / HTTP/1.1\r\n",
               HELLO_CLOSE);
  httpd_expect(&server, "GET /nope HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\nGET / HT",
               STATUS("404 Not Found") TEXT(10) CLOSE NO_STORE "\r\nNot Found\n[end]");
  httpd_expect(
      &server,
      "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n"
      "HTTP2-Settings: AAMAAABk\r\n\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      HELLO_CLOSE);
  httpd_expect(&server,
               "GET / HTTP/1.0\r\nConnection: keep-alive\r\nUpgrade: websocket\r\n\r\nGET / HT",
               HELLO_CLOSE);
}

/* A11: what a WebSocket route says to other requests */
static void test_A11_websocket_route(void **state) {
  (void)state;
  httpd_route_ws(&server, "/ws", upgrade);
  httpd_expect(&server, "GET /ws HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n",
               STATUS("426 Upgrade Required") TEXT(36) CLOSE
               "Upgrade: websocket\r\nConnection: Upgrade\r\n"
               "Sec-WebSocket-Version: 13\r\n" NO_STORE "\r\n"
               "this resource speaks WebSocket only\n[end]");
  httpd_expect(&server, "POST /ws HTTP/1.1\r\nHost: a\r\n\r\n",
               STATUS("405 Method Not Allowed") TEXT(19) "Allow: GET, OPTIONS\r\n" NO_STORE
                                                         "\r\nMethod Not Allowed\n");
  /* HS-20: HTTP/1.0 cannot upgrade */
  const char *answer = httpd_ask(&server, "GET /ws HTTP/1.0\r\nUpgrade: websocket\r\n\r\n");
  assert_memory_equal(answer, "HTTP/1.1 426 ", 13);
  assert_int_equal(handled, 0);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(test_get),
      TEST(test_head_has_no_body),
      TEST(test_method_not_allowed),
      TEST(test_options),
      TEST(test_pipelined_in_order),
      TEST(test_persistence),
      TEST(test_handler_without_reply),
      TEST(test_access_log),
      TEST(test_A07_malformed),
      TEST(test_A07_nul_in_head),
      TEST(test_A05_limits),
      TEST(test_attack_2_endless_head),
      TEST(test_body_limit),
      TEST(test_coding_not_supported),
      TEST(test_expect_continue),
      TEST(test_other_expectation),
      TEST(test_attack_7_bytes_behind_an_upgrade),
      TEST(test_HS_21_continue_before_101),
      TEST(test_A08_refused_upgrade_closes),
      TEST(test_A11_websocket_route),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
