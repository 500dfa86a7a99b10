/* 7: closing. */
#include "cases.h"
#include "expect.h"
#include "sample.h"
#include "verdict.h"

#include "base/check.h"

#include <stdio.h>
#include <string.h>

static const struct frame close_1000 = {.opcode = OP_CLOSE, .data = "\x03\xe8", .len = 2};

/* ---- 7.1: what is around the Close ---------------------------------------------------------- */

static void run_echo_close(struct check_run *r) {
  if (play_open(r) && expect_echo(r, OP_TEXT, PLAY_TEXT("Hello World!"))) expect_close(r);
}

/* A Close and what must not be answered behind it, in one write. */
static void send_behind(struct check_run *r, struct frame behind) {
  struct frame frames[] = {close_1000, behind};
  if (play_open(r) && play_send_all(r, frames, COHO_COUNT(frames))) expect_closing(r, 1000);
}

static void run_second_close(struct check_run *r) {
  send_behind(r, (struct frame){.opcode = OP_CLOSE});
}

static void run_ping_behind(struct check_run *r) {
  send_behind(r, (struct frame){.opcode = OP_PING, .data = "too late", .len = 8});
}

static void run_text_behind(struct check_run *r) {
  send_behind(r, (struct frame){.opcode = OP_TEXT, .data = "too late", .len = 8});
}

static void run_close_inside(struct check_run *r) {
  struct frame frames[] = {{.more = true, .opcode = OP_TEXT, .data = "begun", .len = 5},
                           close_1000,
                           {.data = "ended", .len = 5}};
  if (play_open(r) && play_send_all(r, frames, COHO_COUNT(frames))) expect_closing(r, 1000);
}

/* How much of what was sent before the Close is still echoed is left to the other side. */
static void run_backlog(struct check_run *r) {
  enum { SIZE = 256 * 1024 };
  struct bytes data = {NULL, 0, 0};
  struct frame behind[] = {
      {.opcode = OP_TEXT, .data = "Hello World!", .len = 12}, close_1000, {.opcode = OP_PING}};
  char got[VERDICT_DESCRIBED];
  struct event e = {.kind = EVENT_SILENCE};
  size_t messages = 0;
  sample_add(&data, SAMPLE_ASCII, SIZE);
  if (play_open(r) && play_message(r, OP_TEXT, data.data, data.len, 0) &&
      play_send_all(r, behind, COHO_COUNT(behind))) {
    uint64_t deadline = play_deadline(r, SIZE);
    while ((e = expect_next(r, deadline)).kind == EVENT_MESSAGE && now_ms() < deadline)
      messages++;
    verdict_describe(r, &e, got);
    verdict_inform(r, "%zu of 2 messages were echoed before %s", messages, got);
  }
  bytes_free(&data);
}

/* ---- bodies --------------------------------------------------------------------------------- */

/* arg: data, len: the body. */
static bool send_body(struct check_run *r) {
  const struct case_arg *a = &r->c->arg;
  return play_open(r) &&
         play_send(r, &(struct frame){.opcode = OP_CLOSE, .data = a->data, .len = a->len});
}

static void run_sound_body(struct check_run *r) {
  if (send_body(r)) expect_closing(r, 1000);
}

static void run_short_body(struct check_run *r) {
  if (send_body(r)) expect_failure(r, expect_1002);
}

static void run_bad_reason(struct check_run *r) {
  if (send_body(r)) expect_failure(r, expect_1002_1007);
}

/* arg: size: of the reason. */
static bool send_reason(struct check_run *r) {
  char reason[256];
  memset(reason, '*', sizeof reason);
  return play_open(r) && play_send_close(r, 1000, reason, r->c->arg.size);
}

static void run_reason(struct check_run *r) {
  if (send_reason(r)) expect_closing(r, 1000);
}

static void run_long_reason(struct check_run *r) {
  if (send_reason(r)) expect_failure(r, expect_1002);
}

/* ---- codes ---------------------------------------------------------------------------------- */

/* arg: code. */
static void run_sound_code(struct check_run *r) {
  unsigned code = r->c->arg.code;
  if (play_open(r) && play_send_close(r, code, NULL, 0)) expect_closing(r, code);
}

static void run_bad_code(struct check_run *r) {
  if (play_open(r) && play_send_close(r, r->c->arg.code, NULL, 0)) expect_failure(r, expect_1002);
}

/* No document says what to do with these. */
static void run_unknown_code(struct check_run *r) {
  if (!play_open(r) || !play_send_close(r, r->c->arg.code, NULL, 0)) return;
  char got[VERDICT_DESCRIBED];
  struct event e = expect_next(r, play_deadline(r, 0));
  verdict_describe(r, &e, got);
  verdict_inform(r, "answered with %s", got);
}

/* ---- the tables ----------------------------------------------------------------------------- */

/* clang-format off */
static const struct check_case cases[] = {
  {.id = "7.1.1", .title = "echo, then a Close", .rule = "RFC 6455 5.5.1", .run = run_echo_close},
  {.id = "7.1.2", .title = "two Closes", .rule = "RFC 6455 5.5.1", .run = run_second_close},
  {.id = "7.1.3", .title = "a ping behind the Close", .rule = "RFC 6455 5.5.2",
   .run = run_ping_behind},
  {.id = "7.1.4", .title = "text behind the Close", .rule = "RFC 6455 5.5.1",
   .run = run_text_behind},
  {.id = "7.1.5", .title = "a Close between two fragments", .rule = "RFC 6455 5.5.1",
   .run = run_close_inside},
  {.id = "7.1.6", .title = "256 KiB of text, text, a Close and a ping at once",
   .rule = "RFC 6455 5.5.1", .run = run_backlog},
  {.id = "7.3.1", .title = "Close without body", .rule = "RFC 6455 5.5.1", .run = run_sound_body},
  {.id = "7.3.2", .title = "Close with a body of one byte", .rule = "RFC 6455 5.5.1",
   .run = run_short_body, .arg = {.data = "a", .len = 1}},
  {.id = "7.3.3", .title = "Close with a code alone", .rule = "RFC 6455 5.5.1",
   .run = run_sound_body, .arg = {.data = "\x03\xe8", .len = 2}},
  {.id = "7.3.4", .title = "Close with a code and a reason", .rule = "RFC 6455 5.5.1",
   .run = run_sound_body, .arg = {.data = "\x03\xe8Hello World!", .len = 14}},
  {.id = "7.3.5", .title = "Close with a reason of 123 bytes", .rule = "RFC 6455 5.5.1",
   .run = run_reason, .arg = {.size = 123}},
  {.id = "7.3.6", .title = "Close with a reason of 124 bytes", .rule = "RFC 6455 5.5",
   .run = run_long_reason, .arg = {.size = 124}},
  {.id = "7.5.1", .title = "Close with a reason that is not UTF-8", .rule = "RFC 6455 5.5.1",
   .run = run_bad_reason,
   .arg = {.data = "\x03\xe8\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80" "edited",
           .len = 22}},
};
/* clang-format on */

static void add_codes(struct catalog *cat, const char *group, const char *title,
                      void (*run)(struct check_run *r), const unsigned *codes) {
  for (unsigned i = 0; codes[i] != UINT32_MAX; i++) {
    struct check_case c = {.rule = "RFC 6455 7.4", .run = run, .arg = {.code = codes[i]}};
    (void)snprintf(c.id, sizeof c.id, "%s.%u", group, i + 1);
    (void)snprintf(c.title, sizeof c.title, "%s: %u", title, codes[i]);
    catalog_add(cat, &c);
  }
}

void cases_close(struct catalog *cat) {
  static const unsigned sound[] = {1000, 1001, 1002, 1003, 1007, 1008, 1009,
                                   1010, 1011, 3000, 3999, 4000, 4999, UINT32_MAX};
  static const unsigned bad[] = {0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, UINT32_MAX};
  static const unsigned unknown[] = {5000, 65535, UINT32_MAX};
  catalog_add_all(cat, cases, COHO_COUNT(cases));
  add_codes(cat, "7.7", "code that may be sent", run_sound_code, sound);
  add_codes(cat, "7.9", "code that must not be sent", run_bad_code, bad);
  add_codes(cat, "7.13", "code that no document names", run_unknown_code, unknown);
}
