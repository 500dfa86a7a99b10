/* deflate: compressed messages as any compressor could make them, and broken ones. */
#include "cases.h"
#include "expect.h"
#include "sample.h"
#include "verdict.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

static const struct squeeze_side anything = {0, false};
static const char hello[] = "\xf2\x48\xcd\xc9\xc9\x07\x00";
enum { HELLO = sizeof hello - 1 };

static bool send_packed(struct check_run *r, const void *data, size_t len) {
  struct frame f = {.rsv = RSV1, .opcode = OP_TEXT, .data = data, .len = len};
  return play_send(r, &f);
}

/* Later messages may refer to earlier ones of ours. */
static bool lacks_context(struct check_run *r) {
  bool lacks =
      play_is_client(r) ? r->peer.terms.client_no_takeover : r->peer.terms.server_no_takeover;
  if (lacks) verdict_lack(r, "no context takeover was agreed for this direction");
  return lacks;
}

/* ---- sound streams -------------------------------------------------------------------------- */

/* arg: data, len: the compressed bytes, text: what they are, piece: of a fragment. */
static void run_stream(struct check_run *r) {
  const struct case_arg *a = &r->c->arg;
  struct frame f = {.rsv = RSV1, .opcode = OP_TEXT, .data = a->data, .len = a->len};
  if (!play_open_deflate(r, anything)) return;
  bool ok = true;
  for (size_t at = 0; ok && at < a->len; at += f.len) {
    f.data = a->data + at;
    f.len = a->piece ? COHO_MIN(a->piece, a->len - at) : a->len;
    f.more = at + f.len < a->len;
    ok = play_send(r, &f);
    f.rsv = 0;
    f.opcode = OP_CONTINUATION;
  }
  if (ok && expect_message(r, OP_TEXT, a->text, strlen(a->text)) && send_packed(r, hello, HELLO) &&
      expect_message(r, OP_TEXT, PLAY_TEXT("Hello")))
    expect_close(r);
}

static void run_takeover(struct check_run *r) {
  if (!play_open_deflate(r, anything) || lacks_context(r)) return;
  if (send_packed(r, hello, HELLO) && expect_message(r, OP_TEXT, PLAY_TEXT("Hello")) &&
      send_packed(r, PLAY_TEXT("\xf2\x00\x11\x00\x00")) &&
      expect_message(r, OP_TEXT, PLAY_TEXT("Hello")))
    expect_close(r);
}

/* What is not compressed, and pings, leave the context as it is. */
static void run_mixed(struct check_run *r) {
  if (!play_open_deflate(r, anything) || lacks_context(r)) return;
  if (send_packed(r, hello, HELLO) && expect_message(r, OP_TEXT, PLAY_TEXT("Hello")) &&
      expect_alive(r) && expect_echo(r, OP_TEXT, PLAY_TEXT("not compressed")) &&
      send_packed(r, PLAY_TEXT("\xf2\x00\x11\x00\x00")) &&
      expect_message(r, OP_TEXT, PLAY_TEXT("Hello")))
    expect_close(r);
}

static void run_plain(struct check_run *r) {
  if (play_open_deflate(r, anything) && expect_echo(r, OP_TEXT, PLAY_TEXT("not compressed")) &&
      expect_echo(r, OP_BINARY, PLAY_TEXT("not compressed")))
    expect_close(r);
}

static void run_ping_inside(struct check_run *r) {
  struct frame frames[] = {{.more = true, .rsv = RSV1, .opcode = OP_TEXT, .data = hello, .len = 3},
                           {.opcode = OP_PING, .data = "inside", .len = 6},
                           {.opcode = OP_CONTINUATION, .data = hello + 3, .len = HELLO - 3}};
  if (play_open_deflate(r, anything) && play_send_all(r, frames, COHO_COUNT(frames)) &&
      expect_pong(r, PLAY_TEXT("inside")) && expect_message(r, OP_TEXT, PLAY_TEXT("Hello")))
    expect_close(r);
}

/* A long match across messages: what was sent 30 KiB ago is referred to. */
static void run_far_back(struct check_run *r) {
  enum { SIZE = 15000, TIMES = 4 };
  struct bytes data = {NULL, 0, 0};
  sample_add(&data, SAMPLE_BINARY, (size_t)2 * SIZE);
  bool ok = play_open_deflate(r, anything);
  for (size_t i = 0; ok && i < TIMES; i++) {
    const uint8_t *at = data.data + (i % 2) * SIZE;
    ok = play_packed(r, OP_BINARY, at, SIZE, 0) && expect_message(r, OP_BINARY, at, SIZE);
  }
  if (ok) expect_close(r);
  bytes_free(&data);
}

/* ---- streams that fail ---------------------------------------------------------------------- */

/* arg: data, len: the compressed bytes. */
static void run_broken(struct check_run *r) {
  const struct case_arg *a = &r->c->arg;
  if (play_open_deflate(r, anything) && send_packed(r, a->data, a->len))
    expect_failure(r, expect_1002_1007);
}

static bool is_failure(const struct event *e) {
  return e->kind == EVENT_END || e->kind == EVENT_RESET ||
         (e->kind == EVENT_CLOSE && (e->code == 1002 || e->code == 1007));
}

/* What was cut or has no block at all was taken for a message: then the next one is read right, or
   fails. */
static void judge_next(struct check_run *r, size_t taken) {
  if (!send_packed(r, hello, HELLO)) return;
  struct event e = expect_next(r, play_deadline(r, 0));
  if (is_failure(&e))
    verdict_inform(r, "taken for a message of %zu bytes; the next message fails", taken);
  else if (e.kind == EVENT_MESSAGE && e.len == 5 && !memcmp(e.data, "Hello", 5))
    verdict_inform(r, "taken for a message of %zu bytes; the next one is read right", taken);
  else
    (void)verdict_unexpected(r, "the next message to be read right, or to fail", &e);
}

/* Decompressors that look at what comes out alone cannot tell, and no rule says that they must. */
static void run_doubtful(struct check_run *r) {
  const struct case_arg *a = &r->c->arg;
  char got[VERDICT_DESCRIBED];
  if (!play_open_deflate(r, anything) || !send_packed(r, a->data, a->len)) return;
  struct event e = expect_next(r, play_deadline(r, 0));
  if (e.kind == EVENT_MESSAGE) {
    judge_next(r, e.len);
  } else if (is_failure(&e)) {
    verdict_describe(r, &e, got);
    verdict_pass(r, "failed with %s", got);
  } else {
    (void)verdict_unexpected(r, "Close 1007, Close 1002 or the end of TCP", &e);
  }
}

/* The first message refers to something before it. */
static void run_before_start(struct check_run *r) {
  if (play_open_deflate(r, anything) && send_packed(r, PLAY_TEXT("\xf2\x00\x11\x00\x00")))
    expect_failure(r, expect_1002_1007);
}

static void run_not_text(struct check_run *r) {
  if (play_open_deflate(r, anything) && play_packed(r, OP_TEXT, PLAY_TEXT("\xc3("), 0))
    expect_failure(r, expect_1007);
}

/* arg: opcode, flags: reserved bits, data, len. */
static void run_wrong_bits(struct check_run *r) {
  const struct case_arg *a = &r->c->arg;
  struct frame f = {.rsv = a->flags, .opcode = a->opcode, .data = a->data, .len = a->len};
  if (play_open_deflate(r, anything) && play_send(r, &f)) expect_failure(r, expect_1002);
}

static void run_bit_on_continuation(struct check_run *r) {
  struct frame frames[] = {
      {.more = true, .rsv = RSV1, .opcode = OP_TEXT, .data = hello, .len = 3},
      {.rsv = RSV1, .opcode = OP_CONTINUATION, .data = hello + 3, .len = HELLO - 3}};
  if (play_open_deflate(r, anything) && play_send_all(r, frames, COHO_COUNT(frames)))
    expect_failure(r, expect_1002);
}

static void run_bit_on_later(struct check_run *r) {
  struct frame frames[] = {{.more = true, .opcode = OP_TEXT, .data = "plain", .len = 5},
                           {.rsv = RSV1, .opcode = OP_CONTINUATION, .data = hello, .len = HELLO}};
  if (play_open_deflate(r, anything) && play_send_all(r, frames, COHO_COUNT(frames)))
    expect_failure(r, expect_1002);
}

/* ---- bombs ---------------------------------------------------------------------------------- */

static bool is_refusal(const struct event *e) {
  return e->kind == EVENT_END || e->kind == EVENT_RESET ||
         (e->kind == EVENT_CLOSE && (e->code == 1009 || e->code == 1008));
}

/* The bomb was decompressed. That is no more than the limit allows, or the limit does not hold for
   it: then the same message is refused when it is not compressed. */
static void judge_limit(struct check_run *r, const char *zeros, size_t size) {
  char got[VERDICT_DESCRIBED];
  if (!play_message(r, OP_BINARY, zeros, size, 0)) return;
  struct event e = expect_next_but_pongs(r, play_deadline(r, size));
  verdict_describe(r, &e, got);
  if (is_refusal(&e))
    (void)verdict_fail(r, "%zu bytes were decompressed, though as many are refused plain: %s", size,
                       got);
  else if (e.kind == EVENT_MESSAGE && e.len == size)
    verdict_inform(r, "%zu bytes were decompressed and echoed: there is no lower limit", size);
  else
    (void)verdict_unexpected(r, "the whole message", &e);
}

static void judge_bomb(struct check_run *r, const char *zeros, size_t size) {
  struct event e = expect_next_but_pongs(r, play_deadline(r, size));
  if (e.kind == EVENT_MESSAGE && e.len == size)
    judge_limit(r, zeros, size);
  else if (is_refusal(&e) && e.kind == EVENT_CLOSE)
    verdict_pass(r, "refused with Close %u", e.code);
  else if (is_refusal(&e))
    verdict_pass(r, "refused by ending TCP");
  else
    (void)verdict_unexpected(r, "Close 1009 or the whole message", &e);
}

/* arg: piece: of a fragment, 0: one frame. */
static void run_bomb(struct check_run *r) {
  enum { SIZE = 16 * 1024 * 1024 };
  char *zeros = (char *)memory_new(SIZE, 1);
  if (play_open_deflate(r, anything) && play_packed(r, OP_BINARY, zeros, SIZE, r->c->arg.piece))
    judge_bomb(r, zeros, SIZE);
  free(zeros);
}

/* ---- the table ------------------------------------------------------------------------------ */

/* clang-format off */
static const struct check_case cases[] = {
  {.id = "deflate.hello", .title = "text compressed with the fixed Huffman code", .rule = "RFC 7692 7.2.3.1", .run = run_stream,
   .arg = {.data = hello, .len = HELLO, .text = "Hello"}},
  {.id = "deflate.hello-two", .title = "text compressed with the fixed Huffman code, in two fragments", .rule = "RFC 7692 7.2.3.1",
   .run = run_stream, .arg = {.data = hello, .len = HELLO, .text = "Hello", .piece = 3}},
  {.id = "deflate.hello-bytes", .title = "text compressed with the fixed Huffman code, in fragments of one byte",
   .rule = "RFC 7692 7.2.3.1", .run = run_stream,
   .arg = {.data = hello, .len = HELLO, .text = "Hello", .piece = 1}},
  {.id = "deflate.stored", .title = "compressed message that is a stored block: DEFLATE without compression", .rule = "RFC 7692 7.2.3.3", .run = run_stream,
   .arg = {.data = "\x00\x05\x00\xfa\xffHello\x00", .len = 11, .text = "Hello"}},
  {.id = "deflate.final", .title = "compressed message whose block is marked as the last one (BFINAL)", .rule = "RFC 7692 7.2.3.4",
   .run = run_stream,
   .arg = {.data = "\xf3\x48\xcd\xc9\xc9\x07\x00\x00", .len = 8, .text = "Hello"}},
  {.id = "deflate.two-blocks", .title = "compressed message of two DEFLATE blocks", .rule = "RFC 7692 7.2.3.5",
   .run = run_stream,
   .arg = {.data = "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", .len = 13,
           .text = "Hello"}},
  {.id = "deflate.empty", .title = "empty message, compressed", .rule = "RFC 7692 7.2.3.6", .run = run_stream,
   .arg = {.data = "\x00", .len = 1, .text = ""}},
  {.id = "deflate.empty-fixed", .title = "empty message, compressed with the fixed Huffman code", .rule = "RFC 7692 7.2.3.6",
   .run = run_stream, .arg = {.data = "\x02\x00", .len = 2, .text = ""}},
  {.id = "deflate.more-blocks", .title = "compressed message with an empty DEFLATE block behind it",
   .rule = "RFC 7692 7.2.1", .run = run_stream,
   .arg = {.data = "\xf2\x48\xcd\xc9\xc9\x07\x00\x00\x00\xff\xff\x00", .len = 12,
           .text = "Hello"}},
  {.id = "deflate.takeover", .title = "compressed message that refers to the one before it (context takeover)",
   .rule = "RFC 7692 7.2.3.2", .run = run_takeover},
  {.id = "deflate.mixed", .title = "uncompressed messages and pings leave the context of compression alone",
   .rule = "RFC 7692 7.2.3.2", .run = run_mixed},
  {.id = "deflate.plain", .title = "uncompressed messages though compression was agreed",
   .rule = "RFC 7692 6", .run = run_plain},
  {.id = "deflate.ping-inside", .title = "ping between the fragments of a compressed message",
   .rule = "RFC 7692 6.1", .run = run_ping_inside},
  {.id = "deflate.far-back", .title = "messages that repeat what was sent long before",
   .rule = "RFC 7692 7.2.2", .run = run_far_back},

  {.id = "deflate.noise", .title = "compressed message of bytes that no compressor makes", .rule = "RFC 7692 7.2.2",
   .run = run_broken, .arg = {.data = "\xff\xff\xff\xff", .len = 4}},
  {.id = "deflate.bad-stored", .title = "compressed message with a stored block whose two lengths contradict each other",
   .rule = "RFC 7692 7.2.2", .run = run_broken,
   .arg = {.data = "\x00\x05\x00\x00\x00Hello\x00", .len = 11}},
  {.id = "deflate.before-start", .title = "compressed message that refers to bytes before the first message",
   .rule = "RFC 7692 7.2.2", .run = run_before_start},
  {.id = "deflate.not-text", .title = "text that is not UTF-8 once decompressed",
   .rule = "RFC 6455 8.1, RFC 7692 6.2", .run = run_not_text},
  {.id = "deflate.nothing", .title = "message marked as compressed that has no bytes at all", .rule = "RFC 7692 7.2.3.6",
   .run = run_doubtful, .arg = {.data = "", .len = 0}},
  {.id = "deflate.cut-1", .title = "compressed message whose last byte is missing", .rule = "RFC 7692 7.2.2",
   .run = run_doubtful, .arg = {.data = hello, .len = HELLO - 1}},
  {.id = "deflate.cut-2", .title = "compressed message whose last two bytes are missing", .rule = "RFC 7692 7.2.2",
   .run = run_doubtful, .arg = {.data = hello, .len = HELLO - 2}},
  {.id = "deflate.tail", .title = "compressed message that ends with the bytes 00 00 ff ff, which have to be taken off", .rule = "RFC 7692 7.2.1",
   .run = run_doubtful,
   .arg = {.data = "\xf2\x48\xcd\xc9\xc9\x07\x00\x00\x00\xff\xff", .len = 11}},
  {.id = "deflate.bit-ping", .title = "ping with RSV1, which marks compressed messages", .rule = "RFC 7692 6.1",
   .run = run_wrong_bits, .arg = {.opcode = OP_PING, .flags = RSV1, .data = "ping", .len = 4}},
  {.id = "deflate.bit-close", .title = "Close with RSV1, which marks compressed messages", .rule = "RFC 7692 6.1",
   .run = run_wrong_bits,
   .arg = {.opcode = OP_CLOSE, .flags = RSV1, .data = "\x03\xe8", .len = 2}},
  {.id = "deflate.bit-2", .title = "text with the reserved bit RSV2", .rule = "RFC 6455 5.2",
   .run = run_wrong_bits, .arg = {.opcode = OP_TEXT, .flags = RSV2, .data = "text", .len = 4}},
  {.id = "deflate.bit-3", .title = "compressed text with the reserved bit RSV3", .rule = "RFC 6455 5.2",
   .run = run_wrong_bits,
   .arg = {.opcode = OP_TEXT, .flags = RSV1 | RSV3, .data = hello, .len = HELLO}},
  {.id = "deflate.bit-continuation", .title = "RSV1 on both fragments of a compressed message instead of the first alone", .rule = "RFC 7692 6.1",
   .run = run_bit_on_continuation},
  {.id = "deflate.bit-later", .title = "RSV1 on the second fragment instead of the first",
   .rule = "RFC 7692 6.1", .run = run_bit_on_later},
  {.id = "deflate.bomb", .title = "bomb: 16 MiB of zeros, compressed to 16 KiB", .rule = "RFC 6455 10.4",
   .run = run_bomb},
  {.id = "deflate.bomb-pieces", .title = "bomb: 16 MiB of zeros, compressed, in fragments of 1000 bytes",
   .rule = "RFC 6455 10.4", .run = run_bomb, .arg = {.piece = 1000}},
};
/* clang-format on */

void cases_deflate(struct catalog *cat) { catalog_add_all(cat, cases, COHO_COUNT(cases)); }
