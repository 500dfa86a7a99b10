#include "support/tape.h"

#include "support/claim.h"

#include <stdarg.h>
#include <string.h>

enum { BEFORE = 80, AFTER = 240 }; /* bytes shown around the first difference */

static char *room(struct tape *t, size_t n) {
  if (n > t->cap - t->len) {
    size_t cap = t->cap * 2 + n;
    t->data = (char *)realloc(t->data, cap);
    CLAIM(t->data != NULL);
    t->cap = cap;
  }
  return t->data + t->len;
}

void tape_bytes(struct tape *t, const void *data, size_t len) {
  if (len == 0) return;
  memcpy(room(t, len), data, len);
  t->len += len;
}

void tape_print(struct tape *t, const char *format, ...) {
  char text[256];
  va_list args;
  va_start(args, format);
  int n = vsnprintf(text, sizeof text, format, args);
  va_end(args);
  CLAIM(n >= 0 && (size_t)n < sizeof text);
  tape_bytes(t, text, (size_t)n);
}

void tape_view(struct tape *t, const char *name, struct coho__view v) {
  tape_print(t, "%s %zu ", name, v.len);
  tape_bytes(t, v.data, v.len);
  tape_print(t, "\n");
}

void tape_free(struct tape *t) {
  free(t->data);
  *t = (struct tape){NULL, 0, 0};
}

static void show(const struct tape *t, const char *name, size_t at) {
  size_t from = at > BEFORE ? at - BEFORE : 0;
  size_t to = t->len - from > BEFORE + AFTER ? from + BEFORE + AFTER : t->len;
  fprintf(stderr, "---- %s, bytes %zu to %zu of %zu\n", name, from, to, t->len);
  for (size_t i = from; i < to; i++) {
    unsigned char c = (unsigned char)t->data[i];
    if (i == at) fprintf(stderr, ">>>");
    if (c == '\n' || (c >= 0x20 && c < 0x7f))
      fputc(c, stderr);
    else
      fprintf(stderr, "\\x%02x", c);
  }
  fprintf(stderr, "\n");
}

void tape_same(const struct tape *whole, const struct tape *cut, const char *what) {
  size_t at = 0;
  while (at < whole->len && at < cut->len && whole->data[at] == cut->data[at])
    at++;
  if (at == whole->len && at == cut->len) return;
  fprintf(stderr, "%s: the same bytes, whole and cut, do not give the same\n", what);
  show(whole, "whole", at);
  show(cut, "cut", at);
  abort();
}
