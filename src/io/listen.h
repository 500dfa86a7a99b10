/*
 * A listening socket. Accepts at most a budget per turn, so that connections in hand get theirs.
 * When the process is out of descriptors, a reserved one is given up to take the next connection
 * off the queue and close it, then accepting pauses 100 ms: the loop never spins.
 */
#ifndef COHO_IO_LISTEN_H
#define COHO_IO_LISTEN_H

#include "io/sock.h"
#include "io/stream.h"

enum {
#ifdef COHO_HARD
  COHO_ACCEPT_BUDGET = 1,
#else
  COHO_ACCEPT_BUDGET = 256, /* a queue of thousands is taken in a few turns */
#endif
  COHO_ACCEPT_PAUSE_MS = 100,
  COHO_ACCEPT_TROUBLE_MS = 5000 /* after an error that no waiting is known to mend */
};

struct coho__listen;

struct coho__listen_options {
  int backlog;
  bool reuse_port; /* several loops on one address */
  mode_t mode;     /* of the file of a unix socket */
  /* The stream is the callee's. */
  void (*on_accept)(void *owner, struct coho__stream *s);
  /* Instead, when it is set: the socket before it is a stream, the callee's too. */
  void (*on_socket)(void *owner, int fd, const struct coho__addr *peer);
  void *owner;
};

/* Binds and listens; accepts only after coho__listen_start(). host "" binds all addresses, IPv6 and
   IPv4; a name binds the first of its addresses that can be bound, IPv4 before IPv6, since that is
   what every client tries; a name blocks while it is looked up. 0 or an error (COHO_EADDRINUSE, COHO_EACCES, COHO_EADDRNOTAVAIL, COHO_ERESOLVE, ...). */
int coho__listen_open(coho_loop *loop, const char *host, uint16_t port,
                      const struct coho__listen_options *opt, struct coho__listen **out);
/* The same on a unix socket, whose file is removed when it is closed, if it is still the same. One of
   which nobody listens any more is replaced; any other file is COHO_EADDRINUSE, a path above 107 bytes
   COHO_EINVAL. */
int coho__listen_open_path(coho_loop *loop, const char *path,
                           const struct coho__listen_options *opt, struct coho__listen **out);
/* The same for a socket that listens already, which it owns from now on, but not on failure:
   COHO_EINVAL, it is no such socket, or neither of TCP nor a unix stream. */
int coho__listen_adopt(coho_loop *loop, int fd, const struct coho__listen_options *opt,
                       struct coho__listen **out);
/* Whether nobody else has the address, which sockets that share a port do not notice. 0 or an error. */
int coho__listen_probe(const char *host, uint16_t port);
void coho__listen_start(struct coho__listen *l);
void coho__listen_close(struct coho__listen *l); /* NULL is fine; freed at the end of the turn */
uint16_t coho__listen_port(const struct coho__listen *l); /* the real one; 0: it has none */
/* Where it listens. */
void coho__listen_addr(const struct coho__listen *l, struct coho__addr *a);

#endif
