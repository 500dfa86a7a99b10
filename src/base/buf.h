/*
 * A growing buffer with a cap. It owns nothing while it is empty and was given back.
 *
 * Invariants: len <= cap <= max; data is NULL exactly when cap is 0.
 */
#ifndef COHO_BASE_BUF_H
#define COHO_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct coho__buf {
  char *data;
  size_t len; /* bytes in use */
  size_t cap; /* bytes owned */
  size_t max; /* cap may not exceed this */
};

#define COHO_BUF(max_) ((struct coho__buf){NULL, 0, 0, (max_)})

void coho__buf_init(struct coho__buf *b, size_t max);
/* Room for n more bytes behind len, without changing len; grows by doubling, never above max.
   NULL: COHO_EFULL or COHO_ENOMEM, the buffer is as before. */
char *coho__buf_reserve(struct coho__buf *b, size_t n);
/* 0, COHO_EFULL (max), COHO_ENOMEM. */
int coho__buf_append(struct coho__buf *b, const void *data, size_t n);
int coho__buf_append_str(struct coho__buf *b, const char *s);
/* The same; needs room for a terminator besides. COHO_EINVAL when the format fails. */
int coho__buf_printf(struct coho__buf *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Drops n <= len bytes at the front and moves the rest: for long buffers in big steps only. */
void coho__buf_consume(struct coho__buf *b, size_t n);
/* Whether n more bytes may be appended although memory is tight: there is room, the buffer stays
   small (COHO_MEMORY_SMALL), or the process has it to spare. For what grows as a peer likes. */
bool coho__buf_affordable(const struct coho__buf *b, size_t n);
void coho__buf_release(struct coho__buf *b);     /* empty, memory given back, max stays */
void coho__buf_check(const struct coho__buf *b); /* asserts the invariants */

#endif
