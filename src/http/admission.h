/*
 * Who is let in by a server, over all its loops: as many connections as it takes, so many of one
 * address, so many handshakes of one address. Cheap checks, made before anything is read. A trusted
 * proxy is not limited by its own address, but each of the clients that it tells of by theirs.
 */
#ifndef COHO_HTTP_ADMISSION_H
#define COHO_HTTP_ADMISSION_H

#include "base/ip.h"
#include "http/addresses.h"
#include "io/stream.h"

#include <stdatomic.h>

struct coho__admission {
  _Atomic uint32_t now;
  _Atomic uint32_t max;
  struct coho__addresses *_Atomic addresses; /* NULL: those were never limited */
  const struct coho__cidrs
      *trusted; /* proxies; the owner's, set before the first connection; NULL */
};

/* max 0: as many as the process may have descriptors, less a reserve. */
void coho__admission_init(struct coho__admission *a, uint32_t max);
/* Before the first connection. 0, also when there is nothing to limit, or COHO_ENOMEM. */
int coho__admission_limit(struct coho__admission *a, const struct coho__addresses_limits *limits);
void coho__admission_free(struct coho__admission *a);
/* Other limits for connections to come; max as above. Any thread, one at a time. 0 or COHO_ENOMEM: nothing
   has changed. */
int coho__admission_update(struct coho__admission *a, uint32_t max,
                           const struct coho__addresses_limits *limits);

/* Any thread from here on. now_ms: the time of the caller's loop. */

/* 0, and what to pass to the others in *address; COHO_EOVERLOAD: full, or memory is tight;
   COHO_EADDRESSFULL; COHO_EHANDSHAKERATE, of a stream with TLS. */
int coho__admission_enter(struct coho__admission *a, const struct coho__stream *s, uint64_t now_ms,
                          struct coho__address **address);
void coho__admission_leave(struct coho__admission *a, struct coho__address *address,
                           uint64_t now_ms);
/* A place for a connection that is not known yet. False: full, or memory is tight. */
bool coho__admission_hold(struct coho__admission *a);
void coho__admission_release(struct coho__admission *a);
/* Whether this peer is one of the trusted proxies. */
bool coho__admission_trusts(const struct coho__admission *a, const struct coho__addr *peer);
/* The client of a request that a trusted proxy brings: as coho__admission_enter(), without a place. */
int coho__admission_client(struct coho__admission *a, const struct coho__addr *client,
                           uint64_t now_ms, struct coho__address **address);
void coho__admission_client_leave(struct coho__admission *a, struct coho__address *address,
                                  uint64_t now_ms);
/* A WebSocket handshake. 0, COHO_EOVERLOAD: memory is tight; COHO_EHANDSHAKERATE. */
int coho__admission_handshake(struct coho__admission *a, struct coho__address *address,
                              uint64_t now_ms);

#endif
