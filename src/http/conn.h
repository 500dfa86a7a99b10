/*
 * One HTTP connection: reads a request, serves it, writes the reply, one after the other, under one
 * deadline at a time. The next request is looked at only when the reply is written, so what the
 * connection keeps is bounded by one head, one body, one piece of input and one reply.
 *
 *   HEAD -> (BODY) -> READY -> (LATE) -> REPLY -> HEAD, or LINGER -> GONE
 *
 * LATE: the handler deferred its answer (late.h). The peer is watched meanwhile: at most one piece of
 * what it sends is kept, and its end is the end of the connection.
 *
 * LINGER: the reply is written and our side shut down; what still comes is dropped until the peer
 * closes too, so that it sees the answer and not a reset (RFC 9112 9.6).
 */
#ifndef COHO_HTTP_CONN_H
#define COHO_HTTP_CONN_H

#include "http/http.h"
#include "http/output.h"
#include "proto/body.h"

enum coho__http_state {
  COHO_HTTP_HEAD,
  COHO_HTTP_BODY,
  COHO_HTTP_READY, /* the request is complete; served once the output is empty */
  COHO_HTTP_LATE,
  COHO_HTTP_REPLY,
  COHO_HTTP_LINGER,
  COHO_HTTP_GONE /* closed, or taken by a WebSocket */
};

/* What the timer is for. */
enum coho__http_wait {
  COHO_HTTP_WAIT_NONE,
  COHO_HTTP_WAIT_FIRST, /* byte, after accept */
  COHO_HTTP_WAIT_IDLE,  /* byte of a further request */
  COHO_HTTP_WAIT_HEAD,
  COHO_HTTP_WAIT_BODY,
  COHO_HTTP_WAIT_WRITE,
  COHO_HTTP_WAIT_LINGER
};

struct coho__http_conn {
  struct coho__list node; /* in http->conns */
  struct coho__http *http;
  struct coho__stream *stream;
  struct coho__wheel_timer timer;
  struct coho__task grave;
  enum coho__http_state state;
  enum coho__http_wait wait;
  struct coho__address *address; /* for the admission; may be NULL */
  struct coho__endpoint client;  /* of the request, behind a trusted proxy; else AF_UNSPEC */
  bool admitted;                 /* has a place in the admission */
  bool readable;                 /* the stream may have bytes */
  bool hangup;                   /* reading goes on to the end of the stream */
  bool replied;                  /* a reply has begun */
  bool parts;                    /* and has not ended: its parts follow */
  bool taken;
  bool ending; /* no further request */
  bool broken; /* the reply cannot be completed */
  struct coho_request request;
  const struct coho__route *route; /* of the request in hand */
  struct coho__body framing;
  struct coho__buf body;
  struct coho__buf fields; /* collected by coho_reply_header() */
  struct coho__view in;    /* bytes read and not yet used, in loop->recv or in rest */
  struct coho__buf rest;   /* bytes that had to be kept */
  struct coho__output out;
  uint64_t started_ms;           /* first byte of the request in hand */
  unsigned status;               /* of its reply */
  struct coho__late *late;       /* NULL: the request in hand was not deferred */
  size_t lingered;               /* bytes dropped */
  void *user;                    /* coho_request_user() */
  void (*drop_user)(void *user); /* when no connection comes of the request; may be NULL */
};

/* Takes the stream in any case. admitted: it has a place, with this address, and the connection gives
   it back. NULL: out of memory, the stream is closed. */
struct coho__http_conn *coho__http_conn_new(struct coho__http *h, struct coho__stream *s,
                                            bool admitted, struct coho__address *address);
/* Goes on as far as it can. Not inside a call of the program. */
void coho__http_conn_run(struct coho__http_conn *c);
/* Writes what waits, as far as the stream takes it; a failure leaves it broken. */
void coho__http_conn_push(struct coho__http_conn *c);
/* Closes now; memory lives until the end of the turn. Not inside a call of the program when its
   request was deferred. */
void coho__http_conn_close(struct coho__http_conn *c, bool reset);
/* Lets go of the stream, see coho__http_take(). */
struct coho__stream *coho__http_conn_give(struct coho__http_conn *c, struct coho__view *rest);
/* Whom the request in hand is from, see forwarded.h; returns buf. */
const char *coho__http_conn_peer(const struct coho__http_conn *c, char *buf, size_t cap);
/* Nothing of a request is here. */
bool coho__http_conn_idle(const struct coho__http_conn *c);

static inline struct coho__http_conn *coho__http_conn_of(const coho_request *r) {
  return (struct coho__http_conn *)r->owner;
}

#endif
