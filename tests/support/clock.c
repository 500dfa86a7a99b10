#include "support/clock.h"

#include "base/clock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

static _Atomic bool stopped;
static _Atomic uint64_t at_ns, wall_ns; /* while it is stopped */
static _Atomic uint64_t ahead_ns;       /* of the machine's, while it goes */

static uint64_t read_ns(clockid_t clock) {
  struct timespec t;
  if (clock_gettime(clock, &t)) abort();
  return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t monotonic(void) {
  return atomic_load(&stopped) ? atomic_load(&at_ns)
                               : read_ns(CLOCK_MONOTONIC) + atomic_load(&ahead_ns);
}

static uint64_t wall(void) {
  return atomic_load(&stopped) ? atomic_load(&wall_ns)
                               : read_ns(CLOCK_REALTIME) + atomic_load(&ahead_ns);
}

void clock_stop(void) {
  atomic_store(&at_ns, monotonic());
  atomic_store(&wall_ns, wall());
  atomic_store(&stopped, true);
}

void clock_move(uint64_t ms) {
  atomic_fetch_add(&at_ns, ms * 1000000);
  atomic_fetch_add(&wall_ns, ms * 1000000);
}

/* It never goes back. */
void clock_go(void) {
  uint64_t now = read_ns(CLOCK_MONOTONIC), at = atomic_load(&at_ns);
  if (!atomic_load(&stopped)) return;
  atomic_store(&ahead_ns, at > now ? at - now : 0);
  atomic_store(&stopped, false);
}

uint64_t coho__clock_ns(void) { return monotonic(); }

uint64_t coho__clock_wall_us(void) { return wall() / 1000; }

uint64_t coho__clock_wall_ms(void) { return wall() / 1000000; }
