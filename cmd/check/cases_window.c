/* window: which parameters of permessage-deflate are agreed, and whether they are kept to. */
#include "cases.h"
#include "expect.h"
#include "sample.h"
#include "verdict.h"

#include "base/check.h"

#include <stdio.h>

/* ---- offers that must be declined ----------------------------------------------------------- */

static const char pmd[] = "permessage-deflate";

/* Declined, or the whole handshake refused. arg: text: the parameters. */
static void run_declined(struct check_run *r) {
  char extensions[200];
  (void)snprintf(extensions, sizeof extensions, "%s; %s", pmd, r->c->arg.text);
  struct request request = {.extensions = extensions};
  if (!play_connect(r) || !play_request(r, &request)) return;
  const char *answer = head_get(&r->head, "Sec-WebSocket-Extensions");
  if (r->head.status != 101)
    verdict_pass(r, "the handshake is refused with %d", r->head.status);
  else if (answer)
    (void)verdict_fail(r,
                       "accepted '%s' with '%s'; expected no permessage-deflate in the answer, "
                       "or a refusal",
                       extensions, answer);
  else if (play_judge_answer(r, &request) && expect_echo(r, OP_TEXT, PLAY_TEXT("plain")))
    expect_close(r);
}

/* The second offer is sound. arg: text: the parameters of the first. */
static void run_second_offer(struct check_run *r) {
  char extensions[200];
  (void)snprintf(extensions, sizeof extensions, "%s; %s, %s", pmd, r->c->arg.text, pmd);
  struct request request = {.extensions = extensions};
  if (!play_connect(r) || !play_request(r, &request)) return;
  if (r->head.status != 101)
    verdict_inform(r, "refused with %d for the sake of one offer; expected 101 with the other",
                   r->head.status);
  else if (!head_get(&r->head, "Sec-WebSocket-Extensions"))
    verdict_lack(r, "no offer is accepted");
  else if (play_judge_answer(r, &request) && expect_echo(r, OP_TEXT, PLAY_TEXT("second")))
    expect_close(r);
}

/* ---- offers that are sound ------------------------------------------------------------------ */

enum { MESSAGES = 6, MESSAGE = 6000 };

/* Messages of which each refers to those before, were it not forbidden. */
static void exchange(struct check_run *r) {
  struct bytes data = {NULL, 0, 0};
  sample_add(&data, SAMPLE_JSON, MESSAGES * MESSAGE);
  bool ok = true;
  for (size_t i = 0; ok && i < MESSAGES; i++) {
    const uint8_t *at = data.data + (i % 2 ? 0 : i * MESSAGE);
    ok = play_packed(r, OP_TEXT, at, MESSAGE, 0) && expect_message(r, OP_TEXT, at, MESSAGE);
  }
  if (ok) expect_close(r);
  bytes_free(&data);
}

/* arg: text: the parameters. */
static void run_offer(struct check_run *r) {
  char extensions[200];
  const char *params = r->c->arg.text;
  (void)snprintf(extensions, sizeof extensions, "%s%s%s", pmd, *params ? "; " : "", params);
  struct request request = {.extensions = extensions};
  if (!play_connect(r) || !play_request(r, &request) || !play_judge_answer(r, &request)) return;
  if (r->peer.squeeze)
    exchange(r);
  else
    verdict_lack(r, "the server does not agree to '%s'", extensions);
}

/* A client that does not support the agreed configuration has to fail the connection (RFC 7692 7), and
   many a zlib has no window of 8 bits. True: it did not; else decided. */
static bool supports_8(struct check_run *r) {
  if (!play_ping(r, PLAY_TEXT("agreed?"))) return false;
  struct event e = expect_next(r, play_deadline(r, 0));
  if (e.kind == EVENT_PONG) return true;
  if (e.kind == EVENT_END || e.kind == EVENT_RESET || e.kind == EVENT_CLOSE)
    verdict_inform(r, "the client fails the connection, as one has to that does not support a "
                      "window of 8 bits");
  else
    (void)verdict_unexpected(r, "a pong, or a failed connection where 8 bits are not supported",
                             &e);
  return false;
}

/* As server: what the client is told to do. arg: size: bits, 0: not said, flags: no takeover. */
static void run_answer(struct check_run *r) {
  const struct case_arg *a = &r->c->arg;
  struct squeeze_side theirs = {(int)a->size, a->flags != 0};
  if (play_open_deflate(r, theirs) && (a->size != 8 || supports_8(r))) exchange(r);
}

/* ---- the table ------------------------------------------------------------------------------ */

struct row {
  const char *id, *title, *params;
};

/* clang-format off */
static const struct row declined[] = {
  {"window.server-7", "server_max_window_bits=7", "server_max_window_bits=7"},
  {"window.server-16", "server_max_window_bits=16", "server_max_window_bits=16"},
  {"window.server-0", "server_max_window_bits=0", "server_max_window_bits=0"},
  {"window.server-zeros", "server_max_window_bits=010", "server_max_window_bits=010"},
  {"window.server-sign", "server_max_window_bits=+9", "server_max_window_bits=+9"},
  {"window.server-fraction", "server_max_window_bits=9.0", "server_max_window_bits=9.0"},
  {"window.server-word", "server_max_window_bits=abc", "server_max_window_bits=abc"},
  {"window.server-huge", "server_max_window_bits=4294967306", "server_max_window_bits=4294967306"},
  {"window.server-none", "server_max_window_bits without a value", "server_max_window_bits"},
  {"window.server-twice", "server_max_window_bits twice",
   "server_max_window_bits=10; server_max_window_bits=10"},
  {"window.client-7", "client_max_window_bits=7", "client_max_window_bits=7"},
  {"window.client-16", "client_max_window_bits=16", "client_max_window_bits=16"},
  {"window.client-zeros", "client_max_window_bits=08", "client_max_window_bits=08"},
  {"window.client-twice", "client_max_window_bits twice",
   "client_max_window_bits; client_max_window_bits=10"},
  {"window.server-takeover-value", "server_no_context_takeover=1", "server_no_context_takeover=1"},
  {"window.client-takeover-value", "client_no_context_takeover=true",
   "client_no_context_takeover=true"},
  {"window.takeover-twice", "server_no_context_takeover twice",
   "server_no_context_takeover; server_no_context_takeover"},
  {"window.unknown", "parameter that does not exist", "coho_check"},
  {"window.unknown-value", "parameter that does not exist, with a value", "coho_check=1"},
};

static const struct row offers[] = {
  {"window.plain", "no parameters", ""},
  {"window.hint", "client_max_window_bits", "client_max_window_bits"},
  {"window.takeover-none", "no context takeover in either direction",
   "server_no_context_takeover; client_no_context_takeover"},
  {"window.quoted", "quoted value", "server_max_window_bits=\"10\""},
  {"window.all", "all parameters",
   "server_no_context_takeover; client_no_context_takeover; server_max_window_bits=12; "
   "client_max_window_bits=12"},
};
/* clang-format on */

static void add_rows(struct catalog *cat, const struct row *rows, size_t count,
                     void (*run)(struct check_run *r)) {
  for (size_t i = 0; i < count; i++) {
    struct check_case c = {.rule = "RFC 7692 7, 7.1",
                           .run = run,
                           .flags = CASE_SERVER_ONLY,
                           .arg = {.text = rows[i].params}};
    (void)snprintf(c.id, sizeof c.id, "%s", rows[i].id);
    (void)snprintf(c.title, sizeof c.title, "%s: %s",
                   run == run_declined ? "invalid offer" : "offer", rows[i].title);
    catalog_add(cat, &c);
  }
}

/* The text of server_max_window_bits=N and client_max_window_bits=N lives as long as the program. */
static void add_bits(struct catalog *cat) {
  static const char *const params[2][8] = {
      {"server_max_window_bits=8", "server_max_window_bits=9", "server_max_window_bits=10",
       "server_max_window_bits=11", "server_max_window_bits=12", "server_max_window_bits=13",
       "server_max_window_bits=14", "server_max_window_bits=15"},
      {"client_max_window_bits=8", "client_max_window_bits=9", "client_max_window_bits=10",
       "client_max_window_bits=11", "client_max_window_bits=12", "client_max_window_bits=13",
       "client_max_window_bits=14", "client_max_window_bits=15"}};
  for (unsigned i = 0; i < 16; i++) {
    struct check_case c = {.rule = "RFC 7692 7.1.2",
                           .run = run_offer,
                           .flags = CASE_SERVER_ONLY,
                           .arg = {.text = params[i / 8][i % 8]}};
    (void)snprintf(c.id, sizeof c.id, "window.%s-bits-%u", i < 8 ? "server" : "client", 8 + i % 8);
    (void)snprintf(c.title, sizeof c.title, "offer: %s", c.arg.text);
    catalog_add(cat, &c);
  }
}

/* The same of a client, which is told the size of its window by our answer. */
static void add_answers(struct catalog *cat) {
  for (unsigned i = 0; i < 9; i++) {
    struct check_case c = {.rule = "RFC 7692 7.1.2",
                           .run = run_answer,
                           .flags = CASE_CLIENT_ONLY,
                           .arg = {.size = i < 8 ? 8 + i : 0, .flags = i == 8}};
    if (i < 8) {
      (void)snprintf(c.id, sizeof c.id, "window.answer-bits-%u", 8 + i);
      (void)snprintf(c.title, sizeof c.title, "answer: client_max_window_bits=%u", 8 + i);
    } else {
      (void)snprintf(c.id, sizeof c.id, "window.answer-takeover-none");
      (void)snprintf(c.title, sizeof c.title, "answer: client_no_context_takeover");
    }
    catalog_add(cat, &c);
  }
}

void cases_window(struct catalog *cat) {
  static const struct row second = {"window.second-offer",
                                    "the second of two, the first of which is not valid",
                                    "server_max_window_bits=99"};
  add_rows(cat, declined, COHO_COUNT(declined), run_declined);
  add_rows(cat, &second, 1, run_second_offer);
  add_rows(cat, offers, COHO_COUNT(offers), run_offer);
  add_bits(cat);
  add_answers(cat);
}
