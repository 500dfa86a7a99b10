#include "unit/packable.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>
#define ZLIB_CONST
#include <zlib.h>

/* ---- messages ------------------------------------------------------------------------------- */

static const char *const words[] = {"\"name\":",   "\"price\":", "\"time\":17", "true",
                                    "\"message\"", "},{",        "null,",       "\"hello\",",
                                    "online",      "\"id\":",    "[1,2,3],",    "\xc3\xbc"};

static void put(uint8_t *dst, size_t len, size_t *at, const void *data, size_t n) {
  n = COHO_MIN(n, len - *at);
  memcpy(dst + *at, data, n);
  *at += n;
}

static void fill_json(struct dice *d, uint8_t *dst, size_t len) {
  size_t at = 0;
  while (at < len) {
    const char *word = words[dice(d, COHO_COUNT(words))];
    char number[16];
    put(dst, len, &at, word, strlen(word));
    int n = snprintf(number, sizeof number, "%u,", dice(d, 100000));
    put(dst, len, &at, number, (size_t)n);
  }
}

static void fill_letters(struct dice *d, uint8_t *dst, size_t len) {
  uint32_t letters = 2 + dice(d, 60);
  for (size_t i = 0; i < len; i++)
    dst[i] = (uint8_t)('A' + dice(d, letters));
}

static void fill_runs(struct dice *d, uint8_t *dst, size_t len) {
  for (size_t at = 0; at < len;) {
    size_t n = 1 + (size_t)dice(d, 1U << dice(d, 12));
    n = COHO_MIN(n, len - at);
    memset(dst + at, (int)dice(d, 256), n);
    at += n;
  }
}

static void fill_noise(struct dice *d, uint8_t *dst, size_t len) {
  for (size_t i = 0; i < len; i++)
    dst[i] = (uint8_t)dice(d, 256);
}

static void fill_far(struct dice *d, uint8_t *dst, size_t len) {
  for (size_t at = 0; at < len;) {
    size_t n = 3 + (size_t)dice(d, 300);
    n = COHO_MIN(n, len - at);
    size_t back = 1 + (size_t)dice(d, 1U << (4 + dice(d, 12)));
    back += dice(d, 2) ? 0 : dice(d, 8000);
    if (back > at || dice(d, 4) == 0)
      fill_noise(d, dst + at, n);
    else
      for (size_t i = 0; i < n; i++)
        dst[at + i] = dst[at + i - back];
    at += n;
  }
}

void packable_fill(struct dice *d, enum packable kind, uint8_t *dst, size_t len) {
  switch (kind) {
  case PACKABLE_JSON: fill_json(d, dst, len); break;
  case PACKABLE_LETTER: fill_letters(d, dst, len); break;
  case PACKABLE_RUNS: fill_runs(d, dst, len); break;
  case PACKABLE_FAR: fill_far(d, dst, len); break;
  case PACKABLE_NOISE:
  case PACKABLE_KINDS: fill_noise(d, dst, len); break;
  }
}

/* ---- the reference -------------------------------------------------------------------------- */

struct reference {
  z_stream z;
};

struct reference *reference_new(unsigned window) {
  struct reference *r = (struct reference *)calloc(1, sizeof *r);
  COHO_ASSERT(r && inflateInit2(&r->z, -(int)window) == Z_OK);
  return r;
}

void reference_free(struct reference *r) {
  inflateEnd(&r->z);
  free(r);
}

void reference_reset(struct reference *r) { inflateReset(&r->z); }

/* By 16 bytes of output, since what is in the output of one call may be referred to in any case. */
static bool matches(z_stream *z, const uint8_t **data, size_t *len) {
  Bytef out[16] = {0};
  do {
    z->next_out = out;
    z->avail_out = sizeof out;
    int rc = inflate(z, Z_SYNC_FLUSH);
    size_t n = sizeof out - z->avail_out;
    if ((rc != Z_OK && rc != Z_BUF_ERROR) || n > *len || memcmp(out, *data, n) != 0) return false;
    *data += n;
    *len -= n;
  } while (z->avail_in || z->avail_out == 0);
  return true;
}

bool reference_means(struct reference *r, const void *packed, size_t packed_len, const void *data,
                     size_t len) {
  static const Bytef tail[] = {0, 0, 0xff, 0xff};
  const uint8_t *rest = (const uint8_t *)data;
  r->z.next_in = (const Bytef *)packed;
  r->z.avail_in = (uInt)packed_len;
  if (!matches(&r->z, &rest, &len)) return false;
  r->z.next_in = tail;
  r->z.avail_in = sizeof tail;
  return matches(&r->z, &rest, &len) && len == 0 && (r->z.data_type & 191) == 128;
}
