/*
 * Host names to addresses, by getaddrinfo(3) on threads of its own, so that the loop goes on. The
 * threads are started on demand, shared by all loops, few, and end when nothing is asked.
 */
#ifndef COHO_IO_RESOLVE_H
#define COHO_IO_RESOLVE_H

#include "io/sock.h"

struct coho__resolve;

enum {
  COHO_RESOLVE_MAX = 16, /* addresses used of an answer */
#ifdef COHO_HARD
  COHO_RESOLVE_THREADS = 1
#else
  COHO_RESOLVE_THREADS = 8 /* names looked up at a time in the process; others wait */
#endif
};

/* Asks. on_done comes once, later, on the loop's thread, with addresses in the order of RFC 6724
   interleaved by family (RFC 8305 4), or err < 0. Numeric addresses need no thread. NULL: out of
   memory or threads. */
struct coho__resolve *coho__resolve_start(coho_loop *loop, const char *host, uint16_t port,
                                          void (*on_done)(void *owner, int err,
                                                          const struct coho__addr *addrs, size_t n),
                                          void *owner);
void coho__resolve_cancel(struct coho__resolve *r); /* on_done has not come and will not */

/* Asks at once and waits: at most max addresses, their number, or an error. Any thread. */
int coho__resolve_now(const char *host, uint16_t port, struct coho__addr *addrs, size_t max);
/* Families by turns, beginning with that of the first; else the order stays (RFC 8305 4). */
void coho__resolve_interleave(struct coho__addr *addrs, size_t n);

#endif
