#include "ws/stats.h"

#include "base/check.h"
#include "ws/serve.h"

#include <coho/inspect.h>

static uint64_t get(_Atomic uint64_t *counter) {
  return atomic_load_explicit(counter, memory_order_relaxed);
}

void coho__stats_add(coho_stats *sum, struct coho__counters *n) {
  sum->connections += get(&n->connections);
  sum->connections_total += get(&n->connections_total);
  sum->sockets += get(&n->sockets);
  sum->requests_total += get(&n->requests);
  sum->messages_in += get(&n->messages_in);
  sum->messages_out += get(&n->messages_out);
  sum->bytes_in += get(&n->bytes_in);
  sum->bytes_out += get(&n->bytes_out);
}

/* ---- how connections ended ------------------------------------------------------------------- */

/* 1000 to 1015 and 4400 to 4431, of which each counts; the others by their thousand; the rest. */
static size_t code_index(uint32_t code) {
  enum { DEFINED = 16, OURS = 32, ALL_3000 = DEFINED + OURS, ALL_4000, OTHER };
  if (code >= 1000 && code < 1000 + DEFINED) return code - 1000;
  if (code >= 4400 && code < 4400 + OURS) return DEFINED + code - 4400;
  if (code >= 3000 && code < 4000) return ALL_3000;
  return code >= 4000 && code < 5000 ? ALL_4000 : OTHER;
}

static size_t error_index(int err) {
  return err > -COHO_COUNTED_ERRORS && err <= 0 ? (size_t)-err : COHO_COUNTED_ERRORS - 1;
}

void coho__stats_ended(struct coho__counters *n, int err, uint32_t code) {
  coho__count(&n->codes[code_index(code)], 1);
  coho__count(&n->errors[error_index(err)], 1);
}

uint64_t coho_server_ended_with_code(coho_server *s, uint32_t code) {
  uint64_t sum = 0;
  for (uint32_t i = 0; i < s->loop_count; i++)
    sum += get(&s->loops[i].counters.codes[code_index(code)]);
  return sum;
}

uint64_t coho_server_ended_with_error(coho_server *s, int err) {
  uint64_t sum = 0;
  for (uint32_t i = 0; i < s->loop_count; i++)
    sum += get(&s->loops[i].counters.errors[error_index(err)]);
  return sum;
}
