/*
 * What one HTTP connection has to write: a queue of bytes, then perhaps a source that is read piece
 * by piece as the peer takes it, so that a file of any size costs no memory here.
 */
#ifndef COHO_HTTP_OUTPUT_H
#define COHO_HTTP_OUTPUT_H

#include "base/outq.h"
#include "base/view.h"
#include "io/stream.h"

/* A part of memory that outlives the connection, or of a file, whose descriptor is the source's. */
struct coho__source {
  const char *data; /* NULL: fd */
  int fd;           /* -1: data, or nothing */
  uint64_t offset, left;
};

#define COHO_SOURCE_NONE ((struct coho__source){NULL, -1, 0, 0})

void coho__source_drop(struct coho__source *s); /* closes the descriptor; none from now on */

struct coho__output {
  struct coho__outq queue;
  struct coho__source source; /* after the queue */
  uint64_t sent;              /* bytes taken by the stream since coho__output_restart() */
};

enum coho__output_state {
  COHO_OUTPUT_DONE,    /* nothing waits */
  COHO_OUTPUT_BLOCKED, /* the peer does not read; an event will come */
  COHO_OUTPUT_FAILED   /* the stream or the source is broken */
};

void coho__output_init(struct coho__output *o);
void coho__output_free(struct coho__output *o);
bool coho__output_empty(const struct coho__output *o);
void coho__output_restart(struct coho__output *o); /* sent becomes 0 */
/* Queues a head and a body. A body too large to be copied for nothing is written first as far as
   the stream takes it, when nothing waits. 0, COHO_ENOMEM (perhaps some bytes are sent: the
   connection is of no use any more), or an error of the stream. */
int coho__output_put(struct coho__output *o, struct coho__stream *s, struct coho__view head,
                     struct coho__view body);
/* The source is the output's from now on; there is none yet. */
void coho__output_source(struct coho__output *o, struct coho__source source);
/* Writes what the stream takes; within one turn at most so much that others get theirs, then asks
   for an event in the next one. */
enum coho__output_state coho__output_flush(struct coho__output *o, struct coho__stream *s);

#endif
