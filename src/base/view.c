#include "base/view.h"

#include <string.h>

struct coho__view coho__view_of(const char *s) {
  return (struct coho__view){s, s != NULL ? strlen(s) : 0};
}

bool coho__view_eq(struct coho__view a, struct coho__view b) {
  return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c; }

bool coho__view_eq_nocase(struct coho__view a, struct coho__view b) {
  if (a.len != b.len) return false;
  for (size_t i = 0; i < a.len; i++) {
    if (lower(a.data[i]) != lower(b.data[i])) return false;
  }
  return true;
}

static bool blank(char c) { return c == ' ' || c == '\t'; }

struct coho__view coho__view_trim(struct coho__view v) {
  while (v.len > 0 && blank(v.data[v.len - 1]))
    v.len--;
  while (v.len > 0 && blank(v.data[0])) {
    v.data++;
    v.len--;
  }
  return v;
}

struct coho__view coho__view_split(struct coho__view *rest, char sep) {
  struct coho__view first = *rest;
  const char *at = first.len > 0 ? (const char *)memchr(first.data, sep, first.len) : NULL;
  if (at == NULL) {
    *rest = (struct coho__view){NULL, 0};
    return first;
  }
  first.len = (size_t)(at - first.data);
  rest->data = at + 1;
  rest->len -= first.len + 1;
  return first;
}

bool coho__view_take_nocase(struct coho__view *in, struct coho__view prefix) {
  if (in->len < prefix.len ||
      !coho__view_eq_nocase((struct coho__view){in->data, prefix.len}, prefix))
    return false;
  in->data += prefix.len;
  in->len -= prefix.len;
  return true;
}

bool coho__view_number(struct coho__view v, uint64_t max, uint64_t *out) {
  uint64_t n = 0;
  if (v.len == 0) return false;
  for (size_t i = 0; i < v.len; i++) {
    if (v.data[i] < '0' || v.data[i] > '9') return false;
    uint64_t digit = (uint64_t)(v.data[i] - '0');
    if (digit > max || n > (max - digit) / 10) return false;
    n = n * 10 + digit;
  }
  *out = n;
  return true;
}
