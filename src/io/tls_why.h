/* Where a sentence about a failure goes: the caller's buffer, which may be missing. */
#ifndef COHO_IO_TLS_WHY_H
#define COHO_IO_TLS_WHY_H

#include <stddef.h>

struct coho__why {
  char *buf; /* may be NULL */
  size_t cap;
};

/* Writes the sentence; returns err. */
int coho__why_set(const struct coho__why *why, int err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
