#include "load/talk.h"

#include "load/link.h"
#include "load/sample.h"
#include "load/unpack.h"
#include "load/wire.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
  TAIL = 4 /* 00 00 ff ff, which RFC 7692 7.2.1 takes off */
};

struct bytes {
  char *data;
  size_t len;
};

static struct talk_options opt;
static struct bytes plain[SAMPLES];  /* messages */
static struct bytes bursts[SAMPLES]; /* as they go out; burst i begins with message i */
static struct bytes answer;          /* without deflate: what comes back for a burst */
static size_t bursts_made;

struct talk {
  size_t burst;    /* of the one under way */
  size_t returned; /* bytes of it that came back, or with deflate messages */
  z_stream inflate;
  bool keep_context;
  struct wire_rest rest;
  char *message; /* decompressed */
};

static void *need(size_t n) {
  void *p = calloc(1, n);
  if (!p) link_die("calloc");
  return p;
}

/* ---- messages ------------------------------------------------------------------------------ */

static void make_message(struct bytes *m) {
  m->data = (char *)need(opt.size + 1);
  m->len = opt.size;
  if (opt.deflate)
    sample_json(m->data, m->len);
  else
    sample_plain(m->data, m->len);
}

/* ---- frames -------------------------------------------------------------------------------- */

static unsigned first_byte(bool packed) {
  return (opt.text ? WIRE_TEXT : WIRE_BINARY) | (packed ? WIRE_PACKED : 0U);
}

static void add_masked(struct bytes *b, const struct bytes *payload, bool packed) {
  b->len += wire_put(b->data + b->len, first_byte(packed), payload->data, payload->len, true);
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
  answer.data = (char *)need((opt.size + WIRE_HEADER) * opt.depth);
  for (size_t i = 0; i < opt.depth; i++) {
    if (!opt.raw)
      answer.len += wire_header(answer.data + answer.len, first_byte(false), opt.size, false);
    memcpy(answer.data + answer.len, plain[0].data, opt.size);
    answer.len += opt.size;
  }
}

void talk_prepare(const struct talk_options *options) {
  opt = *options;
  bursts_made = opt.deflate ? SAMPLES : 1;
  for (size_t i = 0; i < bursts_made; i++)
    make_message(&plain[i]);
  for (size_t i = 0; i < bursts_made; i++) {
    bursts[i].data = (char *)need((opt.size + opt.size / 100 + 64) * opt.depth);
    for (size_t k = 0; k < opt.depth; k++)
      add_message(&bursts[i], &plain[(i + k) % bursts_made]);
  }
  if (!opt.deflate) make_answer();
}

/* ---- a connection -------------------------------------------------------------------------- */

const char *talk_offer(void) { return opt.deflate ? UNPACK_OFFER : ""; }

struct talk *talk_new(const char *head) {
  struct talk *t = (struct talk *)need(sizeof *t);
  if (!opt.deflate) return t;
  if (!strstr(head, "permessage-deflate")) link_fail("the server does not compress");
  t->keep_context = !strstr(head, "server_no_context_takeover");
  if (inflateInit2(&t->inflate, -15) != Z_OK) link_fail("no zlib");
  t->message = (char *)need(opt.size + 1);
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

static void take_frame(void *arg, const struct wire_frame *f) {
  struct talk *t = (struct talk *)arg;
  if ((f->first & ~(unsigned)WIRE_PACKED) != first_byte(false)) link_fail(differs);
  check_message(t, (f->first & WIRE_PACKED) != 0, f->payload, f->len);
}

static size_t take_frames(struct talk *t, const char *data, size_t len) {
  size_t before = t->returned;
  wire_take(&t->rest, data, len, take_frame, t);
  return t->returned - before;
}

size_t talk_take(struct talk *t, const char *data, size_t len) {
  return opt.deflate ? take_frames(t, data, len) : take_known(t, data, len);
}
