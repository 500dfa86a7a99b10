#include "support/zip.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { TAIL = 4, LEVEL = 9, WINDOW_MAX = 15, PIECE = 4096, BLOCK_END = 128, BITS_LEFT = 63 };

struct zip {
  z_stream deflate, inflate;
  size_t piece; /* of output: what one call has put out may be referred to in any case */
  Bytef *packed, *message;
  size_t packed_room, room;
};

static void *need(void *p) {
  if (!p) abort();
  return p;
}

static void good(int rc) {
  if (rc != Z_OK) abort();
}

struct zip *zip_new(unsigned window, unsigned memory, unsigned peer_window) {
  struct zip *z = (struct zip *)need(calloc(1, sizeof *z));
  good(deflateInit2(&z->deflate, LEVEL, Z_DEFLATED, -(int)window, (int)memory, Z_DEFAULT_STRATEGY));
  good(inflateInit2(&z->inflate, -(int)peer_window));
  z->piece = peer_window < WINDOW_MAX ? 1 : PIECE;
  return z;
}

void zip_free(struct zip *z) {
  if (!z) return;
  (void)deflateEnd(&z->deflate);
  (void)inflateEnd(&z->inflate);
  free(z->packed);
  free(z->message);
  free(z);
}

void zip_pack_anew(struct zip *z) { good(deflateReset(&z->deflate)); }

void zip_unpack_anew(struct zip *z) { good(inflateReset(&z->inflate)); }

/* Zeroed, since a memory sanitizer does not see what zlib writes. */
static Bytef *room_for(Bytef **bytes, size_t *room, size_t n) {
  if (*bytes && n <= *room) return *bytes;
  Bytef *old = *bytes;
  *bytes = (Bytef *)need(calloc(n * 2, 1));
  if (old) memcpy(*bytes, old, *room);
  free(old);
  *room = n * 2;
  return *bytes;
}

const char *zip_pack(struct zip *z, const void *data, size_t len, size_t *packed_len) {
  /* Ten bytes more than the bound, or a flush would come twice. */
  size_t room = deflateBound(&z->deflate, (uLong)len) + 10;
  Bytef *dst = room_for(&z->packed, &z->packed_room, room);
  *packed_len = 1;
  dst[0] = 0; /* 7.2.3.6, since zlib has nothing to say about an empty message */
  if (len == 0) return (const char *)dst;
  memcpy(&z->deflate.next_in, &data, sizeof data); /* it is only read */
  z->deflate.avail_in = (uInt)len;
  z->deflate.next_out = dst;
  z->deflate.avail_out = (uInt)room;
  good(deflate(&z->deflate, Z_SYNC_FLUSH));
  *packed_len = room - z->deflate.avail_out - TAIL;
  return (const char *)dst;
}

/* All of the input; what it means goes behind *len bytes. */
static int unpack(struct zip *z, const void *data, size_t n, size_t *len) {
  memcpy(&z->inflate.next_in, &data, sizeof data); /* it is only read */
  z->inflate.avail_in = (uInt)n;
  do {
    z->inflate.next_out = room_for(&z->message, &z->room, *len + z->piece) + *len;
    z->inflate.avail_out = (uInt)z->piece;
    int rc = inflate(&z->inflate, Z_SYNC_FLUSH);
    if (rc != Z_OK && rc != Z_BUF_ERROR) return rc;
    *len += z->piece - z->inflate.avail_out;
  } while (z->inflate.avail_in || z->inflate.avail_out == 0);
  return Z_OK;
}

const char *zip_unpack(struct zip *z, const void *packed, size_t packed_len, size_t *len) {
  static const Bytef tail[TAIL] = {0, 0, 0xff, 0xff};
  *len = 0;
  (void)room_for(&z->message, &z->room, 1);
  if (packed_len == 0 || unpack(z, packed, packed_len, len) || unpack(z, tail, TAIL, len))
    return NULL;
  /* Not inside a block, nor inside a byte. */
  return (z->inflate.data_type & (BLOCK_END | BITS_LEFT)) == BLOCK_END ? (char *)z->message : NULL;
}
