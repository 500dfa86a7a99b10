#include "tape.h"

#include <stdio.h>
#include <string.h>

void tape_add(struct tape *t, const void *data, size_t len) {
  const uint8_t *bytes = (const uint8_t *)data;
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

void tape_print(const struct tape *t, char *text) {
  char *at = text;
  if (t->total > t->len) at += snprintf(at, 8, "...%s", t->len ? " " : "");
  *at = '\0';
  for (size_t i = 0; i < t->len; i++)
    at += snprintf(at, 4, "%s%02x", i ? " " : "", t->last[i]);
}
