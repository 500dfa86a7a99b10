/*
 * Standard output that never blocks: what a slow reader has not taken waits, and whoever fills it
 * stops until nothing waits any more.
 */
#ifndef COHO_CMD_SINK_H
#define COHO_CMD_SINK_H

#include "base/buf.h"

#include <stdbool.h>

struct sink {
  struct coho__buf buf; /* append here, then sink_flush() */
  size_t at;            /* written up to here */
  int fd;
  int error;    /* errno of a write that failed; EPIPE when the reader is gone */
  bool discard; /* nobody wants it any more */
};

void sink_init(struct sink *s, int fd, size_t max);
void sink_free(struct sink *s);
/* Writes what the reader takes without blocking. */
void sink_flush(struct sink *s);
/* Writes all, and blocks for it. */
void sink_flush_all(struct sink *s);
bool sink_waits(const struct sink *s);

#endif
