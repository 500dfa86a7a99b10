#include "proto/deflate_zlib.h"

#include "base/alloc.h"
#include "base/check.h"

#include <stdint.h>

#if defined(__has_feature)
#  if __has_feature(memory_sanitizer)
#    include <sanitizer/msan_interface.h>
#    define UNPOISON(data, len) __msan_unpoison(data, len)
#  endif
#endif
#ifndef UNPOISON
#  define UNPOISON(data, len) ((void)(data), (void)(len))
#endif

struct head {
  _Alignas(COHO_ZLIB_HEAD) size_t size; /* of the block with its head */
};
_Static_assert(sizeof(struct head) == COHO_ZLIB_HEAD, "a head is as large as it is told");

static void *take(void *ctx, uInt items, uInt size) {
  (void)ctx;
  if (size && items > (SIZE_MAX - COHO_ZLIB_HEAD) / size) return NULL;
  size_t whole = COHO_ZLIB_HEAD + (size_t)items * size;
  struct head *h = (struct head *)coho__alloc(whole);
  if (!h) return NULL;
  h->size = whole;
  return h + 1;
}

static void give(void *ctx, void *block) {
  (void)ctx;
  if (!block) return;
  struct head *h = (struct head *)block - 1;
  coho__free(h, h->size);
}

z_stream coho__zlib_stream(void) {
  z_stream z = {.zalloc = take, .zfree = give};
  return z;
}

void coho__zlib_lend(z_stream *z, const void *in, size_t in_len, void *out, size_t room) {
  z->next_in = (const Bytef *)in;
  z->avail_in = (uInt)COHO_MIN(in_len, (size_t)COHO_ZLIB_IN);
  z->next_out = (Bytef *)out;
  z->avail_out = (uInt)COHO_MIN(room, (size_t)COHO_ZLIB_OUT);
}

void coho__zlib_wrote(const void *data, size_t len) { UNPOISON(data, len); }
