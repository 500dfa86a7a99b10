/* handshake, of a client: what it asks, and answers that it has to accept or to refuse. */
#include "cases.h"
#include "expect.h"
#include "verdict.h"

#include "base/check.h"

#include <stdio.h>
#include <string.h>

struct row {
  const char *id, *title, *rule;
  struct answer answer;
  bool sound;     /* the client has to accept it */
  unsigned flags; /* of enum case_flag */
};

/* clang-format off */
static const struct row rows[] = {
  {"handshake.accept-wrong", "answer with the Sec-WebSocket-Accept of another key", "RFC 6455 4.1",
   {.accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="}, false, 0},
  {"handshake.accept-missing", "answer without Sec-WebSocket-Accept", "RFC 6455 4.1", {.accept = ""}, false, 0},
  {"handshake.accept-twice", "answer with two Sec-WebSocket-Accept fields", "RFC 6455 11.3.3",
   {.more = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"}, false, 0},
  {"handshake.answer-upgrade-missing", "answer without Upgrade", "RFC 6455 4.1", {.upgrade = ""},
   false, 0},
  {"handshake.answer-upgrade-other", "answer with Upgrade: h2c", "RFC 6455 4.1",
   {.upgrade = "h2c"}, false, 0},
  {"handshake.answer-connection-missing", "answer without Connection", "RFC 6455 4.1",
   {.connection = ""}, false, 0},
  {"handshake.answer-connection-other", "answer with Connection: close", "RFC 6455 4.1",
   {.connection = "close"}, false, 0},
  {"handshake.status-200", "answer with status 200 instead of 101", "RFC 6455 4.1", {.status = "200 OK"}, false, 0},
  {"handshake.status-302", "answer with status 302, a redirection to nowhere", "RFC 6455 4.1",
   {.status = "302 Found", .more = "Location: ws://127.0.0.1:1/\r\nContent-Length: 0\r\n"}, false,
   0},
  {"handshake.status-401", "answer with status 401", "RFC 6455 4.1", {.status = "401 Unauthorized"}, false, 0},
  {"handshake.status-503", "answer with status 503", "RFC 6455 4.1", {.status = "503 Service Unavailable"},
   false, 0},
  {"handshake.status-word", "answer with a status that is no number", "RFC 9112 4", {.status = "one"}, false, 0},
  {"handshake.protocol-foreign", "answer with a subprotocol that was not offered", "RFC 6455 4.1",
   {.protocol = "coho.check.nobody.asked.for.this"}, false, 0},
  {"handshake.extension-foreign", "answer with an extension that was not offered", "RFC 6455 4.1",
   {.extensions = "x-coho-check"}, false, 0},
  {"handshake.extension-malformed", "answer with extensions that cannot be read", "RFC 6455 9.1",
   {.extensions = "permessage-deflate; =1"}, false, 0},
  {"handshake.deflate-unknown", "answer with a parameter of permessage-deflate that does not exist",
   "RFC 7692 7", {.extensions = "permessage-deflate; coho_check=1"}, false, 0},
  {"handshake.deflate-16", "answer with server_max_window_bits=16, where 15 is the most", "RFC 7692 7",
   {.extensions = "permessage-deflate; server_max_window_bits=16"}, false, 0},
  {"handshake.deflate-no-value", "answer with client_max_window_bits without a value", "RFC 7692 7.1.2.2",
   {.extensions = "permessage-deflate; client_max_window_bits"}, false, 0},
  {"handshake.deflate-twice", "answer with a parameter of permessage-deflate twice", "RFC 7692 7",
   {.extensions = "permessage-deflate; server_no_context_takeover; server_no_context_takeover"},
   false, 0},

  {"handshake.answer-case", "answer with names and values in upper and lower case", "RFC 6455 4.1",
   {.upgrade = "WebSocket", .connection = "keep-alive, UPGRADE"}, true, 0},
  {"handshake.answer-unknown-field", "answer with a field that nobody knows", "RFC 6455 4.1",
   {.more = "X-Coho-Check: 1\r\n"}, true, 0},
  {"handshake.answer-reason-empty", "answer with a status line without a reason", "RFC 9112 4",
   {.status = "101 "}, true, 0},
  {"handshake.answer-100", "status 100 before the answer", "RFC 9110 15.2",
   {.before = "HTTP/1.1 100 Continue\r\n\r\n"}, true, CASE_INFO},
};
/* clang-format on */

enum { LARGE = 65536 };

/* After a bad answer the client ends; it must not speak as if it had been accepted. */
static void judge_refusal(struct check_run *r) {
  struct event e;
  if (!play_message(r, OP_TEXT, PLAY_TEXT("accepted?"), 0)) return;
  uint64_t deadline = play_deadline(r, 0);
  do {
    e = peer_next(&r->peer, deadline);
  } while ((e.kind == EVENT_PING || e.kind == EVENT_PONG) && now_ms() < deadline);
  if (e.kind == EVENT_END || e.kind == EVENT_RESET)
    verdict_pass(r, "the client ended TCP");
  else if (e.kind == EVENT_CLOSE)
    verdict_pass(r, "the client closed with %u", e.code);
  else
    (void)verdict_unexpected(r, "the end of TCP, or a Close, as the answer is not to be accepted",
                             &e);
}

/* arg: flags is the row in the table. */
static void run_row(struct check_run *r) {
  const struct row *row = &rows[r->c->arg.flags];
  if (!play_connect(r) || !play_take_request(r) || !play_answer(r, &row->answer)) return;
  if (!row->sound)
    judge_refusal(r);
  else if (expect_echo(r, OP_TEXT, PLAY_TEXT("accepted")))
    expect_close(r);
}

/* ---- answers that need the request ---------------------------------------------------------- */

static void refuse(struct check_run *r, const char *extensions) {
  if (play_answer(r, &(struct answer){.extensions = extensions})) judge_refusal(r);
}

static bool take_offer(struct check_run *r, struct terms *offer) {
  char text[4096];
  *offer = (struct terms){.agreed = false};
  if (!play_connect(r) || !play_take_request(r)) return false;
  if (head_join(&r->head, "Sec-WebSocket-Extensions", text, sizeof text))
    (void)terms_read_offer(text, offer);
  return true;
}

static void run_deflate_foreign(struct check_run *r) {
  struct terms offer;
  if (!take_offer(r, &offer)) return;
  if (offer.agreed)
    verdict_lack(r, "the client offers permessage-deflate");
  else
    refuse(r, "permessage-deflate");
}

static void run_bits_foreign(struct check_run *r) {
  struct terms offer;
  if (!take_offer(r, &offer)) return;
  if (offer.client_bits)
    verdict_lack(r, "the client offers client_max_window_bits");
  else
    refuse(r, "permessage-deflate; client_max_window_bits=10");
}

static void run_large(struct check_run *r) {
  struct bytes more = {NULL, 0, 0};
  bytes_add_text(&more, "X-Large: ");
  for (size_t i = 0; i < LARGE; i++)
    bytes_add_byte(&more, 'a');
  bytes_add(&more, "\r\n", 3);
  struct answer answer = {.more = (const char *)more.data};
  if (play_connect(r) && play_take_request(r) && play_answer(r, &answer)) judge_refusal(r);
  bytes_free(&more);
}

/* ---- what the client asks, and when --------------------------------------------------------- */

static void run_request(struct check_run *r) {
  const char *rule;
  if (!play_connect(r) || !play_take_request(r)) return;
  const char *why = handshake_judge_request(&r->head, &rule);
  if (why)
    (void)verdict_fail(r, "%s (%s)", why, rule);
  else if (play_answer(r, &(struct answer){.status = NULL}))
    expect_close(r);
}

static void run_fresh_keys(struct check_run *r) {
  char before[sizeof r->key];
  if (!play_open(r)) return;
  memcpy(before, r->key, sizeof before);
  if (!play_send_close(r, 1000, NULL, 0) || !play_open(r)) return;
  if (!strcmp(before, r->key))
    (void)verdict_fail(r, "two handshakes have the same Sec-WebSocket-Key");
  else
    expect_close(r);
}

/* Nothing is sent before the answer has come, and it is late. */
static void run_silent(struct check_run *r) {
  enum { LATE_MS = 200 };
  if (!play_connect(r) || !play_take_request(r)) return;
  enum wire_status status = wire_fill(&r->peer.wire, 1, now_ms() + LATE_MS);
  if (status == WIRE_OK)
    (void)verdict_fail(r, "the client sends before the answer has come; expected silence");
  else if (status != WIRE_TIMEOUT)
    (void)verdict_fail(r, "the client does not wait %d ms for the answer", LATE_MS);
  else if (play_answer(r, &(struct answer){.status = NULL}) &&
           expect_echo(r, OP_TEXT, PLAY_TEXT("late")))
    expect_close(r);
}

/* The first frame is in the same write as the answer. */
static void run_first_frame(struct check_run *r) {
  struct bytes out = {NULL, 0, 0};
  if (!play_connect(r) || !play_take_request(r)) return;
  handshake_put_answer(&out, &(struct answer){.status = NULL}, r->key);
  frame_put(&out, &(struct frame){.opcode = OP_TEXT, .data = "at once", .len = 7}, false);
  bool ok = play_send_bytes(r, out.data, out.len);
  bytes_free(&out);
  if (ok && expect_message(r, OP_TEXT, PLAY_TEXT("at once"))) expect_close(r);
}

/* arg: piece: of what is written at once. */
static void run_pieces(struct check_run *r) {
  if (!play_connect(r) || !play_take_request(r)) return;
  r->peer.chop = r->c->arg.piece;
  bool ok = play_answer(r, &(struct answer){.status = NULL});
  r->peer.chop = 0;
  if (ok && expect_echo(r, OP_TEXT, PLAY_TEXT("accepted"))) expect_close(r);
}

/* clang-format off */
static const struct check_case cases[] = {
  {.id = "handshake.request", .title = "the request of the client follows all rules", .rule = "RFC 6455 4.1",
   .run = run_request, .flags = CASE_CLIENT_ONLY},
  {.id = "handshake.key-fresh", .title = "a Sec-WebSocket-Key of its own for each connection",
   .rule = "RFC 6455 4.1", .run = run_fresh_keys, .flags = CASE_CLIENT_ONLY},
  {.id = "handshake.silent", .title = "nothing is sent before the answer has come",
   .rule = "RFC 6455 4.1", .run = run_silent, .flags = CASE_CLIENT_ONLY},
  {.id = "handshake.first-frame", .title = "first frame in one write with the answer",
   .rule = "RFC 6455 4.2.2", .run = run_first_frame, .flags = CASE_CLIENT_ONLY},
  {.id = "handshake.answer-bytes", .title = "answer written byte by byte", .rule = "RFC 6455 4.1",
   .run = run_pieces, .flags = CASE_CLIENT_ONLY, .arg = {.piece = 1}},
  {.id = "handshake.deflate-foreign", .title = "answer with permessage-deflate that was not offered",
   .rule = "RFC 6455 4.1", .run = run_deflate_foreign, .flags = CASE_CLIENT_ONLY},
  {.id = "handshake.deflate-bits-foreign", .title = "answer with client_max_window_bits that was not offered",
   .rule = "RFC 7692 7.1.2.2", .run = run_bits_foreign, .flags = CASE_CLIENT_ONLY},
  {.id = "handshake.answer-large", .title = "answer with a field of 64 KiB",
   .rule = "RFC 6455 10.4", .run = run_large, .flags = CASE_CLIENT_ONLY | CASE_INFO},
};
/* clang-format on */

void cases_answer(struct catalog *cat) {
  catalog_add_all(cat, cases, COHO_COUNT(cases));
  for (unsigned i = 0; i < COHO_COUNT(rows); i++) {
    struct check_case c = {
        .run = run_row, .flags = rows[i].flags | CASE_CLIENT_ONLY, .arg = {.flags = i}};
    (void)snprintf(c.id, sizeof c.id, "%s", rows[i].id);
    (void)snprintf(c.title, sizeof c.title, "%s", rows[i].title);
    (void)snprintf(c.rule, sizeof c.rule, "%s", rows[i].rule);
    catalog_add(cat, &c);
  }
}
