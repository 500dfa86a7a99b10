/* 2: pings and pongs. */
#include "cases.h"
#include "expect.h"
#include "verdict.h"

#include "base/check.h"

#include <stdio.h>
#include <string.h>

enum { LONGEST = 125 };

/* arg: data, len, piece: of what is written at once. */
static void run_ping(struct check_run *r) {
  const struct case_arg *a = &r->c->arg;
  bool ok = play_open(r);
  r->peer.chop = a->piece;
  ok = ok && play_ping(r, a->data, a->len);
  r->peer.chop = 0;
  if (ok && expect_pong(r, a->data, a->len)) expect_close(r);
}

static void run_longest(struct check_run *r) {
  char data[LONGEST];
  memset(data, 0xfe, sizeof data);
  bool ok = play_open(r);
  r->peer.chop = r->c->arg.piece;
  ok = ok && play_ping(r, data, sizeof data);
  r->peer.chop = 0;
  if (ok && expect_pong(r, data, sizeof data)) expect_close(r);
}

static void run_too_long(struct check_run *r) {
  char data[LONGEST + 1];
  memset(data, 0xfe, sizeof data);
  if (play_open(r) && play_ping(r, data, sizeof data)) expect_failure(r, expect_1002);
}

/* arg: data, len: of the pong; nothing may answer it. */
static void run_unasked(struct check_run *r) {
  const struct case_arg *a = &r->c->arg;
  struct frame pong = {.opcode = OP_PONG, .data = a->data, .len = a->len};
  if (play_open(r) && play_send(r, &pong)) expect_close(r);
}

static void run_unasked_and_ping(struct check_run *r) {
  struct frame pong = {.opcode = OP_PONG, .data = "unasked", .len = 7};
  if (play_open(r) && play_send(r, &pong) && play_ping(r, PLAY_TEXT("ping payload")) &&
      expect_pong(r, PLAY_TEXT("ping payload")))
    expect_close(r);
}

/* ---- several at once ------------------------------------------------------------------------ */

enum { PINGS = 10, PING_TEXT = 12 };

static void run_ten(struct check_run *r) {
  char texts[PINGS][PING_TEXT];
  struct frame pings[PINGS];
  size_t missing;
  for (unsigned i = 0; i < PINGS; i++) {
    (void)snprintf(texts[i], sizeof texts[i], "payload-%u", i);
    pings[i] = (struct frame){.opcode = OP_PING, .data = texts[i], .len = strlen(texts[i])};
  }
  bool ok = play_open(r);
  r->peer.chop = r->c->arg.piece;
  ok = ok && play_send_all(r, pings, PINGS);
  r->peer.chop = 0;
  if (ok && expect_pongs(r, pings, PINGS, &missing)) expect_close_but(r, missing);
}

/* ---- the table ------------------------------------------------------------------------------ */

static const char not_text[] = "\x00\xff\xfe\xfd\xfc\xfb\x00\xff";

/* clang-format off */
static const struct check_case cases[] = {
  {.id = "2.1", .title = "empty ping", .rule = "RFC 6455 5.5.2", .run = run_ping},
  {.id = "2.2", .title = "ping with text", .rule = "RFC 6455 5.5.3", .run = run_ping,
   .arg = {.data = "Hello, world!", .len = 13}},
  {.id = "2.3", .title = "ping with bytes that are no text", .rule = "RFC 6455 5.5.3",
   .run = run_ping, .arg = {.data = not_text, .len = 8}},
  {.id = "2.4", .title = "ping of 125 bytes", .rule = "RFC 6455 5.5", .run = run_longest},
  {.id = "2.5", .title = "ping of 126 bytes", .rule = "RFC 6455 5.5", .run = run_too_long},
  {.id = "2.6", .title = "ping of 125 bytes, byte by byte", .rule = "RFC 6455 5.5",
   .run = run_longest, .arg = {.piece = 1}},
  {.id = "2.7", .title = "pong that nobody asked for, empty", .rule = "RFC 6455 5.5.3",
   .run = run_unasked},
  {.id = "2.8", .title = "pong that nobody asked for, with text", .rule = "RFC 6455 5.5.3",
   .run = run_unasked, .arg = {.data = "unasked", .len = 7}},
  {.id = "2.9", .title = "pong that nobody asked for, then a ping", .rule = "RFC 6455 5.5.3",
   .run = run_unasked_and_ping},
  {.id = "2.10", .title = "10 pings in one write", .rule = "RFC 6455 5.5.2", .run = run_ten},
  {.id = "2.11", .title = "10 pings, byte by byte", .rule = "RFC 6455 5.5.2", .run = run_ten,
   .arg = {.piece = 1}},
};
/* clang-format on */

void cases_ping(struct catalog *cat) { catalog_add_all(cat, cases, COHO_COUNT(cases)); }
