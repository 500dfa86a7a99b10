/*
 * Where accepted sockets wait for the PROXY header of the proxy that they come from, under a deadline of
 * its own. The header is peeked at and taken off to its last byte, so what follows it finds the socket
 * as if it had just been accepted from the client. Whoever is no such proxy, or says something else, is
 * closed without an answer. Each that waits has a place in the admission.
 */
#ifndef COHO_HTTP_PROXIED_H
#define COHO_HTTP_PROXIED_H

#include "base/ip.h"
#include "http/admission.h"

/* One per loop of a server. */
struct coho__proxied_room {
  coho_loop *loop;
  struct coho__admission *admission;
  const struct coho__cidrs *proxies; /* those who may come, and have to say it */
  uint32_t timeout_ms;
  struct coho__list waiting;
};

/* Where a connection goes next, once; the socket is the callee's. */
struct coho__proxied_next {
  void (*fn)(void *owner, int fd, const struct coho__addr *peer);
  void *owner;
};

void coho__proxied_init(struct coho__proxied_room *room, coho_loop *loop,
                        struct coho__admission *admission);
/* Takes the socket, accepted from this peer; next comes later, or it is closed. */
void coho__proxied_wait(struct coho__proxied_room *room, int fd, const struct coho__addr *peer,
                        struct coho__proxied_next next);
/* Closes all that wait. */
void coho__proxied_end(struct coho__proxied_room *room);

#endif
