#include "load/histogram.h"

#include <stddef.h>

void histogram_add(struct histogram *h, uint64_t ns) {
  size_t i = ns;
  if (ns >= 64) {
    unsigned e = 63 - (unsigned)__builtin_clzll(ns);
    i = ((e - 5) << 5) + ((ns >> (e - 5)) & 31) + 32;
  }
  h->steps[i < HISTOGRAM_STEPS - 1 ? i : HISTOGRAM_STEPS - 1]++;
  h->count++;
  if (ns > h->max) h->max = ns;
}

/* The middle of a step. */
static double step_ns(size_t i) {
  if (i < 64) return (double)i;
  size_t e = ((i - 32) >> 5) + 5;
  return ((double)(32 + ((i - 32) & 31)) + 0.5) * (double)(1ULL << (e - 5));
}

double histogram_us(const struct histogram *h, double q) {
  uint64_t sum = 0;
  double most = (double)h->max;
  for (size_t i = 0; i < HISTOGRAM_STEPS; i++) {
    sum += h->steps[i];
    if ((double)sum <= q * (double)h->count) continue;
    return (step_ns(i) < most ? step_ns(i) : most) / 1000;
  }
  return most / 1000;
}
