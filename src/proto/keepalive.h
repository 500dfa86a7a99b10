/*
 * Keepalive as arithmetic (RFC 6455 5.5.2): after a silence a ping is due, and after a further
 * silence the peer counts as gone. Every byte counts as a sign of life, not only pongs.
 */
#ifndef COHO_PROTO_KEEPALIVE_H
#define COHO_PROTO_KEEPALIVE_H

#include <stdbool.h>
#include <stdint.h>

#define COHO_NEVER UINT32_MAX

struct coho__keepalive {
  uint32_t since; /* ms, low 32 bits: when the present silence began, or the ping was sent */
  bool heard;     /* something came since the last look */
  bool pinged;    /* a ping is out */
};

enum coho__keepalive_verdict { COHO_KEEPALIVE_WAIT, COHO_KEEPALIVE_PING, COHO_KEEPALIVE_GONE };

/* The next look begins a new silence. */
static inline void coho__keepalive_heard(struct coho__keepalive *k) { k->heard = true; }

/* Looks at the clock; *wait_ms becomes the time until the next look, COHO_NEVER for none. After
   COHO_KEEPALIVE_PING the ping counts as sent. */
enum coho__keepalive_verdict coho__keepalive_look(struct coho__keepalive *k, uint64_t now_ms,
                                                  uint32_t interval_ms, uint32_t timeout_ms,
                                                  uint32_t *wait_ms);

#endif
