/*
 * Who brought bad tokens lately, by address: 10 in a minute, then none is looked at until one more is
 * allowed, one every six seconds. Bounded: of more addresses than there is room for the one that failed
 * longest ago is forgotten.
 */
#ifndef COHO_TOPICS_THROTTLE_H
#define COHO_TOPICS_THROTTLE_H

#include "base/view.h"

#include <stdint.h>

enum {
  COHO_THROTTLE_FAILURES = 10,
  COHO_THROTTLE_MS = 60 * 1000,
#ifdef COHO_HARD
  COHO_THROTTLE_ADDRESSES = 4
#else
  COHO_THROTTLE_ADDRESSES = 16 * 1024
#endif
};

struct coho__throttle;

struct coho__throttle *coho__throttle_new(void);    /* NULL: out of memory */
void coho__throttle_free(struct coho__throttle *t); /* NULL is fine */
/* Any thread. peer: address as text, perhaps with a port, which does not count; an IPv6 address by its
   first 64 bits. What is no address, such as "unix", is never throttled. now_ms is monotonic. */
bool coho__throttle_open(struct coho__throttle *t, struct coho__view peer, uint64_t now_ms);
void coho__throttle_failed(struct coho__throttle *t, struct coho__view peer, uint64_t now_ms);
/* Whether a line about it may stand in the log: 10 a second, so that nobody fills it. *untold: how many
   were left out since the last one. */
bool coho__throttle_tells(struct coho__throttle *t, uint64_t now_ms, uint64_t *untold);

#endif
