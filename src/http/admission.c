#include "http/admission.h"

#include "base/check.h"

#include <sys/resource.h>

enum {
  /* Descriptors that connections may not take: listeners, loops, files being served, the log, and
     what the program around us has open. */
  RESERVE = 64,
  /* When the limit of descriptors is "unlimited". */
  MOST = 1 << 20
};

static uint32_t descriptors(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == RLIM_INFINITY) return MOST;
  return limit.rlim_cur > MOST ? MOST : (uint32_t)limit.rlim_cur;
}

void coho__admission_init(struct coho__admission *a, uint32_t max) {
  if (max == 0) {
    uint32_t most = descriptors();
    max = most > 2 * RESERVE ? most - RESERVE : COHO_MAX(most / 2, 1);
  }
  atomic_init(&a->now, 0);
  a->max = max;
}

bool coho__admission_enter(struct coho__admission *a) {
  uint32_t now = atomic_load_explicit(&a->now, memory_order_relaxed);
  do {
    if (now >= a->max) return false;
  } while (!atomic_compare_exchange_weak_explicit(&a->now, &now, now + 1, memory_order_relaxed,
                                                  memory_order_relaxed));
  return true;
}

void coho__admission_leave(struct coho__admission *a) {
  uint32_t before = atomic_fetch_sub_explicit(&a->now, 1, memory_order_relaxed);
  COHO_ASSERT(before > 0);
}
