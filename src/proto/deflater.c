#include "proto/deflater.h"

#include "base/alloc.h"
#include "base/check.h"
#include "proto/deflate_zlib.h"

enum {
  WINDOW_MIN =
      9, /* zlib's; its references then go back 2^9 - 262 = 250 bytes, so it does for 8 too */
  STATE = 5952, /* what zlib takes besides window and tables, */
  BLOCKS = 5    /* and in how many pieces */
};

struct coho__deflater {
  z_stream z;
};

static unsigned real_window(unsigned window) { return COHO_MAX(window, (unsigned)WINDOW_MIN); }

size_t coho__deflater_size(unsigned window, unsigned memory) {
  return sizeof(struct coho__deflater) + STATE + BLOCKS * (size_t)COHO_ZLIB_HEAD +
         ((size_t)4 << real_window(window)) + ((size_t)512 << memory);
}

struct coho__deflater *coho__deflater_new(unsigned window, unsigned memory, unsigned level) {
  struct coho__deflater *d = (struct coho__deflater *)coho__alloc(sizeof *d);
  if (!d) return NULL;
  d->z = coho__zlib_stream();
  int rc = deflateInit2(&d->z, (int)level, Z_DEFLATED, -(int)real_window(window), (int)memory,
                        Z_DEFAULT_STRATEGY);
  if (rc == Z_OK) return d;
  COHO_ASSERT(rc == Z_MEM_ERROR);
  coho__free(d, sizeof *d);
  return NULL;
}

void coho__deflater_free(struct coho__deflater *d) {
  if (!d) return;
  (void)deflateEnd(&d->z);
  coho__free(d, sizeof *d);
}

void coho__deflater_reset(struct coho__deflater *d) { (void)deflateReset(&d->z); }

size_t coho__deflater_run(struct coho__deflater *d, const void *data, size_t len, void *dst) {
  const Bytef *in = (const Bytef *)data;
  Bytef *out = (Bytef *)dst;
  size_t room = len + COHO_DEFLATE_TAIL;
  do {
    coho__zlib_lend(&d->z, in, len, out, room);
    uInt given = d->z.avail_in, lent = d->z.avail_out;
    (void)deflate(&d->z, given == len ? Z_SYNC_FLUSH : Z_NO_FLUSH);
    in += given - d->z.avail_in;
    len -= given - d->z.avail_in;
    out += lent - d->z.avail_out;
    room -= lent - d->z.avail_out;
    if (room == 0) {
      coho__deflater_reset(d);
      return 0;
    }
  } while (len > 0 || d->z.avail_out == 0);
  size_t written = (size_t)(out - (Bytef *)dst);
  coho__zlib_wrote(dst, written);
  return written - COHO_DEFLATE_TAIL;
}
