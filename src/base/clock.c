#include "base/clock.h"

#include "base/check.h"

#include <time.h>

static uint64_t read_ns(clockid_t clock) {
  struct timespec t;
  int err = clock_gettime(clock, &t);
  COHO_ASSERT(err == 0); /* it fails only for clocks that do not exist */
  return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

uint64_t coho__clock_ns(void) { return read_ns(CLOCK_MONOTONIC); }

uint64_t coho__clock_wall_us(void) { return read_ns(CLOCK_REALTIME) / 1000; }

uint64_t coho__clock_wall_ms(void) { return read_ns(CLOCK_REALTIME) / 1000000; }
