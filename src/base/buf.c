#include "base/buf.h"

#include "base/alloc.h"
#include "base/budget.h"
#include "base/check.h"

#include <coho/error.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What the first byte costs: most small frames and heads' tails fit, malloc wastes nothing. */
#ifdef COHO_HARD
enum { CAP_MIN = 1 };
#else
enum { CAP_MIN = 64 };
#endif

void coho__buf_init(struct coho__buf *b, size_t max) { *b = COHO_BUF(max); }

/* The cap for so many bytes, at most max. */
static size_t cap_for(const struct coho__buf *b, size_t need) {
  size_t cap = b->cap > b->max / 2 ? b->max : b->cap * 2;
  return COHO_MIN(COHO_MAX(COHO_MAX(cap, need), (size_t)CAP_MIN), b->max);
}

/* Makes cap at least len + n. */
static int grow(struct coho__buf *b, size_t n) {
  if (n > b->max - b->len) return COHO_EFULL;
  size_t need = b->len + n;
  if (need <= b->cap) return 0;
  size_t cap = cap_for(b, need);
  char *data = (char *)coho__realloc(b->data, b->cap, cap);
  if (data == NULL) return COHO_ENOMEM;
  b->data = data;
  b->cap = cap;
  return 0;
}

char *coho__buf_reserve(struct coho__buf *b, size_t n) {
  /* At least one byte, so that NULL always means failure. */
  return grow(b, b->cap == 0 && n == 0 ? 1 : n) == 0 ? b->data + b->len : NULL;
}

int coho__buf_append(struct coho__buf *b, const void *data, size_t n) {
  if (n == 0) return 0;
  int err = grow(b, n);
  if (err != 0) return err;
  memcpy(b->data + b->len, data, n);
  b->len += n;
  return 0;
}

int coho__buf_append_str(struct coho__buf *b, const char *s) {
  return coho__buf_append(b, s, strlen(s));
}

int coho__buf_printf(struct coho__buf *b, const char *format, ...) {
  for (;;) {
    size_t room = b->cap - b->len;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(room > 0 ? b->data + b->len : NULL, room, format, args);
    va_end(args);
    if (n < 0) return COHO_EINVAL;
    if ((size_t)n < room) {
      b->len += (size_t)n;
      return 0;
    }
    int err = grow(b, (size_t)n + 1);
    if (err != 0) return err;
  }
}

bool coho__buf_affordable(const struct coho__buf *b, size_t n) {
  if (n <= b->cap - b->len || n > b->max - b->len) return true; /* it will not grow */
  size_t need = b->len + n;
  return need <= COHO_MEMORY_SMALL || coho__memory_spare(cap_for(b, need) - b->cap);
}

void coho__buf_consume(struct coho__buf *b, size_t n) {
  COHO_ASSERT(n <= b->len);
  b->len -= n;
  if (n > 0 && b->len > 0) memmove(b->data, b->data + n, b->len);
}

void coho__buf_release(struct coho__buf *b) {
  coho__free(b->data, b->cap);
  *b = COHO_BUF(b->max);
}

void coho__buf_check(const struct coho__buf *b) {
  COHO_ASSERT(b->len <= b->cap);
  COHO_ASSERT(b->cap <= b->max);
  COHO_ASSERT((b->data == NULL) == (b->cap == 0));
}
