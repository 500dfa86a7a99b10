#include "base/budget.h"

#include "base/check.h"

#include <coho/core.h>
#include <stdatomic.h>

#define CONTEXTS_DEFAULT ((uint64_t)128 * 1024 * 1024)

static _Atomic uint64_t memory_limit, memory_default = UINT64_MAX;
static _Atomic uint64_t memory_used;

static _Atomic uint64_t contexts_limit;
static _Atomic uint64_t contexts_used;

/* ---- memory -------------------------------------------------------------------------------- */

void coho_set_memory_limit(uint64_t bytes) {
  atomic_store_explicit(&memory_limit, bytes, memory_order_relaxed);
}

void coho__memory_set_default(uint64_t bytes) {
  atomic_store_explicit(&memory_default, bytes, memory_order_relaxed);
}

static uint64_t limit(void) {
  uint64_t set = atomic_load_explicit(&memory_limit, memory_order_relaxed);
  return set ? set : atomic_load_explicit(&memory_default, memory_order_relaxed);
}

uint64_t coho_memory_used(void) { return atomic_load_explicit(&memory_used, memory_order_relaxed); }

/* Adds bytes unless that went over the limit: refused ones are not counted for a moment, so they take
   nothing away from others. */
static bool take(_Atomic uint64_t *used, uint64_t most, size_t bytes) {
  uint64_t now = atomic_load_explicit(used, memory_order_relaxed);
  do {
    if (now > most || bytes > most - now) return false;
  } while (!atomic_compare_exchange_weak_explicit(used, &now, now + bytes, memory_order_relaxed,
                                                  memory_order_relaxed));
  return true;
}

static void give(_Atomic uint64_t *used, size_t bytes) {
  uint64_t before = atomic_fetch_sub_explicit(used, bytes, memory_order_relaxed);
  COHO_ASSERT(before >= bytes);
}

bool coho__memory_count(size_t old_size, size_t new_size) {
  if (new_size > old_size) return take(&memory_used, limit(), new_size - old_size);
  give(&memory_used, old_size - new_size);
  return true;
}

bool coho__memory_tight(void) {
  uint64_t most = limit();
  return coho_memory_used() > most - most / 8;
}

bool coho__memory_spare(size_t more) {
  uint64_t most = limit(), now = coho_memory_used();
  return now <= most - most / 8 && more <= most - most / 16 - now;
}

/* ---- contexts ------------------------------------------------------------------------------ */

void coho_set_context_limit(uint64_t bytes) {
  atomic_store_explicit(&contexts_limit, bytes, memory_order_relaxed);
}

uint64_t coho_contexts_used(void) {
  return atomic_load_explicit(&contexts_used, memory_order_relaxed);
}

bool coho__contexts_take(size_t bytes) {
  uint64_t set = atomic_load_explicit(&contexts_limit, memory_order_relaxed);
  return take(&contexts_used, set ? set : CONTEXTS_DEFAULT, bytes);
}

void coho__contexts_give(size_t bytes) { give(&contexts_used, bytes); }
