/* 12 and 13: messages compressed with various data, sizes, fragments and parameters. */
#include "cases.h"
#include "expect.h"
#include "sample.h"
#include "verdict.h"

#include "base/check.h"

#include <stdio.h>

enum { ROUNDS = 20, FULL_ROUNDS = 1000, DATA = 256 * 1024 };

/* ---- one case ------------------------------------------------------------------------------- */

/* arg: opcode, size and piece of each message, flags: enum sample, code: bits that are asked of the
   other side, count: 1 for no context takeover, 2 for three offers. */
static struct squeeze_side asked(const struct case_arg *a) {
  return (struct squeeze_side){.bits = (int)a->code, .no_takeover = a->count != 0};
}

/* Of three offers the server takes the one it likes best; a client has only one set to answer. */
static bool open_three(struct check_run *r) {
  static const char offers[] =
      "permessage-deflate; server_no_context_takeover; server_max_window_bits=9; "
      "client_max_window_bits,permessage-deflate; server_no_context_takeover; "
      "client_max_window_bits,permessage-deflate; client_max_window_bits";
  struct request request = {.extensions = offers};
  if (!play_is_client(r)) return play_open_deflate(r, (struct squeeze_side){0, true});
  if (!play_open_with(r, &(struct play_plan){.request = &request})) return false;
  if (!r->peer.squeeze) verdict_lack(r, "the server agrees to none of three offers");
  return r->peer.squeeze != NULL;
}

static void run_compress(struct check_run *r) {
  const struct case_arg *a = &r->c->arg;
  struct bytes data = {NULL, 0, 0};
  size_t rounds = r->full ? FULL_ROUNDS : ROUNDS;
  size_t at = 0;
  sample_add(&data, (enum sample)a->flags, DATA);
  bool ok = a->count == 2 ? open_three(r) : play_open_deflate(r, asked(a));
  for (size_t i = 0; ok && i < rounds; i++, at += a->size) {
    if (at + a->size > DATA) at = (at + a->size) % 61;
    const uint8_t *message = data.data + at;
    ok = play_packed(r, a->opcode, message, a->size, a->piece) &&
         expect_message(r, a->opcode, message, a->size);
  }
  if (ok) expect_close(r);
  bytes_free(&data);
}

/* ---- the table ------------------------------------------------------------------------------ */

static const struct {
  size_t size, piece;
} shapes[] = {
    {16, 0},      {64, 0},      {256, 0},      {1024, 0},      {4096, 0},      {8192, 0},
    {16384, 0},   {32768, 0},   {65536, 0},    {131072, 0},    {8192, 256},    {16384, 256},
    {32768, 256}, {65536, 256}, {131072, 256}, {131072, 1024}, {131072, 4096}, {131072, 32768},
};

static const struct {
  const char *name;
  unsigned opcode;
  enum sample sample;
} data_sets[] = {
    {"records", OP_TEXT, SAMPLE_JSON},   {"an image", OP_BINARY, SAMPLE_IMAGE},
    {"prose", OP_BINARY, SAMPLE_PROSE},  {"markup", OP_TEXT, SAMPLE_MARKUP},
    {"noise", OP_BINARY, SAMPLE_BINARY},
};

static const struct {
  const char *name;
  unsigned bits, takeover;
} parameters[] = {
    {"as it likes", 0, 0},
    {"without context", 0, 1},
    {"window of 9 bits", 9, 0},
    {"window of 15 bits", 15, 0},
    {"without context, window of 9 bits", 9, 1},
    {"without context, window of 15 bits", 15, 1},
    {"three offers", 0, 2},
};

static void add_group(struct catalog *cat, const char *group, const char *name,
                      const struct check_case *like) {
  enum { LARGEST = 16384 };
  for (unsigned i = 0; i < COHO_COUNT(shapes); i++) {
    struct check_case c = *like;
    char pieces[48] = "";
    c.arg.size = shapes[i].size;
    c.arg.piece = shapes[i].piece;
    c.flags = shapes[i].size > LARGEST ? CASE_FULL : 0;
    if (c.arg.piece) (void)snprintf(pieces, sizeof pieces, " in fragments of %zu", c.arg.piece);
    (void)snprintf(c.id, sizeof c.id, "%s.%u", group, i + 1);
    (void)snprintf(c.title, sizeof c.title, "%s: 20 (--full: 1000) messages of %zu bytes%s", name,
                   c.arg.size, pieces);
    catalog_add(cat, &c);
  }
}

void cases_compress(struct catalog *cat) {
  char group[16];
  for (unsigned i = 0; i < COHO_COUNT(data_sets); i++) {
    struct check_case c = {.rule = "RFC 7692 7.2", .run = run_compress};
    c.arg.opcode = data_sets[i].opcode;
    c.arg.flags = data_sets[i].sample;
    (void)snprintf(group, sizeof group, "12.%u", i + 1);
    add_group(cat, group, data_sets[i].name, &c);
  }
  for (unsigned i = 0; i < COHO_COUNT(parameters); i++) {
    struct check_case c = {.rule = "RFC 7692 7.1, 7.2", .run = run_compress};
    c.arg.opcode = OP_TEXT;
    c.arg.flags = SAMPLE_JSON;
    c.arg.code = parameters[i].bits;
    c.arg.count = parameters[i].takeover;
    (void)snprintf(group, sizeof group, "13.%u", i + 1);
    add_group(cat, group, parameters[i].name, &c);
  }
}
