#include "proto/mask.h"

#include <string.h>

static uint32_t rotate(uint32_t key, size_t bytes) {
  unsigned bits = (unsigned)(bytes & 3) * 8;
  if (bits == 0) return key;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  return key >> bits | key << (32 - bits);
#else
  return key << bits | key >> (32 - bits);
#endif
}

uint32_t coho__mask(void *data, size_t len, uint32_t key) {
  uint8_t *p = (uint8_t *)data;
  uint64_t wide = (uint64_t)key << 32 | key;
  size_t n = len;

  /* Four words a step: compilers turn this into the widest vectors they may use. */
  for (; n >= 32; n -= 32, p += 32) {
    uint64_t w[4];
    memcpy(w, p, 32);
    w[0] ^= wide;
    w[1] ^= wide;
    w[2] ^= wide;
    w[3] ^= wide;
    memcpy(p, w, 32);
  }
  for (; n >= 8; n -= 8, p += 8) {
    uint64_t w;
    memcpy(&w, p, 8);
    w ^= wide;
    memcpy(p, &w, 8);
  }
  uint8_t bytes[8];
  memcpy(bytes, &wide, 8);
  for (size_t i = 0; i < n; i++)
    p[i] ^= bytes[i];
  return rotate(key, len);
}
