#include "ws/stats.h"

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
