#include "verdict.h"

#include "escape.h"

#include "base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void __attribute__((format(printf, 3, 0)))
decide(struct check_run *r, enum verdict verdict, const char *format, va_list args) {
  char text[1024];
  if (r->decided) return;
  (void)vsnprintf(text, sizeof text, format, args);
  r->decided = true;
  r->verdict = verdict;
  free(r->reason);
  r->reason = memory_text("%s", text);
}

void verdict_pass(struct check_run *r, const char *format, ...) {
  va_list args;
  va_start(args, format);
  decide(r, VERDICT_PASSED, format, args);
  va_end(args);
}

void verdict_inform(struct check_run *r, const char *format, ...) {
  va_list args;
  va_start(args, format);
  decide(r, VERDICT_INFORMATIONAL, format, args);
  va_end(args);
}

void verdict_lack(struct check_run *r, const char *format, ...) {
  va_list args;
  va_start(args, format);
  decide(r, VERDICT_UNIMPLEMENTED, format, args);
  va_end(args);
}

bool verdict_fail(struct check_run *r, const char *format, ...) {
  bool counts = !(r->c->flags & CASE_INFO);
  va_list args;
  va_start(args, format);
  decide(r, counts ? VERDICT_FAILED : VERDICT_INFORMATIONAL, format, args);
  va_end(args);
  return false;
}

/* ---- events in words ------------------------------------------------------------------------ */

static void describe_data(const char *what, const struct event *e, char *text) {
  enum { SHOWN = 16 };
  char hex[SHOWN * 3 + 8] = "";
  size_t at = 0;
  for (size_t i = 0; i < COHO_MIN(e->len, (size_t)SHOWN); i++)
    at += (size_t)snprintf(hex + at, sizeof hex - at, "%s%02x", i ? " " : "", e->data[i]);
  (void)snprintf(text, VERDICT_DESCRIBED, "%s of %zu byte%s%s%s%s%s", what, e->len,
                 e->len == 1 ? "" : "s", e->len ? " (" : "", hex, e->len > SHOWN ? " ..." : "",
                 e->len ? ")" : "");
}

static void describe_close(const struct event *e, char *text) {
  char reason[200];
  struct coho__view view = {(const char *)e->data, e->len};
  if (!e->code)
    (void)snprintf(text, VERDICT_DESCRIBED, "a Close without code");
  else if (!e->len)
    (void)snprintf(text, VERDICT_DESCRIBED, "Close %u", e->code);
  else
    (void)snprintf(text, VERDICT_DESCRIBED, "Close %u '%s'", e->code,
                   escape_line(reason, sizeof reason, view));
}

static void describe_silence(const struct check_run *r, char *text) {
  if (now_ms() >= r->deadline)
    (void)snprintf(text, VERDICT_DESCRIBED, "nothing before the time for all cases was up");
  else
    (void)snprintf(text, VERDICT_DESCRIBED, "nothing within %g s", (double)r->timeout_ms / 1000);
}

void verdict_describe(const struct check_run *r, const struct event *e, char *text) {
  switch (e->kind) {
  case EVENT_MESSAGE:
    describe_data(e->opcode == OP_TEXT ? "a text message" : "a binary message", e, text);
    return;
  case EVENT_PING: describe_data("a ping", e, text); return;
  case EVENT_PONG: describe_data("a pong", e, text); return;
  case EVENT_CLOSE: describe_close(e, text); return;
  case EVENT_END: (void)snprintf(text, VERDICT_DESCRIBED, "the end of TCP"); return;
  case EVENT_RESET: (void)snprintf(text, VERDICT_DESCRIBED, "a broken connection"); return;
  case EVENT_WRONG: (void)snprintf(text, VERDICT_DESCRIBED, "%s (%s)", e->why, e->rule); return;
  case EVENT_SILENCE: describe_silence(r, text); return;
  }
}

bool verdict_unexpected(struct check_run *r, const char *what, const struct event *e) {
  char got[VERDICT_DESCRIBED];
  verdict_describe(r, e, got);
  if (e->kind == EVENT_WRONG) return verdict_fail(r, "%s; expected %s", got, what);
  return verdict_fail(r, "expected %s; got %s", what, got);
}
