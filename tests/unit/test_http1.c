#include "proto/http1.h"

#include "base/check.h"
#include "proto/chars.h"
#include "support/alloc_fail.h"
#include "unit/pieces.h"

#include <coho/error.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- helpers -------------------------------------------------------------------------------- */

struct expected {
  int result;
  size_t used; /* of a complete head */
};

static void check_result(struct coho__http1 *h, int result, size_t used, void *ctx) {
  const struct expected *e = (const struct expected *)ctx;
  assert_string_equal(coho_errname(result), coho_errname(e->result));
  if (e->result > 0) assert_int_equal(used, e->used);
  if (e->result >= 0) return;
  size_t more = 1;
  assert_int_equal(coho__http1_input(h, "x", 1, &more), e->result); /* sticky */
  assert_int_equal(more, 0);
}

static void expect_limits(enum coho__http1_kind kind, const struct coho__http1_limits *limits,
                          struct coho__view text, int result) {
  struct expected e = {result, text.len};
  pieces_head(text, &(struct head_case){kind, limits, check_result, &e});
}

static void expect_request(struct coho__view text, int result) {
  expect_limits(COHO_HTTP1_REQUEST, NULL, text, result);
}

static void expect_response(struct coho__view text, int result) {
  expect_limits(COHO_HTTP1_RESPONSE, NULL, text, result);
}

struct row {
  struct coho__view text;
  int result;
};

#define ROW(text, result) \
  { {text, sizeof(text) - 1}, result }

static void expect_rows(const struct row *rows, size_t count) {
  for (size_t i = 0; i < count; i++)
    expect_request(rows[i].text, rows[i].result);
}

/* before, n times c, after; to be released. */
static struct coho__buf stretch(const char *before, char c, size_t n, const char *after) {
  struct coho__buf text = COHO_BUF(100000);
  assert_int_equal(coho__buf_append_str(&text, before), 0);
  while (n-- > 0)
    assert_int_equal(coho__buf_append(&text, &c, 1), 0);
  assert_int_equal(coho__buf_append_str(&text, after), 0);
  return text;
}

static void expect_stretched(const char *before, char c, size_t n, const char *after, int result) {
  struct coho__buf text = stretch(before, c, n, after);
  expect_request((struct coho__view){text.data, text.len}, result);
  coho__buf_release(&text);
}

static void assert_view(struct coho__view v, const char *text) {
  assert_int_equal(v.len, strlen(text));
  assert_string_equal(v.data, text); /* also terminated */
}

/* ---- bytes ---------------------------------------------------------------------------------- */

static void test_byte_classes_are_the_grammars(void **state) {
  (void)state;
  static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  for (int c = 1; c < 256; c++) {
    bool letter = strchr(letters, c) != NULL;
    bool visible = c > 0x20 && c < 0x7f;
    int expected = 0;
    if (letter || strchr("!#$%&'*+-.^_`|~", c)) expected |= COHO_CHAR_TOKEN;
    if (visible || c == ' ' || c == '\t' || c > 0x7f) expected |= COHO_CHAR_VALUE;
    if (visible && !strchr("#\"<>", c)) expected |= COHO_CHAR_TARGET;
    if (letter || strchr("-._~!$&'()*+,;=:@/?", c)) expected |= COHO_CHAR_URL;
    if (letter || strchr("-._~!$&'()*+,;=", c)) expected |= COHO_CHAR_NAME;
    assert_int_equal(coho__chars[c], expected);
  }
  assert_int_equal(coho__chars[0], 0);
}

static void test_token_and_field_value(void **state) {
  (void)state;
  assert_true(coho__http1_is_token(VIEW("permessage-deflate")));
  assert_false(coho__http1_is_token(VIEW("")));
  assert_false(coho__http1_is_token(VIEW("a b")));
  assert_false(coho__http1_is_token(VIEW("a,b")));
  assert_false(coho__http1_is_token(VIEW("\xc3\xbc")));
  assert_true(coho__http1_is_field_value(VIEW("a\t\"b\" \xc3\xbc")));
  assert_true(coho__http1_is_field_value(VIEW("")));
  assert_false(coho__http1_is_field_value(VIEW("a\r\nb")));
  assert_false(coho__http1_is_field_value(VIEW("a\0b")));
}

/* ---- requests ------------------------------------------------------------------------------- */

static const char PARTS[] = "GET /chat?x=1 HTTP/1.1\r\nHost:example\r\nEmpty: \r\n"
                            "X-A:\t two  words \t\r\nx-b: \xc3\xbc\r\n\r\n";

static void check_parts(struct coho__http1 *h, int result, size_t used, void *ctx) {
  (void)ctx;
  assert_int_equal(result, 1);
  assert_int_equal(used, sizeof PARTS - 1);
  assert_view(coho__http1_method(h), "GET");
  assert_view(coho__http1_target(h), "/chat?x=1");
  assert_int_equal(h->minor, 1);
  assert_int_equal(h->field_count, 4);
  assert_view(coho__http1_name(h, 0), "Host");
  assert_view(coho__http1_value(h, 0), "example");
  assert_view(coho__http1_name(h, 1), "Empty");
  assert_view(coho__http1_value(h, 1), "");
  assert_view(coho__http1_value(h, 2), "two  words");
  assert_view(coho__http1_name(h, 3), "x-b");
  assert_view(coho__http1_value(h, 3), "\xc3\xbc");
  assert_int_equal(coho__http1_find(h, "HOST", 0), 0);
  assert_int_equal(coho__http1_find(h, "Host", 1), SIZE_MAX);
  struct coho__view only = VIEW("");
  assert_true(coho__http1_only(h, "X-B", &only));
  assert_view(only, "\xc3\xbc");
  assert_false(coho__http1_only(h, "X-C", &only));
}

static void test_request_is_taken_apart_and_what_follows_is_left(void **state) {
  (void)state;
  struct coho__buf text = stretch(PARTS, '\r', 1, "\n\x81\x85");
  pieces_head((struct coho__view){text.data, text.len},
              &(struct head_case){COHO_HTTP1_REQUEST, NULL, check_parts, NULL});
  coho__buf_release(&text);
}

static void test_HS_00_malformed_request_lines(void **state) {
  (void)state;
  static const struct row rows[] = {
      ROW("GET / HTTP/1.1\r\n\r\n", 1),
      ROW("GET * HTTP/1.0\r\n\r\n", 1),
      ROW("M-SEARCH /%zz HTTP/1.9\r\n\r\n", 1),
      ROW("GET  / HTTP/1.1\r\n\r\n", COHO_EHTTP),
      ROW(" GET / HTTP/1.1\r\n\r\n", COHO_EHTTP),
      ROW(" / HTTP/1.1\r\n\r\n", COHO_EHTTP),
      ROW("GET  HTTP/1.1\r\n\r\n", COHO_EHTTP),
      ROW("GET /  HTTP/1.1\r\n\r\n", COHO_EHTTP),
      ROW("GET / HTTP/1.1 \r\n\r\n", COHO_EHTTP),
      ROW("GET\t/ HTTP/1.1\r\n\r\n", COHO_EHTTP),
      ROW("GET /\tHTTP/1.1\r\n\r\n", COHO_ETARGET),
      ROW("GET /\r\n", COHO_EHTTP), /* HTTP/0.9 */
      ROW("GET\r\n", COHO_EHTTP),
      ROW("G(T / HTTP/1.1\r\n\r\n", COHO_EHTTP),
      ROW("\x16\x03\x01\x02\x00", COHO_EHTTP), /* TLS */
      ROW("GET /\xc3\xbc HTTP/1.1\r\n\r\n", COHO_ETARGET),
      ROW("GET /a#b HTTP/1.1\r\n\r\n", COHO_ETARGET),
      ROW("GET /\"a\" HTTP/1.1\r\n\r\n", COHO_ETARGET),
      ROW("GET /\0 HTTP/1.1\r\n\r\n", COHO_ETARGET),
      ROW("GET / http/1.1\r\n\r\n", COHO_EHTTP),
      ROW("GET / HTTP/11\r\n\r\n", COHO_EHTTP),
      ROW("GET / HTTP/01.1\r\n\r\n", COHO_EHTTP),
      ROW("GET / HTTP/20.0\r\n\r\n", COHO_EHTTP),
      ROW("GET / HTTP/1.10\r\n\r\n", COHO_EHTTP),
      ROW("GET / HTTP/1.x\r\n\r\n", COHO_EHTTP),
      ROW("GET / HTTP/x.1\r\n\r\n", COHO_EHTTP),
      ROW("GET / HTCP/1.1\r\n\r\n", COHO_EHTTP),
  };
  expect_rows(rows, COHO_COUNT(rows));
}

static void test_HS_01_other_major_versions(void **state) {
  (void)state;
  static const struct row rows[] = {
      ROW("GET / HTTP/0.9\r\n\r\n", COHO_EHTTPVERSION),
      ROW("GET / HTTP/2.0\r\n\r\n", COHO_EHTTPVERSION),
      ROW("GET / HTTP/3\r\n\r\n", COHO_EHTTPVERSION),
      ROW("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", COHO_EHTTPVERSION),
  };
  expect_rows(rows, COHO_COUNT(rows));
}

static void test_HS_23_space_before_the_colon(void **state) {
  (void)state;
  static const struct row rows[] = {
      ROW("GET / HTTP/1.1\r\nUpgrade : websocket\r\n\r\n", COHO_EFIELD),
      ROW("GET / HTTP/1.1\r\nTransfer-Encoding\t: chunked\r\n\r\n", COHO_EFIELD),
      ROW("GET / HTTP/1.1\r\nTransfer-Encoding\x0b: chunked\r\n\r\n", COHO_EFIELD),
      ROW("GET / HTTP/1.1\r\nUp grade: websocket\r\n\r\n", COHO_EFIELD),
      ROW("GET / HTTP/1.1\r\n: websocket\r\n\r\n", COHO_EFIELD),
      ROW("GET / HTTP/1.1\r\nUpgrade\r\n\r\n", COHO_EFIELD),
      ROW("GET / HTTP/1.1\r\nUpgr\xc3\xa4: websocket\r\n\r\n", COHO_EFIELD),
      ROW("GET / HTTP/1.1\r\nUp(grade): websocket\r\n\r\n", COHO_EFIELD),
  };
  expect_rows(rows, COHO_COUNT(rows));
}

static void test_HS_24_folded_fields(void **state) {
  (void)state;
  static const struct row rows[] = {
      ROW("GET / HTTP/1.1\r\nUpgrade: web\r\n socket\r\n\r\n", COHO_EFIELD),
      ROW("GET / HTTP/1.1\r\nUpgrade: web\r\n\tsocket\r\n\r\n", COHO_EFIELD),
      ROW("GET / HTTP/1.1\r\nUpgrade:\r\n websocket\r\n\r\n", COHO_EFIELD),
      ROW("GET / HTTP/1.1\r\nHost: a\r\n \r\n\r\n", COHO_EFIELD),
  };
  expect_rows(rows, COHO_COUNT(rows));
}

static void test_HS_25_line_ends_and_control_characters(void **state) {
  (void)state;
  static const struct row rows[] = {
      ROW("GET / HTTP/1.1\n\r\n", COHO_EHTTP),
      ROW("GET / HTTP/1.1 \n\r\n", COHO_EHTTP),
      ROW("GET / HTTP/1.1\r\r\n\r\n", COHO_EHTTP),
      ROW("GET / HTTP/1.1\rHost: a\r\n\r\n", COHO_EHTTP),
      ROW("GET / HTTP/1.1\r\nHost: a\n\r\n", COHO_EFIELD),
      ROW("GET / HTTP/1.1\r\nHost: a\n\nX: y\r\n\r\n", COHO_EFIELD),
      ROW("GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", COHO_EFIELD),
      ROW("GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", COHO_EFIELD),
      ROW("GET / HTTP/1.1\r\nHost: a\r\n\n", COHO_EFIELD),
      ROW("GET / HTTP/1.1\r\nHost: a\r\n\rb", COHO_EFIELD),
      ROW("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", COHO_EFIELD),
      ROW("GET / HTTP/1.1\r\nHost: \0\r\n\r\n", COHO_EFIELD),
      ROW("GET / HTTP/1.1\r\nHost: a\x01\r\n\r\n", COHO_EFIELD),
      ROW("GET / HTTP/1.1\r\nHost: a\x0b\r\n\r\n", COHO_EFIELD),
      ROW("GET / HTTP/1.1\r\nHost: a\x7f\r\n\r\n", COHO_EFIELD),
      ROW("GET / HTTP/1.1\r\nHo\0st: a\r\n\r\n", COHO_EFIELD),
      ROW("GET / HTTP/1.1\r\nHost: a\tb\r\n\r\n", 1),
  };
  expect_rows(rows, COHO_COUNT(rows));
}

static void test_HS_25_empty_lines_before_the_request(void **state) {
  (void)state;
  static const struct row rows[] = {
      ROW("\r\nGET / HTTP/1.1\r\n\r\n", 1),
      ROW("\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\n\r\n", 1),
      ROW("\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\n\r\n", COHO_EHTTP),
      ROW("\nGET / HTTP/1.1\r\n\r\n", COHO_EHTTP),
      ROW("\rGET / HTTP/1.1\r\n\r\n", COHO_EHTTP),
      ROW("\r\n", 0),
  };
  expect_rows(rows, COHO_COUNT(rows));
}

static void test_HS_26_space_before_the_first_field(void **state) {
  (void)state;
  expect_request(VIEW("GET / HTTP/1.1\r\n Host: a\r\n\r\n"), COHO_EFIELD);
  expect_request(VIEW("GET / HTTP/1.1\r\n\tHost: a\r\n\r\n"), COHO_EFIELD);
}

/* ---- limits --------------------------------------------------------------------------------- */

static void test_HS_27_long_methods_and_targets(void **state) {
  (void)state;
  expect_stretched("", 'A', 32, " / HTTP/1.1\r\n\r\n", 1);
  expect_stretched("", 'A', 33, " / HTTP/1.1\r\n\r\n", COHO_EMETHOD);
  expect_stretched("", 'A', 20000, "", COHO_EMETHOD);
  expect_stretched("GET /", 'a', 8000, " HTTP/1.1\r\n\r\n", 1);
  expect_stretched("GET /", 'a', 8192 - 14, " HTTP/1.1\r\n\r\n", 1);
  expect_stretched("GET /", 'a', 8192 - 13, " HTTP/1.1\r\n\r\n", COHO_ETARGETLONG);
  expect_stretched("GET /", 'a', 9000, " HTTP/1.1\r\n\r\n", COHO_ETARGETLONG);
}

static void test_A05_long_fields(void **state) {
  (void)state;
  expect_stretched("GET / HTTP/1.1\r\n", 'a', 256, ": x\r\n\r\n", 1);
  expect_stretched("GET / HTTP/1.1\r\n", 'a', 257, ": x\r\n\r\n", COHO_EFIELDLONG);
  expect_stretched("GET / HTTP/1.1\r\nX: ", 'a', 8192, "\r\n\r\n", 1);
  expect_stretched("GET / HTTP/1.1\r\nX: ", 'a', 8193, "\r\n\r\n", COHO_EFIELDLONG);
  expect_stretched("GET / HTTP/1.1\r\nX:", ' ', 20000, "a\r\n\r\n", COHO_EFIELDLONG);
}

static void test_A05_the_whole_head_is_limited_to_the_byte(void **state) {
  (void)state;
  struct coho__view text = VIEW("GET / HTTP/1.1\r\nHost: a\r\nX: bcd\r\n\r\n");
  struct coho__http1_limits limits = {.head = (uint16_t)text.len};
  expect_limits(COHO_HTTP1_REQUEST, &limits, text, 1);
  for (limits.head = 1; limits.head < text.len; limits.head++)
    expect_limits(COHO_HTTP1_REQUEST, &limits, text,
                  limits.head < 16 ? COHO_ETARGETLONG : COHO_EFIELDLONG);
}

/* The table grows by doubling, but not beyond the limit. */
static void test_A05_too_many_fields(void **state) {
  (void)state;
  static const struct coho__http1_limits limits = {.fields = 20};
  struct coho__buf text = COHO_BUF(1000);
  assert_int_equal(coho__buf_append_str(&text, "GET / HTTP/1.1\r\n"), 0);
  for (size_t n = 1; n <= 65; n++) {
    assert_int_equal(coho__buf_append_str(&text, "A:b\r\n\r\n"), 0);
    struct coho__view all = {text.data, text.len};
    if (n == 20) expect_limits(COHO_HTTP1_REQUEST, &limits, all, 1);
    if (n == 21) expect_limits(COHO_HTTP1_REQUEST, &limits, all, COHO_EFIELDCOUNT);
    if (n == 64) expect_request(all, 1);
    if (n == 65) expect_request(all, COHO_EFIELDCOUNT);
    text.len -= 2;
  }
  struct coho__http1 h;
  size_t used;
  coho__http1_init(&h, COHO_HTTP1_REQUEST, &limits);
  assert_int_equal(coho__http1_input(&h, text.data, text.len, &used), COHO_EFIELDCOUNT);
  assert_int_equal(h.fields_cap, 20);
  coho__http1_free(&h);
  coho__buf_release(&text);
}

/* Every byte is fed alone, and afterwards all that was kept so far is spoilt: who looked at a byte
   twice would find another one. A trailing space is all that is ever looked at again. */
static void test_A05_no_byte_is_looked_at_twice(void **state) {
  (void)state;
  struct coho__buf text =
      stretch("\r\nGET /chat HTTP/1.1\r\nHost: a\r\nCookie: ", 'c', 8000, " \r\nX-B: d\r\n\r\n");
  struct coho__http1 h;
  coho__http1_init(&h, COHO_HTTP1_REQUEST, NULL);
  for (size_t i = 0; i < text.len; i++) {
    size_t used;
    assert_int_equal(coho__http1_input(&h, text.data + i, 1, &used), i + 1 == text.len);
    assert_int_equal(used, 1);
    if (h.head.len > 0) memset(h.head.data, 1, h.head.len);
  }
  assert_int_equal(h.field_count, 3);
  assert_int_equal(coho__http1_method(&h).len, 3);
  assert_int_equal(coho__http1_target(&h).len, 5);
  assert_int_equal(coho__http1_name(&h, 1).len, 6);
  assert_int_equal(coho__http1_value(&h, 1).len, 8001);
  assert_int_equal(coho__http1_value(&h, 2).len, 1);
  coho__http1_free(&h);
  coho__buf_release(&text);
}

/* ---- life ----------------------------------------------------------------------------------- */

static void test_reset_keeps_the_memory_and_nothing_else(void **state) {
  (void)state;
  struct coho__http1 h;
  size_t used;
  coho__http1_init(&h, COHO_HTTP1_REQUEST, NULL);
  assert_int_equal(coho__http1_input(&h, PARTS, sizeof PARTS - 1, &used), 1);
  alloc_fail_at(0);
  for (int i = 0; i < 3; i++) {
    coho__http1_reset(&h);
    assert_false(h.complete);
    assert_int_equal(coho__http1_input(&h, "\r\n\r\n\r\n\r\nGET / HTTP/1.0\r\n\r\n", 26, &used), 1);
    assert_int_equal(h.minor, 0);
    assert_int_equal(h.field_count, 0);
  }
  assert_int_equal(alloc_calls(), 0);
  coho__http1_reset(&h);
  assert_int_equal(coho__http1_input(&h, "?", 1, &used), COHO_EHTTP);
  coho__http1_reset(&h);
  assert_int_equal(coho__http1_input(&h, PARTS, sizeof PARTS - 1, &used), 1);
  coho__http1_free(&h);
}

static void test_out_of_memory_anywhere(void **state) {
  (void)state;
  for (long i = 1;; i++) {
    struct coho__http1 h;
    size_t used;
    coho__http1_init(&h, COHO_HTTP1_REQUEST, NULL);
    alloc_fail_at(i);
    int result = coho__http1_input(&h, PARTS, sizeof PARTS - 1, &used);
    assert_int_equal(result, alloc_failed() ? COHO_ENOMEM : 1);
    coho__http1_free(&h);
    alloc_assert_none_live();
    if (!alloc_failed()) break;
  }
  alloc_fail_at(0);
}

/* ---- lists ---------------------------------------------------------------------------------- */

static void check_list(struct coho__http1 *h, int result, size_t used, void *ctx) {
  static const char *const elements[] = {"keep-alive", "Upgrade", "\"a,b\\\",c\";d", "e", "\"f, g"};
  (void)ctx, (void)used;
  assert_int_equal(result, 1);
  struct coho__http1_list it = {0};
  struct coho__view element;
  size_t n = 0;
  while (coho__http1_list_next(h, "connection", &it, &element)) {
    assert_true(n < COHO_COUNT(elements));
    assert_true(coho__view_eq(element, coho__view_of(elements[n++])));
    assert_int_equal(it.count, n);
  }
  assert_int_equal(n, COHO_COUNT(elements));
  assert_true(coho__http1_has_token(h, "Connection", "upgrade"));
  assert_false(coho__http1_has_token(h, "Connection", "keep"));
  assert_false(coho__http1_has_token(h, "Upgrade", "websocket"));
}

static void test_HS_05_lists_in_several_lines_with_empty_elements(void **state) {
  (void)state;
  pieces_head(VIEW("GET / HTTP/1.1\r\nConnection: keep-alive,, \t,Upgrade ,\r\nX: y\r\n"
                   "Connection:\r\nConnection: ,\"a,b\\\",c\";d, e\r\n"
                   "CONNECTION: \"f, g\r\n\r\n"),
              &(struct head_case){COHO_HTTP1_REQUEST, NULL, check_list, NULL});
}

/* ---- responses ------------------------------------------------------------------------------ */

static void check_response(struct coho__http1 *h, int result, size_t used, void *ctx) {
  (void)used, (void)ctx;
  assert_int_equal(result, 1);
  assert_int_equal(h->status, 101);
  assert_int_equal(h->minor, 1);
  assert_view(coho__http1_value(h, 0), "websocket");
}

static void test_HR_07_response_is_taken_apart(void **state) {
  (void)state;
  pieces_head(VIEW("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81"),
              &(struct head_case){COHO_HTTP1_RESPONSE, NULL, check_response, NULL});
}

static void test_HR_07_malformed_responses(void **state) {
  (void)state;
  static const struct row rows[] = {
      ROW("HTTP/1.1 200 \r\n\r\n", 1),
      ROW("HTTP/1.0 404 Not\tFound \xc3\xbc\r\n\r\n", 1),
      ROW("HTTP/1.1 200\r\n\r\n", COHO_ERESPONSE),
      ROW("HTTP/1.1X200 OK\r\n\r\n", COHO_ERESPONSE),
      ROW("HTTP/1.1  200 OK\r\n\r\n", COHO_ERESPONSE),
      ROW("HTTP/1.1 20 OK\r\n\r\n", COHO_ERESPONSE),
      ROW("HTTP/1.1 2000 OK\r\n\r\n", COHO_ERESPONSE),
      ROW("HTTP/1.1 099 OK\r\n\r\n", COHO_ERESPONSE),
      ROW("HTTP/1.1 +10 OK\r\n\r\n", COHO_ERESPONSE),
      ROW("HTTP/1.1 200 O\0K\r\n\r\n", COHO_ERESPONSE),
      ROW("HTTP/1.1 200 O\x01\n\r\n", COHO_ERESPONSE),
      ROW("HTTP/1.1 200 OK\n\r\n", COHO_ERESPONSE),
      ROW("HTTP/2.0 200 OK\r\n\r\n", COHO_ERESPONSE),
      ROW("\r\nHTTP/1.1 200 OK\r\n\r\n", COHO_ERESPONSE),
      ROW("ICY 200 OK\r\n\r\n", COHO_ERESPONSE),
      ROW("HTTP/1.1 200 OK\r\nA : b\r\n\r\n", COHO_ERESPONSE),
      ROW("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", COHO_ERESPONSE),
      ROW("SSH-2.0-OpenSSH_9.2\r\n", COHO_ERESPONSE),
  };
  for (size_t i = 0; i < COHO_COUNT(rows); i++)
    expect_response(rows[i].text, rows[i].result);
}

static void test_HR_10_long_responses(void **state) {
  (void)state;
  struct coho__buf texts[] = {
      stretch("HTTP/1.1 200 ", 'a', 9000, "\r\n\r\n"),
      stretch("HTTP/1.1 200 OK\r\n", 'a', 9000, ": b\r\n\r\n"),
      stretch("HTTP/1.1 200 OK\r\nA: ", 'a', 9000, "\r\n\r\n"),
      stretch("HTTP/1.1 200 OK\r\nA:", ' ', 20000, "\r\n\r\n"),
  };
  for (size_t i = 0; i < COHO_COUNT(texts); i++) {
    expect_response((struct coho__view){texts[i].data, texts[i].len}, COHO_ERESPONSELONG);
    coho__buf_release(&texts[i]);
  }
}

static void test_reason_phrases(void **state) {
  (void)state;
  assert_string_equal(coho__http1_reason(101), "Switching Protocols");
  assert_string_equal(coho__http1_reason(404), "Not Found");
  assert_string_equal(coho__http1_reason(299), "");
#define ANSWER_OF(name, value, answer, rfc, text) answer,
  static const int answers[] = {COHO_ERRORS(ANSWER_OF)};
  for (size_t i = 0; i < COHO_COUNT(answers); i++)
    if (answers[i] >= 100 && answers[i] < 1000)
      assert_string_not_equal(coho__http1_reason(answers[i]), "");
}

int main(void) {
  alloc_fail_at(0);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_byte_classes_are_the_grammars),
      cmocka_unit_test(test_token_and_field_value),
      cmocka_unit_test(test_request_is_taken_apart_and_what_follows_is_left),
      cmocka_unit_test(test_HS_00_malformed_request_lines),
      cmocka_unit_test(test_HS_01_other_major_versions),
      cmocka_unit_test(test_HS_23_space_before_the_colon),
      cmocka_unit_test(test_HS_24_folded_fields),
      cmocka_unit_test(test_HS_25_line_ends_and_control_characters),
      cmocka_unit_test(test_HS_25_empty_lines_before_the_request),
      cmocka_unit_test(test_HS_26_space_before_the_first_field),
      cmocka_unit_test(test_HS_27_long_methods_and_targets),
      cmocka_unit_test(test_A05_long_fields),
      cmocka_unit_test(test_A05_the_whole_head_is_limited_to_the_byte),
      cmocka_unit_test(test_A05_too_many_fields),
      cmocka_unit_test(test_A05_no_byte_is_looked_at_twice),
      cmocka_unit_test(test_reset_keeps_the_memory_and_nothing_else),
      cmocka_unit_test(test_out_of_memory_anywhere),
      cmocka_unit_test(test_HS_05_lists_in_several_lines_with_empty_elements),
      cmocka_unit_test(test_HR_07_response_is_taken_apart),
      cmocka_unit_test(test_HR_07_malformed_responses),
      cmocka_unit_test(test_HR_10_long_responses),
      cmocka_unit_test(test_reason_phrases),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
