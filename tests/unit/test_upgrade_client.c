#include "proto/upgrade_client.h"

#include "base/base64.h"
#include "base/check.h"
#include "proto/inflater.h"
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

/* "the sample nonce", the nonce of RFC 6455 1.3 */
static const unsigned char NONCE[16] = {'t', 'h', 'e', ' ', 's', 'a', 'm', 'p',
                                        'l', 'e', ' ', 'n', 'o', 'n', 'c', 'e'};
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

static int start(struct coho__upgrade_client *u, const char *url_text,
                 struct coho__upgrade_request request, struct coho__buf *out) {
  struct coho__url url;
  const char *why;
  assert_int_equal(coho__url_parse(&url, url_text, COHO_URL_CONNECT, &why), 0);
  request.url = &url;
  int err = coho__upgrade_client_init(u, &request, NONCE, out);
  coho__url_free(&url);
  return err;
}

static void expect_request(const char *url, struct coho__upgrade_request request,
                           const char *bytes) {
  struct coho__upgrade_client u;
  struct coho__buf out = COHO_BUF(10000);
  assert_int_equal(start(&u, url, request, &out), 0);
  assert_int_equal(coho__buf_append(&out, "", 1), 0);
  assert_string_equal(out.data, bytes);
  coho__buf_release(&out);
  coho__upgrade_client_free(&u);
}

static void expect_refused(struct coho__upgrade_request request) {
  struct coho__upgrade_client u;
  struct coho__buf out = COHO_BUF(10000);
  assert_int_equal(coho__buf_append_str(&out, "abc"), 0);
  assert_int_equal(start(&u, "ws://h/", request, &out), COHO_EINVAL);
  assert_int_equal(out.len, 3);
  coho__buf_release(&out);
  coho__upgrade_client_free(&u);
}

struct answer {
  const char *name;
  struct coho__view bytes;
  const char *const *offer;
  int result;
  int status;
  const char *protocol;
  size_t frames; /* bytes behind the head */
  bool required;
};

static void run_answer(struct pieces *p, void *ctx) {
  const struct answer *a = (const struct answer *)ctx;
  struct coho__upgrade_client u;
  struct coho__upgrade_request request = {.protocols = a->offer, .protocol_required = a->required};
  struct coho__buf out = COHO_BUF(10000);
  struct coho__view piece;
  int result = 0;
  size_t used = 0, n = 0;
  assert_int_equal(start(&u, "ws://h/", request, &out), 0);
  while (result == 0 && pieces_next(p, &piece)) {
    result = coho__upgrade_client_input(&u, piece.data, piece.len, &n);
    used += n;
  }
  if (result != a->result)
    fail_msg("%s: %s instead of %s", a->name, coho_errname(result), coho_errname(a->result));
  assert_int_equal(u.head.status, a->status);
  if (result > 0) assert_int_equal(used, p->all.len - a->frames);
  assert_string_equal(coho__upgrade_client_protocol(&u), a->protocol ? a->protocol : "");
  assert_int_equal(coho__upgrade_client_input(&u, "\x81", 1, &n), result); /* sticky */
  assert_int_equal(n, result == 0 ? 1 : 0);
  coho__upgrade_client_free(&u);
  coho__buf_release(&out);
}

static void expect_answer(struct answer a) { pieces_each(a.bytes, run_answer, &a); }

#define OFFERED "chat, superchat"
static const char *const OFFER[] = {"chat", "superchat", NULL};

#define STATUS  "HTTP/1.1 101 Switching Protocols\r\n"
#define UPGRADE "Upgrade: websocket\r\n"
#define CONN    "Connection: Upgrade\r\n"
#define KEY     "Sec-WebSocket-Accept: " ACCEPT "\r\n"
#define OPEN    STATUS UPGRADE CONN KEY

/* Answers of status 101 that open, and that fail. */
#define OPENS(lines) \
  expect_answer((struct answer){lines, VIEW(lines "\r\n"), NULL, 1, 101, "", 0, false})
#define FAILS(lines, result) \
  expect_answer((struct answer){lines, VIEW(lines "\r\n"), NULL, result, 101, "", 0, false})
#define CHOOSES(lines, result, protocol) \
  expect_answer(                         \
      (struct answer){lines, VIEW(OPEN lines "\r\n"), OFFER, result, 101, protocol, 0, false})

/* ---- the request ---------------------------------------------------------------------------- */

#define HANDSHAKE                                   \
  "Upgrade: websocket\r\n"                          \
  "Connection: Upgrade\r\n"                         \
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" \
  "Sec-WebSocket-Version: 13\r\n"

static void test_HC_01_HC_08_golden_request(void **state) {
  (void)state;
  expect_request("ws://server.example.com/chat?x=1", (struct coho__upgrade_request){.url = NULL},
                 "GET /chat?x=1 HTTP/1.1\r\nHost: server.example.com\r\n" HANDSHAKE "\r\n");
}

static void test_HC_02_HC_03_target_and_host(void **state) {
  (void)state;
  struct coho__upgrade_request none = {.url = NULL};
  expect_request("ws://h", none, "GET / HTTP/1.1\r\nHost: h\r\n" HANDSHAKE "\r\n");
  expect_request("wss://H:443?a", none, "GET /?a HTTP/1.1\r\nHost: h\r\n" HANDSHAKE "\r\n");
  expect_request("ws://h:443/", none, "GET / HTTP/1.1\r\nHost: h:443\r\n" HANDSHAKE "\r\n");
  expect_request("ws://[::1]:81/", none, "GET / HTTP/1.1\r\nHost: [::1]:81\r\n" HANDSHAKE "\r\n");
}

static void test_HC_06_key_is_the_nonce(void **state) {
  (void)state;
  for (unsigned i = 0; i < 256; i++) {
    struct coho__upgrade_client u;
    struct coho__upgrade_request request = {.url = NULL};
    struct coho__url url;
    struct coho__buf out = COHO_BUF(1000);
    const char *why;
    unsigned char nonce[16], decoded[18];
    for (unsigned k = 0; k < 16; k++)
      nonce[k] = (unsigned char)(i + k * 31);
    assert_int_equal(coho__url_parse(&url, "ws://h", COHO_URL_CONNECT, &why), 0);
    request.url = &url;
    assert_int_equal(coho__upgrade_client_init(&u, &request, nonce, &out), 0);
    assert_int_equal(strlen(u.key), 24);
    assert_int_equal(coho__base64_decode(decoded, u.key, 24), 16);
    assert_memory_equal(decoded, nonce, 16);
    coho__url_free(&url);
    coho__buf_release(&out);
    coho__upgrade_client_free(&u);
  }
}

static void test_HC_07_HC_09_HC_11_golden_request_with_everything(void **state) {
  (void)state;
  static const char *const headers[] = {"Cookie: a=b", "X-Empty:", "authorization:  Basic eDp5 ",
                                        "X-U: \xc3\xbc", NULL};
  expect_request("ws://h/",
                 (struct coho__upgrade_request){
                     .protocols = OFFER, .headers = headers, .origin = "https://example.com"},
                 "GET / HTTP/1.1\r\nHost: h\r\n" HANDSHAKE "Origin: https://example.com\r\n"
                 "Sec-WebSocket-Protocol: " OFFERED "\r\n"
                 "Cookie: a=b\r\nX-Empty: \r\nauthorization: Basic eDp5\r\nX-U: \xc3\xbc\r\n\r\n");
}

static void test_HC_10_PM_01_golden_request_with_compression(void **state) {
  (void)state;
  static const char *const headers[] = {"A: b", NULL};
  coho_deflate deflate = {.mode = COHO_DEFLATE_SHARED, .window = 15, .peer_window = 10};
  expect_request(
      "ws://h/",
      (struct coho__upgrade_request){.protocols = OFFER, .headers = headers, .deflate = &deflate},
      "GET / HTTP/1.1\r\nHost: h\r\n" HANDSHAKE "Sec-WebSocket-Protocol: " OFFERED "\r\n"
      "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
      "client_no_context_takeover; server_max_window_bits=10; client_max_window_bits\r\n"
      "A: b\r\n\r\n");
  deflate.mode = COHO_DEFLATE_OFF;
  expect_request("ws://h/", (struct coho__upgrade_request){.deflate = &deflate},
                 "GET / HTTP/1.1\r\nHost: h\r\n" HANDSHAKE "\r\n");
}

static void test_HC_09_invalid_subprotocols(void **state) {
  (void)state;
  static const char *const none[] = {NULL};
  static const char *const lists[][4] = {{"a", "b", "a"}, {"a", "a"},  {""},          {"a", ""},
                                         {"a b"},         {"a,b"},     {"a\r\nX: y"}, {"\"a\""},
                                         {"a/b"},         {"\xc3\xbc"}};
  static const char *const cases[] = {"chat", "Chat", NULL};
  for (size_t i = 0; i < COHO_COUNT(lists); i++)
    expect_refused((struct coho__upgrade_request){.protocols = lists[i]});
  expect_request("ws://h", (struct coho__upgrade_request){.protocols = none},
                 "GET / HTTP/1.1\r\nHost: h\r\n" HANDSHAKE "\r\n");
  expect_request("ws://h", (struct coho__upgrade_request){.protocols = cases},
                 "GET / HTTP/1.1\r\nHost: h\r\n" HANDSHAKE
                 "Sec-WebSocket-Protocol: chat, Chat\r\n\r\n");
}

static void test_HC_13_injection(void **state) {
  (void)state;
  static const char *const headers[] = {"X: a\r\nY: b",
                                        "X: a\rb",
                                        "X: a\nb",
                                        "X: a\n",
                                        "X: a\r\n b",
                                        "X\r\nY: a",
                                        "X : a",
                                        " X: a",
                                        ": a",
                                        "X",
                                        "",
                                        "X: a\x7f",
                                        "X: a\x01",
                                        "X Y: a",
                                        "X\t: a",
                                        "\xc3: a",
                                        "X: a\r\n\r\n\x81"};
  for (size_t i = 0; i < COHO_COUNT(headers); i++) {
    const char *const list[] = {"Good: yes", headers[i], NULL};
    expect_refused((struct coho__upgrade_request){.headers = list});
  }
  expect_refused((struct coho__upgrade_request){.origin = "http://a\r\nX: y"});
  expect_refused((struct coho__upgrade_request){.origin = "http://a\n"});
  expect_refused((struct coho__upgrade_request){.origin = ""});
}

static void test_HC_13_fields_that_are_ours(void **state) {
  (void)state;
  static const char *const headers[] = {"Host: a",
                                        "host: a",
                                        "Upgrade: h2c",
                                        "CONNECTION: close",
                                        "Content-Length: 0",
                                        "Transfer-Encoding: chunked",
                                        "Expect: 100-continue",
                                        "Sec-WebSocket-Key: a",
                                        "sec-websocket-version: 8",
                                        "Sec-WebSocket-Protocol: a",
                                        "Sec-WebSocket-Extensions: a",
                                        "Sec-WebSocket-: a"};
  for (size_t i = 0; i < COHO_COUNT(headers); i++) {
    const char *const list[] = {headers[i], NULL};
    expect_refused((struct coho__upgrade_request){.headers = list});
  }
  static const char *const origin[] = {"Origin: http://a", NULL};
  expect_refused((struct coho__upgrade_request){.headers = origin, .origin = "http://b"});
  expect_request("ws://h", (struct coho__upgrade_request){.headers = origin},
                 "GET / HTTP/1.1\r\nHost: h\r\n" HANDSHAKE "Origin: http://a\r\n\r\n");
}

static void test_request_is_written_whole_or_not_at_all(void **state) {
  (void)state;
  static const char *const headers[] = {"A: b", NULL};
  struct coho__upgrade_request request = {
      .protocols = OFFER, .headers = headers, .origin = "http://a"};
  struct coho__upgrade_client u;
  size_t max = 3;
  int err;
  do {
    struct coho__buf out = COHO_BUF(max++);
    assert_int_equal(coho__buf_append_str(&out, "abc"), 0);
    err = start(&u, "ws://h:81/", request, &out);
    if (err) assert_int_equal(out.len, 3);
    if (err) assert_int_equal(err, COHO_EFULL);
    coho__buf_release(&out);
    coho__upgrade_client_free(&u);
  } while (err);
  assert_in_range(max, 200, 300);
}

/* Handshake and answer, with each allocation failing in turn. */
static void test_out_of_memory_anywhere(void **state) {
  (void)state;
  static const char answer[] = OPEN "\r\n";
  static const char long_host[] =
      "ws://a.host.name.that.is.longer.than.what.a.buffer.takes.when.it.grows.for.the.first.time";
  long i = 1;
  bool failed;
  do {
    struct coho__upgrade_client u;
    struct coho__upgrade_request request = {.protocols = OFFER};
    struct coho__url url;
    struct coho__buf out = COHO_BUF(1000);
    const char *why;
    size_t used;
    alloc_fail_at(0);
    assert_int_equal(coho__url_parse(&url, long_host, COHO_URL_CONNECT, &why), 0);
    request.url = &url;
    alloc_fail_at(i++);
    int err = coho__upgrade_client_init(&u, &request, NONCE, &out);
    if (err) assert_int_equal(out.len, 0);
    int result = err ? err : coho__upgrade_client_input(&u, answer, sizeof answer - 1, &used);
    failed = alloc_failed();
    assert_int_equal(result, failed ? COHO_ENOMEM : 1);
    coho__upgrade_client_free(&u);
    coho__buf_release(&out);
    coho__url_free(&url);
    alloc_assert_none_live();
  } while (failed);
  alloc_fail_at(0);
}

/* ---- the answer ----------------------------------------------------------------------------- */

static void test_HR_01_other_status(void **state) {
  (void)state;
#define STATUS_OF(status, text) \
  { #status, VIEW(text), NULL, COHO_ESTATUS, status, "", 0, false }
  const struct answer rows[] = {
      STATUS_OF(200, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"),
      STATUS_OF(302, "HTTP/1.1 302 Found\r\nLocation: ws://evil/\r\n\r\n"),
      STATUS_OF(401, "HTTP/1.0 401 \r\n\r\n"),
      STATUS_OF(426, "HTTP/1.1 426 Upgrade Required\r\n" UPGRADE CONN KEY "\r\n"),
      STATUS_OF(503, "HTTP/1.1 503 X\r\n\r\n"),
  };
  for (size_t i = 0; i < COHO_COUNT(rows); i++)
    expect_answer(rows[i]);
}

static void test_HR_02_upgrade(void **state) {
  (void)state;
  OPENS(OPEN);
  OPENS(STATUS "upgrade: WebSocket \r\n" CONN KEY);
  FAILS(STATUS CONN KEY, COHO_EANSWERUPGRADE);
  FAILS(STATUS "Upgrade: h2c\r\n" CONN KEY, COHO_EANSWERUPGRADE);
  FAILS(STATUS "Upgrade:\r\n" CONN KEY, COHO_EANSWERUPGRADE);
  FAILS(STATUS "Upgrade: websocket, h2c\r\n" CONN KEY, COHO_EANSWERUPGRADE);
  FAILS(STATUS UPGRADE "Upgrade: h2c\r\n" CONN KEY, COHO_EANSWERUPGRADE);
}

static void test_HR_03_connection(void **state) {
  (void)state;
  OPENS(STATUS UPGRADE "Connection: keep-alive, UPGRADE\r\n" KEY);
  OPENS(STATUS UPGRADE "Connection: keep-alive\r\n" CONN KEY);
  FAILS(STATUS UPGRADE KEY, COHO_EANSWERCONNECTION);
  FAILS(STATUS UPGRADE "Connection: keep-alive\r\n" KEY, COHO_EANSWERCONNECTION);
  FAILS(STATUS UPGRADE "Connection: upgraded\r\n" KEY, COHO_EANSWERCONNECTION);
}

static void test_HR_04_accept(void **state) {
  (void)state;
  OPENS(STATUS UPGRADE CONN "Sec-WebSocket-Accept: \t" ACCEPT "  \r\n");
  FAILS(STATUS UPGRADE CONN, COHO_EACCEPT);
  FAILS(STATUS UPGRADE CONN "Sec-WebSocket-Accept:\r\n", COHO_EACCEPT);
  FAILS(STATUS UPGRADE CONN "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOO=\r\n", COHO_EACCEPT);
  FAILS(STATUS UPGRADE CONN "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", COHO_EACCEPT);
  FAILS(STATUS UPGRADE CONN "Sec-WebSocket-Accept: " ACCEPT "x\r\n", COHO_EACCEPT);
  FAILS(STATUS UPGRADE CONN KEY KEY, COHO_EACCEPT);
}

static void test_HR_05_extensions(void **state) {
  (void)state;
  FAILS(OPEN "Sec-WebSocket-Extensions: x-foo\r\n", COHO_EANSWEREXTENSION);
  FAILS(OPEN "Sec-WebSocket-Extensions: permessage-deflate; a=b\r\n", COHO_EANSWEREXTENSION);
  FAILS(OPEN "Sec-WebSocket-Extensions: x-foo;\r\n", COHO_EEXTENSION);
  FAILS(OPEN "Sec-WebSocket-Extensions:\r\n", COHO_EEXTENSION);
}

struct deflated {
  struct coho__upgrade_client u;
  struct coho__buf out;
};

/* The answer's result, after compression with contexts was offered. */
static int answer_deflate(struct deflated *d, const char *answer) {
  static const coho_deflate offered = {
      .mode = COHO_DEFLATE_OWN, .window = 12, .peer_window = 15, .memory = 5, .level = 6};
  struct coho__upgrade_request request = {.protocols = OFFER, .deflate = &offered};
  size_t used;
  d->out = COHO_BUF(10000);
  assert_int_equal(start(&d->u, "ws://h/", request, &d->out), 0);
  return coho__upgrade_client_input(&d->u, answer, strlen(answer), &used);
}

static void drop_deflated(struct deflated *d) {
  coho__upgrade_client_free(&d->u);
  coho__buf_release(&d->out);
}

#define EXTENSIONS "Sec-WebSocket-Extensions: "

static void test_PM_06_PM_07_compression_is_agreed_on(void **state) {
  (void)state;
  struct deflated d;
  assert_int_equal(answer_deflate(&d, OPEN "\r\n"), 1);
  assert_false(d.u.terms.agreed);
  drop_deflated(&d);
  assert_int_equal(answer_deflate(&d,
                                  OPEN EXTENSIONS "permessage-deflate; client_no_context_takeover;"
                                                  " server_max_window_bits=9\r\n\r\n"),
                   1);
  assert_true(d.u.terms.agreed && d.u.terms.client_no_context && !d.u.terms.server_no_context);
  assert_int_equal(d.u.terms.server_window, 9);
  assert_int_equal(coho_contexts_used(), coho__inflater_size(9));
  drop_deflated(&d); /* nobody took the terms over */
  assert_int_equal(coho_contexts_used(), 0);
}

static void test_PD_02_compression_that_does_not_fit(void **state) {
  (void)state;
  static const char *const answers[][2] = {
      {OPEN EXTENSIONS "permessage-deflate; server_max_window_bits=16\r\n\r\n", ""},
      {OPEN EXTENSIONS "permessage-deflate\r\nSec-WebSocket-Protocol: zzz\r\n\r\n", "p"},
  };
  struct deflated d;
  for (size_t i = 0; i < COHO_COUNT(answers); i++) {
    assert_int_equal(answer_deflate(&d, answers[i][0]),
                     *answers[i][1] ? COHO_EANSWERPROTOCOL : COHO_EANSWERDEFLATE);
    assert_false(d.u.terms.agreed);
    assert_int_equal(coho_contexts_used(), 0);
    drop_deflated(&d);
  }
}

static void test_HR_06_HR_07_subprotocol(void **state) {
  (void)state;
  CHOOSES("", 1, "");
  CHOOSES("Sec-WebSocket-Protocol: chat\r\n", 1, "chat");
  CHOOSES("sec-websocket-protocol:superchat \r\n", 1, "superchat");
  CHOOSES("Sec-WebSocket-Protocol: zzz\r\n", COHO_EANSWERPROTOCOL, "");
  CHOOSES("Sec-WebSocket-Protocol: Chat\r\n", COHO_EANSWERPROTOCOL, "");
  CHOOSES("Sec-WebSocket-Protocol: \r\n", COHO_EANSWERPROTOCOL, "");
  CHOOSES("Sec-WebSocket-Protocol: chat, superchat\r\n", COHO_EANSWERPROTOCOL, "");
  CHOOSES("Sec-WebSocket-Protocol: chat,\r\n", COHO_EANSWERPROTOCOL, "");
  CHOOSES("Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: chat\r\n", COHO_EANSWERPROTOCOL,
          "");
  FAILS(OPEN "Sec-WebSocket-Protocol: chat\r\n", COHO_EANSWERPROTOCOL);
}

static void test_HR_08_no_subprotocol_though_required(void **state) {
  (void)state;
  expect_answer(
      (struct answer){"none", VIEW(OPEN "\r\n"), OFFER, COHO_ENOPROTOCOL, 101, "", 0, true});
  expect_answer((struct answer){"one", VIEW(OPEN "Sec-WebSocket-Protocol: chat\r\n\r\n"), OFFER, 1,
                                101, "chat", 0, true});
}

static void test_HR_07_http_1_0_and_malformed(void **state) {
  (void)state;
  FAILS("HTTP/1.0 101 X\r\n" UPGRADE CONN KEY, COHO_ERESPONSE);
  FAILS(STATUS "Upgrade : websocket\r\n", COHO_ERESPONSE);
  FAILS(STATUS "Upgrade: web\r\n socket\r\n", COHO_ERESPONSE);
  expect_answer(
      (struct answer){"bytes", VIEW("\x81\x05hello"), NULL, COHO_ERESPONSE, 0, "", 0, false});
}

static void test_HR_09_other_fields_are_ignored(void **state) {
  (void)state;
  OPENS(OPEN "Set-Cookie: a=b\r\nServer: x\r\nSec-WebSocket-Version: 13\r\n");
}

#define INTERIM "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
#define FOUR(s) s s s s

static void test_HR_10_interim_answers(void **state) {
  (void)state;
  OPENS("HTTP/1.1 100 Continue\r\n\r\n" INTERIM OPEN);
  OPENS(FOUR(INTERIM) FOUR(INTERIM) OPEN);
  expect_answer((struct answer){"nine", VIEW(FOUR(INTERIM) FOUR(INTERIM) INTERIM OPEN "\r\n"), NULL,
                                COHO_ERESPONSELONG, 103, "", 0, false});
  expect_answer((struct answer){"then 403", VIEW(INTERIM "HTTP/1.1 403 No\r\n\r\n"), NULL,
                                COHO_ESTATUS, 403, "", 0, false});
}

static void test_HR_10_endless_head(void **state) {
  (void)state;
  char text[20000];
  memset(text, 'a', sizeof text);
  memcpy(text, STATUS "X: ", sizeof STATUS + 2);
  expect_answer(
      (struct answer){"long", {text, sizeof text}, NULL, COHO_ERESPONSELONG, 101, "", 0, false});
}

static void test_HR_11_bytes_behind_the_head_are_frames(void **state) {
  (void)state;
  expect_answer((struct answer){"frames", VIEW(OPEN "\r\n\x81\x02hi"), NULL, 1, 101, "", 4, false});
  expect_answer((struct answer){"length", VIEW(OPEN "Content-Length: 4\r\n\r\n\x81\x02hi"), NULL, 1,
                                101, "", 4, false});
}

int main(void) {
  alloc_fail_at(0);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_HC_01_HC_08_golden_request),
      cmocka_unit_test(test_HC_02_HC_03_target_and_host),
      cmocka_unit_test(test_HC_06_key_is_the_nonce),
      cmocka_unit_test(test_HC_07_HC_09_HC_11_golden_request_with_everything),
      cmocka_unit_test(test_HC_10_PM_01_golden_request_with_compression),
      cmocka_unit_test(test_HC_09_invalid_subprotocols),
      cmocka_unit_test(test_HC_13_injection),
      cmocka_unit_test(test_HC_13_fields_that_are_ours),
      cmocka_unit_test(test_request_is_written_whole_or_not_at_all),
      cmocka_unit_test(test_out_of_memory_anywhere),
      cmocka_unit_test(test_HR_01_other_status),
      cmocka_unit_test(test_HR_02_upgrade),
      cmocka_unit_test(test_HR_03_connection),
      cmocka_unit_test(test_HR_04_accept),
      cmocka_unit_test(test_HR_05_extensions),
      cmocka_unit_test(test_PM_06_PM_07_compression_is_agreed_on),
      cmocka_unit_test(test_PD_02_compression_that_does_not_fit),
      cmocka_unit_test(test_HR_06_HR_07_subprotocol),
      cmocka_unit_test(test_HR_08_no_subprotocol_though_required),
      cmocka_unit_test(test_HR_07_http_1_0_and_malformed),
      cmocka_unit_test(test_HR_09_other_fields_are_ignored),
      cmocka_unit_test(test_HR_10_interim_answers),
      cmocka_unit_test(test_HR_10_endless_head),
      cmocka_unit_test(test_HR_11_bytes_behind_the_head_are_frames),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
