/* How long something took, many times: to 3 percent, in constant memory. */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_STEPS = 2048 }; /* 32 for each power of two of ns */

struct histogram {
  uint64_t steps[HISTOGRAM_STEPS];
  uint64_t count;
  uint64_t max; /* exact */
};

void histogram_add(struct histogram *h, uint64_t ns);
double histogram_us(const struct histogram *h, double q); /* a percentile, q from 0 to 1 */

#endif
