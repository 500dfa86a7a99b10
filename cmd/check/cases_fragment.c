/* 5 and fragment: messages in fragments, and frames out of their order. */
#include "cases.h"
#include "expect.h"
#include "verdict.h"

#include "base/check.h"

#include <stdio.h>
#include <string.h>

enum { FRAMES = 8 };

enum outcome {
  ECHO,      /* all data frames are one text message */
  PONG_ECHO, /* the pongs of all pings, then the echo */
  FAILS,     /* 1002 */
  ECHO_FAILS /* an echo of the first two frames may come before */
};

/* What is sent: kinds of frames, ended by 0. Upper case has FIN. The payload of the n-th frame is
   "fragment n". t, T: text; b, B: binary; c, C: continuation; i, I: ping; o, O: pong. */
struct row {
  const char *id, *title, *frames;
  enum outcome outcome;
  size_t chop; /* WRITE_EACH: a write per frame */
};
enum { WRITE_EACH = 1000000 };

/* clang-format off */
static const struct row rows[] = {
  {"5.1", "ping in two fragments", "iC", FAILS, 0},
  {"5.2", "pong in two fragments", "oC", FAILS, 0},
  {"5.3", "text in two fragments, one write", "tC", ECHO, 0},
  {"5.4", "text in two fragments, a write per frame", "tC", ECHO, WRITE_EACH},
  {"5.5", "text in two fragments, byte by byte", "tC", ECHO, 1},
  {"5.6", "a ping between two fragments, one write", "tIC", PONG_ECHO, 0},
  {"5.7", "a ping between two fragments, a write per frame", "tIC", PONG_ECHO, WRITE_EACH},
  {"5.8", "a ping between two fragments, byte by byte", "tIC", PONG_ECHO, 1},
  {"5.9", "last continuation of nothing, then text, one write", "CT", FAILS, 0},
  {"5.10", "last continuation of nothing, then text, a write per frame", "CT", FAILS, WRITE_EACH},
  {"5.11", "last continuation of nothing, then text, byte by byte", "CT", FAILS, 1},
  {"5.12", "continuation of nothing, then text, one write", "cT", FAILS, 0},
  {"5.13", "continuation of nothing, then text, a write per frame", "cT", FAILS, WRITE_EACH},
  {"5.14", "continuation of nothing, then text, byte by byte", "cT", FAILS, 1},
  {"5.15", "text in two fragments, continuation of nothing, then text", "tCcT", ECHO_FAILS, 0},
  {"5.16", "continuation of nothing, then text in two fragments, twice", "ctCctC", FAILS, 0},
  {"5.17", "last continuation of nothing, then text in two fragments, twice", "CtCCtC", FAILS, 0},
  {"5.18", "text frame inside of a fragmented text message", "tT", FAILS, 0},
  {"5.19", "five fragments with two pings between them, one write", "tcIccIC", PONG_ECHO, 0},
  {"5.20", "five fragments with two pings between them, a write per frame", "tcIccIC", PONG_ECHO,
   WRITE_EACH},
};

static const struct row more_rows[] = {
  {"fragment.text-in-text", "unfinished text inside of a fragmented text message", "ttC", FAILS, 0},
  {"fragment.binary-in-text", "binary frame inside of a fragmented text message", "tBC", FAILS, 0},
  {"fragment.text-in-binary", "text frame inside of a fragmented binary message", "bTC", FAILS, 0},
  {"fragment.after-end", "continuation behind the last fragment", "tCC", ECHO_FAILS, 0},
  {"fragment.pong-between", "pong that nobody asked for between two fragments", "tOC", ECHO, 0},
  {"fragment.ping-each", "a ping behind each fragment", "tIcIcIC", PONG_ECHO, 0},
  {"fragment.ping-fragment-inside", "fragmented ping inside of a fragmented message", "tiC", FAILS, 0},
};
/* clang-format on */

/* ---- frames --------------------------------------------------------------------------------- */

struct script {
  struct frame frames[FRAMES];
  char texts[FRAMES][16];
  size_t count;
  char message[FRAMES * 16]; /* all of the data frames */
  size_t len, first_len;     /* first_len: of the first two */
};

static unsigned opcode_of(char kind) {
  switch (kind | 0x20) {
  case 't': return OP_TEXT;
  case 'b': return OP_BINARY;
  case 'i': return OP_PING;
  case 'o': return OP_PONG;
  default: return OP_CONTINUATION;
  }
}

static void write_script(struct script *s, const char *kinds) {
  *s = (struct script){.count = 0};
  for (; kinds[s->count]; s->count++) {
    char *text = s->texts[s->count];
    struct frame *f = &s->frames[s->count];
    size_t len = (size_t)snprintf(text, sizeof s->texts[0], "fragment %zu ", s->count + 1);
    *f = (struct frame){.more = (kinds[s->count] & 0x20) != 0,
                        .opcode = opcode_of(kinds[s->count]),
                        .data = text,
                        .len = len};
    if (f->opcode >= OP_CLOSE) continue;
    memcpy(s->message + s->len, text, len);
    s->len += len;
    if (s->count < 2) s->first_len = s->len;
  }
}

static bool send_each(struct check_run *r, const struct script *s) {
  for (size_t i = 0; i < s->count; i++)
    if (!play_send(r, &s->frames[i])) return false;
  return true;
}

static bool send_script(struct check_run *r, const struct script *s, size_t chop) {
  if (chop == WRITE_EACH) return send_each(r, s);
  r->peer.chop = chop;
  bool ok = play_send_all(r, s->frames, s->count);
  r->peer.chop = 0;
  return ok;
}

static void run_row(struct check_run *r, const struct row *row) {
  struct script s;
  size_t missing = 0;
  write_script(&s, row->frames);
  if (!play_open(r) || !send_script(r, &s, row->chop)) return;
  switch (row->outcome) {
  case FAILS: expect_failure(r, expect_1002); return;
  case ECHO_FAILS: expect_failure_after(r, expect_1002, s.message, s.first_len); return;
  case PONG_ECHO:
    if (!expect_pongs(r, s.frames, s.count, &missing)) return;
    break;
  case ECHO: break;
  }
  if (expect_message(r, OP_TEXT, s.message, s.len)) expect_close_but(r, missing);
}

/* arg: flags is the row in the table. */
static void run_rows(struct check_run *r) { run_row(r, &rows[r->c->arg.flags]); }
static void run_more_rows(struct check_run *r) { run_row(r, &more_rows[r->c->arg.flags]); }

static void add_row(struct catalog *cat, const struct row *row, unsigned index,
                    void (*run)(struct check_run *r)) {
  struct check_case c = {.rule = "RFC 6455 5.4", .run = run, .arg = {.flags = index}};
  (void)snprintf(c.id, sizeof c.id, "%s", row->id);
  (void)snprintf(c.title, sizeof c.title, "%s", row->title);
  catalog_add(cat, &c);
}

void cases_fragment(struct catalog *cat) {
  for (unsigned i = 0; i < COHO_COUNT(rows); i++)
    add_row(cat, &rows[i], i, run_rows);
}

/* ---- more ----------------------------------------------------------------------------------- */

/* arg: size: of the message, piece, opcode. */
static void run_pieces(struct check_run *r) {
  const struct case_arg *a = &r->c->arg;
  char data[4096];
  for (size_t i = 0; i < sizeof data; i++)
    data[i] = (char)('!' + i % 89);
  if (play_open(r) && play_message(r, a->opcode, data, a->size, a->piece) &&
      expect_message(r, a->opcode, data, a->size))
    expect_close(r);
}

/* arg: count: of empty fragments around the text, which is the data. */
static void run_empties(struct check_run *r) {
  const struct case_arg *a = &r->c->arg;
  struct bytes out = {NULL, 0, 0};
  struct frame empty = {.more = true, .opcode = OP_BINARY};
  for (size_t i = 0; i < a->count; i++) {
    frame_put(&out, &empty, play_is_client(r));
    empty.opcode = OP_CONTINUATION;
  }
  struct frame text = {.more = true, .data = a->data, .len = a->len};
  frame_put(&out, &text, play_is_client(r));
  empty.more = false;
  frame_put(&out, &empty, play_is_client(r));
  if (play_open(r) && play_send_bytes(r, out.data, out.len) &&
      expect_message(r, OP_BINARY, a->data, a->len))
    expect_close(r);
  bytes_free(&out);
}

/* The pong comes while the message is unfinished, which is told by withholding its end. */
static void run_ping_first(struct check_run *r) {
  struct frame first = {.more = true, .opcode = OP_TEXT, .data = "begun ", .len = 6};
  struct frame last = {.opcode = OP_CONTINUATION, .data = "ended", .len = 5};
  if (play_open(r) && play_send(r, &first) && play_ping(r, PLAY_TEXT("at once")) &&
      expect_pong(r, PLAY_TEXT("at once")) && play_send(r, &last) &&
      expect_message(r, OP_TEXT, PLAY_TEXT("begun ended")))
    expect_close(r);
}

/* clang-format off */
static const struct check_case cases[] = {
  {.id = "fragment.bytes", .title = "text message of 300 bytes in fragments of one",
   .rule = "RFC 6455 5.4", .run = run_pieces, .arg = {.opcode = OP_TEXT, .size = 300, .piece = 1}},
  {.id = "fragment.many", .title = "binary message of 4096 bytes in fragments of 3",
   .rule = "RFC 6455 5.4", .run = run_pieces,
   .arg = {.opcode = OP_BINARY, .size = 4096, .piece = 3}},
  {.id = "fragment.empty", .title = "100 empty fragments before a full one, and an empty one behind",
   .rule = "RFC 6455 5.4", .run = run_empties, .arg = {.count = 100, .data = "here", .len = 4}},
  {.id = "fragment.all-empty", .title = "message of empty fragments alone", .rule = "RFC 6455 5.4",
   .run = run_empties, .arg = {.count = 3, .data = "", .len = 0}},
  {.id = "fragment.ping-first", .title = "a ping inside of a message is answered before its end",
   .rule = "RFC 6455 5.4", .run = run_ping_first},
};
/* clang-format on */

void cases_fragment_more(struct catalog *cat) {
  for (unsigned i = 0; i < COHO_COUNT(more_rows); i++)
    add_row(cat, &more_rows[i], i, run_more_rows);
  catalog_add_all(cat, cases, COHO_COUNT(cases));
}
