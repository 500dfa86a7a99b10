/* Numbers for randomized tests: the same from the same seed everywhere (splitmix64). */
#ifndef TESTS_SUPPORT_DICE_H
#define TESTS_SUPPORT_DICE_H

#include <stdint.h>
#include <stdio.h>

struct dice {
  uint64_t state;
};

/* Prints the seed, so that a failure can be repeated. */
static inline struct dice dice_of(uint64_t seed) {
  printf("seed %llu\n", (unsigned long long)seed);
  return (struct dice){seed};
}

static inline uint64_t dice_any(struct dice *d) {
  uint64_t x = d->state += 0x9e3779b97f4a7c15;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

/* 0 to below - 1 */
static inline uint32_t dice(struct dice *d, uint32_t below) {
  return (uint32_t)((dice_any(d) >> 32) * below >> 32);
}

#endif
