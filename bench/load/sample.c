#include "load/sample.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { LINE = 256 };

void sample_plain(char *dst, size_t len) {
  for (size_t i = 0; i < len; i++)
    dst[i] = "abcdefghijklmnopqrstuvwxyz 0123456789"[i % 37];
}

static uint32_t dice(void) {
  static uint32_t state = 20250101;
  state ^= state << 13;
  state ^= state >> 17;
  return state ^= state << 5;
}

void sample_json(char *dst, size_t len) {
  static const char *const names[] = {"ACME", "COHO", "DELTA", "ORCA", "PIKE", "SALMO", "TROUT"};
  char line[LINE];
  for (size_t at = 0; at < len;) {
    size_t n = (size_t)snprintf(
        line, sizeof line,
        "{\"symbol\":\"%s\",\"price\":%u.%02u,\"change\":-%u.%u,\"volume\":%u,\"open\":true},",
        names[dice() % 7], dice() % 500, dice() % 100, dice() % 9, dice() % 10, dice() % 1000000);
    if (n > len - at) n = len - at;
    memcpy(dst + at, line, n);
    at += n;
  }
}
