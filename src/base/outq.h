/*
 * The out-queue of a connection: slices of chunks in the order they are to be written. Counts its
 * bytes; the caller keeps the cap. Small copies share chunks.
 *
 * Invariants: bytes is the sum of the slices; no slice is empty; an empty queue owns no memory.
 */
#ifndef COHO_BASE_OUTQ_H
#define COHO_BASE_OUTQ_H

#include "base/chunk.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

struct coho__slice;

struct coho__outq {
  struct coho__slice *slices; /* a ring of cap places */
  size_t head, count, cap;
  size_t bytes; /* payload that waits */
};

void coho__outq_init(struct coho__outq *q);
void coho__outq_free(struct coho__outq *q);
/* Copies data behind what waits, into the last chunk when it is ours alone and has room. 0 or
   COHO_ENOMEM; then nothing was taken. */
int coho__outq_copy(struct coho__outq *q, const void *data, size_t len);
/* The same from two pieces, both or none. */
int coho__outq_copy2(struct coho__outq *q, const void *a, size_t a_len, const void *b,
                     size_t b_len);
/* Refers to a part of a chunk; takes a reference of its own. 0 or COHO_ENOMEM. */
int coho__outq_share(struct coho__outq *q, struct coho__chunk *c, size_t offset, size_t len);
/* Moves all of src behind what waits in q. 0 or COHO_ENOMEM; then nothing was moved. */
int coho__outq_splice(struct coho__outq *q, struct coho__outq *src);
/* Fills at most max places with what waits first; returns how many. */
int coho__outq_iov(const struct coho__outq *q, struct iovec *iov, int max);
void coho__outq_sent(struct coho__outq *q, size_t n); /* n <= bytes; memory is given back */
void coho__outq_check(const struct coho__outq *q);

#endif
