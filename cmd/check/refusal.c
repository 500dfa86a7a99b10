#include "refusal.h"

#include "expect.h"
#include "verdict.h"

#include "base/check.h"

#include <stdio.h>
#include <string.h>

/* What is expected. */
static const char *const words[] = {
    [REFUSAL_NONE] = "101",
    [REFUSAL_ERROR] = "a status of 400 or more, or the end of TCP",
    [REFUSAL_PLAIN] = "any other status, or the end of TCP",
    [REFUSAL_VERSION] =
        "an error with a Sec-WebSocket-Version that tells the versions, or the end of TCP",
    [REFUSAL_END] = "a status of 400 or more and the end of TCP",
};

/* The next bytes of the connection: 1 there are some, 0 TCP ended, -1 decided. */
static int wait_for_answer(struct check_run *r, enum refusal expected) {
  enum wire_status status = wire_fill(&r->peer.wire, 1, play_deadline(r, 0));
  if (status == WIRE_OK) return 1;
  if (status != WIRE_TIMEOUT) return 0;
  (void)verdict_fail(r, "the request is not answered, and the connection stays open; expected %s",
                     words[expected]);
  return -1;
}

static void judge_end(struct check_run *r, int status) {
  uint64_t deadline = play_deadline(r, 0);
  enum wire_status end;
  do {
    wire_take(&r->peer.wire, wire_count(&r->peer.wire));
    end = wire_fill(&r->peer.wire, 1, deadline);
  } while (end == WIRE_OK && now_ms() < deadline);
  if (end == WIRE_OK || end == WIRE_TIMEOUT)
    (void)verdict_fail(r, "refused with %d, but the connection stays open; expected %s", status,
                       words[REFUSAL_END]);
  else
    verdict_pass(r, "refused with %d and closed", status);
}

static void judge_status(struct check_run *r, enum refusal expected) {
  int status = r->head.status;
  if (status == 101) {
    (void)verdict_fail(r, "accepted with 101; expected %s", words[expected]);
  } else if (status < 400 && expected == REFUSAL_PLAIN) {
    verdict_pass(r, "answered as a plain request, with %d", status);
  } else if (status < 400) {
    verdict_inform(r, "not accepted, but answered with %d; expected %s", status, words[expected]);
  } else if (expected == REFUSAL_VERSION && !head_get(&r->head, "Sec-WebSocket-Version")) {
    (void)verdict_fail(r, "refused with %d without Sec-WebSocket-Version; expected %s", status,
                       words[expected]);
  } else if (expected == REFUSAL_END) {
    judge_end(r, status);
  } else {
    verdict_pass(r, "refused with %d", status);
  }
}

void refusal_judge(struct check_run *r, enum refusal expected) {
  int came = wait_for_answer(r, expected);
  if (!came) verdict_pass(r, "refused by ending TCP");
  if (came > 0 && play_hear(r)) judge_status(r, expected);
}

static void edit(struct bytes *b, enum refusal_edit how) {
  size_t kept = 0;
  for (size_t i = 0; i < b->len; i++) {
    if (how == EDIT_LF && b->data[i] == '\r') continue;
    b->data[kept++] = how == EDIT_NUL && b->data[i] == 1 ? 0 : b->data[i];
  }
  b->len = kept;
}

void refusal_play(struct check_run *r, const struct refusal_row *row) {
  struct bytes out = {NULL, 0, 0};
  if (!play_connect(r)) return;
  play_compose(r, &row->request, &out);
  edit(&out, row->edit);
  bool ok = play_send_bytes(r, out.data, out.len);
  bytes_free(&out);
  if (ok && row->expected != REFUSAL_NONE)
    refusal_judge(r, row->expected);
  else if (ok && play_hear(r) && play_judge_answer(r, &row->request) &&
           expect_echo(r, OP_TEXT, PLAY_TEXT("accepted")))
    expect_close(r);
}

struct check_case refusal_case(const struct refusal_row *row, unsigned index,
                               void (*run)(struct check_run *r)) {
  struct check_case c = {
      .run = run, .flags = row->flags | CASE_SERVER_ONLY, .arg = {.flags = index}};
  (void)snprintf(c.id, sizeof c.id, "%s", row->id);
  (void)snprintf(c.title, sizeof c.title, "%s", row->title);
  (void)snprintf(c.rule, sizeof c.rule, "%s", row->rule);
  return c;
}
