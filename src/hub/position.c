#include "base/check.h"
#include "base/view.h"

#include <coho/hub.h>
#include <string.h>

/* ---- text ------------------------------------------------------------------------------------ */

/* Writes n before end, in this base, and returns where it begins. */
static char *digits(char *end, uint64_t n, unsigned base) {
  do {
    *--end = "0123456789abcdefghijklmnopqrstuvwxyz"[n % base];
    n /= base;
  } while (n);
  return end;
}

const char *coho_pos_text(coho_pos pos, char *buf, size_t cap) {
  char text[COHO_POS_MAX];
  char *end = text + sizeof text - 1, *start = end;
  *end = '\0';
  if (pos.epoch) {
    start = digits(start, pos.offset, 10);
    *--start = '.';
  }
  start = digits(start, pos.epoch, 36);
  size_t size = (size_t)(end - start) + 1;
  /* Half a position would be another one. */
  if (size <= cap)
    memcpy(buf, start, size);
  else if (cap)
    buf[0] = '\0';
  return buf;
}

/* ---- parsing --------------------------------------------------------------------------------- */

static int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'z' ? c - 'a' + 10 : -1;
}

static bool read_epoch(struct coho__view v, uint64_t *out) {
  uint64_t n = 0;
  if (v.len == 0 || v.data[0] == '0') return false;
  for (size_t i = 0; i < v.len; i++) {
    int d = digit(v.data[i]);
    if (d < 0 || n > (UINT64_MAX - (unsigned)d) / 36) return false;
    n = n * 36 + (unsigned)d;
  }
  *out = n;
  return true;
}

static bool read_offset(struct coho__view v, uint64_t *out) {
  bool leading = v.len > 1 && v.data[0] == '0';
  return !leading && coho__view_number(v, INT64_MAX, out);
}

int coho_pos_parse(const char *text, coho_pos *pos) {
  struct coho__view rest = coho__view_of(text);
  coho_pos p = {0, 0};
  if (!coho__view_eq(rest, VIEW("0"))) {
    struct coho__view epoch = coho__view_split(&rest, '.');
    if (!read_epoch(epoch, &p.epoch) || !read_offset(rest, &p.offset)) return COHO_EPOSITION;
  }
  *pos = p;
  return 0;
}
