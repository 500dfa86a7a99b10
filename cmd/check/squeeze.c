#include "squeeze.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
  /* zlib looks at distances only when it goes back beyond what the call itself has put out: with
     a window below the largest, the output is taken byte by byte so that none escapes. Past
     EXACT_BYTES of a connection by a few bytes at a time, for speed. */
  EXACT_BYTES = 1024 * 1024,
  COARSE_PIECE = 64,
  PIECE = 64 * 1024,
  TAIL = 4 /* 00 00 ff ff, which a message ends without */
};

struct squeeze {
  z_stream out, in;
  struct squeeze_side out_side, in_side;
  size_t unpacked;
};

struct squeeze *squeeze_new(struct squeeze_side out, struct squeeze_side in) {
  struct squeeze *s = (struct squeeze *)memory_new(1, sizeof *s);
  s->out_side = out;
  s->in_side = in;
  /* zlib has no compressor of 8 bits; at 9 it never goes back more than 250 bytes. */
  int bits = out.bits < 9 ? 9 : out.bits;
  int made = deflateInit2(&s->out, Z_BEST_SPEED, Z_DEFLATED, -bits, 8, Z_DEFAULT_STRATEGY);
  if (made != Z_OK || inflateInit2(&s->in, -in.bits) != Z_OK) memory_lacks();
  return s;
}

void squeeze_free(struct squeeze *s) {
  if (!s) return;
  (void)deflateEnd(&s->out);
  (void)inflateEnd(&s->in);
  free(s);
}

/* zlib wants its input without const. */
static Bytef *input(const void *data) {
  union {
    const void *in;
    void *out;
  } cast = {.in = data};
  return (Bytef *)cast.out;
}

void squeeze_pack(struct squeeze *s, const void *data, size_t len, struct bytes *out) {
  size_t start = out->len;
  s->out.next_in = input(data);
  s->out.avail_in = (uInt)len;
  do {
    s->out.next_out = bytes_room(out, PIECE);
    s->out.avail_out = PIECE;
    (void)deflate(&s->out, Z_SYNC_FLUSH);
    out->len += PIECE - s->out.avail_out;
  } while (!s->out.avail_out);
  if (s->out_side.no_takeover) (void)deflateReset(&s->out);
  if (out->len - start > TAIL)
    out->len -= TAIL;
  else
    out->len = start; /* nothing new since the last flush */
  if (out->len == start) bytes_add_byte(out, 0);
}

/* ---- decompressing -------------------------------------------------------------------------- */

/* A final block was read: what follows is a new stream with the same window. */
static bool go_on(struct squeeze *s) {
  uint8_t window[32768];
  uInt len = 0;
  if (inflateGetDictionary(&s->in, window, &len) != Z_OK) return false;
  return inflateReset(&s->in) == Z_OK && inflateSetDictionary(&s->in, window, len) == Z_OK;
}

static size_t piece(const struct squeeze *s) {
  if (s->in_side.bits == 15) return PIECE;
  return s->unpacked < EXACT_BYTES ? 1 : COARSE_PIECE;
}

static const char *reason(const struct squeeze *s, int result) {
  if (result != Z_DATA_ERROR) return "the compressed message cannot be decompressed";
  if (s->in.msg && strstr(s->in.msg, "distance"))
    return "the compressed message refers back beyond the agreed window or context";
  return "the compressed message is no DEFLATE data";
}

/* Puts the input through; *at_boundary: it ended where a block ends. */
static const char *feed(struct squeeze *s, const void *data, size_t len, struct bytes *out,
                        size_t max, bool *at_boundary) {
  s->in.next_in = input(data);
  s->in.avail_in = (uInt)len;
  do {
    uInt size = (uInt)piece(s);
    s->in.next_out = bytes_room(out, size);
    s->in.avail_out = size;
    int result = inflate(&s->in, Z_SYNC_FLUSH);
    size_t got = size - s->in.avail_out;
    out->len += got;
    s->unpacked += got;
    if (out->len > max) return "the message is larger than anything that was sent";
    if (result == Z_STREAM_END && !go_on(s)) return "the compressed message cannot go on";
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) return reason(s, result);
    if (got || result == Z_OK)
      *at_boundary = (s->in.data_type & 128) != 0 && (s->in.data_type & 63) == 0;
  } while (s->in.avail_in || !s->in.avail_out);
  return NULL;
}

bool squeeze_unpack(struct squeeze *s, const void *data, size_t len, struct bytes *out,
                    const char **why) {
  static const uint8_t tail[TAIL] = {0, 0, 0xff, 0xff};
  enum { MAX = 32 * 1024 * 1024 }; /* as of a message that is not compressed */
  bool at_boundary = false;
  *why = len ? NULL : "a compressed message is empty, not even one block";
  if (!*why) *why = feed(s, data, len, out, MAX, &at_boundary);
  if (!*why) *why = feed(s, tail, TAIL, out, MAX, &at_boundary);
  if (!*why && !at_boundary) *why = "the compressed message ends within a block";
  if (s->in_side.no_takeover) (void)inflateReset(&s->in);
  return !*why;
}
