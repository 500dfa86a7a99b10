/*
 * A TCP connection to one of some addresses, by happy eyeballs (RFC 8305 5): attempts start 250 ms
 * apart or at once when one fails, the first that succeeds wins, the others end.
 */
#ifndef COHO_IO_CONNECT_H
#define COHO_IO_CONNECT_H

#include "io/resolve.h"
#include "io/stream.h"

struct coho__connect;

enum { COHO_CONNECT_DELAY_MS = 250 };

/* Tries the addresses, 1 to COHO_RESOLVE_MAX of them, in this order. on_done comes once, later, on
   the loop's thread: with a stream that is the callee's, or with NULL, an error and a sentence that
   names what was tried ("connection refused by 127.0.0.1:9"). NULL: out of memory. The deadline is
   the caller's. */
struct coho__connect *coho__connect_addrs(coho_loop *loop, const struct coho__addr *addrs, size_t n,
                                          void (*on_done)(void *owner, struct coho__stream *s,
                                                          int err, const char *detail),
                                          void *owner);
/* on_done will not come. Nothing happens when it is called inside on_done. */
void coho__connect_cancel(struct coho__connect *c);

#endif
