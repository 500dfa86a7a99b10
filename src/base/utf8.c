#include "base/utf8.h"

#include <string.h>

/*
 * A state machine without branches: a row per byte holds the next state of every state, at the
 * bits that the state names, so that a step is one load, which does not wait for the state, and
 * one shift. Runs of ASCII skip it, 32 bytes at a time.
 *
 * The states are what may follow, as in RFC 3629 section 4; BAD is never left.
 */
enum {
  BAD = 6,
  TAIL1 = 12, /* one byte 80-BF */
  TAIL2 = 18, /* two of them */
  TAIL3 = 24,
  AFTER_E0 = 30, /* A0-BF, one byte 80-BF: shorter forms exist below */
  AFTER_ED = 36, /* 80-9F, one byte 80-BF: surrogates above */
  AFTER_F0 = 42, /* 90-BF, two bytes 80-BF: shorter forms exist below */
  AFTER_F4 = 48, /* 80-8F, two bytes 80-BF: nothing above U+10FFFF */
  STATE_BITS = 63
};

#define TO(next, from) ((uint64_t)(next) << (from))
#define ROW(start, tail1, tail2, tail3, e0, ed, f0, f4)                              \
  (TO(start, COHO_UTF8_START) | TO(BAD, BAD) | TO(tail1, TAIL1) | TO(tail2, TAIL2) | \
   TO(tail3, TAIL3) | TO(e0, AFTER_E0) | TO(ed, AFTER_ED) | TO(f0, AFTER_F0) | TO(f4, AFTER_F4))
#define LEAD(next) ROW(next, BAD, BAD, BAD, BAD, BAD, BAD, BAD)

#define ASCII      LEAD(COHO_UTF8_START)
#define NEVER      LEAD(BAD)
#define LEAD2      LEAD(TAIL1)
#define LEAD3      LEAD(TAIL2)
#define LEAD4      LEAD(TAIL3)
#define CONT_8     ROW(BAD, COHO_UTF8_START, TAIL1, TAIL2, BAD, TAIL1, BAD, TAIL2)
#define CONT_9     ROW(BAD, COHO_UTF8_START, TAIL1, TAIL2, BAD, TAIL1, TAIL2, BAD)
#define CONT_A     ROW(BAD, COHO_UTF8_START, TAIL1, TAIL2, TAIL1, BAD, TAIL2, BAD)

#define X4(x)      x, x, x, x
#define X8(x)      X4(x), X4(x)
#define X12(x)     X8(x), X4(x)
#define X16(x)     X8(x), X8(x)

/* clang-format off */
static const uint64_t rows[256] = {
  X16(ASCII), X16(ASCII), X16(ASCII), X16(ASCII), /* 00-3F */
  X16(ASCII), X16(ASCII), X16(ASCII), X16(ASCII), /* 40-7F */
  X16(CONT_8), X16(CONT_9),                       /* 80-9F */
  X16(CONT_A), X16(CONT_A),                       /* A0-BF */
  NEVER, NEVER, LEAD2, LEAD2, X12(LEAD2),         /* C0-CF */
  X16(LEAD2),                                     /* D0-DF */
  LEAD(AFTER_E0), X12(LEAD3), LEAD(AFTER_ED), LEAD3, LEAD3,                 /* E0-EF */
  LEAD(AFTER_F0), LEAD4, LEAD4, LEAD4, LEAD(AFTER_F4), NEVER, NEVER, NEVER, /* F0-F7 */
  X8(NEVER),                                      /* F8-FF */
};
/* clang-format on */

enum { BLOCK = 32 };

static bool ascii_block(const uint8_t *p) {
  uint64_t words[BLOCK / 8];
  memcpy(words, p, sizeof words);
  return ((words[0] | words[1] | words[2] | words[3]) & 0x8080808080808080) == 0;
}

/* The state keeps garbage above its bits until the next step or the end. */
static uint64_t walk(uint64_t state, const uint8_t *p, const uint8_t *end) {
  while (p < end)
    state = rows[*p++] >> (state & STATE_BITS);
  return state & STATE_BITS;
}

bool coho__utf8_next(coho__utf8 *state, const void *data, size_t len) {
  const uint8_t *p = (const uint8_t *)data;
  uint64_t s = *state;
  for (; len >= BLOCK && s != BAD; p += BLOCK, len -= BLOCK) {
    if (s != COHO_UTF8_START || !ascii_block(p)) s = walk(s, p, p + BLOCK);
  }
  if (len > 0 && s != BAD) s = walk(s, p, p + len);
  *state = (coho__utf8)s;
  return s != BAD;
}

bool coho__utf8_valid(const void *data, size_t len) {
  coho__utf8 state = COHO_UTF8_START;
  return coho__utf8_next(&state, data, len) && state == COHO_UTF8_START;
}
