#include "expect.h"

#include "verdict.h"

#include "base/check.h"

#include <stdio.h>
#include <string.h>

struct event expect_next(struct check_run *r, uint64_t deadline) {
  for (;;) {
    struct event e = peer_next(&r->peer, deadline);
    if (e.kind != EVENT_PING || now_ms() >= deadline) return e;
    struct frame pong = {.opcode = OP_PONG, .data = e.data, .len = e.len};
    (void)peer_send(&r->peer, &pong, deadline);
  }
}

/* ---- messages and pongs --------------------------------------------------------------------- */

struct event expect_next_but_pongs(struct check_run *r, uint64_t deadline) {
  struct event e;
  do {
    e = expect_next(r, deadline);
  } while (e.kind == EVENT_PONG && now_ms() < deadline);
  return e;
}

static size_t first_difference(const uint8_t *a, const uint8_t *b, size_t len) {
  size_t i = 0;
  while (i < len && a[i] == b[i])
    i++;
  return i;
}

static bool same(const struct event *e, const void *data, size_t len) {
  return e->len == len && (!len || !memcmp(e->data, data, len));
}

/* A limit of the other side is its right (RFC 6455 10.4) where the message is not a small one. */
static bool too_big(struct check_run *r, const struct event *e, size_t len) {
  enum { SMALL = 16 * 1024, MUST_FIT = 1024 * 1024 };
  bool refused = e->kind == EVENT_CLOSE && (e->code == 1009 || e->code == 1008);
  bool dropped = (e->kind == EVENT_END || e->kind == EVENT_RESET) && len > MUST_FIT;
  if (len < SMALL || !(refused || dropped)) return false;
  char got[VERDICT_DESCRIBED];
  verdict_describe(r, e, got);
  verdict_inform(r, "refused as too big: %s for a message of %zu bytes", got, len);
  return true;
}

bool expect_message(struct check_run *r, unsigned opcode, const void *data, size_t len) {
  char what[64];
  const char *type = opcode == OP_TEXT ? "text" : "binary";
  (void)snprintf(what, sizeof what, "a %s message of %zu byte%s", type, len, len == 1 ? "" : "s");
  struct event e = expect_next_but_pongs(r, play_deadline(r, len));
  if (e.kind == EVENT_MESSAGE && e.opcode == opcode && same(&e, data, len)) return true;
  if (too_big(r, &e, len)) return false;
  if (e.kind != EVENT_MESSAGE || e.opcode != opcode || e.len != len)
    return verdict_unexpected(r, what, &e);
  size_t at = first_difference(e.data, (const uint8_t *)data, len);
  return verdict_fail(r, "expected %s; got one that differs at byte %zu: %02x instead of %02x",
                      what, at, e.data[at], ((const uint8_t *)data)[at]);
}

bool expect_pong(struct check_run *r, const void *data, size_t len) {
  char what[64];
  (void)snprintf(what, sizeof what, "the pong with the ping's %zu byte%s", len,
                 len == 1 ? "" : "s");
  struct event e = expect_next(r, play_deadline(r, 0));
  if (e.kind == EVENT_PONG && same(&e, data, len)) return true;
  return verdict_unexpected(r, what, &e);
}

/* The index of the next ping at or behind i; count: there is none. */
static size_t find_ping(const struct frame *frames, size_t count, size_t i) {
  while (i < count && frames[i].opcode != OP_PING)
    i++;
  return i;
}

bool expect_pongs(struct check_run *r, const struct frame *frames, size_t count, size_t *missing) {
  size_t next = find_ping(frames, count, 0);
  size_t answered = 0;
  *missing = 0;
  while (next < count) {
    struct event e = expect_next(r, play_deadline(r, 0));
    size_t i = next;
    while (e.kind == EVENT_PONG && i < count && !same(&e, frames[i].data, frames[i].len))
      i = find_ping(frames, count, i + 1);
    if (e.kind != EVENT_PONG || i == count) {
      char what[80];
      (void)snprintf(what, sizeof what,
                     "the pong of the last ping, behind %zu pongs in their order", answered);
      return verdict_unexpected(r, what, &e);
    }
    for (; next < i; next = find_ping(frames, count, next + 1))
      ++*missing;
    answered++;
    next = find_ping(frames, count, i + 1);
  }
  return true;
}

bool expect_echo(struct check_run *r, unsigned opcode, const void *data, size_t len) {
  return play_message(r, opcode, data, len, 0) && expect_message(r, opcode, data, len);
}

bool expect_alive(struct check_run *r) {
  return play_ping(r, PLAY_TEXT("still there?")) && expect_pong(r, PLAY_TEXT("still there?"));
}

bool expect_silence(struct check_run *r, uint64_t ms) {
  uint64_t deadline = now_ms() + ms;
  struct event e = expect_next_but_pongs(r, COHO_MIN(deadline, r->deadline));
  return e.kind == EVENT_SILENCE || verdict_unexpected(r, "nothing yet", &e);
}

/* ---- closing -------------------------------------------------------------------------------- */

/* Who serves closes first; then nothing more may come, and the client ends soon or, as it may, late. */
static bool expect_no_more(struct check_run *r) {
  enum { PATIENCE_MS = 500 };
  uint64_t patience = now_ms() + PATIENCE_MS;
  wire_half_close(&r->peer.wire);
  struct event e = peer_next(&r->peer, COHO_MIN(patience, r->deadline));
  if (e.kind == EVENT_END || e.kind == EVENT_RESET || e.kind == EVENT_SILENCE) return true;
  return verdict_unexpected(r, "nothing after both Close frames", &e);
}

bool expect_end(struct check_run *r) {
  if (!play_is_client(r)) return expect_no_more(r);
  struct event e = peer_next(&r->peer, play_deadline(r, 0));
  if (e.kind == EVENT_END || e.kind == EVENT_RESET) return true;
  return verdict_unexpected(r, "the end of TCP after both Close frames (RFC 6455 7.1.1)", &e);
}

/* The answer to our Close and the end of TCP; the code of the answer, 0: none, -1: decided. */
static int take_closing(struct check_run *r, unsigned code) {
  char what[64];
  if (code == 1000)
    (void)snprintf(what, sizeof what, "a Close with 1000 or no code");
  else
    (void)snprintf(what, sizeof what, "a Close with %u, 1000 or no code", code);
  struct event e;
  uint64_t deadline = play_deadline(r, 0);
  do {
    e = expect_next(r, deadline);
  } while (e.kind == EVENT_PONG && !e.len &&
           now_ms() < deadline); /* a sign of life, not asked for */
  bool ok = e.kind == EVENT_CLOSE && (!e.code || e.code == code || e.code == 1000);
  if (!ok) (void)verdict_unexpected(r, what, &e);
  int got = (int)e.code;
  return ok && expect_end(r) ? got : -1;
}

void expect_closing(struct check_run *r, unsigned code) {
  int got = take_closing(r, code);
  if (got > 0)
    verdict_pass(r, "all as expected, closed with %d", got);
  else if (!got)
    verdict_pass(r, "all as expected, closed without code");
}

void expect_close(struct check_run *r) {
  if (play_send_close(r, 1000, NULL, 0)) expect_closing(r, 1000);
}

void expect_close_but(struct check_run *r, size_t missing) {
  if (!missing)
    expect_close(r);
  else if (play_send_close(r, 1000, NULL, 0) && take_closing(r, 1000) >= 0)
    verdict_inform(r, "%zu of the pings were not answered, but the last was, as is allowed",
                   missing);
}

/* ---- failing -------------------------------------------------------------------------------- */

const unsigned expect_1002[] = {1002, 0};
const unsigned expect_1007[] = {1007, 0};
const unsigned expect_1002_1007[] = {1002, 1007, 0};
const unsigned expect_1009[] = {1009, 0};
const unsigned expect_1002_1009[] = {1002, 1009, 0};

static bool allows(const unsigned *codes, unsigned code) {
  while (*codes && *codes != code)
    codes++;
  return *codes != 0 || code == 0;
}

static void print_codes(const unsigned *codes, char *text, size_t cap) {
  size_t at = 0;
  for (size_t i = 0; codes[i] && at < cap; i++)
    at += (size_t)snprintf(text + at, cap - at, "%sClose %u", i ? " or " : "", codes[i]);
}

static struct event next_but_pings(struct check_run *r, uint64_t deadline) {
  struct event e;
  do {
    e = peer_next(&r->peer, deadline);
  } while (e.kind == EVENT_PING && now_ms() < deadline);
  return e;
}

/* A peer that overlooked the fault answers a ping at once: no need to wait for the rest of the
   time, and what follows the fault is what must not be looked at. */
static struct event wait_for_failure(struct check_run *r) {
  enum { PROBE_PART = 4 };
  uint64_t deadline = play_deadline(r, 0);
  uint64_t probe = now_ms() + r->timeout_ms / PROBE_PART;
  struct event e = next_but_pings(r, COHO_MIN(probe, deadline));
  if (e.kind != EVENT_SILENCE || now_ms() >= deadline) return e;
  struct frame ping = {.opcode = OP_PING, .data = "goes on?", .len = 8};
  (void)peer_send(&r->peer, &ping, deadline);
  return next_but_pings(r, deadline);
}

static void pass_failure(struct check_run *r, unsigned code, bool ended, bool late) {
  char how[80] = "a Close without code";
  if (ended)
    (void)snprintf(how, sizeof how, "an end of TCP without a Close");
  else if (code)
    (void)snprintf(how, sizeof how, "Close %u", code);
  if (late)
    verdict_inform(r, "failed with %s, but only at the end of the message, as is allowed", how);
  else
    verdict_pass(r, "failed with %s", how);
}

static void judge_failure(struct check_run *r, const unsigned *codes, const struct event *e,
                          bool late) {
  bool ended = e->kind == EVENT_END || e->kind == EVENT_RESET;
  unsigned code = e->kind == EVENT_CLOSE ? e->code : 0;
  if (!ended && (e->kind != EVENT_CLOSE || !allows(codes, code))) {
    char what[96];
    char expected[160];
    print_codes(codes, what, sizeof what);
    (void)snprintf(expected, sizeof expected, "%s, or the end of TCP", what);
    (void)verdict_unexpected(r, expected, e);
    return;
  }
  if (!ended) (void)play_send_close(r, code ? code : 1000, NULL, 0);
  if (ended || expect_end(r)) pass_failure(r, code, ended, late);
}

void expect_failure(struct check_run *r, const unsigned *codes) {
  struct event e = wait_for_failure(r);
  judge_failure(r, codes, &e, false);
}

void expect_failure_after(struct check_run *r, const unsigned *codes, const void *echo,
                          size_t len) {
  struct event e = wait_for_failure(r);
  if (e.kind == EVENT_MESSAGE && same(&e, echo, len)) e = wait_for_failure(r);
  judge_failure(r, codes, &e, false);
}

/* The reaction to a fault before the end of the message; a pong or silence: none. */
static struct event fast_reaction(struct check_run *r, bool inside) {
  enum { PATIENCE_MS = 500 };
  uint64_t patience = now_ms() + PATIENCE_MS;
  uint64_t deadline = play_deadline(r, 0);
  struct frame ping = {.opcode = OP_PING, .data = "seen?", .len = 5};
  if (inside) return next_but_pings(r, COHO_MIN(patience, deadline));
  (void)peer_send(&r->peer, &ping, deadline);
  return next_but_pings(r, deadline);
}

void expect_fast_failure(struct check_run *r, const unsigned *codes, const struct bytes *rest,
                         bool inside) {
  struct event e = fast_reaction(r, inside);
  bool late = e.kind == EVENT_PONG || e.kind == EVENT_SILENCE;
  if (late && !play_send_bytes(r, rest->data, rest->len)) return;
  if (late) e = wait_for_failure(r);
  judge_failure(r, codes, &e, late);
}
