#include "http/range.h"

#include "base/check.h"

/* Beyond every file; a larger position says no more than this one. */
#define FAR (UINT64_MAX / 2)

static bool position(struct coho__view digits, uint64_t *out) {
  uint64_t value = 0;
  if (digits.len == 0) return false;
  for (size_t i = 0; i < digits.len; i++) {
    char c = digits.data[i];
    if (c < '0' || c > '9') return false;
    value = value > FAR / 10 - 1 ? FAR : value * 10 + (uint64_t)(c - '0');
  }
  *out = value;
  return true;
}

/* "-500": the last 500 bytes. */
static enum coho__range_kind suffix(struct coho__view digits, uint64_t size,
                                    struct coho__range *out) {
  uint64_t len;
  if (!position(digits, &len)) return COHO_RANGE_WHOLE;
  if (len == 0) return COHO_RANGE_BEYOND;
  /* satisfiable, but Content-Range cannot name a part of nothing */
  if (size == 0) return COHO_RANGE_WHOLE;
  out->len = COHO_MIN(len, size);
  out->first = size - out->len;
  return COHO_RANGE_PART;
}

enum coho__range_kind coho__range_parse(struct coho__view value, uint64_t size,
                                        struct coho__range *out) {
  struct coho__view rest = value;
  struct coho__view unit = coho__view_split(&rest, '=');
  if (!rest.data || !coho__view_eq_nocase(unit, VIEW("bytes"))) return COHO_RANGE_WHOLE;
  /* A list has a comma, which is no digit. */
  struct coho__view last_text = coho__view_trim(rest);
  struct coho__view first_text = coho__view_split(&last_text, '-');
  if (!last_text.data) return COHO_RANGE_WHOLE;
  if (first_text.len == 0) return suffix(last_text, size, out);
  uint64_t first, last = FAR;
  if (!position(first_text, &first)) return COHO_RANGE_WHOLE;
  if (last_text.len && !position(last_text, &last)) return COHO_RANGE_WHOLE;
  if (last < first) return COHO_RANGE_WHOLE;
  if (first >= size) return COHO_RANGE_BEYOND;
  out->first = first;
  out->len = COHO_MIN(last, size - 1) - first + 1;
  return COHO_RANGE_PART;
}
