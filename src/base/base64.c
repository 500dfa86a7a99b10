#include "base/base64.h"

#include <stdint.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void coho__base64_encode(char *dst, const void *data, size_t len) {
  const uint8_t *p = (const uint8_t *)data;
  for (; len >= 3; len -= 3, p += 3) {
    *dst++ = alphabet[p[0] >> 2];
    *dst++ = alphabet[(p[0] & 3) << 4 | p[1] >> 4];
    *dst++ = alphabet[(p[1] & 15) << 2 | p[2] >> 6];
    *dst++ = alphabet[p[2] & 63];
  }
  if (len == 0) return;
  unsigned second = len == 2 ? p[1] : 0;
  *dst++ = alphabet[p[0] >> 2];
  *dst++ = alphabet[(p[0] & 3U) << 4 | second >> 4];
  *dst++ = '=';
  *dst = '=';
  if (len == 2) dst[-1] = alphabet[(second & 15) << 2];
}

/* -1: not in the alphabet. */
static int value_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

ptrdiff_t coho__base64_decode(void *dst, const char *data, size_t len) {
  uint8_t *out = (uint8_t *)dst;
  uint32_t bits = 0;
  size_t chars = len;
  if (len % 4 != 0) return -1;
  while (chars > 0 && len - chars < 2 && data[chars - 1] == '=')
    chars--;
  for (size_t i = 0; i < chars; i++) {
    int value = value_of(data[i]);
    if (value < 0) return -1;
    bits = bits << 6 | (uint32_t)value;
    /* Every character but the first of four completes a byte. */
    if (i % 4 != 0) *out++ = (uint8_t)(bits >> (6 - i % 4 * 2));
  }
  return (ptrdiff_t)(len / 4 * 3 - (len - chars));
}
