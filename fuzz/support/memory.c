#include "support/memory.h"

#include "support/claim.h"

#include <coho/core.h>

static unsigned countdown; /* 0: nothing fails */

static void *limited(void *ctx, void *ptr, size_t old_size, size_t new_size) {
  (void)ctx;
  (void)old_size;
  if (new_size == 0) {
    free(ptr);
    return NULL;
  }
  if (countdown && --countdown == 0) return NULL;
  return realloc(ptr, new_size);
}

void memory_fail_at(unsigned n) {
  CLAIM(coho_memory_used() == 0);
  coho_set_allocator(limited, NULL);
  countdown = n;
}

void memory_claim_empty(void) {
  CLAIM(coho_memory_used() == 0);
  countdown = 0;
}

void memory_claim_most(size_t bytes) { CLAIM(coho_memory_used() <= bytes); }
