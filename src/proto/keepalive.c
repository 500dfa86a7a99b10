#include "proto/keepalive.h"

#include "base/check.h"

enum coho__keepalive_verdict coho__keepalive_look(struct coho__keepalive *k, uint64_t now_ms,
                                                  uint32_t interval_ms, uint32_t timeout_ms,
                                                  uint32_t *wait_ms) {
  uint32_t now = (uint32_t)now_ms;
  if (k->heard) *k = (struct coho__keepalive){.since = now};
  if (!k->pinged && interval_ms == COHO_NEVER) {
    *wait_ms = COHO_NEVER;
    return COHO_KEEPALIVE_WAIT;
  }
  uint32_t limit = k->pinged ? timeout_ms : interval_ms;
  uint32_t silence = now - k->since;
  if (limit == COHO_NEVER || silence < limit) {
    /* An answer is seen at a look only, and the next ping is not to wait for the last one's deadline. */
    uint32_t left = limit == COHO_NEVER ? COHO_NEVER : limit - silence;
    *wait_ms = COHO_MIN(left, interval_ms);
    return COHO_KEEPALIVE_WAIT;
  }
  *wait_ms = COHO_NEVER;
  if (k->pinged) return COHO_KEEPALIVE_GONE;
  k->pinged = true;
  k->since = now;
  *wait_ms = COHO_MIN(timeout_ms, interval_ms);
  return COHO_KEEPALIVE_PING;
}
