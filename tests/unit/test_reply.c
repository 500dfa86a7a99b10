#include "http/reply.h"

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

static struct httpd server;

static const char *ask(void (*handler)(coho_request *r, void *ctx), const char *method) {
  static char answer[4096];
  char request[64];
  httpd_start(&server);
  httpd_route(&server, "*", "/", handler);
  (void)snprintf(request, sizeof request, "%s / HTTP/1.1\r\nHost: a\r\n\r\n", method);
  (void)snprintf(answer, sizeof answer, "%s", httpd_ask(&server, request));
  httpd_stop(&server);
  return answer;
}

/* ---- fields ---------------------------------------------------------------------------------- */

/* A13: nothing a program passes on can end its field or begin another answer */
static void add_fields(coho_request *r, void *ctx) {
  (void)ctx;
  static const struct {
    const char *name, *value;
  } bad[] = {
      {"X", "a\r\nSet-Cookie: b"},
      {"X", "a\nb"},
      {"X", "a\rb"},
      {"X", "a\x7f"},
      {"X", "\x01"},
      {"", "a"},
      {"X Y", "a"},
      {"X:", "a"},
      {"X\r\nY", "a"},
      {"X\xc3\xa4", "a"},
      {"(X)", "a"},
      {NULL, "a"},
      {"X", NULL},
  };
  static const char *const ours[] = {
      "Date",
      "content-length",
      "CONTENT-TYPE",
      "Transfer-Encoding",
      "Connection",
      "Keep-Alive",
      "Upgrade",
      "Trailer",
      "TE",
      "Proxy-Connection",
      "Sec-WebSocket-Accept",
      "Sec-WebSocket-Protocol",
      "sec-websocket-extensions",
      "Sec-WebSocket-Version",
  };
  for (size_t i = 0; i < COHO_COUNT(bad); i++)
    assert_int_equal(coho_reply_header(r, bad[i].name, bad[i].value), COHO_EINVAL);
  for (size_t i = 0; i < COHO_COUNT(ours); i++)
    assert_int_equal(coho_reply_header(r, ours[i], "a"), COHO_EINVAL);
  assert_int_equal(coho_reply_header(r, "X-Good", "a\tb \xc3\xa4"), 0);
  assert_int_equal(coho_reply_header(r, "X-Empty", ""), 0);
  assert_int_equal(coho_reply_header(r, "Set-Cookie", "a=b"), 0);
  assert_int_equal(coho_reply_header(r, "Set-Cookie", "c=d"), 0);
  assert_int_equal(coho_reply(r, 200, NULL, NULL, 0), 0);
  assert_int_equal(coho_reply_header(r, "X-Late", "a"), COHO_EBUSY);
}

static void test_A13_response_splitting(void **state) {
  (void)state;
  assert_string_equal(ask(add_fields, "GET"),
                      "HTTP/1.1 200 OK\r\nDate: -\r\nContent-Length: 0\r\n"
                      "X-Good: a\tb \xc3\xa4\r\nX-Empty: \r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n"
                      "\r\n");
}

static void add_many(coho_request *r, void *ctx) {
  int err = 0;
  size_t count = 0;
  (void)ctx;
  while (!err && count < 100000) {
    err = coho_reply_header(r, "X-Many", "value");
    count++;
  }
  assert_int_equal(err, COHO_EFULL);
  assert_int_equal(coho_reply(r, 200, NULL, NULL, 0), 0);
}

static void test_fields_are_capped(void **state) {
  (void)state;
  const char *answer = ask(add_many, "GET");
  assert_memory_equal(answer, "HTTP/1.1 200 OK\r\n", 17);
}

/* A head has room for all fields and the longest type. */
static void fill_the_head(coho_request *r, void *ctx) {
  static char type[257];
  (void)ctx;
  memset(type, 'a', sizeof type - 1);
  assert_int_equal(coho_reply(r, 200, type, "a", 1), COHO_EINVAL);
  type[255] = 0;
  while (coho_reply_header(r, "X-Many", "value") == 0)
    ;
  assert_int_equal(coho_reply(r, 200, type, "a", 1), 0);
}

static void test_type_is_limited(void **state) {
  (void)state;
  const char *answer = ask(fill_the_head, "GET");
  assert_memory_equal(answer, "HTTP/1.1 200 OK\r\n", 17);
}

static long fails_at; /* the allocation, counted from the reply */
static bool without;  /* memory */

static void reply_twice(coho_request *r, void *ctx) {
  static char text[1000];
  (void)ctx;
  alloc_fail_at(fails_at);
  int err = coho_reply(r, 200, "text/plain", text, sizeof text);
  without = alloc_failed();
  alloc_fail_at(0);
  assert_int_equal(err, without ? COHO_ENOMEM : 0);
  err = coho_reply(r, 503, "text/plain", "sorry", 5);
  assert_int_equal(err, without ? 0 : COHO_EBUSY);
}

static void test_reply_without_memory_may_be_followed_by_another(void **state) {
  (void)state;
  fails_at = 0;
  do {
    struct client c;
    fails_at++;
    httpd_start(&server);
    httpd_route(&server, "GET", "/", reply_twice);
    client_open(&c, &server, 1000000, 0);
    client_say(&c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_memory_equal(c.in, without ? "HTTP/1.1 503 " : "HTTP/1.1 200 ", 13);
    assert_false(c.eof);
    client_close(&c);
    httpd_stop(&server);
  } while (without);
  assert_true(fails_at > 1);
}

/* ---- statuses and bodies --------------------------------------------------------------------- */

static void try_wrong(coho_request *r, void *ctx) {
  (void)ctx;
  assert_int_equal(coho_reply(r, 199, NULL, NULL, 0), COHO_EINVAL);
  assert_int_equal(coho_reply(r, 101, NULL, NULL, 0), COHO_EINVAL);
  assert_int_equal(coho_reply(r, 600, NULL, NULL, 0), COHO_EINVAL);
  assert_int_equal(coho_reply(r, -1, NULL, NULL, 0), COHO_EINVAL);
  assert_int_equal(coho_reply(r, 200, NULL, "a", 1), COHO_EINVAL);
  assert_int_equal(coho_reply(r, 200, "text/plain", NULL, 1), COHO_EINVAL);
  assert_int_equal(coho_reply(r, 200, "text/plain\r\nX: y", "a", 1), COHO_EINVAL);
  assert_int_equal(coho_reply(r, 204, "text/plain", "a", 1), COHO_EINVAL);
  assert_int_equal(coho_reply(r, 205, "text/plain", "a", 1), COHO_EINVAL);
  assert_int_equal(coho_reply(r, 304, "text/plain", "a", 1), COHO_EINVAL);
  assert_int_equal(coho_reply(r, 200, "text/plain", "right", 5), 0);
  assert_int_equal(coho_reply(r, 200, "text/plain", "twice", 5), COHO_EBUSY);
}

static void test_arguments(void **state) {
  (void)state;
  assert_string_equal(ask(try_wrong, "GET"), "HTTP/1.1 200 OK\r\nDate: -\r\nContent-Length: 5\r\n"
                                             "Content-Type: text/plain\r\n\r\nright");
}

static int status; /* what reply_status() says */

static void reply_status(coho_request *r, void *ctx) {
  (void)ctx;
  assert_int_equal(coho_reply(r, status, NULL, NULL, 0), 0);
}

/* RFC 9110 8.6: no length where no body can be */
static void test_statuses_without_body(void **state) {
  (void)state;
  status = 204;
  assert_string_equal(ask(reply_status, "GET"), "HTTP/1.1 204 No Content\r\nDate: -\r\n\r\n");
  status = 304;
  assert_string_equal(ask(reply_status, "GET"), "HTTP/1.1 304 Not Modified\r\nDate: -\r\n\r\n");
  status = 205;
  assert_string_equal(ask(reply_status, "GET"),
                      "HTTP/1.1 205 Reset Content\r\nDate: -\r\nContent-Length: 0\r\n\r\n");
  status = 599;
  assert_string_equal(ask(reply_status, "GET"),
                      "HTTP/1.1 599 \r\nDate: -\r\nContent-Length: 0\r\n\r\n");
}

static void reply_text(coho_request *r, void *ctx) {
  (void)ctx;
  assert_int_equal(coho_reply(r, 200, "text/plain", "hello", 5), 0);
}

static void test_head(void **state) {
  (void)state;
  assert_string_equal(ask(reply_text, "HEAD"), "HTTP/1.1 200 OK\r\nDate: -\r\nContent-Length: 5\r\n"
                                               "Content-Type: text/plain\r\n\r\n");
}

/* An error of ours is not explained to strangers. */
static void refuse_memory(coho_request *r, void *ctx) {
  (void)ctx;
  assert_int_equal(coho_reply_header(r, "X-Mine", "a"), 0);
  coho__http_refuse(r, COHO_ENOMEM);
}

static void test_B25_own_errors_are_500(void **state) {
  (void)state;
  assert_string_equal(ask(refuse_memory, "GET"),
                      "HTTP/1.1 500 Internal Server Error\r\nDate: -\r\nContent-Length: 22\r\n"
                      "Content-Type: text/plain; charset=utf-8\r\nConnection: "
                      "close\r\nCache-Control: no-store\r\n\r\n"
                      "Internal Server Error\n[end]");
}

/* ---- the request, as a handler sees it ------------------------------------------------------- */

static void look(coho_request *r, void *ctx) {
  char peer[COHO_ADDR_MAX];
  int mine = 0;
  (void)ctx;
  coho_bytes body = coho_request_body(r);
  assert_int_equal(body.len, 0);
  assert_non_null(body.data);
  assert_string_equal(coho_request_peer(r, peer, sizeof peer), "unknown");
  assert_null(coho_request_user(r));
  coho_request_set_user(r, &mine);
  assert_ptr_equal(coho_request_user(r), &mine);
  assert_int_equal(coho_reply(r, 200, NULL, NULL, 0), 0);
}

static void test_request(void **state) {
  (void)state;
  httpd_start(&server);
  httpd_route(&server, "GET", "/", look);
  /* twice on one connection: nothing of the first is left */
  httpd_ask(&server, "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
  assert_int_equal(atomic_load(&server.counters.requests), 2);
  httpd_stop(&server);
}

/* ---- memory ---------------------------------------------------------------------------------- */

static void echo_big(coho_request *r, void *ctx) {
  static char big[50000];
  coho_bytes body = coho_request_body(r);
  (void)ctx;
  (void)coho_reply_header(r, "X-A", "b");
  if (body.len == 3) (void)coho_reply(r, 200, "text/plain", big, sizeof big);
}

/* Whatever allocation fails: the peer gets a whole answer or the end, and nothing is left. */
static void test_out_of_memory(void **state) {
  (void)state;
  static const char request[] =
      "GET /nope HTTP/1.1\r\nHost: a\r\n\r\nPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
      "\r\nabcGET /nope HTTP/1.1\r\n";
  for (long i = 1;; i++) {
    struct client c;
    alloc_fail_at(0);
    httpd_start(&server);
    httpd_route(&server, "POST", "/", echo_big);
    struct coho__stream *other = client_make(&c, &server, 1000, 0);
    alloc_fail_at(i);
    coho__http_accept(&server.http, other);
    client_send(&c, request, sizeof request - 1);
    assert_true(c.eof || c.len > 50000);
    client_close(&c);
    bool failed = alloc_failed();
    alloc_fail_at(0);
    httpd_stop(&server);
    alloc_assert_none_live();
    if (!failed) break;
  }
}

int main(void) {
  alloc_fail_at(0);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_A13_response_splitting),
      cmocka_unit_test(test_fields_are_capped),
      cmocka_unit_test(test_type_is_limited),
      cmocka_unit_test(test_reply_without_memory_may_be_followed_by_another),
      cmocka_unit_test(test_arguments),
      cmocka_unit_test(test_statuses_without_body),
      cmocka_unit_test(test_head),
      cmocka_unit_test(test_B25_own_errors_are_500),
      cmocka_unit_test(test_request),
      cmocka_unit_test(test_out_of_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
