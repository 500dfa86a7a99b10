/*
 * Round trips by ping and pong. A ping of the keepalive carries the time at which it was sent, so that
 * its pong tells how long it was under way, and nobody has to remember. The time counts from a
 * random moment, and a mark that is the process's own stands before it: pongs for a program's pings
 * are none of ours. A peer that forges a stamp lies about itself only.
 *
 * A connection keeps each figure in 16 bits, exact to a thousandth.
 */
#ifndef COHO_WS_RTT_H
#define COHO_WS_RTT_H

#include "proto/engine.h"

/* Microseconds, 5 bits of exponent and 11 of mantissa; 0: unknown. */
typedef uint16_t coho__rtt;

struct coho__rtts {
  coho__rtt last, smooth; /* smooth: an eighth of each new one (RFC 6298 2.3) */
};

coho__rtt coho__rtt_pack(uint64_t us); /* 0 becomes 1 */
uint64_t coho__rtt_unpack(coho__rtt t);
/* ms, NaN when it is unknown. */
double coho__rtt_ms(coho__rtt t);

/* What to send now. */
void coho__rtt_stamp(uint8_t bytes[COHO_ENGINE_STAMP]);
/* Whether a pong carries a stamp; then *us passed since it was made. */
bool coho__rtt_read(const coho_msg *pong, uint64_t *us);
void coho__rtts_add(struct coho__rtts *r, uint64_t us);

#endif
