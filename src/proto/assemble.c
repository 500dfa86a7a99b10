#include "proto/assemble.h"

#include <coho/error.h>

enum { COST_FACTOR = 4, COST_ALLOWANCE = 64 * 1024 };

void coho__assembly_init(struct coho__assembly *a) { *a = (struct coho__assembly){.cost = 0}; }

void coho__assembly_free(struct coho__assembly *a) { coho__buf_release(&a->bytes); }

static uint64_t max_cost(uint64_t max_message) {
  return max_message > (UINT64_MAX - COST_ALLOWANCE) / COST_FACTOR
             ? UINT64_MAX
             : max_message * COST_FACTOR + COST_ALLOWANCE;
}

int coho__assembly_frame(struct coho__assembly *a, uint64_t len, uint64_t max_message,
                         uint32_t max_fragments) {
  if (len > max_message - a->received) return COHO_ETOOBIG;
  if (a->fragments == max_fragments) return COHO_EFRAGMENTS;
  a->fragments++;
  a->received += len;
  a->cost += len + COHO_FRAGMENT_COST;
  return a->cost > max_cost(max_message) ? COHO_EFRAGMENTS : 0;
}

int coho__assembly_append(struct coho__assembly *a, const void *data, size_t len,
                          uint64_t max_message) {
  a->bytes.max = max_message < SIZE_MAX ? (size_t)max_message : SIZE_MAX;
  if (!coho__buf_affordable(&a->bytes, len)) return COHO_EMEMORY;
  return coho__buf_append(&a->bytes, data, len);
}

void coho__assembly_reset(struct coho__assembly *a) {
  coho__buf_release(&a->bytes);
  a->received = a->cost = 0;
  a->fragments = 0;
}
