#include "topics/base64url.h"

/* -1: not in the alphabet. */
static int value_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '-') return 62;
  return c == '_' ? 63 : -1;
}

ptrdiff_t coho__base64url_decode(void *dst, struct coho__view v) {
  uint8_t *out = (uint8_t *)dst;
  uint32_t bits = 0;
  unsigned count = 0; /* of bits that wait for a byte */
  ptrdiff_t len = 0;
  if (v.len % 4 == 1) return -1;
  for (size_t i = 0; i < v.len; i++) {
    int value = value_of(v.data[i]);
    if (value < 0) return -1;
    bits = bits << 6 | (uint32_t)value;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out[len++] = (uint8_t)(bits >> count);
    bits &= (1U << count) - 1;
  }
  return bits ? -1 : len;
}
