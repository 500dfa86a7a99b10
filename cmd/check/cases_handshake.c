/* handshake, of a server: requests that it has to accept and requests that it has to refuse. */
#include "cases.h"
#include "expect.h"
#include "refusal.h"
#include "verdict.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

static const char ours[] = "RFC 6455 4.2.1";

/* clang-format off */
static const struct refusal_row rows[] = {
  {"handshake.method-post", "request with the method POST", ours, {.method = "POST"}, REFUSAL_PLAIN, 0, EDIT_NONE},
  {"handshake.http-1.0", "request of HTTP/1.0", ours, {.version = "HTTP/1.0"}, REFUSAL_PLAIN, 0, EDIT_NONE},
  {"handshake.host-missing", "request without Host", "RFC 6455 4.2.1, RFC 9112 3.2", {.host = ""},
   REFUSAL_ERROR, 0, EDIT_NONE},
  {"handshake.host-twice", "request with two Host fields", "RFC 9112 3.2", {.more = "Host: other.example\r\n"},
   REFUSAL_ERROR, 0, EDIT_NONE},
  {"handshake.upgrade-missing", "request without Upgrade", ours, {.upgrade = ""}, REFUSAL_PLAIN, 0, EDIT_NONE},
  {"handshake.upgrade-other", "request with Upgrade: h2c", ours, {.upgrade = "h2c"}, REFUSAL_PLAIN, 0,
   EDIT_NONE},
  {"handshake.connection-missing", "request without Connection", ours, {.connection = ""}, REFUSAL_PLAIN, 0,
   EDIT_NONE},
  {"handshake.connection-other", "request with Connection: keep-alive", ours, {.connection = "keep-alive"},
   REFUSAL_PLAIN, 0, EDIT_NONE},
  {"handshake.key-missing", "request without Sec-WebSocket-Key", ours, {.key = ""}, REFUSAL_ERROR, 0,
   EDIT_NONE},
  {"handshake.key-empty", "request with an empty Sec-WebSocket-Key", ours,
   {.key = "", .more = "Sec-WebSocket-Key: \r\n"}, REFUSAL_ERROR, 0, EDIT_NONE},
  {"handshake.key-twice", "request with two Sec-WebSocket-Key fields", "RFC 6455 11.3.1",
   {.more = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"}, REFUSAL_ERROR, 0, EDIT_NONE},
  /* "It is not necessary for the server to base64-decode" the key, says 4.2.2. */
  {"handshake.key-short", "Sec-WebSocket-Key of 15 bytes instead of 16", ours, {.key = "dGhlIHNhbXBsZSBub25j"}, REFUSAL_ERROR,
   CASE_INFO, EDIT_NONE},
  {"handshake.key-long", "Sec-WebSocket-Key of 17 bytes instead of 16", ours, {.key = "AAECAwQFBgcICQoLDA0ODxA="},
   REFUSAL_ERROR, CASE_INFO, EDIT_NONE},
  {"handshake.key-digits", "Sec-WebSocket-Key that is not base64", ours, {.key = "!!!!IHNhbXBsZSBub25jZQ=="},
   REFUSAL_ERROR, CASE_INFO, EDIT_NONE},
  {"handshake.version-missing", "request without Sec-WebSocket-Version", ours, {.ws_version = ""},
   REFUSAL_ERROR, 0, EDIT_NONE},
  {"handshake.version-0", "Sec-WebSocket-Version: 0", "RFC 6455 4.2.2, 4.4", {.ws_version = "0"},
   REFUSAL_VERSION, 0, EDIT_NONE},
  {"handshake.version-14", "Sec-WebSocket-Version: 14", "RFC 6455 4.2.2, 4.4", {.ws_version = "14"},
   REFUSAL_VERSION, 0, EDIT_NONE},
  {"handshake.version-255", "Sec-WebSocket-Version: 255", "RFC 6455 4.2.2, 4.4", {.ws_version = "255"},
   REFUSAL_VERSION, 0, EDIT_NONE},
  {"handshake.version-zeros", "Sec-WebSocket-Version: 013", "RFC 6455 4.2.1, 4.3", {.ws_version = "013"},
   REFUSAL_ERROR, 0, EDIT_NONE},
  {"handshake.version-list", "Sec-WebSocket-Version: 13, 14", "RFC 6455 4.2.1, 4.3", {.ws_version = "13, 14"},
   REFUSAL_ERROR, 0, EDIT_NONE},
  {"handshake.version-word", "Sec-WebSocket-Version: abc", "RFC 6455 4.2.1, 4.3", {.ws_version = "abc"},
   REFUSAL_ERROR, 0, EDIT_NONE},
  {"handshake.version-twice", "request with two Sec-WebSocket-Version fields", "RFC 6455 11.3.5",
   {.more = "Sec-WebSocket-Version: 14\r\n"}, REFUSAL_ERROR, 0, EDIT_NONE},

  {"handshake.connection-list", "Connection: keep-alive, Upgrade", ours,
   {.connection = "keep-alive, Upgrade"}, REFUSAL_NONE, 0, EDIT_NONE},
  {"handshake.connection-case", "Connection: uPGRADE", ours, {.connection = "uPGRADE"},
   REFUSAL_NONE, 0, EDIT_NONE},
  {"handshake.connection-lines", "Connection on two lines", ours,
   {.connection = "keep-alive", .more = "Connection: Upgrade\r\n"}, REFUSAL_NONE, 0, EDIT_NONE},
  {"handshake.upgrade-case", "Upgrade: WebSocket", ours, {.upgrade = "WebSocket"}, REFUSAL_NONE, 0,
   EDIT_NONE},
  {"handshake.upgrade-list", "Upgrade: x-coho, websocket", ours, {.upgrade = "x-coho, websocket"},
   REFUSAL_NONE, CASE_INFO, EDIT_NONE},
  {"handshake.name-case", "field names in upper and lower case", "RFC 9110 5.1",
   {.upgrade = "", .connection = "", .more = "uPGRADE: websocket\r\nCONNECTION: Upgrade\r\n"},
   REFUSAL_NONE, 0, EDIT_NONE},
  {"handshake.blanks", "no blank, and several, around the values of fields", "RFC 9112 5.1",
   {.upgrade = "", .connection = "", .more = "Upgrade:websocket\r\nConnection:   Upgrade  \r\n"},
   REFUSAL_NONE, 0, EDIT_NONE},
  {"handshake.tabs", "tabs around the value of a field", "RFC 9110 5.6.3, RFC 9112 5.1",
   {.connection = "", .more = "Connection:\tUpgrade\t\r\n"}, REFUSAL_NONE, 0, EDIT_NONE},
  {"handshake.unknown-field", "field that nobody knows", ours, {.more = "X-Coho-Check: 1\r\n"},
   REFUSAL_NONE, 0, EDIT_NONE},
  {"handshake.key-example", "the Sec-WebSocket-Key that RFC 6455 has for an example", "RFC 6455 4.2.2",
   {.key = "dGhlIHNhbXBsZSBub25jZQ=="}, REFUSAL_NONE, 0, EDIT_NONE},
  {"handshake.key-zeros", "Sec-WebSocket-Key of 16 zero bytes", "RFC 6455 4.2.2", {.key = "AAAAAAAAAAAAAAAAAAAAAA=="},
   REFUSAL_NONE, 0, EDIT_NONE},
  {"handshake.key-signs", "Sec-WebSocket-Key with + and /", "RFC 6455 4.2.2",
   {.key = "4+/7+AAAAAAAAAAAAAAAAA=="}, REFUSAL_NONE, 0, EDIT_NONE},
  {"handshake.key-bits", "Sec-WebSocket-Key with bits set that base64 leaves unused", "RFC 6455 4.2.1",
   {.key = "AQIDBAUGBwgJCgsMDQ4PEC=="}, REFUSAL_NONE, CASE_INFO, EDIT_NONE},
};
/* clang-format on */

static void run_row(struct check_run *r) { refusal_play(r, &rows[r->c->arg.flags]); }

/* ---- more of requests ----------------------------------------------------------------------- */

static const struct request plain = {.method = NULL};

static void finish(struct check_run *r, const struct request *request) {
  if (play_hear(r) && play_judge_answer(r, request) &&
      expect_echo(r, OP_TEXT, PLAY_TEXT("accepted")))
    expect_close(r);
}

/* arg: piece: of what is written at once. */
static void run_pieces(struct check_run *r) {
  bool ok = play_connect(r);
  r->peer.chop = r->c->arg.piece;
  ok = ok && play_ask(r, &plain);
  r->peer.chop = 0;
  if (ok) finish(r, &plain);
}

static void run_absolute(struct check_run *r) {
  struct bytes target = {NULL, 0, 0};
  bytes_printf(&target, "http://%s%s", r->link->host, r->link->target);
  bytes_add_byte(&target, 0);
  struct request request = {.target = (const char *)target.data};
  if (play_connect(r) && play_ask(r, &request)) finish(r, &request);
  bytes_free(&target);
}

static void run_long_cookie(struct check_run *r) {
  enum { VALUE = 4084 };
  struct bytes line = {NULL, 0, 0};
  bytes_add_text(&line, "Cookie: a=");
  for (size_t i = 0; i < VALUE; i++)
    bytes_add_byte(&line, 'c');
  bytes_add(&line, "\r\n", 3); /* with its NUL */
  struct request request = {.more = (const char *)line.data};
  if (play_connect(r) && play_ask(r, &request)) finish(r, &request);
  bytes_free(&line);
}

static void run_fuss(struct check_run *r) {
  const char *rule;
  if (!play_open(r)) return;
  const char *why = handshake_fuss_answer(&r->head, &rule);
  if (why)
    (void)verdict_fail(r, "%s (%s)", why, rule);
  else
    expect_close(r);
}

/* A client has to wait for the answer; what comes before it may be taken or be refused. */
static void run_early_frame(struct check_run *r) {
  struct bytes out = {NULL, 0, 0};
  if (!play_connect(r)) return;
  play_compose(r, &plain, &out);
  frame_put(&out, &(struct frame){.opcode = OP_TEXT, .data = "early", .len = 5}, true);
  bool ok = play_send_bytes(r, out.data, out.len) && play_hear(r);
  bytes_free(&out);
  if (ok && r->head.status >= 400)
    verdict_pass(r, "refused with %d", r->head.status);
  else if (ok && play_judge_answer(r, &plain) && expect_message(r, OP_TEXT, PLAY_TEXT("early")))
    expect_close(r);
}

/* Takes all that comes until it ends or the time is up. */
static void take_all(struct check_run *r) {
  uint64_t deadline = play_deadline(r, 0);
  while (wire_fill(&r->peer.wire, wire_count(&r->peer.wire) + 1, deadline) == WIRE_OK)
    ;
}

/* Whether another answer follows the body of the first one. */
static bool is_answered_twice(struct check_run *r) {
  const char *length = head_get(&r->head, "Content-Length");
  size_t body = length ? strtoul(length, NULL, 10) : 0;
  take_all(r);
  wire_take(&r->peer.wire, COHO_MIN(body, wire_count(&r->peer.wire)));
  bytes_add_byte(&r->peer.wire.inbox, 0);
  return strstr((const char *)wire_bytes(&r->peer.wire), "HTTP/1.") != NULL;
}

/* Two requests of which the first is refused: the second is not looked at. */
static void run_second(struct check_run *r) {
  struct bytes out = {NULL, 0, 0};
  static const struct request bad = {.ws_version = "0"};
  if (!play_connect(r)) return;
  play_compose(r, &bad, &out);
  play_compose(r, &plain, &out);
  bool ok = play_send_bytes(r, out.data, out.len) && play_hear(r);
  bytes_free(&out);
  if (!ok) return;
  if (r->head.status == 101)
    (void)verdict_fail(r, "version 0 is accepted with 101; expected an error such as 426");
  else if (is_answered_twice(r))
    (void)verdict_fail(r,
                       "the request behind the refused one is answered, too; expected one answer");
  else
    verdict_pass(r, "refused with %d, what follows is not answered", r->head.status);
}

/* clang-format off */
static const struct check_case cases[] = {
  {.id = "handshake.bytes", .title = "request written byte by byte", .rule = "RFC 6455 4.2.1",
   .run = run_pieces, .flags = CASE_SERVER_ONLY, .arg = {.piece = 1}},
  {.id = "handshake.chops", .title = "request written in chops of 7 bytes", .rule = "RFC 6455 4.2.1",
   .run = run_pieces, .flags = CASE_SERVER_ONLY, .arg = {.piece = 7}},
  {.id = "handshake.cookie", .title = "request with a cookie of 4 KB", .rule = "RFC 9112 5",
   .run = run_long_cookie, .flags = CASE_SERVER_ONLY | CASE_INFO},
  {.id = "handshake.absolute", .title = "request target with scheme and host", .rule = "RFC 9112 3.2.2",
   .run = run_absolute, .flags = CASE_SERVER_ONLY | CASE_INFO},
  {.id = "handshake.answer", .title = "the answer has no body, and no field too many",
   .rule = "RFC 6455 4.2.2", .run = run_fuss, .flags = CASE_SERVER_ONLY},
  {.id = "handshake.early", .title = "a frame behind the request in one write, before any answer",
   .rule = "RFC 6455 4.1", .run = run_early_frame, .flags = CASE_SERVER_ONLY | CASE_INFO},
  {.id = "handshake.second", .title = "second request behind one that is to be refused",
   .rule = "RFC 6455 4.2.2, 7.2.2", .run = run_second, .flags = CASE_SERVER_ONLY},
};
/* clang-format on */

void cases_handshake(struct catalog *cat) {
  for (unsigned i = 0; i < COHO_COUNT(rows); i++) {
    struct check_case c = refusal_case(&rows[i], i, run_row);
    catalog_add(cat, &c);
  }
  catalog_add_all(cat, cases, COHO_COUNT(cases));
}
