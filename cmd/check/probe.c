#include "probe.h"

#include "expect.h"
#include "verdict.h"

#include <stdio.h>
#include <stdlib.h>

static const struct check_case question = {.id = "probe"};

static bool say(struct check_run *r, char *why, size_t cap) {
  (void)snprintf(why, cap, "%s", r->reason ? r->reason : "nothing came");
  return false;
}

/* A server that breaks rules is to be told so by the cases; one that does something else than to
   echo has no use for them. */
static bool echoes(struct check_run *r, char *why, size_t cap) {
  if (!play_message(r, OP_TEXT, PLAY_TEXT("coho check"), 0)) return say(r, why, cap);
  struct event e = expect_next_but_pongs(r, play_deadline(r, 0));
  bool echo = e.kind == EVENT_MESSAGE && e.len == 10;
  if (echo || e.kind == EVENT_WRONG) return true;
  char got[VERDICT_DESCRIBED];
  verdict_describe(r, &e, got);
  (void)snprintf(why, cap, "it does not echo: sent a text message of 10 bytes, got %s", got);
  return false;
}

bool probe_server(struct link *link, uint64_t timeout_ms, char *why, size_t cap) {
  struct check_run r = {.c = &question, .link = link, .timeout_ms = timeout_ms};
  static const struct request request = {.method = NULL};
  peer_init(&r.peer, link->side);
  r.deadline = UINT64_MAX;
  bool ok = play_connect(&r) && play_request(&r, &request);
  if (!ok) {
    (void)say(&r, why, cap);
  } else if (r.head.status != 101) {
    (void)snprintf(why, cap, "the handshake is refused with %d", r.head.status);
    ok = false;
  } else if (play_judge_answer(&r, &request)) {
    ok = echoes(&r, why, cap);
    (void)play_send_close(&r, 1000, NULL, 0);
  }
  play_end(&r);
  free(r.reason);
  return ok;
}
