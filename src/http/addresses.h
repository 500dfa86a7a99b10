/*
 * What each peer address has of a server: connections, and handshakes lately, those of WebSocket and
 * those of TLS each for themselves. Shared by its loops.
 *
 * An IPv4 address counts for itself, also when it comes mapped into IPv6; an IPv6 address by its
 * first 64 bits, of which one customer has all. An address is forgotten once it has no connection
 * and its buckets are full. Those without connection are capped too: beyond that the one that left
 * first is forgotten before its time, since handshakes from a whole network must not fill our memory.
 *
 * Invariants: idle has exactly the addresses without connection; idle_count of them.
 */
#ifndef COHO_HTTP_ADDRESSES_H
#define COHO_HTTP_ADDRESSES_H

#include "base/bucket.h"
#include "io/sock.h"

#include <stddef.h>

#ifdef COHO_HARD
enum { COHO_ADDRESSES_IDLE = 4 };
#else
enum { COHO_ADDRESSES_IDLE = 16 * 1024 }; /* about 2 MiB */
#endif

struct coho__addresses;
struct coho__address; /* one of them; lives as long as it has a connection */

struct coho__addresses_limits {
  uint32_t connections; /* of one address; 0: any number */
  struct coho__bucket_rate
      shakes; /* handshakes of one address and kind; per_second 0: any number */
};

struct coho__addresses *coho__addresses_new(
    const struct coho__addresses_limits *limits);     /* or NULL */
void coho__addresses_free(struct coho__addresses *t); /* NULL is fine */

/* Times are those of the caller's loop. Any thread from here on. */

/* Other limits from now on; what each address has counts on. */
void coho__addresses_update(struct coho__addresses *t, const struct coho__addresses_limits *limits);
/* One more connection of this peer. 0 and *out, which is NULL for a peer without IP address: that is
   not limited; COHO_EADDRESSFULL; COHO_ENOMEM. */
int coho__addresses_enter(struct coho__addresses *t, const struct coho__addr *peer, uint64_t now_ms,
                          struct coho__address **out);
void coho__addresses_leave(struct coho__addresses *t, struct coho__address *a, uint64_t now_ms);
enum coho__shake { COHO_SHAKE_WS, COHO_SHAKE_TLS, COHO_SHAKES };
/* A handshake of this kind. False: there were too many lately. */
bool coho__addresses_shake(struct coho__addresses *t, struct coho__address *a,
                           enum coho__shake kind, uint64_t now_ms);
size_t coho__addresses_count(struct coho__addresses *t); /* those remembered */

#endif
