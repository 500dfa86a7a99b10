/* 3 and 4: reserved bits and opcodes. */
#include "cases.h"
#include "expect.h"

#include "base/check.h"

#include <stdio.h>

/* What is sent, behind a sound text message or not, before a ping or not. */
struct row {
  const char *id;
  unsigned rsv, opcode;
  const char *data;
  size_t len;
  bool between; /* a text message before it, a ping behind it */
  size_t chop;
};

static const char greeting[] = "Hello, world!";

/* clang-format off */
static const struct row rows[] = {
  {"3.1", 1, OP_TEXT, greeting, 13, false, 0},
  {"3.2", 2, OP_TEXT, greeting, 13, true, 0},
  {"3.3", 3, OP_TEXT, greeting, 13, true, 0},
  {"3.4", 4, OP_TEXT, greeting, 13, true, 1},
  {"3.5", 5, OP_BINARY, "\x00\xff\xfe\xfd\xfc\xfb\x00\xff", 8, false, 0},
  {"3.6", 6, OP_PING, greeting, 13, false, 0},
  {"3.7", 7, OP_CLOSE, "\x03\xe8", 2, false, 0},
  {"4.1.1", 0, 3, "", 0, false, 0},
  {"4.1.2", 0, 4, "reserved opcode payload", 23, false, 0},
  {"4.1.3", 0, 5, "", 0, true, 0},
  {"4.1.4", 0, 6, greeting, 13, true, 0},
  {"4.1.5", 0, 7, greeting, 13, true, 1},
  {"4.2.1", 0, 11, "", 0, false, 0},
  {"4.2.2", 0, 12, "reserved opcode payload", 23, false, 0},
  {"4.2.3", 0, 13, "", 0, true, 0},
  {"4.2.4", 0, 14, greeting, 13, true, 0},
  {"4.2.5", 0, 15, greeting, 13, true, 1},
};
/* clang-format on */

/* arg: flags is the row in the table. */
static void run_reserved(struct check_run *r) {
  const struct row *row = &rows[r->c->arg.flags];
  struct frame text = {.opcode = OP_TEXT, .data = greeting, .len = 13};
  struct frame bad = {.rsv = row->rsv, .opcode = row->opcode, .data = row->data, .len = row->len};
  struct frame ping = {.opcode = OP_PING};
  struct frame frames[] = {text, bad, ping};
  if (!play_open(r)) return;
  r->peer.chop = row->chop;
  bool ok = row->between ? play_send_all(r, frames, 3) : play_send(r, &bad);
  r->peer.chop = 0;
  if (!ok) return;
  if (row->between)
    expect_failure_after(r, expect_1002, greeting, 13);
  else
    expect_failure(r, expect_1002);
}

static const char *frame_name(unsigned opcode) {
  return opcode == OP_TEXT     ? "text frame"
         : opcode == OP_BINARY ? "binary frame"
         : opcode == OP_PING   ? "ping"
                               : "Close frame";
}

static void print_title(const struct row *row, char *title, size_t cap) {
  char what[64];
  if (row->rsv)
    (void)snprintf(what, sizeof what, "%s with the reserved bits %u%u%u", frame_name(row->opcode),
                   row->rsv >> 2, row->rsv >> 1 & 1, row->rsv & 1);
  else
    (void)snprintf(what, sizeof what, "frame with the opcode %u%s", row->opcode,
                   row->len ? "" : ", empty");
  (void)snprintf(title, cap, "%s%s%s", what,
                 row->between ? " between a text message and a ping" : "",
                 row->chop ? ", byte by byte" : "");
}

void cases_reserved(struct catalog *cat) {
  for (unsigned i = 0; i < COHO_COUNT(rows); i++) {
    struct check_case c = {.rule = "RFC 6455 5.2", .run = run_reserved, .arg = {.flags = i}};
    (void)snprintf(c.id, sizeof c.id, "%s", rows[i].id);
    print_title(&rows[i], c.title, sizeof c.title);
    catalog_add(cat, &c);
  }
}
