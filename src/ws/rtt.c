#include "ws/rtt.h"

#include "base/clock.h"
#include "base/random.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

enum { MANTISSA_BITS = 11, MANTISSA_MOST = (1 << MANTISSA_BITS) - 1, EXPONENT_MOST = 31 };

static struct { uint32_t mark, zero; } ours;
static pthread_once_t ours_once = PTHREAD_ONCE_INIT;

static void make_ours(void) { coho__random(&ours, sizeof ours); }

/* Low 32 bits of microseconds: they come again after 71 minutes, long after a pong is due. */
static uint32_t now_us(void) {
  pthread_once(&ours_once, make_ours);
  return (uint32_t)(coho__clock_ns() / 1000) + ours.zero;
}

/* ---- 16 bits -------------------------------------------------------------------------------- */

coho__rtt coho__rtt_pack(uint64_t us) {
  unsigned exponent = 0;
  while (us > MANTISSA_MOST) {
    us = us / 2 + us % 2;
    exponent++;
  }
  if (exponent > EXPONENT_MOST) return UINT16_MAX;
  if (us == 0) us = 1;
  return (coho__rtt)(exponent << MANTISSA_BITS | (unsigned)us);
}

uint64_t coho__rtt_unpack(coho__rtt t) {
  return (uint64_t)(t & MANTISSA_MOST) << (t >> MANTISSA_BITS);
}

double coho__rtt_ms(coho__rtt t) { return t ? (double)coho__rtt_unpack(t) / 1000 : (double)NAN; }

/* ---- stamps --------------------------------------------------------------------------------- */

void coho__rtt_stamp(uint8_t bytes[COHO_ENGINE_STAMP]) {
  uint32_t now = now_us();
  memcpy(bytes, &ours.mark, sizeof ours.mark);
  memcpy(bytes + sizeof ours.mark, &now, sizeof now);
}

bool coho__rtt_read(const coho_msg *pong, uint64_t *us) {
  uint32_t mark, then;
  if (pong->len != COHO_ENGINE_STAMP) return false;
  uint32_t now = now_us();
  memcpy(&mark, pong->data, sizeof mark);
  memcpy(&then, pong->data + sizeof mark, sizeof then);
  *us = now - then;
  return mark == ours.mark;
}

void coho__rtts_add(struct coho__rtts *r, uint64_t us) {
  uint64_t before = coho__rtt_unpack(r->smooth);
  r->last = coho__rtt_pack(us);
  r->smooth = r->smooth ? coho__rtt_pack((before * 7 + us + 4) / 8) : r->last;
}
