#include "base/sha1.h"

#include <string.h>

enum { BLOCK = 64 };

static uint32_t rotate(uint32_t x, unsigned n) { return x << n | x >> (32 - n); }

/* FIPS 180-4 section 4.1.1, with the constant of 4.2.1. */
static uint32_t mix(unsigned t, const uint32_t v[5]) {
  if (t < 20) return ((v[1] & v[2]) | (~v[1] & v[3])) + 0x5a827999;
  if (t < 40) return (v[1] ^ v[2] ^ v[3]) + 0x6ed9eba1;
  if (t < 60) return ((v[1] & v[2]) | (v[1] & v[3]) | (v[2] & v[3])) + 0x8f1bbcdc;
  return (v[1] ^ v[2] ^ v[3]) + 0xca62c1d6;
}

/* FIPS 180-4 section 6.1.2. */
static void take_block(uint32_t h[5], const uint8_t *p) {
  uint32_t w[80];
  uint32_t v[5] = {h[0], h[1], h[2], h[3], h[4]};
  for (unsigned t = 0; t < 16; t++, p += 4)
    w[t] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
  for (unsigned t = 16; t < 80; t++)
    w[t] = rotate(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
  for (unsigned t = 0; t < 80; t++) {
    uint32_t next = rotate(v[0], 5) + mix(t, v) + v[4] + w[t];
    v[4] = v[3];
    v[3] = v[2];
    v[2] = rotate(v[1], 30);
    v[1] = v[0];
    v[0] = next;
  }
  for (unsigned i = 0; i < 5; i++)
    h[i] += v[i];
}

void coho__sha1(const void *data, size_t len, uint8_t digest[20]) {
  uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  const uint8_t *p = (const uint8_t *)data;
  size_t left = len;
  for (; left >= BLOCK; left -= BLOCK, p += BLOCK)
    take_block(h, p);

  /* The rest, a 1 bit, zeros, and the length in bits: one block or two. */
  uint8_t last[2 * BLOCK] = {0};
  size_t padded = left < BLOCK - 8 ? BLOCK : 2 * BLOCK;
  if (left > 0) memcpy(last, p, left);
  last[left] = 0x80;
  for (unsigned i = 0; i < 8; i++)
    last[padded - 1 - i] = (uint8_t)((uint64_t)len * 8 >> (8 * i));
  take_block(h, last);
  if (padded > BLOCK) take_block(h, last + BLOCK);

  for (unsigned i = 0; i < 20; i++)
    digest[i] = (uint8_t)(h[i / 4] >> (24 - i % 4 * 8));
}
