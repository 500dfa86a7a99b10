/*
 * How often each address did something lately, by token buckets: bad tokens, requests. Bounded: of more
 * addresses than there is room for the one that did it longest ago is forgotten, and begins anew; nobody
 * is shut out by others.
 */
#ifndef COHO_TOPICS_THROTTLE_H
#define COHO_TOPICS_THROTTLE_H

#include "base/bucket.h"
#include "base/view.h"

enum {
#ifdef COHO_HARD
  COHO_THROTTLE_ADDRESSES = 4
#else
  COHO_THROTTLE_ADDRESSES = 16 * 1024 /* about 2 MiB */
#endif
};

struct coho__throttle;

/* rate.per_second counts in so many seconds. NULL: out of memory. */
struct coho__throttle *coho__throttle_new(struct coho__bucket_rate rate, uint32_t seconds);
void coho__throttle_free(struct coho__throttle *t); /* NULL is fine */
/* Another rate from now on; what addresses did lately counts on. Any thread. */
void coho__throttle_retune(struct coho__throttle *t, struct coho__bucket_rate rate);
/* Any thread. peer: address as text, perhaps with a port, which does not count; an IPv6 address by its
   first 64 bits. What is no address, such as "unix", is never throttled, nor is anybody without memory.
   now_ms is monotonic. */
/* Whether there is one more for this address. */
bool coho__throttle_open(struct coho__throttle *t, struct coho__view peer, uint64_t now_ms);
/* The same, and takes it: one that is refused does not count, so it does not prolong it. */
bool coho__throttle_take(struct coho__throttle *t, struct coho__view peer, uint64_t now_ms);
/* Whether a line about it may stand in the log: 10 a second, so that nobody fills it. *untold: how many
   were left out since the last one. */
bool coho__throttle_tells(struct coho__throttle *t, uint64_t now_ms, uint64_t *untold);
/* Such a line, about who was refused and why. */
void coho__throttle_log(struct coho__throttle *t, const char *peer, uint64_t now_ms, int err);

#endif
