/*
 * A hash map from byte strings to pointers. The hash is SipHash-1-3 with a seed of the map, so
 * that a stranger who chooses keys cannot choose collisions. Keys are copied; values belong to the
 * caller. Grows by doubling, shrinks when almost empty.
 *
 * Invariant: each entry hangs in the chain of its hash, and stands at its place behind the chains.
 */
#ifndef COHO_BASE_MAP_H
#define COHO_BASE_MAP_H

#include "base/view.h"

#include <stddef.h>
#include <stdint.h>

struct coho__map_entry;

struct coho__map {
  struct coho__map_entry **buckets; /* cap chains, then cap places for the entries in no order */
  size_t cap;                       /* a power of two, or 0 while empty */
  size_t count;                     /* entries, at most cap */
  uint64_t seed[2];
};

uint64_t coho__siphash(const uint64_t seed[2], const void *data, size_t len); /* SipHash-1-3 */

void coho__map_init(struct coho__map *m, const uint64_t seed[2]);
void coho__map_free(struct coho__map *m);
void *coho__map_get(const struct coho__map *m, struct coho__view key); /* NULL: absent */
/* value is not NULL. 0, COHO_EEXISTS, COHO_ENOMEM. */
int coho__map_add(struct coho__map *m, struct coho__view key, void *value);
/* Another value, not NULL, for a key that is there: what was there. NULL: absent. */
void *coho__map_replace(struct coho__map *m, struct coho__view key, void *value);
void *coho__map_remove(struct coho__map *m, struct coho__view key); /* what was there, or NULL */
/* What an entry takes from memory, with its share of the table. */
size_t coho__map_entry_size(size_t key_len);

/* Walks in no order. *it starts as 0; NULL at the end. Meanwhile the current entry, and those seen
   before, may be removed, and entries added, which this walk does not see. *key (key may be NULL)
   lives as long as its entry. */
void *coho__map_next(const struct coho__map *m, size_t *it, struct coho__view *key);
void coho__map_check(const struct coho__map *m);

#endif
