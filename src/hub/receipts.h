/*
 * What was published lately with an idempotency key, so that the same key again publishes nothing
 * (RFC draft: Idempotency-Key). Bounded by count and age: the oldest goes first.
 *
 * Invariants: oldest has what the map has, by time; bytes is what all of them take from memory.
 */
#ifndef COHO_HUB_RECEIPTS_H
#define COHO_HUB_RECEIPTS_H

#include "base/list.h"
#include "base/map.h"

#include <coho/hub.h>

enum {
#ifdef COHO_HARD
  COHO_RECEIPTS_MOST = 8,
#else
  COHO_RECEIPTS_MOST = 10000, /* of one topic */
#endif
  COHO_RECEIPTS_LEAST = 8, /* that a topic keeps whatever others have */
  COHO_RECEIPTS_AGE_MS = 5 * 60 * 1000,
  COHO_RECEIPT_KEY_MAX = 255
};

#define COHO_RECEIPTS_BYTES ((uint64_t)64 * 1024 * 1024) /* of all topics of a hub */

struct coho__receipts {
  struct coho__map map;
  struct coho__list oldest; /* first */
  uint64_t bytes;
};

void coho__receipts_init(struct coho__receipts *r, const uint64_t seed[2]);
void coho__receipts_free(struct coho__receipts *r);
/* Whether this key was there within the age, and the position it got. */
bool coho__receipts_find(struct coho__receipts *r, struct coho__view key, uint64_t now_ms,
                         coho_pos *pos);
/* 0 or COHO_ENOMEM. The key is not there, and now_ms not before that of the last one. */
int coho__receipts_add(struct coho__receipts *r, struct coho__view key, uint64_t now_ms,
                       coho_pos pos);
void coho__receipts_expire(struct coho__receipts *r, uint64_t now_ms);
/* The same, at most so many; returns how many. */
size_t coho__receipts_expire_some(struct coho__receipts *r, uint64_t now_ms, size_t most);
/* Drops the oldest until that is so many bytes, but for the last COHO_RECEIPTS_LEAST. */
void coho__receipts_shrink(struct coho__receipts *r, uint64_t bytes);
/* When the oldest one expires; UINT64_MAX: none. */
uint64_t coho__receipts_next(const struct coho__receipts *r);
void coho__receipts_check(const struct coho__receipts *r);

#endif
