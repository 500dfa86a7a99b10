/*
 * A pool: elements of one size, named by a number that stays while they live. Kept in segments, so
 * that an element costs its size and next to nothing else, and does not move; a segment without
 * elements is given back.
 *
 * Invariants: used is the sum of what the segments hold; no segment is empty; room chains exactly the
 * segments with a free place, vacant the places for segments where none is.
 */
#ifndef COHO_BASE_POOL_H
#define COHO_BASE_POOL_H

#include <stddef.h>
#include <stdint.h>

struct coho__pool_segment;

struct coho__pool {
  size_t size;    /* of an element, at least 4 */
  unsigned shift; /* 2^shift elements in a segment */
  struct coho__pool_segment *segments;
  uint32_t cap;    /* places for segments */
  uint32_t room;   /* the first segment with a free place, counted from 1; 0: none */
  uint32_t vacant; /* the first place without segment, likewise */
  size_t used;     /* elements */
};

enum { COHO_POOL_NONE = 0 }; /* no element has this number */

/* Elements of this size, aligned as it is, at most as malloc does; 2^shift of them (at most 2^16) in a
   segment: few where there mostly are few, many where a byte counts. */
void coho__pool_init(struct coho__pool *p, size_t size, unsigned shift);
void coho__pool_free(struct coho__pool *p); /* whatever is in it */
/* A new element, zeroed, and its number. NULL: out of memory, or of the most elements. */
void *coho__pool_add(struct coho__pool *p, uint32_t *number);
void coho__pool_remove(struct coho__pool *p, uint32_t number);
void *coho__pool_at(const struct coho__pool *p, uint32_t number);
void coho__pool_check(const struct coho__pool *p);

#endif
