#include "proto/inflater.h"

#include "base/alloc.h"
#include "base/check.h"
#include "proto/deflate_zlib.h"

#include <coho/error.h>
#include <stdbool.h>

enum {
  STATE = 7160, /* what zlib takes besides the window, */
  BLOCKS = 2,   /* and in how many pieces, the window included */
  /* z_stream.data_type: bits of the last byte that are not used, and that a block has ended. */
  BITS_LEFT = 63,
  BLOCK_END = 128
};

struct coho__inflater {
  z_stream z;
  bool fed;   /* the present message has a byte */
  bool final; /* what was read last was the end of a final block */
};

size_t coho__inflater_size(unsigned window) {
  return sizeof(struct coho__inflater) + STATE + BLOCKS * (size_t)COHO_ZLIB_HEAD +
         ((size_t)1 << window);
}

struct coho__inflater *coho__inflater_new(unsigned window) {
  struct coho__inflater *f = (struct coho__inflater *)coho__alloc(sizeof *f);
  if (!f) return NULL;
  *f = (struct coho__inflater){.z = coho__zlib_stream()};
  int rc = inflateInit2(&f->z, -(int)window);
  if (rc == Z_OK) return f;
  COHO_ASSERT(rc == Z_MEM_ERROR);
  coho__free(f, sizeof *f);
  return NULL;
}

void coho__inflater_free(struct coho__inflater *f) {
  if (!f) return;
  (void)inflateEnd(&f->z);
  coho__free(f, sizeof *f);
}

void coho__inflater_reset(struct coho__inflater *f) {
  (void)inflateReset(&f->z);
  f->fed = f->final = false;
}

/* One step of zlib. 0 or an error. */
static int step(struct coho__inflater *f) {
  uInt given = f->z.avail_in, room = f->z.avail_out;
  int rc = inflate(&f->z, Z_SYNC_FLUSH);
  if (given > f->z.avail_in) {
    f->fed = true;
    f->final = false;
  }
  if (rc == Z_STREAM_END) f->final = true;
  coho__zlib_wrote(f->z.next_out - (room - f->z.avail_out), room - f->z.avail_out);
  switch (rc) {
  case Z_OK:
  case Z_BUF_ERROR:
    return 0; /* wants input or room */
  /* Blocks may follow the final one, and refer to what is before it, which the plain reset forgets;
     copying the window out and in again would cost 64 KiB for two bytes of input. */
  case Z_STREAM_END: (void)inflateResetKeep(&f->z); return 0;
  case Z_MEM_ERROR: return COHO_ENOMEM;
  default: return COHO_EINFLATE;
  }
}

ssize_t coho__inflater_run(struct coho__inflater *f, const uint8_t **data, size_t *len, void *dst,
                           size_t cap) {
  size_t written = 0;
  do {
    coho__zlib_lend(&f->z, *data, *len, (uint8_t *)dst + written, cap - written);
    uInt given = f->z.avail_in, room = f->z.avail_out;
    int err = step(f);
    if (err) return err;
    *data += given - f->z.avail_in;
    *len -= given - f->z.avail_in;
    written += room - f->z.avail_out;
  } while (written < cap && (*len > 0 || f->z.avail_out == 0));
  return (ssize_t)written;
}

int coho__inflater_end(struct coho__inflater *f) {
  static const uint8_t tail[COHO_DEFLATE_TAIL] = {0, 0, 0xff, 0xff};
  const uint8_t *data = tail;
  size_t len = sizeof tail;
  uint8_t beyond[16];
  if (!f->fed) return COHO_EINFLATE;
  /* Of a whole message the tail ends an empty block, and nothing is left to write. */
  ssize_t n = coho__inflater_run(f, &data, &len, beyond, sizeof beyond);
  if (n < 0) return (int)n;
  bool ended = f->final || (f->z.data_type & (BITS_LEFT | BLOCK_END)) == BLOCK_END;
  f->fed = f->final = false;
  return n == 0 && ended ? 0 : COHO_EINFLATE;
}
