#include "client_driver.h"

#include "handshake.h"
#include "peer.h"

#include "base/check.h"
#include "proto/request.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  FIRST_MS = 120 * 1000, /* for somebody to start the client */
  NEXT_MS = 30 * 1000,   /* between two connections */
  LAST_MS = 2000,        /* for the driver to ask how the last case went */
  HEAD_MS = 5000,
  TARGET_BYTES = 1024
};

void driver_begin(struct client_driver *d, const struct client_port *port, struct ssl_ctx_st *tls,
                  uint64_t budget_ms, const struct check_case *const *cases, size_t count) {
  *d = (struct client_driver){.port = port,
                              .tls = tls,
                              .cases = cases,
                              .count = count,
                              .budget_ms = budget_ms,
                              .deadline = now_ms() + budget_ms,
                              .kept = WIRE_NONE};
  d->verdicts = (enum verdict *)memory_new(count, sizeof *d->verdicts);
  (void)snprintf(d->agent, sizeof d->agent, "client");
}

void driver_next(struct client_driver *d) {
  d->now++;
  d->opened = 0;
}

void driver_done(struct client_driver *d, enum verdict v) { d->verdicts[d->now - 1] = v; }

/* ---- what it asks for ----------------------------------------------------------------------- */

/* The value of name in the query of target, decoded, "" for none. */
static void read_query(const char *target, const char *name, char *value, size_t cap) {
  size_t len = strlen(name);
  const char *at = strchr(target, '?');
  value[0] = '\0';
  while (at && !(!strncmp(at + 1, name, len) && at[1 + len] == '='))
    at = strchr(at + 1, '&');
  if (!at) return;
  at += len + 2;
  size_t n = strcspn(at, "&");
  if (n < cap && coho__percent_decode(value, at, n, true) < 0) value[0] = '\0';
}

static size_t read_case(const char *target) {
  char text[16];
  read_query(target, "case", text, sizeof text);
  return (size_t)strtoul(text, NULL, 10);
}

static bool is_path(const char *target, const char *path) {
  size_t len = strlen(path);
  return !strncmp(target, path, len) && (!target[len] || target[len] == '?');
}

/* The target of the request that is there in whole, "" when it is none. It stays where it is. */
static void read_target(struct client_driver *d, struct wire *w, char *target, size_t cap) {
  struct head h;
  size_t len = 0;
  uint64_t deadline = now_ms() + HEAD_MS;
  while (!(len = head_length(wire_bytes(w), wire_count(w))))
    if (wire_count(w) > HEAD_BYTES || wire_fill(w, wire_count(w) + 1, deadline) != WIRE_OK) break;
  target[0] = '\0';
  if (!len) return;
  if (!head_read_request(&h, wire_bytes(w), len)) {
    const char *agent = head_get(&h, "User-Agent");
    (void)snprintf(target, cap, "%s", h.target);
    if (agent && !d->visits) (void)snprintf(d->agent, sizeof d->agent, "%s", agent);
  }
  head_free(&h);
  char name[DRIVER_AGENT];
  read_query(target, "agent", name, sizeof name);
  if (*name) (void)snprintf(d->agent, sizeof d->agent, "%s", name);
}

/* ---- what it is answered -------------------------------------------------------------------- */

/* Accepts the connection, which is then closed: with one text message before, unless NULL. */
static void answer(struct wire *w, const char *text) {
  struct peer p;
  struct head h;
  struct bytes out = {NULL, 0, 0};
  uint64_t deadline = now_ms() + HEAD_MS;
  size_t len = head_length(wire_bytes(w), wire_count(w));
  (void)head_read_request(&h, wire_bytes(w), len);
  const char *key = head_get(&h, "Sec-WebSocket-Key");
  peer_init(&p, SIDE_SERVER);
  p.wire = *w;
  *w = WIRE_NONE;
  wire_take(&p.wire, len);
  handshake_put_answer(&out, &(struct answer){.status = NULL}, key ? key : "");
  if (text)
    frame_put(&out, &(struct frame){.opcode = OP_TEXT, .data = text, .len = strlen(text)}, false);
  frame_put(&out, &(struct frame){.opcode = OP_CLOSE, .data = "\x03\xe8", .len = 2}, false);
  (void)peer_send_bytes(&p, out.data, out.len, deadline);
  enum event_kind kind = EVENT_PING;
  while ((kind == EVENT_PING || kind == EVENT_PONG || kind == EVENT_MESSAGE) && now_ms() < deadline)
    kind = peer_next(&p, deadline).kind;
  peer_free(&p);
  bytes_free(&out);
  head_free(&h);
}

static void answer_json(struct wire *w, json_t *document) {
  char *text = json_dumps(document, 0);
  answer(w, text ? text : "{}");
  free(text);
  json_decref(document);
}

static void answer_status(struct client_driver *d, struct wire *w, size_t number) {
  static const char *const behaviors[] = {[VERDICT_PASSED] = "OK",
                                          [VERDICT_FAILED] = "FAILED",
                                          [VERDICT_INFORMATIONAL] = "INFORMATIONAL",
                                          [VERDICT_UNIMPLEMENTED] = "UNIMPLEMENTED"};
  bool known = number > 0 && number <= d->now;
  answer_json(w, json_pack("{s:s}", "behavior",
                           behaviors[known ? d->verdicts[number - 1] : VERDICT_UNIMPLEMENTED]));
}

static void answer_info(struct client_driver *d, struct wire *w, size_t number) {
  const struct check_case *c = number > 0 && number <= d->count ? d->cases[number - 1] : NULL;
  answer_json(w, json_pack("{s:s, s:s}", "id", c ? c->id : "", "description", c ? c->title : ""));
}

/* True: the question is answered, and the connection closed. */
static bool answer_question(struct client_driver *d, struct wire *w, const char *target) {
  char count[24];
  if (is_path(target, "/getCaseCount")) {
    (void)snprintf(count, sizeof count, "%zu", d->count);
    answer(w, count);
  } else if (is_path(target, "/getCaseStatus")) {
    answer_status(d, w, read_case(target));
  } else if (is_path(target, "/getCaseInfo")) {
    answer_info(d, w, read_case(target));
  } else if (is_path(target, "/updateReports")) {
    d->over = true;
    d->ended = true;
    answer(w, NULL);
  } else {
    return false;
  }
  d->driven = true;
  return true;
}

/* ---- who comes ------------------------------------------------------------------------------ */

static int say(char *why, size_t cap, int result, const char *text) {
  (void)snprintf(why, cap, "%s", text);
  return result;
}

static int take(struct client_driver *d, struct wire *w, uint64_t wait_ms, char *why, size_t cap) {
  int fd;
  uint64_t now = now_ms();
  uint64_t end = COHO_MIN(now + wait_ms, d->deadline);
  if (client_port_take(d->port, -1, end, &fd) != PORT_CAME) {
    d->over = true;
    if (end == d->deadline)
      return say(why, cap, -1, "the client did not connect before the time for all cases was up");
    (void)snprintf(why, cap, "the client did not connect within %g s", (double)wait_ms / 1000);
    return -1;
  }
  d->came = true;
  return wire_accepted(w, fd, d->tls, now_ms() + HEAD_MS, why, cap);
}

/* A connection for a case; *number is that of /runCase, 0: any. */
static int take_visitor(struct client_driver *d, struct wire *w, size_t *number, char *why,
                        size_t cap) {
  char target[TARGET_BYTES] = "";
  if (d->kept_for) {
    *number = d->kept_for;
    *w = d->kept;
    d->kept_for = 0;
    return 0;
  }
  while (!d->over) {
    uint64_t wait_ms = d->visits || d->driven ? NEXT_MS : FIRST_MS;
    int failed = take(d, w, wait_ms, why, cap);
    if (failed) return failed;
    read_target(d, w, target, sizeof target);
    if (answer_question(d, w, target)) continue;
    bool driven = is_path(target, "/runCase");
    *number = driven ? read_case(target) : 0;
    d->driven = d->driven || driven;
    return 0;
  }
  return say(why, cap, 1, "the client ended the run before this case");
}

int driver_open(struct client_driver *d, struct wire *w, char *why, size_t cap) {
  size_t number;
  if (d->ended) return say(why, cap, 1, "the client ended the run before this case");
  if (d->over) return say(why, cap, -1, "the client connects no more");
  if (d->driven && d->opened)
    return say(why, cap, 1, "it takes several connections, and drivers connect once for each case");
  for (;;) {
    int failed = take_visitor(d, w, &number, why, cap);
    if (failed) return failed;
    if (!number || number == d->now) break;
    if (number > d->now && number <= d->count) {
      d->kept = *w;
      d->kept_for = number;
      return say(why, cap, 1, "the client left this case out");
    }
    answer(w, NULL); /* it was run before */
  }
  d->opened++;
  d->visits++;
  return 0;
}

bool driver_deserted(const struct client_driver *d, char *why, size_t cap) {
  if (d->came) return false;
  (void)snprintf(why, cap, "no client came within %g s",
                 (double)COHO_MIN((uint64_t)FIRST_MS, d->budget_ms) / 1000);
  return true;
}

void driver_end(struct client_driver *d) {
  char target[TARGET_BYTES] = "";
  char why[256];
  struct wire w;
  if (d->kept_for) wire_close(&d->kept);
  while (d->driven && !d->over && !take(d, &w, LAST_MS, why, sizeof why)) {
    read_target(d, &w, target, sizeof target);
    if (!answer_question(d, &w, target)) wire_close(&w);
  }
  free(d->verdicts);
}
