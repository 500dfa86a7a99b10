/* 9 and 10: sizes, fragments, chops and round trips. */
#include "cases.h"
#include "expect.h"
#include "sample.h"

#include "base/check.h"

#include <stdio.h>

enum { KIB = 1024, MIB = 1024 * KIB };

static enum sample kind(const struct case_arg *a) {
  return a->opcode == OP_TEXT ? SAMPLE_ASCII : SAMPLE_BINARY;
}

/* arg: opcode, size, piece: of what is written at once. */
static void run_size(struct check_run *r) {
  const struct case_arg *a = &r->c->arg;
  struct bytes data = {NULL, 0, 0};
  sample_add(&data, kind(a), a->size);
  bool ok = play_open(r);
  r->peer.chop = a->piece;
  ok = ok && expect_echo(r, a->opcode, data.data, data.len);
  r->peer.chop = 0;
  if (ok) expect_close(r);
  bytes_free(&data);
}

/* Full fragments, and an empty one that ends the message. */
static bool send_fragments(struct check_run *r, unsigned opcode, const struct bytes *data,
                           size_t piece) {
  struct bytes out = {NULL, 0, 0};
  struct frame f = {.more = true, .opcode = opcode};
  for (size_t at = 0; at < data->len; at += f.len) {
    f.data = data->data + at;
    f.len = COHO_MIN(piece, data->len - at);
    frame_put(&out, &f, play_is_client(r));
    f.opcode = OP_CONTINUATION;
  }
  frame_put(&out, &(struct frame){.opcode = OP_CONTINUATION}, play_is_client(r));
  bool ok = play_send_bytes(r, out.data, out.len);
  bytes_free(&out);
  return ok;
}

/* arg: opcode, size, count: size with --full, piece: of a fragment. */
static void run_fragments(struct check_run *r) {
  const struct case_arg *a = &r->c->arg;
  struct bytes data = {NULL, 0, 0};
  sample_add(&data, kind(a), r->full ? a->count : a->size);
  if (play_open(r) && send_fragments(r, a->opcode, &data, a->piece) &&
      expect_message(r, a->opcode, data.data, data.len))
    expect_close(r);
  bytes_free(&data);
}

/* arg: opcode, size. */
static void run_rounds(struct check_run *r) {
  enum { ROUNDS = 100, FULL_ROUNDS = 1000 };
  const struct case_arg *a = &r->c->arg;
  struct bytes data = {NULL, 0, 0};
  size_t rounds = r->full ? FULL_ROUNDS : ROUNDS;
  sample_add(&data, kind(a), a->size + rounds);
  bool ok = play_open(r);
  for (size_t i = 0; ok && i < rounds; i++)
    ok = expect_echo(r, a->opcode, data.data + i, a->size);
  if (ok) expect_close(r);
  bytes_free(&data);
}

static void run_auto(struct check_run *r) {
  struct bytes data = {NULL, 0, 0};
  sample_add(&data, SAMPLE_ASCII, r->c->arg.size);
  if (play_open(r) && play_message(r, OP_TEXT, data.data, data.len, r->c->arg.piece) &&
      expect_message(r, OP_TEXT, data.data, data.len))
    expect_close(r);
  bytes_free(&data);
}

/* ---- the table ------------------------------------------------------------------------------ */

static const char *type_name(unsigned opcode) { return opcode == OP_TEXT ? "text" : "binary"; }

static void print_size(size_t size, char *text, size_t cap) {
  if (size >= MIB)
    (void)snprintf(text, cap, "%zu MiB", size / MIB);
  else if (size >= KIB)
    (void)snprintf(text, cap, "%zu KiB", size / KIB);
  else
    (void)snprintf(text, cap, "%zu bytes", size);
}

/* The group is that of text; binary messages have the next one. */
static struct check_case make(unsigned group, unsigned opcode, size_t number) {
  struct check_case c = {.rule = "RFC 6455 5.2, 5.4", .arg = {.opcode = opcode}};
  (void)snprintf(c.id, sizeof c.id, "9.%u.%zu", group + opcode - OP_TEXT, number);
  return c;
}

static void add_sizes(struct catalog *cat, unsigned opcode) {
  static const size_t sizes[] = {64 * KIB, 256 * KIB, MIB, 4 * MIB, 8 * MIB, 16 * MIB};
  for (size_t i = 0; i < COHO_COUNT(sizes); i++) {
    struct check_case c = make(1, opcode, i + 1);
    char size[32];
    print_size(sizes[i], size, sizeof size);
    (void)snprintf(c.title, sizeof c.title, "%s message of %s in one frame", type_name(opcode),
                   size);
    c.run = run_size;
    c.arg.size = sizes[i];
    c.flags = sizes[i] > MIB ? CASE_FULL : 0;
    catalog_add(cat, &c);
  }
}

static void add_fragments(struct catalog *cat, unsigned opcode) {
  enum { PIECES = 9, FIRST = 64 };
  size_t piece = FIRST;
  for (size_t i = 0; i < PIECES; i++, piece *= 4) {
    struct check_case c = make(3, opcode, i + 1);
    char size[32];
    print_size(piece, size, sizeof size);
    (void)snprintf(c.title, sizeof c.title,
                   "%s message of 1 MiB (--full: 4 MiB) in fragments of %s and an empty one",
                   type_name(opcode), size);
    c.run = run_fragments;
    c.arg.size = MIB;
    c.arg.count = (size_t)4 * MIB;
    c.arg.piece = piece;
    c.flags = piece > MIB ? CASE_FULL : 0;
    catalog_add(cat, &c);
  }
}

static void add_chops(struct catalog *cat, unsigned opcode) {
  enum { CHOPS = 6, FIRST = 64 };
  size_t chop = FIRST;
  for (size_t i = 0; i < CHOPS; i++, chop *= 2) {
    struct check_case c = make(5, opcode, i + 1);
    (void)snprintf(c.title, sizeof c.title, "%s message of 1 MiB, written in chops of %zu bytes",
                   type_name(opcode), chop);
    c.run = run_size;
    c.arg.size = MIB;
    c.arg.piece = chop;
    catalog_add(cat, &c);
  }
}

static void add_rounds(struct catalog *cat, unsigned opcode) {
  static const size_t sizes[] = {0, 16, 64, 256, 1024, 4096};
  for (size_t i = 0; i < COHO_COUNT(sizes); i++) {
    struct check_case c = make(7, opcode, i + 1);
    (void)snprintf(c.title, sizeof c.title, "100 (--full: 1000) %s messages of %zu bytes in turns",
                   type_name(opcode), sizes[i]);
    c.run = run_rounds;
    c.arg.size = sizes[i];
    catalog_add(cat, &c);
  }
}

void cases_size(struct catalog *cat) {
  static void (*const groups[])(struct catalog *, unsigned) = {add_sizes, add_fragments, add_chops,
                                                               add_rounds};
  static const struct check_case automatic = {
      .id = "10.1.1",
      .title = "text message of 65536 bytes in fragments of 1300",
      .rule = "RFC 6455 5.4",
      .run = run_auto,
      .arg = {.size = 65536, .piece = 1300},
  };
  for (size_t i = 0; i < COHO_COUNT(groups); i++)
    for (unsigned opcode = OP_TEXT; opcode <= OP_BINARY; opcode++)
      groups[i](cat, opcode);
  catalog_add(cat, &automatic);
}
