/* utf8: where text is cut, and what is not looked at. */
#include "cases.h"
#include "expect.h"
#include "sample.h"

#include "base/check.h"

#include <stdio.h>
#include <string.h>

/* arg: text: in hexadecimal, opcode, piece: of a fragment. */
static void run_sound(struct check_run *r) {
  const struct case_arg *a = &r->c->arg;
  struct bytes data = {NULL, 0, 0};
  bytes_add_hex(&data, a->text);
  if (play_open(r) && play_message(r, a->opcode, data.data, data.len, a->piece) &&
      expect_message(r, a->opcode, data.data, data.len))
    expect_close(r);
  bytes_free(&data);
}

/* arg: as above. */
static void run_broken(struct check_run *r) {
  const struct case_arg *a = &r->c->arg;
  struct bytes data = {NULL, 0, 0};
  bytes_add_hex(&data, a->text);
  if (play_open(r) && play_message(r, OP_TEXT, data.data, data.len, a->piece))
    expect_failure(r, expect_1007);
  bytes_free(&data);
}

/* A character is cut by a ping. */
static void run_ping_inside(struct check_run *r) {
  struct frame frames[] = {{.more = true, .opcode = OP_TEXT, .data = "\xe2\x82", .len = 2},
                           {.opcode = OP_PING, .data = "\xff", .len = 1},
                           {.data = "\xac", .len = 1}};
  if (play_open(r) && play_send_all(r, frames, COHO_COUNT(frames)) &&
      expect_pong(r, PLAY_TEXT("\xff")) && expect_message(r, OP_TEXT, PLAY_TEXT("\xe2\x82\xac")))
    expect_close(r);
}

static void run_after_sound(struct check_run *r) {
  if (play_open(r) && play_message(r, OP_TEXT, PLAY_TEXT("sound"), 0) &&
      play_message(r, OP_TEXT, PLAY_TEXT("\xc3("), 0))
    expect_failure_after(r, expect_1007, PLAY_TEXT("sound"));
}

/* A character must not begin in one message and end in the next. */
static void run_two_halves(struct check_run *r) {
  if (play_open(r) && play_message(r, OP_TEXT, PLAY_TEXT("\xe2\x82"), 0) &&
      play_message(r, OP_TEXT, PLAY_TEXT("\xac"), 0))
    expect_failure(r, expect_1007);
}

/* A sound character of four bytes at every offset where vector code could have its seams. */
static void run_every_offset(struct check_run *r) {
  static const uint8_t smile[] = {0xf0, 0x9f, 0x98, 0x80};
  enum { OFFSETS = 70, ALL = 100 };
  char data[ALL];
  bool ok = play_open(r);
  for (size_t at = 0; ok && at < OFFSETS; at++) {
    memset(data, 'a', sizeof data);
    memcpy(data + at, smile, sizeof smile);
    ok = expect_echo(r, OP_TEXT, data, sizeof data);
  }
  if (ok) expect_close(r);
}

/* arg: size: of the ASCII in front of the bad byte; 40 more are behind it. */
static void run_bad_at(struct check_run *r) {
  enum { BEHIND = 40 };
  struct bytes data = {NULL, 0, 0};
  sample_add(&data, SAMPLE_ASCII, r->c->arg.size);
  bytes_add_byte(&data, 0x80);
  sample_add(&data, SAMPLE_ASCII, BEHIND);
  if (play_open(r) && play_message(r, OP_TEXT, data.data, data.len, 0))
    expect_failure(r, expect_1007);
  bytes_free(&data);
}

/* A frame of 64 KiB with a bad byte near its front; the rest comes when nothing happened. */
static void run_early(struct check_run *r) {
  enum { SIZE = 65536, SENT = 1000, BAD = 500 };
  struct bytes data = {NULL, 0, 0};
  struct bytes all = {NULL, 0, 0};
  sample_add(&data, SAMPLE_ASCII, SIZE);
  data.data[BAD] = 0xff;
  frame_put(&all, &(struct frame){.opcode = OP_TEXT, .data = data.data, .len = data.len},
            play_is_client(r));
  struct bytes rest = {all.data + SENT, all.len - SENT, 0};
  if (play_open(r) && play_send_bytes(r, all.data, SENT))
    expect_fast_failure(r, expect_1007, &rest, true);
  bytes_free(&data);
  bytes_free(&all);
}

/* clang-format off */
static const struct check_case cases[] = {
  {.id = "utf8.mark", .title = "a byte order mark stays in the text", .rule = "RFC 6455 5.6",
   .run = run_sound, .arg = {.opcode = OP_TEXT, .text = "efbbbf68656c6c6f"}},
  {.id = "utf8.nul", .title = "a NUL inside of text", .rule = "RFC 6455 5.6",
   .run = run_sound, .arg = {.opcode = OP_TEXT, .text = "61006200"}},
  {.id = "utf8.pieces-1", .title = "characters of 2, 3 and 4 bytes in fragments of 1",
   .rule = "RFC 6455 5.6", .run = run_sound,
   .arg = {.opcode = OP_TEXT, .text = "c2a2e282acf0a4ada2c2a2e282acf0a4ada2", .piece = 1}},
  {.id = "utf8.pieces-2", .title = "characters of 2, 3 and 4 bytes in fragments of 2",
   .rule = "RFC 6455 5.6", .run = run_sound,
   .arg = {.opcode = OP_TEXT, .text = "c2a2e282acf0a4ada2c2a2e282acf0a4ada2", .piece = 2}},
  {.id = "utf8.pieces-3", .title = "characters of 2, 3 and 4 bytes in fragments of 3",
   .rule = "RFC 6455 5.6", .run = run_sound,
   .arg = {.opcode = OP_TEXT, .text = "c2a2e282acf0a4ada2c2a2e282acf0a4ada2", .piece = 3}},
  {.id = "utf8.binary", .title = "binary message that is not UTF-8", .rule = "RFC 6455 5.6",
   .run = run_sound, .arg = {.opcode = OP_BINARY, .text = "c328fffe80eda080"}},
  {.id = "utf8.binary-fragments", .title = "binary message that is not UTF-8, in fragments",
   .rule = "RFC 6455 5.6", .run = run_sound,
   .arg = {.opcode = OP_BINARY, .text = "c328fffe80eda080", .piece = 3}},
  {.id = "utf8.continuation", .title = "the bad byte is in a continuation frame",
   .rule = "RFC 6455 5.6, 8.1", .run = run_broken, .arg = {.text = "68656c6c6fff6f", .piece = 5}},
  {.id = "utf8.cut-in-fragments", .title = "text that ends within a character, in fragments",
   .rule = "RFC 6455 5.6, 8.1", .run = run_broken, .arg = {.text = "6869e282", .piece = 1}},
  {.id = "utf8.two-halves", .title = "a character begun in one message and ended in the next",
   .rule = "RFC 6455 5.6, 8.1", .run = run_two_halves},
  {.id = "utf8.after-sound", .title = "broken text behind a sound message",
   .rule = "RFC 6455 8.1", .run = run_after_sound},
  {.id = "utf8.ping-inside", .title = "a ping that is no text between two halves of a character",
   .rule = "RFC 6455 5.4, 5.6", .run = run_ping_inside},
  {.id = "utf8.every-offset", .title = "a character of 4 bytes at every offset from 0 to 69",
   .rule = "RFC 6455 5.6", .run = run_every_offset},
  {.id = "utf8.early", .title = "fails before the end: bad byte at the front of a frame of 64 KiB",
   .rule = "RFC 6455 8.1", .run = run_early},
};
/* clang-format on */

void cases_utf8_more(struct catalog *cat) {
  static const size_t offsets[] = {7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 4095, 65535};
  catalog_add_all(cat, cases, COHO_COUNT(cases));
  for (size_t i = 0; i < COHO_COUNT(offsets); i++) {
    struct check_case c = {.rule = "RFC 6455 8.1", .run = run_bad_at, .arg = {.size = offsets[i]}};
    (void)snprintf(c.id, sizeof c.id, "utf8.bad-at-%zu", offsets[i]);
    (void)snprintf(c.title, sizeof c.title, "bad byte behind %zu bytes of ASCII", offsets[i]);
    catalog_add(cat, &c);
  }
}
