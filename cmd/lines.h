/* Standard input as lines, with bounded memory. */
#ifndef COHO_CMD_LINES_H
#define COHO_CMD_LINES_H

#include "base/buf.h"
#include "base/view.h"

struct lines {
  struct coho__buf buf;
  size_t at;      /* where the next line begins */
  size_t scanned; /* no line end between at and here */
  uint64_t count; /* lines taken so far */
  int fd;
  bool ended; /* nothing follows what is in buf */
};

/* max: of a line, in bytes. */
void lines_init(struct lines *l, int fd, size_t max);
void lines_free(struct lines *l);
/* Reads once. 0 (also at the end: l->ended), COHO_ETOOBIG (the line is too long), COHO_ENOMEM,
   COHO_ESYSTEM (errno tells). */
int lines_read(struct lines *l);
/* The next line without its '\n', valid until the next lines_read(); what stands after the last
   '\n' counts as one at the end. False when there is none. It stays the next one until taken. */
bool lines_peek(struct lines *l, struct coho__view *line);
void lines_take(struct lines *l, struct coho__view line);

#endif
