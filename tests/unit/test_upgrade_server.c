#include "proto/upgrade_server.h"

#include "base/check.h"
#include "proto/accept_key.h"
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

/* The fields of a handshake, so that a test can leave out or replace one. */
#define LINE                "GET /chat HTTP/1.1\r\n"
#define HOST                "Host: server.example.com\r\n"
#define UPGRADE             "Upgrade: websocket\r\n"
#define CONN                "Connection: Upgrade\r\n"
#define KEY                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define VERSION             "Sec-WebSocket-Version: 13\r\n"
#define GOOD                LINE HOST UPGRADE CONN KEY VERSION

#define HEAD(lines)         VIEW(lines "\r\n")
#define WITH_UPGRADE(lines) HEAD(LINE HOST lines CONN KEY VERSION)
#define WITH_CONN(lines)    HEAD(LINE HOST UPGRADE lines KEY VERSION)
#define WITH_KEY(lines)     HEAD(LINE HOST UPGRADE CONN lines VERSION)
#define KEY_OF(key)         WITH_KEY("Sec-WebSocket-Key: " key "\r\n")
#define WITH_VERSION(lines) HEAD(LINE HOST UPGRADE CONN KEY lines)
#define VERSION_OF(version) WITH_VERSION("Sec-WebSocket-Version: " version "\r\n")
#define PROTOCOLS(list)     HEAD(GOOD "Sec-WebSocket-Protocol: " list "\r\n")
#define EXTENSIONS(list)    HEAD(GOOD "Sec-WebSocket-Extensions: " list "\r\n")

static void check_result(struct coho_request *r, int result, void *ctx) {
  int wanted = *(int *)ctx;
  if (result == 0) result = coho__upgrade_check(r);
  if (result != wanted) fail_msg("%s instead of %s", coho_errname(result), coho_errname(wanted));
}

static void expect(struct coho__view text, int err) { pieces_request(text, check_result, &err); }

/* Every request here fails by this rule, with this HTTP status. */
static void expect_all(const struct coho__view *texts, size_t count, int err, int status) {
  for (size_t i = 0; i < count; i++)
    expect(texts[i], err);
  assert_int_equal(coho_error_answer(err), status);
}

#define EXPECT_ALL(err, status, ...)                     \
  do {                                                   \
    const struct coho__view texts_[] = {__VA_ARGS__};    \
    expect_all(texts_, COHO_COUNT(texts_), err, status); \
  } while (0)

/* A parsed request of a text. */
static void parse(struct coho_request *r, struct coho__view text) {
  size_t used;
  coho__request_init(r, NULL);
  assert_int_equal(coho__http1_input(&r->head, text.data, text.len, &used), 1);
  assert_int_equal(coho__request_parse(r), 0);
}

static struct coho__view all_of(const struct coho__buf *b) {
  return (struct coho__view){b->data, b->len};
}

/* ---- reading the request -------------------------------------------------------------------- */

static void test_HS_01_only_get(void **state) {
  (void)state;
  expect(HEAD(GOOD), 0);
  EXPECT_ALL(COHO_ENOTGET, 405, HEAD("POST / HTTP/1.1\r\n" HOST UPGRADE CONN KEY VERSION),
             HEAD("HEAD / HTTP/1.1\r\n" HOST UPGRADE CONN KEY VERSION),
             HEAD("get / HTTP/1.1\r\n" HOST UPGRADE CONN KEY VERSION));
  expect(HEAD("GET / HTTP/1.2\r\n" HOST UPGRADE CONN KEY VERSION), 0);
}

static void test_HS_02_absolute_target(void **state) {
  (void)state;
  expect(HEAD("GET http://server.example.com/chat HTTP/1.1\r\n" HOST UPGRADE CONN KEY VERSION), 0);
}

static void test_HS_04_upgrade(void **state) {
  (void)state;
  expect(WITH_UPGRADE("Upgrade: WebSocket\r\n"), 0);
  expect(WITH_UPGRADE("Upgrade: foo, websocket\r\n"), 0);
  expect(WITH_UPGRADE("upgrade: h2c\r\nUPGRADE: WEBSOCKET , x\r\n"), 0);
  EXPECT_ALL(COHO_ENOUPGRADE, 426, WITH_UPGRADE(""), WITH_UPGRADE("Upgrade: h2c\r\n"),
             WITH_UPGRADE("Upgrade:\r\n"), WITH_UPGRADE("Upgrade: websocket2\r\n"),
             WITH_UPGRADE("Upgrade: web socket\r\n"), WITH_UPGRADE("Upgrade: \"websocket\"\r\n"),
             WITH_UPGRADE("X-Upgrade: websocket\r\n"));
}

static void check_wanted(struct coho_request *r, int result, void *ctx) {
  assert_int_equal(result, 0);
  assert_int_equal(coho__upgrade_wanted(r), *(bool *)ctx);
}

static void test_HS_04_upgrade_is_wanted_whatever_else_is_wrong(void **state) {
  (void)state;
  bool yes = true, no = false;
  pieces_request(HEAD(LINE HOST UPGRADE), check_wanted, &yes);
  pieces_request(HEAD("POST / HTTP/1.1\r\n" HOST UPGRADE), check_wanted, &yes);
  pieces_request(HEAD(LINE HOST CONN KEY VERSION), check_wanted, &no);
  pieces_request(HEAD("GET / HTTP/1.0\r\n" HOST UPGRADE CONN), check_wanted, &no);
}

static void test_HS_05_connection(void **state) {
  (void)state;
  expect(WITH_CONN("Connection: keep-alive, Upgrade\r\n"), 0);
  expect(WITH_CONN("Connection: keep-alive\r\nconnection: UPGRADE\r\n"), 0);
  EXPECT_ALL(COHO_ECONNECTION, 400, WITH_CONN(""), WITH_CONN("Connection: close\r\n"),
             WITH_CONN("Connection: keep-alive Upgrade\r\n"), WITH_CONN("Connection:\r\n"),
             WITH_CONN("Connection: upgraded\r\n"));
}

static void test_HS_06_key_is_16_bytes(void **state) {
  (void)state;
  expect(KEY_OF(" AAAAAAAAAAAAAAAAAAAAAA== \t"), 0);
  expect(KEY_OF("/////////////////////w=="), 0);
  EXPECT_ALL(COHO_EKEY, 400, WITH_KEY(""), KEY_OF(""), KEY_OF("dGhlIHNhbXBsZSBub25jZQ="),
             KEY_OF("dGhlIHNhbXBsZSBub25jZQ"), KEY_OF("dGhlIHNhbXBsZSBub25j"),
             KEY_OF("AAECAwQFBgcICQoLDA0ODxA="), KEY_OF("AAECAwQFBgcICQoLDA0ODxAREhM="),
             KEY_OF("!!!!IHNhbXBsZSBub25jZQ=="), KEY_OF("dGhl IHNhbXBsZSBub25jZQ=="),
             KEY_OF("__________-_-_-_-____w=="), KEY_OF("dGhlIHNhbXBsZSBub25jZQ==, a"),
             KEY_OF("dGhlIHNhbXBsZSBub25jZQ==="), KEY_OF("dGhlIHNhbXBsZSBub25jZQ=a"),
             KEY_OF("dGhlIHNhbXBsZSBub25jZQAA"));
}

static void test_HS_07_key_twice(void **state) {
  (void)state;
  EXPECT_ALL(COHO_EKEY, 400, WITH_KEY(KEY KEY),
             WITH_KEY(KEY "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"));
}

static void test_HS_08_version(void **state) {
  (void)state;
  expect(VERSION_OF(" 13 "), 0);
  EXPECT_ALL(COHO_EWSVERSION, 400, WITH_VERSION(""), WITH_VERSION(VERSION VERSION), VERSION_OF(""),
             VERSION_OF("013"), VERSION_OF("+13"), VERSION_OF("13,13"), VERSION_OF("13, 8"),
             VERSION_OF("256"), VERSION_OF("abc"), VERSION_OF("-1"), VERSION_OF("13.0"),
             VERSION_OF("00"), VERSION_OF("1 3"), VERSION_OF("99999999999999999999"));
  EXPECT_ALL(COHO_EWSVERSIONOTHER, 426, VERSION_OF("0"), VERSION_OF("8"), VERSION_OF("12"),
             VERSION_OF("14"), VERSION_OF("25"), VERSION_OF("255"));
}

#define FOUR(s)      s s s s
#define THIRTYTWO(s) FOUR(s s s s s s s s)

static void test_HS_10_subprotocols(void **state) {
  (void)state;
  expect(PROTOCOLS("chat,  superchat"), 0);
  expect(PROTOCOLS("a,,b"), 0);
  expect(PROTOCOLS("a\r\nSec-WebSocket-Protocol: b"), 0);
  expect(PROTOCOLS("!#$%&'*+-.^_`|~09azAZ"), 0);
  EXPECT_ALL(COHO_EPROTOCOL, 400, PROTOCOLS("a b"), PROTOCOLS("\"\""), PROTOCOLS("\"a\""),
             PROTOCOLS(""), PROTOCOLS(","), PROTOCOLS("a, b c"), PROTOCOLS("a;b"), PROTOCOLS("a/b"),
             PROTOCOLS("\xc3\xbc"), PROTOCOLS("a\r\nSec-WebSocket-Protocol: b c"));
}

static void test_A06_at_most_32_subprotocols(void **state) {
  (void)state;
  expect(PROTOCOLS(THIRTYTWO("a,")), 0);
  expect(PROTOCOLS(THIRTYTWO("a,") "b"), COHO_EPROTOCOL);
  expect(PROTOCOLS(THIRTYTWO(", ,\t,") "b"), 0);
  expect(PROTOCOLS("b" THIRTYTWO("        ") "x"), COHO_EPROTOCOL);
}

static void test_HS_11_extensions(void **state) {
  (void)state;
  expect(EXTENSIONS("permessage-deflate; client_max_window_bits"), 0);
  expect(EXTENSIONS("a\r\nSec-WebSocket-Extensions: b"), 0);
  EXPECT_ALL(COHO_EEXTENSION, 400, EXTENSIONS("permessage-deflate; =1"), EXTENSIONS("a b"));
}

static void test_HS_12_unknown_fields_are_ignored(void **state) {
  (void)state;
  expect(HEAD(GOOD "X-Foo: bar\r\nSec-WebSocket-Accept: x\r\n"), 0);
}

static void test_HS_14_key_with_pad_bits(void **state) {
  (void)state;
  expect(KEY_OF("AQIDBAUGBwgJCgsMDQ4PEC=="), 0);
  expect(KEY_OF("AQIDBAUGBwgJCgsMDQ4PEA=="), 0);
}

static void test_HS_20_http_1_0_cannot_upgrade(void **state) {
  (void)state;
  expect(HEAD("GET / HTTP/1.0\r\n" HOST UPGRADE CONN KEY VERSION), COHO_ENOUPGRADE);
}

static void test_HS_22_no_body(void **state) {
  (void)state;
  expect(HEAD(GOOD "Content-Length: 0\r\n"), 0);
  EXPECT_ALL(COHO_EUPGRADEBODY, 400, HEAD(GOOD "Content-Length: 1\r\n"),
             HEAD(GOOD "Transfer-Encoding: chunked\r\n"),
             HEAD(GOOD "Transfer-Encoding: gzip, chunked\r\n"));
  EXPECT_ALL(COHO_EBODYLENGTH, 400, HEAD(GOOD "Content-Length: x\r\n"),
             HEAD(GOOD "Content-Length: 0\r\nContent-Length: 0\r\n"),
             HEAD(GOOD "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n"));
}

/* What is wrong first decides the answer: each request breaks its rule and all later ones. */
static void test_A11_order_of_the_rules(void **state) {
  (void)state;
#define BAD_BODY       "Content-Length: 1\r\n"
#define BAD_EXTENSIONS "Sec-WebSocket-Extensions: ;\r\n" BAD_BODY
#define BAD_PROTOCOLS  "Sec-WebSocket-Protocol: ;\r\n" BAD_EXTENSIONS
#define BAD_KEY        "Sec-WebSocket-Key: x\r\n" BAD_PROTOCOLS
  expect(HEAD("POST / HTTP/1.1\r\n" HOST "Sec-WebSocket-Version: 8\r\n" BAD_KEY), COHO_ENOTGET);
  expect(HEAD(LINE HOST "Sec-WebSocket-Version: 8\r\n" BAD_KEY), COHO_ENOUPGRADE);
  expect(HEAD(LINE HOST UPGRADE "Sec-WebSocket-Version: 8\r\n" BAD_KEY), COHO_ECONNECTION);
  expect(HEAD(LINE HOST UPGRADE CONN "Sec-WebSocket-Version: 8\r\n" BAD_KEY), COHO_EWSVERSIONOTHER);
  expect(HEAD(LINE HOST UPGRADE CONN "Sec-WebSocket-Version: x\r\n" BAD_KEY), COHO_EWSVERSION);
  expect(HEAD(LINE HOST UPGRADE CONN VERSION BAD_KEY), COHO_EKEY);
  expect(HEAD(GOOD BAD_PROTOCOLS), COHO_EPROTOCOL);
  expect(HEAD(GOOD BAD_EXTENSIONS), COHO_EEXTENSION);
  expect(HEAD(GOOD BAD_BODY), COHO_EUPGRADEBODY);
}

/* ---- choosing ------------------------------------------------------------------------------- */

static void check_choice(struct coho_request *r, int result, void *ctx) {
  (void)ctx;
  assert_int_equal(result, 0);
  const char *const ours[] = {"zzz", "superchat", "chat", NULL};
  const char *const others[] = {"Chat", "superchat2", NULL};
  assert_int_equal(coho__upgrade_choose(r, ours, true), 0);
  assert_string_equal(r->protocol, "superchat");
  assert_int_equal(coho__upgrade_choose(r, others, false), 0);
  assert_string_equal(r->protocol, "");
  assert_int_equal(coho__upgrade_choose(r, others, true), COHO_ENOPROTOCOL);
  assert_int_equal(coho__upgrade_choose(r, NULL, false), 0);
  assert_int_equal(coho__upgrade_choose(r, NULL, true), COHO_ENOPROTOCOL);
  assert_string_equal(r->protocol, "");
}

static void test_HA_06_subprotocol_is_one_of_the_offers(void **state) {
  (void)state;
  pieces_request(PROTOCOLS("chat, superchat"), check_choice, NULL);
  pieces_request(PROTOCOLS("chat\r\nX: y\r\nSec-WebSocket-Protocol: superchat"), check_choice,
                 NULL);
}

/* ---- Origin --------------------------------------------------------------------------------- */

struct origin_row {
  const char *host, *origin;
  int own; /* what the request's own authority says */
};

static int judge_origin(const char *host, const char *lines, const char *const *list, bool need) {
  struct coho__buf text = COHO_BUF(1000);
  struct coho_request r;
  assert_int_equal(coho__buf_printf(&text, "GET / HTTP/1.1\r\nHost: %s\r\n%s\r\n", host, lines), 0);
  parse(&r, all_of(&text));
  int err = coho__upgrade_origin(&r, list, need);
  coho__request_free(&r);
  coho__buf_release(&text);
  return err;
}

static int judge_one(const char *host, const char *origin, const char *const *list) {
  struct coho__buf line = COHO_BUF(1000);
  assert_int_equal(coho__buf_printf(&line, "Origin: %s\r\n%c", origin, '\0'), 0);
  int err = judge_origin(host, line.data, list, false);
  coho__buf_release(&line);
  return err;
}

static void test_A12_own_origin(void **state) {
  (void)state;
  static const struct origin_row rows[] = {
      {"h", "http://h", 0},
      {"h", "https://h", 0}, /* TLS ends before us */
      {"h", "HTTPS://H", 0},
      {"H.Example", "http://h.example", 0},
      {"h:80", "http://h", 0},
      {"h:443", "https://h", 0},
      {"h", "http://h:80", 0},
      {"h", "https://h:443", 0},
      {"h:8080", "http://h:8080", 0},
      {"h:8080", "https://h:8080", 0},
      {"[::1]:8080", "http://[::1]:8080", 0},
      {"127.0.0.1:8080", "http://127.0.0.1:8080", 0},
      {"h:443", "http://h", COHO_EORIGIN},
      {"h:80", "https://h", COHO_EORIGIN},
      {"h", "http://h:443", COHO_EORIGIN},
      {"h", "http://h:8080", COHO_EORIGIN},
      {"h:8080", "http://h", COHO_EORIGIN},
      {"h:8080", "http://h:8081", COHO_EORIGIN},
      {"localhost:8080", "http://127.0.0.1:8080", COHO_EORIGIN},
      {"good.example", "https://good.example.evil.com", COHO_EORIGIN},
      {"good.example", "https://evilgood.example", COHO_EORIGIN},
      {"good.example", "https://a.good.example", COHO_EORIGIN},
      {"h", "null", COHO_EORIGIN},
      {"h", "NULL", COHO_EORIGIN},
      {"null", "null", COHO_EORIGIN},
      {"h", "", COHO_EORIGIN},
      {"h", "h", COHO_EORIGIN},
      {"h", "//h", COHO_EORIGIN},
      {"h", "http:h", COHO_EORIGIN},
      {"h", "http:xxh", COHO_EORIGIN},
      {"h", "http://", COHO_EORIGIN},
      {"h", "http://h/", COHO_EORIGIN},
      {"h", "http://h/a", COHO_EORIGIN},
      {"h", "http://u@h", COHO_EORIGIN},
      {"h", "http://h http://evil", COHO_EORIGIN},
      {"h", "http://evil http://h", COHO_EORIGIN},
      {"h", "http://h, http://h", COHO_EORIGIN},
      {"h", "file://h", COHO_EORIGIN},
      {"h", "ws://h", COHO_EORIGIN},
      {"h", "chrome-extension://h", COHO_EORIGIN},
  };
  for (size_t i = 0; i < COHO_COUNT(rows); i++)
    if (judge_one(rows[i].host, rows[i].origin, NULL) != rows[i].own)
      fail_msg("%s at %s", rows[i].origin, rows[i].host);
}

static void test_HA_03_listed_origins(void **state) {
  (void)state;
  static const char *const list[] = {"https://Good.example", "http://h:8080",
                                     "chrome-extension://abc", NULL};
  static const char *const nobody[] = {NULL};
  static const char *const null[] = {"null", NULL};
  static const char *const any[] = {"https://a", "*", NULL};
  static const char *const good[] = {"https://good.example", "HTTPS://GOOD.EXAMPLE:443",
                                     "http://H:8080", "chrome-extension://abc"};
  static const char *const bad[] = {"http://good.example",
                                    "http://good.example:443",
                                    "https://good.example:444",
                                    "https://good.example.evil.com",
                                    "https://evil.good.example",
                                    "http://h",
                                    "http://h:80",
                                    "http://h:80800",
                                    "null",
                                    "",
                                    "https://good.example/",
                                    "chrome-extension://abcd",
                                    "http://server.example.com"};
  for (size_t i = 0; i < COHO_COUNT(good); i++)
    if (judge_one("server.example.com", good[i], list)) fail_msg("refused: %s", good[i]);
  for (size_t i = 0; i < COHO_COUNT(bad); i++)
    if (judge_one("server.example.com", bad[i], list) != COHO_EORIGIN)
      fail_msg("accepted: %s", bad[i]);
  assert_int_equal(judge_one("h", "http://h", nobody), COHO_EORIGIN);
  assert_int_equal(judge_one("h", "null", null), 0);
  assert_int_equal(judge_one("h", "Null", null), COHO_EORIGIN);
  assert_int_equal(judge_one("h", "null", any), 0);
  assert_int_equal(judge_one("h", "http://evil", any), 0);
  assert_int_equal(coho_error_answer(COHO_EORIGIN), 403);
}

static void test_HS_09_absent_and_repeated_origin(void **state) {
  (void)state;
  static const char *const any[] = {"*", NULL};
  assert_int_equal(judge_origin("h", "", NULL, false), 0);
  assert_int_equal(judge_origin("h", "", any, false), 0);
  assert_int_equal(judge_origin("h", "", any, true), COHO_EORIGIN);
  assert_int_equal(judge_origin("h", "Origin: http://h\r\n", NULL, true), 0);
  assert_int_equal(judge_origin("h", "Origin: http://h\r\norigin: http://h\r\n", NULL, false),
                   COHO_EFIELD);
  assert_int_equal(judge_origin("h", "Origin: http://h\r\norigin: http://h\r\n", any, false),
                   COHO_EFIELD);
}

static void test_A14_origin_is_held_against_the_absolute_target(void **state) {
  (void)state;
  struct coho_request r;
  parse(&r, VIEW("GET http://a/ HTTP/1.1\r\nHost: b\r\nOrigin: http://b\r\n\r\n"));
  assert_int_equal(coho__upgrade_origin(&r, NULL, false), COHO_EORIGIN);
  coho__request_free(&r);
  parse(&r, VIEW("GET http://a/ HTTP/1.1\r\nHost: b\r\nOrigin: http://a\r\n\r\n"));
  assert_int_equal(coho__upgrade_origin(&r, NULL, false), 0);
  coho__request_free(&r);
}

/* ---- answering ------------------------------------------------------------------------------ */

static void test_HA_09_accept_of_keys(void **state) {
  (void)state;
  static const char *const vectors[][2] = {
      {"dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="},
      {"x3JJHMbDL1EzLkh9GBhXDw==", "HSmrc0sMlYUkAGmm5OPpG2HaGWk="},
      {"AQIDBAUGBwgJCgsMDQ4PEA==", "C/0nmHhBztSRGR1CwL6Tf4ZjwpY="},
      {"AQIDBAUGBwgJCgsMDQ4PEC==", "OfS0wDaT5NoxF2gqm7Zj2YtetzM="},
      {"AAAAAAAAAAAAAAAAAAAAAA==", "ICX+Yqv66kxgM0FcWaLWlFLwTAI="},
      {"/////////////////////w==", "XXpj4jYzLM2yUE0C7TIgMwTQh2g="},
      {"4+/7+AAAAAAAAAAAAAAAAA==", "AsE+2QFEXLbzq1b2fe5kQuyCDpY="},
      {"E4WSEcseoWr4csPLS2QJHA==", "7eQChgCtQMnVILefJAO6dK5JwPc="},
  };
  char accept[29];
  for (size_t i = 0; i < COHO_COUNT(vectors); i++) {
    coho__accept_key(coho__view_of(vectors[i][0]), accept);
    assert_string_equal(accept, vectors[i][1]);
  }
}

struct answer {
  const char *protocol, *extensions;
  struct coho__view fields;
  struct coho__view bytes;
};

static void check_answer(struct coho_request *r, int result, void *ctx) {
  const struct answer *a = (const struct answer *)ctx;
  struct coho__buf out = COHO_BUF(1000);
  assert_int_equal(result, 0);
  assert_int_equal(coho__upgrade_check(r), 0);
  r->protocol = a->protocol;
  assert_int_equal(coho__upgrade_accept(r, a->extensions, a->fields, &out), 0);
  assert_int_equal(out.len, a->bytes.len);
  assert_memory_equal(out.data, a->bytes.data, out.len);
  coho__buf_release(&out);
}

#define ANSWER                           \
  "HTTP/1.1 101 Switching Protocols\r\n" \
  "Upgrade: websocket\r\n"               \
  "Connection: Upgrade\r\n"              \
  "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"

/* A 101 has neither length nor coding (HA-07, HA-10, HA-12); without agreement there is no word of an
   extension. */
static void test_HA_08_HA_12_golden_answers(void **state) {
  (void)state;
  struct answer plain = {"", "", {NULL, 0}, VIEW(ANSWER "\r\n")};
  pieces_request(EXTENSIONS("permessage-deflate\r\nSec-WebSocket-Protocol: chat"), check_answer,
                 &plain);
  struct answer full = {
      "chat", "", VIEW("Set-Cookie: a=b\r\nX-A: c\r\n"),
      VIEW(ANSWER "Sec-WebSocket-Protocol: chat\r\nSet-Cookie: a=b\r\nX-A: c\r\n\r\n")};
  pieces_request(PROTOCOLS("chat"), check_answer, &full);
}

static void test_PM_03_answer_names_the_extension(void **state) {
  (void)state;
  struct answer alone = {
      "",
      "permessage-deflate; server_no_context_takeover",
      {NULL, 0},
      VIEW(ANSWER
           "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n\r\n")};
  pieces_request(EXTENSIONS("permessage-deflate"), check_answer, &alone);
  struct answer full = {"chat", "permessage-deflate", VIEW("X-A: c\r\n"),
                        VIEW(ANSWER
                             "Sec-WebSocket-Protocol: chat\r\n"
                             "Sec-WebSocket-Extensions: permessage-deflate\r\nX-A: c\r\n\r\n")};
  pieces_request(PROTOCOLS("chat"), check_answer, &full);
}

static void test_answer_is_written_whole_or_not_at_all(void **state) {
  (void)state;
  static const char extensions[] = "permessage-deflate";
  struct coho_request r;
  parse(&r, HEAD(GOOD));
  for (size_t max = 3; max < 3 + sizeof ANSWER + sizeof extensions + 28; max++) {
    struct coho__buf out = COHO_BUF(max);
    assert_int_equal(coho__buf_append_str(&out, "abc"), 0);
    assert_int_equal(coho__upgrade_accept(&r, extensions, VIEW(""), &out), COHO_EFULL);
    assert_int_equal(out.len, 3);
    coho__buf_release(&out);
  }
  struct coho__buf out = COHO_BUF(1000);
  alloc_fail_at(1);
  assert_int_equal(coho__upgrade_accept(&r, extensions, VIEW(""), &out), COHO_ENOMEM);
  alloc_fail_at(0);
  assert_int_equal(out.len, 0);
  coho__buf_release(&out);
  coho__request_free(&r);
}

static void test_HA_04_fields_of_refusals(void **state) {
  (void)state;
#define OFFER "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
  static const struct {
    int err;
    const char *fields;
  } rows[] = {
      {COHO_ENOTGET, "Allow: GET\r\n"},
      {COHO_ENOUPGRADE, OFFER},
      {COHO_EWSVERSIONOTHER, OFFER},
      {COHO_EWSVERSION, "Sec-WebSocket-Version: 13\r\n"},
      {COHO_EKEY, ""},
      {COHO_EORIGIN, ""},
      {COHO_EHTTP, ""},
  };
  for (size_t i = 0; i < COHO_COUNT(rows); i++) {
    struct coho__buf out = COHO_BUF(1000);
    assert_int_equal(coho__buf_append_str(&out, ">"), 0);
    assert_int_equal(coho__upgrade_refusal(rows[i].err, &out), 0);
    assert_int_equal(coho__buf_append(&out, "", 1), 0);
    assert_string_equal(out.data + 1, rows[i].fields);
    coho__buf_release(&out);
  }
}

int main(void) {
  alloc_fail_at(0);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_HS_01_only_get),
      cmocka_unit_test(test_HS_02_absolute_target),
      cmocka_unit_test(test_HS_04_upgrade),
      cmocka_unit_test(test_HS_04_upgrade_is_wanted_whatever_else_is_wrong),
      cmocka_unit_test(test_HS_05_connection),
      cmocka_unit_test(test_HS_06_key_is_16_bytes),
      cmocka_unit_test(test_HS_07_key_twice),
      cmocka_unit_test(test_HS_08_version),
      cmocka_unit_test(test_HS_10_subprotocols),
      cmocka_unit_test(test_A06_at_most_32_subprotocols),
      cmocka_unit_test(test_HS_11_extensions),
      cmocka_unit_test(test_HS_12_unknown_fields_are_ignored),
      cmocka_unit_test(test_HS_14_key_with_pad_bits),
      cmocka_unit_test(test_HS_20_http_1_0_cannot_upgrade),
      cmocka_unit_test(test_HS_22_no_body),
      cmocka_unit_test(test_A11_order_of_the_rules),
      cmocka_unit_test(test_HA_06_subprotocol_is_one_of_the_offers),
      cmocka_unit_test(test_A12_own_origin),
      cmocka_unit_test(test_HA_03_listed_origins),
      cmocka_unit_test(test_HS_09_absent_and_repeated_origin),
      cmocka_unit_test(test_A14_origin_is_held_against_the_absolute_target),
      cmocka_unit_test(test_HA_09_accept_of_keys),
      cmocka_unit_test(test_HA_08_HA_12_golden_answers),
      cmocka_unit_test(test_PM_03_answer_names_the_extension),
      cmocka_unit_test(test_answer_is_written_whole_or_not_at_all),
      cmocka_unit_test(test_HA_04_fields_of_refusals),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
