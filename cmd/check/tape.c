#include "tape.h"

#include "base/check.h"

#include <stdio.h>
#include <string.h>

void tape_add(struct tape *t, const void *data, size_t len) {
  const uint8_t *bytes = (const uint8_t *)data;
  if (t->total < TAPE_HEAD && len)
    memcpy(t->first + t->total, bytes, COHO_MIN(len, (size_t)(TAPE_HEAD - t->total)));
  t->total += len;
  if (len > TAPE_BYTES) {
    bytes += len - TAPE_BYTES;
    len = TAPE_BYTES;
  }
  size_t room = TAPE_BYTES - t->len;
  size_t gone = len > room ? len - room : 0;
  memmove(t->last, t->last + gone, t->len - gone);
  t->len -= gone;
  if (len) memcpy(t->last + t->len, bytes, len);
  t->len += len;
}

/* A head begins with a status or a request line; a frame does not begin with such letters. */
static bool is_head(const uint8_t *at, size_t len) {
  return len >= 5 && (!memcmp(at, "HTTP/", 5) || !memcmp(at, "GET /", 5));
}

/* The length of the lines at `at` up to the empty one; 0: it is not there. */
static size_t head_end(const uint8_t *at, size_t len) {
  for (size_t i = 4; i <= len; i++)
    if (!memcmp(at + i - 4, "\r\n\r\n", 4)) return i;
  return 0;
}

size_t tape_head(const struct tape *t, bool *whole) {
  size_t len = COHO_MIN((size_t)t->total, (size_t)TAPE_HEAD);
  size_t at = 0;
  *whole = true;
  while (at == 0 || is_head(t->first + at, len - at)) {
    size_t end = head_end(t->first + at, len - at);
    *whole = end > 0;
    if (!end) return len;
    at += end;
  }
  return at;
}

void tape_print(const struct tape *t, char *text) {
  char *at = text;
  if (t->total > t->len) at += snprintf(at, 8, "...%s", t->len ? " " : "");
  *at = '\0';
  for (size_t i = 0; i < t->len; i++)
    at += snprintf(at, 4, "%s%02x", i ? " " : "", t->last[i]);
}
