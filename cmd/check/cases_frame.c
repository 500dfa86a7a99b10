/* mask and length: the parts of the header that the public suites leave out. */
#include "cases.h"
#include "expect.h"
#include "sample.h"
#include "verdict.h"

#include "base/check.h"

#include <stdio.h>
#include <string.h>

/* ---- masks ---------------------------------------------------------------------------------- */

static enum frame_mask wrong_mask(const struct check_run *r) {
  return play_is_client(r) ? MASK_NEVER : MASK_ALWAYS;
}

/* arg: opcode, data, len. */
static void run_wrong_mask(struct check_run *r) {
  const struct case_arg *a = &r->c->arg;
  struct frame f = {.opcode = a->opcode, .mask = wrong_mask(r), .data = a->data, .len = a->len};
  if (play_open(r) && play_send(r, &f)) expect_failure(r, expect_1002);
}

static void run_wrong_continuation(struct check_run *r) {
  struct frame frames[] = {
      {.more = true, .opcode = OP_TEXT, .data = "begun", .len = 5},
      {.opcode = OP_CONTINUATION, .mask = wrong_mask(r), .data = "ended", .len = 5}};
  if (play_open(r) && play_send_all(r, frames, COHO_COUNT(frames))) expect_failure(r, expect_1002);
}

static void run_wrong_after(struct check_run *r) {
  struct frame frames[] = {{.opcode = OP_TEXT, .data = "sound", .len = 5},
                           {.opcode = OP_TEXT, .mask = wrong_mask(r), .data = "wrong", .len = 5}};
  if (play_open(r) && play_send_all(r, frames, COHO_COUNT(frames)))
    expect_failure_after(r, expect_1002, PLAY_TEXT("sound"));
}

static void run_zero_key(struct check_run *r) {
  struct frame f = {.opcode = OP_TEXT, .mask = MASK_ZERO, .data = "plain", .len = 5};
  if (play_open(r) && play_send(r, &f) && expect_message(r, OP_TEXT, PLAY_TEXT("plain")))
    expect_close(r);
}

/* Unmasking goes on with the right byte of the key in the next read. arg: piece. */
static void run_chops(struct check_run *r) {
  enum { LONGEST = 24 };
  struct bytes data = {NULL, 0, 0};
  sample_add(&data, SAMPLE_BINARY, LONGEST);
  bool ok = play_open(r);
  r->peer.chop = r->c->arg.piece;
  for (size_t len = 1; ok && len <= LONGEST; len++)
    ok = expect_echo(r, OP_BINARY, data.data, len);
  r->peer.chop = 0;
  if (ok) expect_close(r);
  bytes_free(&data);
}

static void run_theirs(struct check_run *r) {
  bool ok = play_open(r) && expect_echo(r, OP_TEXT, PLAY_TEXT("text")) &&
            expect_echo(r, OP_BINARY, PLAY_TEXT("bytes")) && expect_alive(r);
  if (ok) expect_close(r);
}

static void run_fresh_keys(struct check_run *r) {
  enum { ROUNDS = 20 };
  bool ok = play_open(r);
  for (size_t i = 0; ok && i < ROUNDS; i++)
    ok = expect_echo(r, OP_TEXT, PLAY_TEXT("the same text"));
  if (ok && r->peer.same_keys)
    (void)verdict_fail(r, "%zu of %u frames have the key of the frame before", r->peer.same_keys,
                       (unsigned)ROUNDS);
  else if (ok)
    expect_close(r);
}

/* ---- lengths -------------------------------------------------------------------------------- */

/* The rule binds who sends; what is done about it is left open. arg: opcode, size, flags: enum
   frame_length. */
static void run_long_form(struct check_run *r) {
  const struct case_arg *a = &r->c->arg;
  struct bytes data = {NULL, 0, 0};
  enum frame_length form = a->flags == LENGTH_16 ? LENGTH_16 : LENGTH_64;
  sample_add(&data, SAMPLE_ASCII, a->size);
  struct frame f = {.opcode = a->opcode, .length = form, .data = data.data, .len = data.len};
  if (a->opcode == OP_CLOSE) {
    f.data = "\x03\xe8";
    f.len = 2;
  }
  if (play_open(r) && play_send(r, &f)) expect_failure(r, expect_1002);
  bytes_free(&data);
}

static void send_claim(struct check_run *r, uint64_t claim, const unsigned *codes) {
  struct frame f = {
      .opcode = OP_BINARY, .length = LENGTH_64, .data = "only a few bytes", .len = 16};
  f.claims = claim;
  if (play_open(r) && play_send(r, &f)) expect_failure(r, codes);
}

static void run_top_bit(struct check_run *r) { send_claim(r, UINT64_MAX, expect_1002_1009); }
static void run_top_bit_alone(struct check_run *r) {
  send_claim(r, (uint64_t)1 << 63, expect_1002_1009);
}
static void run_wraps(struct check_run *r) { send_claim(r, UINT64_MAX - 13, expect_1002_1009); }
static void run_largest(struct check_run *r) { send_claim(r, INT64_MAX, expect_1002_1009); }
static void run_huge(struct check_run *r) { send_claim(r, (uint64_t)1 << 60, expect_1009); }

/* arg: size: sizes around it. */
static void run_around(struct check_run *r) {
  size_t size = r->c->arg.size;
  struct bytes data = {NULL, 0, 0};
  sample_add(&data, SAMPLE_BINARY, size + 2);
  bool ok = play_open(r);
  for (size_t len = size - 2; ok && len <= size + 2; len++)
    ok = expect_echo(r, OP_BINARY, data.data, len);
  if (ok) expect_close(r);
  bytes_free(&data);
}

/* The header comes byte by byte, the payload whole. arg: size. */
static void run_header_bytes(struct check_run *r) {
  struct bytes data = {NULL, 0, 0};
  struct bytes out = {NULL, 0, 0};
  sample_add(&data, SAMPLE_BINARY, r->c->arg.size);
  frame_put(&out, &(struct frame){.opcode = OP_BINARY, .data = data.data, .len = data.len},
            play_is_client(r));
  size_t header = out.len - data.len;
  bool ok = play_open(r);
  r->peer.chop = 1;
  ok = ok && play_send_bytes(r, out.data, header);
  r->peer.chop = 0;
  if (ok && play_send_bytes(r, out.data + header, data.len) &&
      expect_message(r, OP_BINARY, data.data, data.len))
    expect_close(r);
  bytes_free(&data);
  bytes_free(&out);
}

/* clang-format off */
static const struct check_case cases[] = {
  {.id = "mask.text", .title = "text with a mask where none must be, or without one where it must be",
   .rule = "RFC 6455 5.1", .run = run_wrong_mask,
   .arg = {.opcode = OP_TEXT, .data = "Hello", .len = 5}},
  {.id = "mask.binary", .title = "binary message masked wrongly, or wrongly not masked", .rule = "RFC 6455 5.1",
   .run = run_wrong_mask, .arg = {.opcode = OP_BINARY, .data = "Hello", .len = 5}},
  {.id = "mask.empty", .title = "empty text masked wrongly, or wrongly not masked", .rule = "RFC 6455 5.1",
   .run = run_wrong_mask, .arg = {.opcode = OP_TEXT, .data = ""}},
  {.id = "mask.ping", .title = "ping masked wrongly, or wrongly not masked", .rule = "RFC 6455 5.1",
   .run = run_wrong_mask, .arg = {.opcode = OP_PING, .data = "Hello", .len = 5}},
  {.id = "mask.pong", .title = "pong masked wrongly, or wrongly not masked", .rule = "RFC 6455 5.1",
   .run = run_wrong_mask, .arg = {.opcode = OP_PONG, .data = "Hello", .len = 5}},
  {.id = "mask.close", .title = "Close masked wrongly, or wrongly not masked", .rule = "RFC 6455 5.1",
   .run = run_wrong_mask, .arg = {.opcode = OP_CLOSE, .data = "\x03\xe8", .len = 2}},
  {.id = "mask.continuation", .title = "second fragment masked wrongly, or wrongly not masked",
   .rule = "RFC 6455 5.1", .run = run_wrong_continuation},
  {.id = "mask.second", .title = "second message masked wrongly, or wrongly not masked", .rule = "RFC 6455 5.1",
   .run = run_wrong_after},
  {.id = "mask.zero", .title = "masked with the key 00 00 00 00", .rule = "RFC 6455 5.3",
   .run = run_zero_key, .flags = CASE_SERVER_ONLY},
  {.id = "mask.chop-1", .title = "messages of 1 to 24 bytes, byte by byte",
   .rule = "RFC 6455 5.3", .run = run_chops, .arg = {.piece = 1}},
  {.id = "mask.chop-3", .title = "messages of 1 to 24 bytes in chops of 3",
   .rule = "RFC 6455 5.3", .run = run_chops, .arg = {.piece = 3}},
  {.id = "mask.chop-7", .title = "messages of 1 to 24 bytes in chops of 7",
   .rule = "RFC 6455 5.3", .run = run_chops, .arg = {.piece = 7}},
  {.id = "mask.theirs", .title = "text, binary and pong come masked as their side has to",
   .rule = "RFC 6455 5.1", .run = run_theirs},
  {.id = "mask.fresh", .title = "a masking key of its own for each frame", .rule = "RFC 6455 5.3",
   .run = run_fresh_keys, .flags = CASE_CLIENT_ONLY},

  {.id = "length.16-of-5", .title = "5 bytes with a length of 16 bits", .rule = "RFC 6455 5.2",
   .run = run_long_form, .flags = CASE_INFO, .arg = {.opcode = OP_TEXT, .size = 5, .flags = LENGTH_16}},
  {.id = "length.16-of-0", .title = "no bytes with a length of 16 bits", .rule = "RFC 6455 5.2",
   .run = run_long_form, .flags = CASE_INFO, .arg = {.opcode = OP_TEXT, .size = 0, .flags = LENGTH_16}},
  {.id = "length.16-of-125", .title = "125 bytes with a length of 16 bits",
   .rule = "RFC 6455 5.2", .run = run_long_form, .flags = CASE_INFO,
   .arg = {.opcode = OP_BINARY, .size = 125, .flags = LENGTH_16}},
  {.id = "length.64-of-5", .title = "5 bytes with a length of 64 bits", .rule = "RFC 6455 5.2",
   .run = run_long_form, .flags = CASE_INFO, .arg = {.opcode = OP_TEXT, .size = 5, .flags = LENGTH_64}},
  {.id = "length.64-of-126", .title = "126 bytes with a length of 64 bits",
   .rule = "RFC 6455 5.2", .run = run_long_form, .flags = CASE_INFO,
   .arg = {.opcode = OP_TEXT, .size = 126, .flags = LENGTH_64}},
  {.id = "length.64-of-65535", .title = "65535 bytes with a length of 64 bits",
   .rule = "RFC 6455 5.2", .run = run_long_form, .flags = CASE_INFO,
   .arg = {.opcode = OP_BINARY, .size = 65535, .flags = LENGTH_64}},
  {.id = "length.ping-16", .title = "ping of 5 bytes with a length of 16 bits",
   .rule = "RFC 6455 5.2, 5.5", .run = run_long_form, .flags = CASE_INFO,
   .arg = {.opcode = OP_PING, .size = 5, .flags = LENGTH_16}},
  {.id = "length.ping-64", .title = "ping of 5 bytes with a length of 64 bits",
   .rule = "RFC 6455 5.2, 5.5", .run = run_long_form, .flags = CASE_INFO,
   .arg = {.opcode = OP_PING, .size = 5, .flags = LENGTH_64}},
  {.id = "length.close-16", .title = "Close of 2 bytes with a length of 16 bits",
   .rule = "RFC 6455 5.2, 5.5", .run = run_long_form, .flags = CASE_INFO,
   .arg = {.opcode = OP_CLOSE, .flags = LENGTH_16}},
  {.id = "length.top-bit", .title = "length of 2^63", .rule = "RFC 6455 5.2",
   .run = run_top_bit_alone},
  {.id = "length.all-bits", .title = "length of 2^64 - 1", .rule = "RFC 6455 5.2",
   .run = run_top_bit},
  {.id = "length.wraps", .title = "length of 2^64 - 14, which wraps when a header is added",
   .rule = "RFC 6455 5.2", .run = run_wraps},
  {.id = "length.largest", .title = "length of 2^63 - 1 is refused at once",
   .rule = "RFC 6455 10.4", .run = run_largest, .flags = CASE_INFO},
  {.id = "length.huge", .title = "length of 2^60 is refused at once", .rule = "RFC 6455 10.4",
   .run = run_huge, .flags = CASE_INFO},
  {.id = "length.around-126", .title = "messages of 124 to 128 bytes", .rule = "RFC 6455 5.2",
   .run = run_around, .arg = {.size = 126}},
  {.id = "length.around-65536", .title = "messages of 65534 to 65538 bytes",
   .rule = "RFC 6455 5.2", .run = run_around, .arg = {.size = 65536}},
  {.id = "length.header-16", .title = "message of 1000 bytes, the header byte by byte",
   .rule = "RFC 6455 5.2", .run = run_header_bytes, .arg = {.size = 1000}},
  {.id = "length.header-64", .title = "message of 70000 bytes, the header byte by byte",
   .rule = "RFC 6455 5.2", .run = run_header_bytes, .arg = {.size = 70000}},
};
/* clang-format on */

void cases_frame(struct catalog *cat) { catalog_add_all(cat, cases, COHO_COUNT(cases)); }
