/* What one loop of a server counted. Written by its thread only, read by any. */
#ifndef COHO_HTTP_COUNTERS_H
#define COHO_HTTP_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

enum {
  COHO_COUNTED_CODES = 64, /* see coho__stats_code() */
  COHO_COUNTED_ERRORS = 256
};

struct coho__counters {
  _Atomic uint64_t sockets; /* now */
  _Atomic uint64_t requests;
  _Atomic uint64_t connections; /* WebSocket, now */
  _Atomic uint64_t connections_total;
  _Atomic uint64_t messages_in;
  _Atomic uint64_t messages_out;
  _Atomic uint64_t bytes_in;
  _Atomic uint64_t bytes_out;
  _Atomic uint64_t codes[COHO_COUNTED_CODES];   /* how WebSocket connections ended */
  _Atomic uint64_t errors[COHO_COUNTED_ERRORS]; /* by -err */
};

/* Single writer: no read-modify-write needed, so this costs a plain addition. */
static inline void coho__count(_Atomic uint64_t *counter, uint64_t n) {
  atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                        memory_order_relaxed);
}

#endif
