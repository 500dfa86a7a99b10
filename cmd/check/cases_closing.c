/* close: codes of the registry, Close frames in pieces, and how TCP ends. */
#include "cases.h"
#include "expect.h"
#include "sample.h"
#include "verdict.h"

#include "base/check.h"

#include <stdio.h>
#include <string.h>

/* arg: code. */
static void run_code(struct check_run *r) {
  unsigned code = r->c->arg.code;
  if (play_open(r) && play_send_close(r, code, NULL, 0)) expect_closing(r, code);
}

static void run_bad_code(struct check_run *r) {
  if (play_open(r) && play_send_close(r, r->c->arg.code, NULL, 0)) expect_failure(r, expect_1002);
}

/* arg: data, len: the reason behind 1000, piece: of what is written at once. */
static bool send_reason(struct check_run *r) {
  const struct case_arg *a = &r->c->arg;
  bool ok = play_open(r);
  r->peer.chop = a->piece;
  ok = ok && play_send_close(r, 1000, a->data, a->len);
  r->peer.chop = 0;
  return ok;
}

static void run_sound_reason(struct check_run *r) {
  if (send_reason(r)) expect_closing(r, 1000);
}

static void run_bad_reason(struct check_run *r) {
  if (send_reason(r)) expect_failure(r, expect_1002_1007);
}

/* Lets the other side read what was sent so far by itself. */
static void pause_for_reading(struct check_run *r) {
  enum { PAUSE_MS = 20 };
  (void)wire_fill(&r->peer.wire, wire_count(&r->peer.wire) + 1, now_ms() + PAUSE_MS);
}

/* arg: size: of the body's bytes that come first, of "code a ff ff b". */
static void run_bad_reason_cut(struct check_run *r) {
  static const char body[] = "\x03\xe8"
                             "a\xff\xff"
                             "b";
  enum { BODY = sizeof body - 1 };
  struct bytes out = {NULL, 0, 0};
  frame_put(&out, &(struct frame){.opcode = OP_CLOSE, .data = body, .len = BODY},
            play_is_client(r));
  size_t cut = out.len - BODY + r->c->arg.size;
  bool ok = play_open(r) && play_send_bytes(r, out.data, cut);
  if (ok) pause_for_reading(r);
  if (ok && play_send_bytes(r, out.data + cut, out.len - cut)) expect_failure(r, expect_1002_1007);
  bytes_free(&out);
}

/* Nothing of what follows our Close is echoed, however much it is. */
static void run_data_behind(struct check_run *r) {
  enum { SIZE = 64 * 1024 };
  struct bytes data = {NULL, 0, 0};
  sample_add(&data, SAMPLE_BINARY, SIZE);
  if (play_open(r) && play_send_close(r, 1000, NULL, 0) &&
      play_message(r, OP_BINARY, data.data, data.len, 0))
    expect_closing(r, 1000);
  bytes_free(&data);
}

/* The other side may still be about to send the echo when the Close comes. */
static void run_echo_and_close(struct check_run *r) {
  struct frame frames[] = {{.opcode = OP_TEXT, .data = "last words", .len = 10},
                           {.opcode = OP_CLOSE, .data = "\x03\xe8", .len = 2}};
  if (!play_open(r) || !play_send_all(r, frames, COHO_COUNT(frames))) return;
  struct event e = expect_next(r, play_deadline(r, 0));
  bool echoed = e.kind == EVENT_MESSAGE;
  if (echoed) e = expect_next(r, play_deadline(r, 0));
  if (e.kind != EVENT_CLOSE) {
    (void)verdict_unexpected(r, "the echo or not, then a Close", &e);
  } else if (expect_end(r)) {
    verdict_pass(r, "%s before the Close", echoed ? "echoed" : "not echoed");
  }
}

/* We end TCP without a Close: the connection is over for the other side as well. */
static void run_end_without_close(struct check_run *r) {
  if (!play_open(r) || !expect_echo(r, OP_TEXT, PLAY_TEXT("going"))) return;
  wire_half_close(&r->peer.wire);
  struct event e = expect_next(r, play_deadline(r, 0));
  if (e.kind == EVENT_CLOSE) e = peer_next(&r->peer, play_deadline(r, 0));
  if (e.kind == EVENT_END || e.kind == EVENT_RESET)
    verdict_pass(r, "it ended TCP, too");
  else
    (void)verdict_unexpected(r, "the end of TCP", &e);
}

/* The server is the one that ends TCP, and does so at once (RFC 6455 7.1.1). */
static void run_ends_tcp(struct check_run *r) {
  if (!play_open(r) || !play_send_close(r, 1000, NULL, 0)) return;
  struct event e = expect_next(r, play_deadline(r, 0));
  if (e.kind != EVENT_CLOSE) {
    (void)verdict_unexpected(r, "a Close", &e);
    return;
  }
  uint64_t start = now_ms();
  if (expect_end(r))
    verdict_pass(r, "TCP ended %u ms after the Close", (unsigned)(now_ms() - start));
}

/* A client waits for the server to end TCP, for a reasonable time (RFC 6455 7.1.1). */
static void run_client_leaves(struct check_run *r) {
  enum { PATIENCE_MS = 5000 };
  if (!play_open(r) || !play_send_close(r, 1000, NULL, 0)) return;
  struct event e = expect_next(r, play_deadline(r, 0));
  if (e.kind != EVENT_CLOSE) {
    (void)verdict_unexpected(r, "a Close", &e);
    return;
  }
  uint64_t start = now_ms();
  e = peer_next(&r->peer, COHO_MIN(start + PATIENCE_MS, r->deadline));
  if (e.kind == EVENT_END || e.kind == EVENT_RESET)
    verdict_pass(r, "it ended TCP itself after %u ms", (unsigned)(now_ms() - start));
  else
    verdict_inform(r, "it waits for the server to end TCP for more than 5 s");
}

/* clang-format off */
static const struct check_case cases[] = {
  {.id = "close.1012", .title = "Close with a code of the registry: 1012", .rule = "RFC 6455 11.7",
   .run = run_code, .flags = CASE_INFO, .arg = {.code = 1012}},
  {.id = "close.1013", .title = "Close with a code of the registry: 1013", .rule = "RFC 6455 11.7",
   .run = run_code, .flags = CASE_INFO, .arg = {.code = 1013}},
  {.id = "close.1014", .title = "Close with a code of the registry: 1014", .rule = "RFC 6455 11.7",
   .run = run_code, .flags = CASE_INFO, .arg = {.code = 1014}},
  {.id = "close.1015", .title = "Close with a code that must not be sent: 1015", .rule = "RFC 6455 7.4.1",
   .run = run_bad_code, .arg = {.code = 1015}},
  {.id = "close.1", .title = "Close with a code that must not be sent: 1", .rule = "RFC 6455 7.4.2",
   .run = run_bad_code, .arg = {.code = 1}},
  {.id = "close.reason", .title = "Close with a reason beyond ASCII", .rule = "RFC 6455 5.5.1",
   .run = run_sound_reason, .arg = {.data = "\xe2\x82\xac \xf0\x9f\x98\x80", .len = 8}},
  {.id = "close.reason-bytes", .title = "Close with a reason beyond ASCII, byte by byte",
   .rule = "RFC 6455 5.5.1", .run = run_sound_reason,
   .arg = {.data = "\xe2\x82\xac \xf0\x9f\x98\x80", .len = 8, .piece = 1}},
  {.id = "close.reason-cut", .title = "Close with a reason that ends within a character",
   .rule = "RFC 6455 5.5.1", .run = run_bad_reason, .arg = {.data = "\xe2\x82", .len = 2}},
  {.id = "close.reason-bad-bytes", .title = "Close with a reason that is not UTF-8, byte by byte",
   .rule = "RFC 6455 5.5.1", .run = run_bad_reason,
   .arg = {.data = "a\xff\xff" "b", .len = 4, .piece = 1}},
  {.id = "close.echo", .title = "text and a Close in one write", .rule = "RFC 6455 5.5.1",
   .run = run_echo_and_close},
  {.id = "close.data-behind", .title = "64 KiB of data behind the Close", .rule = "RFC 6455 5.5.1",
   .run = run_data_behind},
  {.id = "close.end", .title = "the server ends TCP after both Closes", .rule = "RFC 6455 7.1.1",
   .run = run_ends_tcp, .flags = CASE_SERVER_ONLY},
  {.id = "close.leave", .title = "the client does not wait for the end of TCP for ever",
   .rule = "RFC 6455 7.1.1", .run = run_client_leaves, .flags = CASE_CLIENT_ONLY},
  {.id = "close.none", .title = "TCP ends without a Close", .rule = "RFC 6455 7.1.4",
   .run = run_end_without_close, .flags = CASE_INFO},
};
/* clang-format on */

void cases_close_more(struct catalog *cat) {
  enum { FIRST_CUT = 1, LAST_CUT = 5 };
  catalog_add_all(cat, cases, COHO_COUNT(cases));
  for (unsigned i = FIRST_CUT; i <= LAST_CUT; i++) {
    struct check_case c = {.rule = "RFC 6455 5.5.1", .run = run_bad_reason_cut, .arg = {.size = i}};
    (void)snprintf(c.id, sizeof c.id, "close.reason-bad-cut-%u", i);
    (void)snprintf(c.title, sizeof c.title,
                   "reason that is not UTF-8, written in two parts, cut behind byte %u", i);
    catalog_add(cat, &c);
  }
}
