#include "hub/pattern.h"

#include "base/check.h"

static const struct coho__view ONE = {"+", 1};
static const struct coho__view REST = {"#", 1};

/* ---- grammar -------------------------------------------------------------------------------- */

static bool is_name_char(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '~' || c == '-';
}

static bool is_segment(struct coho__view v) {
  static const struct coho__view taken[] = {{".", 1}, {"..", 2}, {"history", 7}, {"presence", 8}};
  for (size_t i = 0; i < v.len; i++)
    if (!is_name_char(v.data[i])) return false;
  for (size_t i = 0; i < COHO_COUNT(taken); i++)
    if (coho__view_eq(v, taken[i])) return false;
  return v.len > 0;
}

bool coho__topic_name_valid(struct coho__view name) {
  if (name.len == 0 || name.len > COHO_PATTERN_MAX) return false;
  while (name.data)
    if (!is_segment(coho__view_split(&name, '/'))) return false;
  return true;
}

bool coho__pattern_valid(struct coho__view pattern) {
  if (pattern.len == 0 || pattern.len > COHO_PATTERN_MAX) return false;
  while (pattern.data) {
    struct coho__view segment = coho__view_split(&pattern, '/');
    if (coho__view_eq(segment, REST)) return !pattern.data;
    if (!coho__view_eq(segment, ONE) && !is_segment(segment)) return false;
  }
  return true;
}

/* ---- companions ------------------------------------------------------------------------------ */

static const struct coho__view companion = {COHO_COMPANION, sizeof COHO_COMPANION - 1};

bool coho__topic_is_companion(struct coho__view name) {
  if (name.len <= companion.len) return false;
  name.data += name.len - companion.len;
  name.len = companion.len;
  return coho__view_eq(name, companion);
}

struct coho__view coho__topic_base(struct coho__view name) {
  if (coho__topic_is_companion(name)) name.len -= companion.len;
  return name;
}

/* ---- meaning -------------------------------------------------------------------------------- */

bool coho__pattern_matches(struct coho__view pattern, struct coho__view name) {
  while (pattern.data) {
    struct coho__view segment = coho__view_split(&pattern, '/');
    if (coho__view_eq(segment, REST)) return true;
    if (!name.data) return false;
    struct coho__view given = coho__view_split(&name, '/');
    if (!coho__view_eq(segment, ONE) && !coho__view_eq(segment, given)) return false;
  }
  return !name.data;
}

/* A name has a segment at least, so that "+/#" and "#" say the same. */
static bool matches_all(struct coho__view pattern) {
  return coho__view_eq(pattern, REST) || coho__view_eq(pattern, VIEW("+/#"));
}

bool coho__pattern_covers(struct coho__view granted, struct coho__view wanted) {
  if (matches_all(granted)) return true;
  while (granted.data) {
    struct coho__view segment = coho__view_split(&granted, '/');
    if (coho__view_eq(segment, REST)) return true;
    if (!wanted.data) return false;
    struct coho__view asked = coho__view_split(&wanted, '/');
    if (coho__view_eq(asked, REST)) return false; /* it may end here, granted goes on */
    if (!coho__view_eq(segment, ONE) && !coho__view_eq(segment, asked)) return false;
  }
  return !wanted.data;
}
