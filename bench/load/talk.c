#include "load/talk.h"

#include "load/link.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
  VARIANTS = 64, /* messages that take turns, so that no compressor learns one by heart */
  HEADER = 14,
  TAIL = 4 /* 00 00 ff ff, which RFC 7692 7.2.1 takes off */
};

struct bytes {
  char *data;
  size_t len;
};

static struct talk_options opt;
static struct bytes plain[VARIANTS];  /* messages */
static struct bytes bursts[VARIANTS]; /* as they go out; burst i begins with message i */
static struct bytes answer;           /* without deflate: what comes back for a burst */
static size_t bursts_made;

struct talk {
  size_t burst;    /* of the one under way */
  size_t returned; /* bytes of it that came back, or with deflate messages */
  z_stream inflate;
  bool keep_context;
  struct bytes kept; /* of a frame that is not complete */
  char *message;     /* decompressed */
};

static void *need(size_t n) {
  void *p = calloc(1, n);
  if (!p) link_die("calloc");
  return p;
}

/* ---- messages ------------------------------------------------------------------------------ */

static void make_plain(struct bytes *m) {
  m->data = (char *)need(opt.size + 1);
  for (size_t i = 0; i < opt.size; i++)
    m->data[i] = "abcdefghijklmnopqrstuvwxyz 0123456789"[i % 37];
  m->len = opt.size;
}

static uint32_t dice(void) {
  static uint32_t state = 20250101;
  state ^= state << 13;
  state ^= state >> 17;
  return state ^= state << 5;
}

/* Like what a page is told about prices: names that come again, numbers that do not. */
static void make_json(struct bytes *m) {
  static const char *const names[] = {"ACME", "COHO", "DELTA", "ORCA", "PIKE", "SALMO", "TROUT"};
  m->data = (char *)need(opt.size + 256);
  while (m->len < opt.size)
    m->len += (size_t)snprintf(
        m->data + m->len, 256,
        "{\"symbol\":\"%s\",\"price\":%u.%02u,\"change\":-%u.%u,\"volume\":%u,\"open\":true},",
        names[dice() % 7], dice() % 500, dice() % 100, dice() % 9, dice() % 10, dice() % 1000000);
  m->len = opt.size;
}

/* ---- frames -------------------------------------------------------------------------------- */

static size_t put_header(char *dst, size_t len, bool masked, bool packed) {
  size_t n = 0;
  dst[n++] = (char)((opt.text ? 0x81 : 0x82) | (packed ? 0x40 : 0));
  unsigned mask = masked ? 0x80 : 0;
  size_t extended = len <= 125 ? 0 : len <= 65535 ? 2 : 8;
  dst[n++] = (char)(mask | (extended == 0 ? len : extended == 2 ? 126 : 127));
  while (extended--)
    dst[n++] = (char)((uint64_t)len >> (8 * extended));
  return n;
}

static void add_masked(struct bytes *b, const struct bytes *payload, bool packed) {
  static const unsigned char key[4] = {0x37, 0xfa, 0x21, 0x3d};
  b->len += put_header(b->data + b->len, payload->len, true, packed);
  memcpy(b->data + b->len, key, 4);
  b->len += 4;
  for (size_t i = 0; i < payload->len; i++)
    b->data[b->len++] = (char)(payload->data[i] ^ key[i & 3]);
}

/* Without context, whatever is agreed on: that is always allowed. */
static struct bytes compress_message(const struct bytes *m) {
  z_stream z = {.next_in = (Bytef *)m->data, .avail_in = (uInt)m->len};
  if (deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK) link_fail("no zlib");
  size_t room = deflateBound(&z, m->len) + 16;
  struct bytes out = {.data = (char *)need(room)};
  z.next_out = (Bytef *)out.data;
  z.avail_out = (uInt)room;
  deflate(&z, Z_SYNC_FLUSH);
  out.len = room - z.avail_out - TAIL;
  deflateEnd(&z);
  return out;
}

static void add_message(struct bytes *b, const struct bytes *m) {
  if (opt.raw) {
    memcpy(b->data + b->len, m->data, m->len);
    b->len += m->len;
  } else if (opt.deflate) {
    struct bytes packed = compress_message(m);
    add_masked(b, &packed, true);
    free(packed.data);
  } else {
    add_masked(b, m, false);
  }
}

/* What comes back when nothing is compressed. */
static void make_answer(void) {
  answer.data = (char *)need((opt.size + HEADER) * opt.depth);
  for (size_t i = 0; i < opt.depth; i++) {
    if (!opt.raw) answer.len += put_header(answer.data + answer.len, opt.size, false, false);
    memcpy(answer.data + answer.len, plain[0].data, opt.size);
    answer.len += opt.size;
  }
}

void talk_prepare(const struct talk_options *options) {
  opt = *options;
  bursts_made = opt.deflate ? VARIANTS : 1;
  for (size_t i = 0; i < bursts_made; i++) {
    if (opt.deflate)
      make_json(&plain[i]);
    else
      make_plain(&plain[i]);
  }
  for (size_t i = 0; i < bursts_made; i++) {
    bursts[i].data = (char *)need((opt.size + opt.size / 100 + 64) * opt.depth);
    for (size_t k = 0; k < opt.depth; k++)
      add_message(&bursts[i], &plain[(i + k) % bursts_made]);
  }
  if (!opt.deflate) make_answer();
}

/* ---- a connection -------------------------------------------------------------------------- */

const char *talk_offer(void) {
  return opt.deflate ? "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
                       "client_no_context_takeover\r\n"
                     : "";
}

struct talk *talk_new(const char *head) {
  struct talk *t = (struct talk *)need(sizeof *t);
  if (!opt.deflate) return t;
  if (!strstr(head, "permessage-deflate")) link_fail("the server does not compress");
  t->keep_context = !strstr(head, "server_no_context_takeover");
  if (inflateInit2(&t->inflate, -15) != Z_OK) link_fail("no zlib");
  t->message = (char *)need(opt.size + 1);
  t->kept.data = (char *)need((opt.size * 2 + 256) * opt.depth);
  return t;
}

const char *talk_burst(struct talk *t, size_t *len) {
  static size_t turn;
  t->burst = turn++ % bursts_made;
  t->returned = 0;
  *len = bursts[t->burst].len;
  return bursts[t->burst].data;
}

static const char differs[] = "the echo differs from what was sent";

static size_t take_known(struct talk *t, const char *data, size_t len) {
  if (len > answer.len - t->returned || memcmp(answer.data + t->returned, data, len) != 0)
    link_fail(differs);
  size_t before = t->returned * opt.depth / answer.len;
  t->returned += len;
  return t->returned * opt.depth / answer.len - before;
}

static void inflate_some(struct talk *t, const void *data, size_t len) {
  union {
    const void *in;
    Bytef *out;
  } u = {.in = data};
  t->inflate.next_in = u.out;
  t->inflate.avail_in = (uInt)len;
  int err = inflate(&t->inflate, Z_SYNC_FLUSH);
  if (err != Z_OK && err != Z_BUF_ERROR) link_fail(differs);
}

static void check_message(struct talk *t, bool packed, const char *data, size_t len) {
  const struct bytes *m = &plain[(t->burst + t->returned++) % bursts_made];
  if (packed) {
    t->inflate.next_out = (Bytef *)t->message;
    t->inflate.avail_out = (uInt)opt.size + 1;
    inflate_some(t, data, len);
    inflate_some(t, "\x00\x00\xff\xff", TAIL);
    len = opt.size + 1 - t->inflate.avail_out;
    data = t->message;
    if (!t->keep_context) inflateReset(&t->inflate);
  }
  if (len != m->len || memcmp(data, m->data, len) != 0) link_fail(differs);
}

/* The frame at the front of what came: its size, 0 when it is not complete. */
static size_t take_frame(struct talk *t, const unsigned char *p, size_t n) {
  size_t header = n < 2 ? 0 : p[1] < 126 ? 2 : p[1] == 126 ? 4 : 10;
  if (!header || n < header) return 0;
  uint64_t len = header == 2 ? p[1] : 0;
  for (size_t i = 2; i < header; i++)
    len = len << 8 | p[i];
  if (n - header < len) return 0;
  if ((p[0] & 0x8f) != (opt.text ? 0x81 : 0x82)) link_fail(differs);
  check_message(t, (p[0] & 0x40) != 0, (const char *)p + header, (size_t)len);
  return header + (size_t)len;
}

static size_t take_frames(struct talk *t, const char *data, size_t len) {
  if (t->kept.len + len > (opt.size * 2 + 256) * opt.depth) link_fail(differs);
  memcpy(t->kept.data + t->kept.len, data, len);
  t->kept.len += len;
  size_t at = 0, count = 0, n;
  while ((n = take_frame(t, (const unsigned char *)t->kept.data + at, t->kept.len - at))) {
    at += n;
    count++;
  }
  t->kept.len -= at;
  memmove(t->kept.data, t->kept.data + at, t->kept.len);
  return count;
}

size_t talk_take(struct talk *t, const char *data, size_t len) {
  return opt.deflate ? take_frames(t, data, len) : take_known(t, data, len);
}
