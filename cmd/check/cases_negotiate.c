/* protocol, extension and window: what is offered and what is agreed. */
#include "cases.h"
#include "expect.h"
#include "refusal.h"
#include "verdict.h"

#include "base/check.h"

#include <stdio.h>

/* ---- subprotocols --------------------------------------------------------------------------- */

enum { NAMES_MAX = 400 };

static bool offer(struct check_run *r, const char *protocols) {
  return play_open_with(r,
                        &(struct play_plan){.request = &(struct request){.protocols = protocols}});
}

/* Whoever finds nothing to choose goes on without, or refuses. */
static void run_foreign(struct check_run *r) {
  struct request request = {.protocols = "coho.check.nobody.knows.this"};
  if (!play_connect(r) || !play_request(r, &request)) return;
  if (r->head.status != 101) {
    verdict_pass(r, "refused with %d", r->head.status);
    return;
  }
  if (!play_judge_answer(r, &request)) return;
  if (head_get(&r->head, "Sec-WebSocket-Protocol"))
    verdict_inform(r, "the server takes any name for a subprotocol it speaks");
  else if (expect_echo(r, OP_TEXT, PLAY_TEXT("none")))
    expect_close(r);
}

static bool lacks_names(struct check_run *r) {
  if (r->link->protocols) return false;
  verdict_lack(r, "needs --protocol with a subprotocol that the server speaks");
  return true;
}

static void judge_choice(struct check_run *r, bool must_choose) {
  const char *chosen = head_get(&r->head, "Sec-WebSocket-Protocol");
  if (must_choose && !chosen)
    verdict_inform(r, "none of '%s' is chosen", r->link->protocols);
  else if (expect_echo(r, OP_TEXT, PLAY_TEXT("chosen")))
    expect_close(r);
}

static void run_known(struct check_run *r) {
  if (!lacks_names(r) && offer(r, r->link->protocols)) judge_choice(r, true);
}

static void run_known_last(struct check_run *r) {
  char names[NAMES_MAX];
  if (lacks_names(r)) return;
  (void)snprintf(names, sizeof names, "coho.check.nobody.knows.this,  %s", r->link->protocols);
  if (offer(r, names)) judge_choice(r, true);
}

static void run_two_lines(struct check_run *r) {
  char line[NAMES_MAX];
  if (lacks_names(r)) return;
  (void)snprintf(line, sizeof line, "Sec-WebSocket-Protocol: %s\r\n", r->link->protocols);
  struct request request = {.protocols = "coho.check.nobody.knows.this", .more = line};
  struct request whole = {.protocols = r->link->protocols};
  if (play_connect(r) && play_request(r, &request) && play_judge_answer(r, &whole))
    judge_choice(r, true);
}

/* clang-format off */
static const struct refusal_row protocol_rows[] = {
  {"protocol.blank", "subprotocol name with a blank", "RFC 6455 4.2.1, 4.3", {.protocols = "a b"},
   REFUSAL_ERROR, CASE_INFO, EDIT_NONE},
  {"protocol.empty", "Sec-WebSocket-Protocol without a name", "RFC 6455 4.2.1, 4.3",
   {.protocols = "", .more = "Sec-WebSocket-Protocol: \r\n"}, REFUSAL_ERROR, CASE_INFO, EDIT_NONE},
  {"protocol.separator", "subprotocol name with '/'", "RFC 6455 4.2.1, 4.3", {.protocols = "a/b"},
   REFUSAL_ERROR, CASE_INFO, EDIT_NONE},
};

static const struct check_case protocol_cases[] = {
  {.id = "protocol.foreign", .title = "subprotocol that nobody knows", .rule = "RFC 6455 4.2.2",
   .run = run_foreign, .flags = CASE_SERVER_ONLY},
  {.id = "protocol.known", .title = "subprotocol of --protocol", .rule = "RFC 6455 4.2.2",
   .run = run_known, .flags = CASE_SERVER_ONLY},
  {.id = "protocol.last", .title = "subprotocol of --protocol behind one that nobody knows",
   .rule = "RFC 6455 4.2.2", .run = run_known_last, .flags = CASE_SERVER_ONLY},
  {.id = "protocol.lines", .title = "subprotocol of --protocol in a second field",
   .rule = "RFC 6455 11.3.4", .run = run_two_lines, .flags = CASE_SERVER_ONLY},
};
/* clang-format on */

static void run_protocol_row(struct check_run *r) {
  refusal_play(r, &protocol_rows[r->c->arg.flags]);
}

void cases_protocol(struct catalog *cat) {
  for (unsigned i = 0; i < COHO_COUNT(protocol_rows); i++) {
    struct check_case c = refusal_case(&protocol_rows[i], i, run_protocol_row);
    catalog_add(cat, &c);
  }
  catalog_add_all(cat, protocol_cases, COHO_COUNT(protocol_cases));
}

/* ---- extensions ----------------------------------------------------------------------------- */

/* clang-format off */
static const struct refusal_row extension_rows[] = {
  {"extension.unknown", "extension that nobody knows", "RFC 6455 9.1",
   {.extensions = "x-coho-check; a=1; b"}, REFUSAL_NONE, 0, EDIT_NONE},
  {"extension.names", "extensions named __proto__ and constructor", "RFC 6455 9.1",
   {.extensions = "__proto__, constructor; toString=1"}, REFUSAL_NONE, 0, EDIT_NONE},
  {"extension.old", "extension of former times: x-webkit-deflate-frame", "RFC 6455 9.1",
   {.extensions = "x-webkit-deflate-frame"}, REFUSAL_NONE, 0, EDIT_NONE},
  {"extension.quoted", "extension parameter with a quoted value", "RFC 6455 9.1",
   {.extensions = "x-coho-check; a=\"quoted\""}, REFUSAL_NONE, 0, EDIT_NONE},
  {"extension.blanks", "extension with blanks around ; and = and ,", "RFC 6455 9.1",
   {.extensions = "x-coho-check ; a = 1 , x-coho-other"}, REFUSAL_NONE, CASE_INFO, EDIT_NONE},
  {"extension.no-name", "extension parameter without a name", "RFC 6455 9.1",
   {.extensions = "x-coho-check; =1"}, REFUSAL_ERROR, 0, EDIT_NONE},
  {"extension.no-extension", "extension parameter without an extension", "RFC 6455 9.1",
   {.extensions = "; a=1"}, REFUSAL_ERROR, 0, EDIT_NONE},
  {"extension.two-words", "extensions: two words without a separator", "RFC 6455 9.1",
   {.extensions = "x-coho-check a"}, REFUSAL_ERROR, 0, EDIT_NONE},
  {"extension.open-quote", "extension parameter whose quotes do not end", "RFC 6455 9.1",
   {.extensions = "x-coho-check; a=\"b"}, REFUSAL_ERROR, 0, EDIT_NONE},
  {"extension.no-value", "extension parameter without the value behind =", "RFC 6455 9.1",
   {.extensions = "x-coho-check; a="}, REFUSAL_ERROR, 0, EDIT_NONE},
  {"extension.quoted-blank", "extension parameter whose quoted value is no token", "RFC 6455 9.1",
   {.extensions = "x-coho-check; a=\"b c\""}, REFUSAL_ERROR, CASE_INFO, EDIT_NONE},
  {"extension.separator", "extension name with '/'", "RFC 6455 9.1", {.extensions = "x/coho"},
   REFUSAL_ERROR, 0, EDIT_NONE},
  {"extension.lines", "two Sec-WebSocket-Extensions fields", "RFC 6455 9.1",
   {.extensions = "x-coho-check", .more = "Sec-WebSocket-Extensions: x-coho-other\r\n"},
   REFUSAL_NONE, 0, EDIT_NONE},
};
/* clang-format on */

static void run_extension_row(struct check_run *r) {
  refusal_play(r, &extension_rows[r->c->arg.flags]);
}

void cases_extension(struct catalog *cat) {
  for (unsigned i = 0; i < COHO_COUNT(extension_rows); i++) {
    struct check_case c = refusal_case(&extension_rows[i], i, run_extension_row);
    catalog_add(cat, &c);
  }
}
