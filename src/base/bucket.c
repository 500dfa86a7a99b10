#include "base/bucket.h"

#include "base/check.h"

enum { THOUSAND = 1000 };

/* At most 2^32 * 1000, so that sums and products of levels stay far from overflow. */
static int64_t full(struct coho__bucket_rate rate) { return (int64_t)rate.burst * THOUSAND; }

void coho__bucket_init(struct coho__bucket *b, struct coho__bucket_rate rate, uint64_t now_ms) {
  *b = (struct coho__bucket){.at_ms = now_ms, .level = full(rate)};
}

void coho__bucket_fill(struct coho__bucket *b, struct coho__bucket_rate rate, uint64_t now_ms) {
  b->level = COHO_MIN(b->level, full(rate)); /* of a burst that was larger */
  uint64_t missing = (uint64_t)(full(rate) - b->level);
  /* A clock that went back brings nothing, and counts on from there. */
  uint64_t elapsed = now_ms > b->at_ms ? now_ms - b->at_ms : 0;
  b->at_ms = now_ms;
  if (rate.per_second == 0) return;
  if (elapsed > missing / rate.per_second)
    b->level = full(rate);
  else
    b->level += (int64_t)(elapsed * rate.per_second);
}

uint32_t coho__bucket_tokens(const struct coho__bucket *b) {
  return b->level > 0 ? (uint32_t)(b->level / THOUSAND) : 0;
}

void coho__bucket_take(struct coho__bucket *b, uint32_t n) {
  /* Of debts that no rate would ever pay off the size does not matter. */
  b->level = COHO_MAX(b->level - (int64_t)n * THOUSAND, INT64_MIN / 2);
}

uint64_t coho__bucket_wait(const struct coho__bucket *b, struct coho__bucket_rate rate,
                           uint32_t n) {
  int64_t lacking = (int64_t)n * THOUSAND - b->level;
  if (lacking <= 0) return 0;
  if (rate.per_second == 0) return UINT64_MAX;
  return ((uint64_t)lacking - 1) / rate.per_second + 1;
}

bool coho__bucket_full(const struct coho__bucket *b, struct coho__bucket_rate rate) {
  return b->level >= full(rate);
}
