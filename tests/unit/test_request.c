#include "proto/request.h"

#include "base/check.h"
#include "support/alloc_fail.h"
#include "unit/pieces.h"

#include <coho/error.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* ---- helpers -------------------------------------------------------------------------------- */

struct expected {
  int result;
  const char *path, *query, *authority;
};

static void check_parsed(struct coho_request *r, int result, void *ctx) {
  const struct expected *e = (const struct expected *)ctx;
  if (result != e->result)
    fail_msg("%s: %s instead of %s", r->head.complete ? coho__http1_target(&r->head).data : "",
             coho_errname(result), coho_errname(e->result));
  if (result < 0) return;
  assert_string_equal(coho_request_path(r), e->path);
  assert_string_equal(coho_request_query_string(r), e->query);
  assert_true(coho__view_eq(r->authority, coho__view_of(e->authority)));
}

static void expect(struct coho__view text, const char *path, const char *query,
                   const char *authority) {
  struct expected e = {0, path, query, authority};
  pieces_request(text, check_parsed, &e);
}

static void expect_error(struct coho__view text, int err) {
  struct expected e = {.result = err};
  pieces_request(text, check_parsed, &e);
}

#define GET(target) VIEW("GET " target " HTTP/1.1\r\nHost: h\r\n\r\n")
#define HOST(value) VIEW("GET / HTTP/1.1\r\nHost: " value "\r\n\r\n")
#define WITH(lines) VIEW("GET /p?q HTTP/1.1\r\nHost: h\r\n" lines "\r\n")

/* ---- target --------------------------------------------------------------------------------- */

static void test_HS_02_paths_and_queries(void **state) {
  (void)state;
  expect(GET("/"), "/", "", "h");
  expect(GET("/chat"), "/chat", "", "h");
  expect(GET("/chat?"), "/chat", "", "h");
  expect(GET("/chat?a=b%20c&d"), "/chat", "a=b%20c&d", "h");
  expect(GET("/?a?b/c"), "/", "a?b/c", "h");
  expect(GET("//h/x"), "//h/x", "", "h");
  expect(GET("/a[1]|b\\c"), "/a[1]|b\\c", "", "h"); /* browsers send such paths */
}

static void test_A19_path_is_decoded_once(void **state) {
  (void)state;
  expect(GET("/a%20b%2fc+d"), "/a b/c+d", "", "h");
  expect(GET("/%252e%252E"), "/%2e%2E", "", "h");
  expect(GET("/%C3%bc%ff?%zz"), "/\xc3\xbc\xff", "%zz", "h");
  expect_error(GET("/a%00b"), COHO_ETARGET);
  expect_error(GET("/%"), COHO_ETARGET);
  expect_error(GET("/%4"), COHO_ETARGET);
  expect_error(GET("/%4?a=1"), COHO_ETARGET);
  expect_error(GET("/%g0"), COHO_ETARGET);
  expect_error(GET("/%%41"), COHO_ETARGET);
}

static void test_HS_02_absolute_targets_win_over_host(void **state) {
  (void)state;
  expect(GET("http://a.example/chat"), "/chat", "", "a.example");
  expect(GET("HTTPS://a.example:8443"), "/", "", "a.example:8443");
  expect(GET("http://a?x=1"), "/", "x=1", "a");
  expect(GET("http://[::1]:80/%61?b"), "/a", "b", "[::1]:80");
  expect_error(GET("http:///chat"), COHO_ETARGET);
  expect_error(GET("http://:80/"), COHO_ETARGET);
  expect_error(GET("http://u@a/"), COHO_ETARGET);
  expect_error(GET("http://a:x/"), COHO_ETARGET);
  expect_error(GET("http:/a"), COHO_ETARGET);
  expect_error(GET("ftp://a/"), COHO_ETARGET);
  expect_error(GET("ws://a/"), COHO_ETARGET);
  expect_error(VIEW("GET http://a/ HTTP/1.1\r\n\r\n"), COHO_EHOST);
  expect_error(VIEW("GET http://a/ HTTP/1.1\r\nHost: a b\r\n\r\n"), COHO_EHOST);
}

static void test_A28_other_targets_are_refused(void **state) {
  (void)state;
  expect(VIEW("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"), "/", "", "h");
  expect_error(GET("*"), COHO_ETARGET);
  expect_error(VIEW("OPTIONS ** HTTP/1.1\r\nHost: h\r\n\r\n"), COHO_ETARGET);
  expect_error(GET("chat"), COHO_ETARGET);
  expect_error(GET("?a"), COHO_ETARGET);
  expect_error(GET("h:80"), COHO_ETARGET);
  expect_error(VIEW("CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n"), COHO_ETARGET);
  expect_error(VIEW("CONNECT / HTTP/1.1\r\nHost: h\r\n\r\n"), COHO_ETARGET);
}

/* ---- host ----------------------------------------------------------------------------------- */

static void test_HS_03_good_hosts(void **state) {
  (void)state;
  expect(HOST("example.com"), "/", "", "example.com");
  expect(HOST("example.com:8080"), "/", "", "example.com:8080");
  expect(HOST(" 127.0.0.1:65535 "), "/", "", "127.0.0.1:65535");
  expect(HOST("[2001:db8::1]:80"), "/", "", "[2001:db8::1]:80");
  expect(HOST("[::1]"), "/", "", "[::1]");
  expect(HOST("h:"), "/", "", "h:");
  expect(HOST("a_b%2d~!$&'()*+;=c"), "/", "", "a_b%2d~!$&'()*+;=c");
}

static void test_HS_03_missing_repeated_and_malformed_hosts(void **state) {
  (void)state;
  const struct coho__view texts[] = {
      VIEW("GET / HTTP/1.1\r\n\r\n"),
      VIEW("GET / HTTP/1.2\r\n\r\n"),
      HOST("a\r\nHost: a"),
      HOST("a\r\nhost: b"),
      VIEW("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"),
      VIEW("GET / HTTP/1.0\r\nHost: a b\r\n\r\n"),
      HOST(""),
      HOST(":80"),
      HOST("a b"),
      HOST("a/b"),
      HOST("u@a"),
      HOST("a:8x"),
      HOST("a:-1"),
      HOST("a:65536"),
      HOST("a:80:80"),
      HOST("a%2"),
      HOST("a%zz"),
      HOST("a\"b"),
      HOST("a\\b"),
      HOST("::1"),
      HOST("["),
      HOST("[]"),
      HOST("[::1"),
      HOST("[::1]a"),
      HOST("[1.2.3.4]"),
      HOST("[::1%25lo]"),
      HOST("b\xc3\xbc"
           "cher"),
      HOST("http://a"),
  };
  for (size_t i = 0; i < COHO_COUNT(texts); i++)
    expect_error(texts[i], COHO_EHOST);
}

static void test_HS_20_http_1_0_needs_no_host(void **state) {
  (void)state;
  expect(VIEW("GET /a HTTP/1.0\r\n\r\n"), "/a", "", "");
  expect(VIEW("GET /a HTTP/1.0\r\nHost: b\r\n\r\n"), "/a", "", "b");
}

static void check_keep_alive(struct coho_request *r, int result, void *ctx) {
  assert_int_equal(result, 0);
  assert_int_equal(r->keep_alive, *(bool *)ctx);
}

static void test_keep_alive(void **state) {
  (void)state;
  bool yes = true, no = false;
  pieces_request(WITH(""), check_keep_alive, &yes);
  pieces_request(WITH("Connection: Upgrade\r\n"), check_keep_alive, &yes);
  pieces_request(WITH("Connection: keep-alive, Close\r\n"), check_keep_alive, &no);
  pieces_request(VIEW("GET / HTTP/1.0\r\n\r\n"), check_keep_alive, &no);
  pieces_request(VIEW("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"), check_keep_alive, &yes);
}

/* ---- accessors ------------------------------------------------------------------------------ */

static void check_accessors(struct coho_request *r, int result, void *ctx) {
  (void)ctx;
  assert_int_equal(result, 0);
  assert_string_equal(coho_request_method(r), "GET");
  assert_string_equal(coho_request_header(r, "x-a"), "1");
  assert_null(coho_request_header(r, "X-B"));
  assert_string_equal(coho_request_protocol(r), "");
  assert_string_equal(coho_request_offer(r, 0), "chat");
  assert_string_equal(coho_request_offer(r, 1), "superchat");
  assert_string_equal(coho_request_offer(r, 2), "v2");
  assert_null(coho_request_offer(r, 3));
}

static void test_HS_10_offers_headers_and_method(void **state) {
  (void)state;
  pieces_request(WITH("X-A: 1\r\nX-A: 2\r\nSec-WebSocket-Protocol: chat,,  superchat\r\n"
                      "Sec-WebSocket-Protocol: v2\r\n"),
                 check_accessors, NULL);
  pieces_request(VIEW("GET / HTTP/1.1\r\nHost: h\r\nSec-WebSocket-Protocol: chat, superchat ,v2\r\n"
                      "X-A:1\r\n\r\n"),
                 check_accessors, NULL);
}

static void check_query(struct coho_request *r, int result, void *ctx) {
  (void)ctx;
  assert_int_equal(result, 0);
  const char *room = coho_request_query(r, "room");
  assert_string_equal(room, "a b&c");
  assert_string_equal(coho_request_query(r, "n\xc3\xa4me"), "x=y");
  assert_string_equal(coho_request_query(r, "a b"), "1");
  assert_string_equal(coho_request_query(r, "empty"), "");
  assert_string_equal(coho_request_query(r, "bare"), "");
  assert_string_equal(coho_request_query(r, "c d"), "3");
  assert_null(coho_request_query(r, "nul"));
  assert_null(coho_request_query(r, "bad"));
  assert_null(coho_request_query(r, "roo"));
  assert_null(coho_request_query(r, "rooms"));
  assert_null(coho_request_query(r, ""));
  assert_null(coho_request_query(r, "k"));
  assert_string_equal(room, "a b&c"); /* lives as long as the request */
}

static void test_query_parameters(void **state) {
  (void)state;
  pieces_request(GET("/?room=a+b%26c&n%C3%A4me=x=y&a%20b=1&empty=&bare&nul=%00&bad=%zz&&room=2"
                     "&k%=1&k%00=2&c+d=3"),
                 check_query, NULL);
}

static void check_cookies(struct coho_request *r, int result, void *ctx) {
  (void)ctx;
  assert_int_equal(result, 0);
  assert_string_equal(coho_request_cookie(r, "sid"), "31d4d96e407aad42");
  assert_string_equal(coho_request_cookie(r, "lang"), "en=US");
  assert_string_equal(coho_request_cookie(r, "q"), "\"x\"");
  assert_string_equal(coho_request_cookie(r, "t"), "v w");
  assert_string_equal(coho_request_cookie(r, "e"), "");
  assert_string_equal(coho_request_cookie(r, "last"), "%20");
  assert_null(coho_request_cookie(r, "SID"));
  assert_null(coho_request_cookie(r, "si"));
  assert_null(coho_request_cookie(r, "flag"));
  assert_null(coho_request_cookie(r, ""));
}

static void test_cookies(void **state) {
  (void)state;
  pieces_request(WITH("Cookie: sid=31d4d96e407aad42; lang=en=US;q=\"x\"; flag; sid=2\r\n"
                      "Cookie: e=; t =\t v w ; last=%20\r\n"),
                 check_cookies, NULL);
}

static void test_parameters_of_a_route(void **state) {
  (void)state;
  struct coho_request r;
  coho__request_init(&r, NULL);
  r.params[0].name = (struct coho__view){"room/x", 4};
  r.params[0].value = "red";
  r.param_count = 1;
  assert_string_equal(coho_request_param(&r, "room"), "red");
  assert_null(coho_request_param(&r, "roo"));
  assert_null(coho_request_param(&r, "room/x"));
  coho__request_free(&r);
}

static void test_strings_are_there_before_any_byte(void **state) {
  (void)state;
  struct coho_request r;
  coho__request_init(&r, NULL);
  assert_string_equal(coho_request_method(&r), "");
  assert_string_equal(coho_request_path(&r), "/");
  assert_string_equal(coho_request_query_string(&r), "");
  assert_string_equal(coho_request_protocol(&r), "");
  assert_null(coho_request_header(&r, "Host"));
  assert_null(coho_request_query(&r, "a"));
  coho__request_free(&r);
}

/* ---- life ----------------------------------------------------------------------------------- */

static const char FULL[] = "GET /a%20b?c=d HTTP/1.1\r\nHost: h\r\nCookie: a=b\r\n"
                           "Sec-WebSocket-Protocol: p\r\nConnection: close\r\n\r\n";

/* Everything that may allocate; true when nothing failed. */
static bool use(struct coho_request *r) {
  size_t used;
  if (coho__http1_input(&r->head, FULL, sizeof FULL - 1, &used) != 1) return false;
  if (coho__request_parse(r) != 0) return false;
  return coho_request_query(r, "c") && coho_request_cookie(r, "a") && coho_request_offer(r, 0);
}

static void test_reset_forgets_the_last_request(void **state) {
  (void)state;
  struct coho_request r;
  int owner;
  size_t used;
  coho__request_init(&r, NULL);
  r.owner = &owner;
  assert_true(use(&r));
  r.params[0].name = VIEW("room");
  r.params[0].value = "red";
  r.param_count = 1;
  r.protocol = coho_request_offer(&r, 0);
  coho__request_reset(&r);
  assert_string_equal(coho_request_path(&r), "/");
  assert_string_equal(coho_request_protocol(&r), "");
  assert_int_equal(coho__http1_input(&r.head, "GET http://x/y HTTP/1.0\r\n\r\n", 27, &used), 1);
  assert_int_equal(coho__request_parse(&r), 0);
  assert_string_equal(coho_request_path(&r), "/y");
  assert_string_equal(coho_request_query_string(&r), "");
  assert_true(coho__view_eq(r.authority, VIEW("x")));
  assert_null(coho_request_cookie(&r, "a"));
  assert_null(coho_request_param(&r, "room"));
  assert_ptr_equal(r.owner, &owner);
  coho__request_reset(&r);
  static const char longer[] = "GET /abcdef HTTP/1.1\r\nHost: z\r\n\r\n";
  assert_int_equal(coho__http1_input(&r.head, longer, sizeof longer - 1, &used), 1);
  assert_int_equal(coho__request_parse(&r), 0); /* one byte longer than ever before */
  assert_string_equal(coho_request_path(&r), "/abcdef");
  assert_true(coho__view_eq(r.authority, VIEW("z")));
  coho__request_free(&r);
  alloc_assert_none_live();
}

static void test_out_of_memory_anywhere(void **state) {
  (void)state;
  bool worked;
  long i = 1;
  do {
    struct coho_request r;
    coho__request_init(&r, NULL);
    alloc_fail_at(i++);
    worked = use(&r);
    assert_int_equal(worked, !alloc_failed());
    coho__request_free(&r);
    alloc_assert_none_live();
  } while (!worked);
  alloc_fail_at(0);
}

int main(void) {
  alloc_fail_at(0);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_HS_02_paths_and_queries),
      cmocka_unit_test(test_A19_path_is_decoded_once),
      cmocka_unit_test(test_HS_02_absolute_targets_win_over_host),
      cmocka_unit_test(test_A28_other_targets_are_refused),
      cmocka_unit_test(test_HS_03_good_hosts),
      cmocka_unit_test(test_HS_03_missing_repeated_and_malformed_hosts),
      cmocka_unit_test(test_HS_20_http_1_0_needs_no_host),
      cmocka_unit_test(test_keep_alive),
      cmocka_unit_test(test_HS_10_offers_headers_and_method),
      cmocka_unit_test(test_query_parameters),
      cmocka_unit_test(test_cookies),
      cmocka_unit_test(test_parameters_of_a_route),
      cmocka_unit_test(test_strings_are_there_before_any_byte),
      cmocka_unit_test(test_reset_forgets_the_last_request),
      cmocka_unit_test(test_out_of_memory_anywhere),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
