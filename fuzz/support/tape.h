/* A record of what happened, to be compared with that of another run. */
#ifndef FUZZ_TAPE_H
#define FUZZ_TAPE_H

#include "base/view.h"

#include <stddef.h>

struct tape {
  char *data;
  size_t len, cap;
};

void tape_bytes(struct tape *t, const void *data, size_t len);
/* As printf(3). */
void tape_print(struct tape *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A line: the name, the length and the bytes. */
void tape_view(struct tape *t, const char *name, struct coho__view v);
/* Ends the process and shows both where they part, unless they are the same. */
void tape_same(const struct tape *whole, const struct tape *cut, const char *what);
void tape_free(struct tape *t);

#endif
