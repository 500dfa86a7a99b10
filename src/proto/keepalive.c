#include "proto/keepalive.h"

enum coho__keepalive_verdict coho__keepalive_look(struct coho__keepalive *k, uint64_t now_ms,
                                                  uint32_t interval_ms, uint32_t timeout_ms,
                                                  uint32_t *wait_ms) {
  uint32_t now = (uint32_t)now_ms;
  if (k->heard) *k = (struct coho__keepalive){.since = now};
  uint32_t limit = k->pinged ? timeout_ms : interval_ms;
  *wait_ms = COHO_NEVER;
  if (limit == COHO_NEVER) return COHO_KEEPALIVE_WAIT;

  uint32_t silence = now - k->since;
  if (silence < limit) {
    *wait_ms = limit - silence;
    return COHO_KEEPALIVE_WAIT;
  }
  if (k->pinged) return COHO_KEEPALIVE_GONE;
  k->pinged = true;
  k->since = now;
  *wait_ms = timeout_ms;
  return COHO_KEEPALIVE_PING;
}
