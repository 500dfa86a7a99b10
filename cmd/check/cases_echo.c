/* 1: messages of one frame at the sizes where the encoding of lengths changes. */
#include "cases.h"
#include "expect.h"
#include "sample.h"

#include "base/check.h"

#include <stdio.h>

/* arg: opcode, size, piece: of what is written at once. */
static void run_echo(struct check_run *r) {
  const struct case_arg *a = &r->c->arg;
  struct bytes data = {NULL, 0, 0};
  sample_add(&data, a->opcode == OP_TEXT ? SAMPLE_ASCII : SAMPLE_BINARY, a->size);
  bool ok = play_open(r);
  r->peer.chop = a->piece;
  ok = ok && expect_echo(r, a->opcode, data.data, data.len);
  r->peer.chop = 0;
  if (ok) expect_close(r);
  bytes_free(&data);
}

static void add(struct catalog *cat, unsigned opcode, unsigned number, size_t size, size_t piece) {
  struct check_case c = {
      .rule = "RFC 6455 5.2, 5.6",
      .run = run_echo,
      .arg = {.opcode = opcode, .size = size, .piece = piece},
  };
  const char *type = opcode == OP_TEXT ? "text" : "binary";
  (void)snprintf(c.id, sizeof c.id, "1.%u.%u", opcode, number);
  if (piece)
    (void)snprintf(c.title, sizeof c.title, "%s message of %zu bytes, written in chops of %zu",
                   type, size, piece);
  else
    (void)snprintf(c.title, sizeof c.title, "%s message of %zu bytes", type, size);
  catalog_add(cat, &c);
}

void cases_echo(struct catalog *cat) {
  static const size_t sizes[] = {0, 125, 126, 127, 128, 65535, 65536};
  enum { CHOP = 997 };
  for (unsigned opcode = OP_TEXT; opcode <= OP_BINARY; opcode++) {
    unsigned number = 1;
    for (size_t i = 0; i < COHO_COUNT(sizes); i++)
      add(cat, opcode, number++, sizes[i], 0);
    add(cat, opcode, number, 65536, CHOP);
  }
}
