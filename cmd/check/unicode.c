#include "unicode.h"

#include <stdint.h>

/* The bytes that may follow first: how many, and the range of the next one. 0: first is no first. */
static unsigned after(uint8_t first, uint8_t *low, uint8_t *high) {
  *low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  *high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (first >= 0xc2 && first <= 0xdf) return 1;
  if (first >= 0xe0 && first <= 0xef) return 2;
  if (first >= 0xf0 && first <= 0xf4) return 3;
  return 0;
}

size_t unicode_check(const void *text, size_t len, bool *whole) {
  const uint8_t *bytes = (const uint8_t *)text;
  unsigned left = 0;
  uint8_t low = 0x80;
  uint8_t high = 0xbf;
  *whole = false;
  for (size_t i = 0; i < len; i++) {
    uint8_t b = bytes[i];
    if (left) {
      if (b < low || b > high) return i;
      left--;
      low = 0x80;
      high = 0xbf;
    } else if (b >= 0x80) {
      left = after(b, &low, &high);
      if (!left) return i;
    }
  }
  *whole = !left;
  return len;
}

bool unicode_valid(const void *text, size_t len) {
  bool whole;
  return unicode_check(text, len, &whole) == len && whole;
}
