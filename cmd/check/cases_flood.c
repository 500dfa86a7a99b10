/* flood: much of what is allowed, within bounds that any server should hold. */
#include "cases.h"
#include "expect.h"
#include "sample.h"
#include "verdict.h"

#include "base/check.h"

#include <stdio.h>
#include <string.h>

/* Closing for a flood is the right of the other side: any code that says so, or the end of TCP. */
static bool is_refused(struct check_run *r, const struct event *e) {
  bool refused =
      e->kind == EVENT_END || e->kind == EVENT_RESET ||
      (e->kind == EVENT_CLOSE && (e->code == 1008 || e->code == 1009 || e->code == 1013));
  if (!refused) return false;
  char got[VERDICT_DESCRIBED];
  verdict_describe(r, e, got);
  verdict_inform(r, "refused with %s", got);
  return true;
}

/* The same frame so many times. */
static bool send_times(struct check_run *r, const struct frame *f, size_t times) {
  struct bytes out = {NULL, 0, 0};
  for (size_t i = 0; i < times; i++)
    frame_put(&out, f, play_is_client(r));
  bool ok = play_send_bytes(r, out.data, out.len);
  bytes_free(&out);
  return ok;
}

/* ---- fragments ------------------------------------------------------------------------------ */

/* arg: count, data and len of each continuation; the message ends, and is echoed or refused. */
static void run_fragments(struct check_run *r) {
  const struct case_arg *a = &r->c->arg;
  struct bytes whole = {NULL, 0, 0};
  struct frame first = {.more = true, .opcode = OP_BINARY};
  struct frame middle = {.more = true, .data = a->data, .len = a->len};
  struct frame last = {.data = "end", .len = 3};
  for (size_t i = 0; i < a->count; i++)
    bytes_add(&whole, a->data, a->len);
  bytes_add_text(&whole, "end");
  if (play_open(r) && play_send(r, &first) && send_times(r, &middle, a->count) &&
      play_send(r, &last)) {
    struct event e = expect_next(r, play_deadline(r, whole.len));
    bool echoed =
        e.kind == EVENT_MESSAGE && e.len == whole.len && !memcmp(e.data, whole.data, whole.len);
    if (echoed)
      expect_close(r);
    else if (!is_refused(r, &e))
      (void)verdict_unexpected(r, "the echo of the message, or a refusal", &e);
  }
  bytes_free(&whole);
}

/* ---- pings and pongs ------------------------------------------------------------------------ */

/* Pings, read only when all are sent: answered, if only the last ones, or refused. arg: count. */
static void run_pings(struct check_run *r) {
  struct frame ping = {.opcode = OP_PING, .data = "flood of pings", .len = 14};
  struct event e;
  enum { LAST = 8 };
  if (!play_open(r)) return;
  r->peer.wire.deaf = true;
  bool ok = send_times(r, &ping, r->c->arg.count);
  r->peer.wire.deaf = false;
  if (!ok || !play_ping(r, PLAY_TEXT("the last"))) return;
  uint64_t deadline = play_deadline(r, r->c->arg.count * ping.len);
  do {
    e = expect_next(r, deadline);
  } while (e.kind == EVENT_PONG && e.len != LAST && now_ms() < deadline);
  if (e.kind == EVENT_PONG && e.len == LAST)
    expect_close(r);
  else if (!is_refused(r, &e))
    (void)verdict_unexpected(r, "the pong of the last ping, or a refusal", &e);
}

/* Pongs that nobody asked for, then sound messages. arg: count. */
static void run_pongs(struct check_run *r) {
  struct frame pong = {.opcode = OP_PONG, .data = "flood of pongs", .len = 14};
  if (!play_open(r) || !send_times(r, &pong, r->c->arg.count)) return;
  if (!play_message(r, OP_TEXT, PLAY_TEXT("behind"), 0)) return;
  struct event e = expect_next(r, play_deadline(r, 0));
  if (e.kind == EVENT_MESSAGE && e.len == 6)
    expect_close(r);
  else if (!is_refused(r, &e))
    (void)verdict_unexpected(r, "the echo of a message, or a refusal", &e);
}

/* ---- messages ------------------------------------------------------------------------------- */

/* Small messages, read while they are sent: all come back, in order. arg: count. */
static void run_messages(struct check_run *r) {
  size_t count = r->c->arg.count;
  struct bytes out = {NULL, 0, 0};
  char text[24];
  for (size_t i = 0; i < count; i++) {
    size_t len = (size_t)snprintf(text, sizeof text, "%zu", i);
    frame_put(&out, &(struct frame){.opcode = OP_TEXT, .data = text, .len = len},
              play_is_client(r));
  }
  bool ok = play_open(r) && play_send_bytes(r, out.data, out.len);
  for (size_t i = 0; ok && i < count; i++) {
    size_t len = (size_t)snprintf(text, sizeof text, "%zu", i);
    struct event e = expect_next(r, play_deadline(r, out.len));
    ok = e.kind == EVENT_MESSAGE && e.len == len && !memcmp(e.data, text, len);
    if (!ok && !is_refused(r, &e))
      (void)verdict_unexpected(r, "all messages back in their order, or a refusal", &e);
  }
  if (ok) expect_close(r);
  bytes_free(&out);
}

/* Frames of which only the header comes, each on a connection that is then left: the next one is
   served as ever. arg: count. */
static void run_promises(struct check_run *r) {
  struct frame f = {.opcode = OP_BINARY, .length = LENGTH_64, .claims = (uint64_t)1 << 32};
  for (size_t i = 0; i < r->c->arg.count; i++)
    if (!play_open(r) || !play_send(r, &f)) return;
  if (play_open(r) && expect_echo(r, OP_TEXT, PLAY_TEXT("behind the flood"))) expect_close(r);
}

/* ---- the table ------------------------------------------------------------------------------ */

/* clang-format off */
static const struct check_case cases[] = {
  {.id = "flood.empty-fragments", .title = "10000 empty fragments", .rule = "RFC 6455 5.4, 10.4",
   .run = run_fragments, .flags = CASE_ALONE, .arg = {.count = 10000, .data = "", .len = 0}},
  {.id = "flood.small-fragments", .title = "20000 fragments of one byte",
   .rule = "RFC 6455 5.4, 10.4", .run = run_fragments, .flags = CASE_ALONE,
   .arg = {.count = 20000, .data = "x", .len = 1}},
  {.id = "flood.pings", .title = "10000 pings before any pong is read", .rule = "RFC 6455 5.5.2",
   .run = run_pings, .flags = CASE_ALONE, .arg = {.count = 10000}},
  {.id = "flood.pongs", .title = "10000 pongs that nobody asked for", .rule = "RFC 6455 5.5.3",
   .run = run_pongs, .flags = CASE_ALONE, .arg = {.count = 10000}},
  {.id = "flood.messages", .title = "10000 small messages in one write", .rule = "RFC 6455 5.4",
   .run = run_messages, .flags = CASE_ALONE, .arg = {.count = 10000}},
  {.id = "flood.promises", .title = "20 frames that promise 4 GiB and never come",
   .rule = "RFC 6455 10.4", .run = run_promises, .flags = CASE_ALONE, .arg = {.count = 20}},
};
/* clang-format on */

void cases_flood(struct catalog *cat) { catalog_add_all(cat, cases, COHO_COUNT(cases)); }
