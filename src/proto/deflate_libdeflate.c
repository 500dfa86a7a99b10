#include "proto/deflate_libdeflate.h"

#include "base/alloc.h"
#include "base/check.h"
#include "proto/deflate_zlib.h"

#include <coho/error.h>
#include <libdeflate.h>
#include <string.h>

/* The tail that was not sent, and a final block, since without one nothing is whole to libdeflate. */
static const unsigned char END[] = {0, 0, 0xff, 0xff, 3, 0};

struct coho__libdeflate {
  struct libdeflate_decompressor *library;
  unsigned char whole[COHO_LIBDEFLATE_MAX + sizeof END];
};

struct coho__libdeflate *coho__libdeflate_new(void) {
  struct coho__libdeflate *d = (struct coho__libdeflate *)coho__alloc(sizeof *d);
  if (!d) return NULL;
  d->library = libdeflate_alloc_decompressor();
  if (d->library) return d;
  coho__free(d, sizeof *d);
  return NULL;
}

void coho__libdeflate_free(struct coho__libdeflate *d) {
  if (!d) return;
  libdeflate_free_decompressor(d->library);
  coho__free(d, sizeof *d);
}

ssize_t coho__libdeflate_run(struct coho__libdeflate *d, const void *data, size_t len, void *dst,
                             size_t cap) {
  size_t used = 0, written = 0;
  COHO_ASSERT(len <= COHO_LIBDEFLATE_MAX);
  memcpy(d->whole, data, len);
  memcpy(d->whole + len, END, sizeof END);
  len += sizeof END;
  switch (libdeflate_deflate_decompress_ex(d->library, d->whole, len, dst, cap, &used, &written)) {
  case LIBDEFLATE_SUCCESS: break;
  case LIBDEFLATE_INSUFFICIENT_SPACE: return COHO_EFULL;
  case LIBDEFLATE_BAD_DATA:
  case LIBDEFLATE_SHORT_OUTPUT:
  default: return COHO_EINFLATE;
  }
  coho__zlib_wrote(dst, written);
  /* A final block that uses up the end can only be its last two bytes, so what is before them is
     whole. One of the peer's own ends sooner, and what follows it may refer to what is before it. */
  return used == len ? (ssize_t)written : COHO_EINFLATE;
}
