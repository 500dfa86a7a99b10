#include "proto/deflate_isal.h"

#include "base/alloc.h"
#include "base/check.h"
#include "proto/deflate_zlib.h"

#include <isa-l/igzip_lib.h>
#include <string.h>

/* The level that is hardly slower than the fastest and compresses like zlib's first. */
enum { LEVEL = 1, TOKENS = ISAL_DEF_LVL1_SMALL };

struct coho__isal {
  struct isal_zstream z;
  uint8_t tokens[TOKENS];
};

struct coho__isal *coho__isal_new(void) {
  return (struct coho__isal *)coho__zalloc(sizeof(struct coho__isal));
}

void coho__isal_free(struct coho__isal *s) { coho__free(s, sizeof *s); }

size_t coho__isal_run(struct coho__isal *s, unsigned window, const void *data, size_t len,
                      void *dst) {
  static const uint8_t tail[COHO_DEFLATE_TAIL] = {0, 0, 0xff, 0xff};
  if (len > UINT32_MAX - COHO_DEFLATE_TAIL) return 0;
  isal_deflate_stateless_init(&s->z);
  s->z.level = LEVEL;
  s->z.level_buf = s->tokens;
  s->z.level_buf_size = sizeof s->tokens;
  s->z.hist_bits = (uint16_t)window;
  s->z.flush = FULL_FLUSH;
  memcpy(&s->z.next_in, &data, sizeof data); /* it is only read */
  s->z.avail_in = (uint32_t)len;
  s->z.next_out = (uint8_t *)dst;
  s->z.avail_out = (uint32_t)len + COHO_DEFLATE_TAIL;
  int rc = isal_deflate_stateless(&s->z);
  /* What does not fit does not shrink. */
  if (rc != COMP_OK || s->z.avail_out == 0) return 0;
  COHO_ASSERT(s->z.avail_in == 0 && s->z.total_out > sizeof tail);
  coho__zlib_wrote(dst, s->z.total_out);
  size_t packed = s->z.total_out - sizeof tail;
  COHO_ASSERT(memcmp((uint8_t *)dst + packed, tail, sizeof tail) == 0);
  return packed;
}
