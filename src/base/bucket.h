/*
 * A token bucket: so many tokens in a second, of which it holds a burst at most. It reads no clock:
 * who uses it tells the time, in ms, which may stand still or jump. A thousandth of a token is what
 * one token per second brings in a ms, so counting in those is exact and nothing is ever rounded.
 *
 * It may be overdrawn: what was taken beyond what was there has to come in before there is more.
 *
 * Invariant: level <= burst * 1000.
 */
#ifndef COHO_BASE_BUCKET_H
#define COHO_BASE_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct coho__bucket_rate {
  uint32_t per_second; /* 0: nothing ever comes in */
  uint32_t burst;
};

struct coho__bucket {
  uint64_t at_ms; /* what came in until then is counted */
  int64_t level;  /* thousandths of a token */
};

/* Full. */
void coho__bucket_init(struct coho__bucket *b, struct coho__bucket_rate rate, uint64_t now_ms);
/* Counts what came in until now. To be called before those below, which ask no clock. */
void coho__bucket_fill(struct coho__bucket *b, struct coho__bucket_rate rate, uint64_t now_ms);
/* Whole tokens, 0 when it is overdrawn. */
uint32_t coho__bucket_tokens(const struct coho__bucket *b);
/* Also more than there are. */
void coho__bucket_take(struct coho__bucket *b, uint32_t n);
/* ms until so many are there, 0: they are, UINT64_MAX: never. */
uint64_t coho__bucket_wait(const struct coho__bucket *b, struct coho__bucket_rate rate, uint32_t n);
bool coho__bucket_full(const struct coho__bucket *b, struct coho__bucket_rate rate);

#endif
