/*
 * The server side of HTTP/1.1 on one loop: reads requests with deadlines, finds their route,
 * writes replies, keeps connections alive, and hands the stream over when a request upgrades.
 */
#ifndef COHO_HTTP_HTTP_H
#define COHO_HTTP_HTTP_H

#include "http/admission.h"
#include "http/counters.h"
#include "http/date.h"
#include "http/route.h"
#include "io/stream.h"

/* Of one loop, which alone changes it while it runs. Zero is the default of the limits and
   times, as in coho_server_options; UINT32_MAX ms is never. */
struct coho__http_conf {
  struct coho__http1_limits limits;
  uint64_t max_body, max_reply_queue;
  uint32_t head_timeout_ms, body_timeout_ms, keepalive_timeout_ms, write_timeout_ms;
  struct coho__routes *routes;
  struct coho__admission *admission;
  void (*access_log)(void *ctx, const char *line);        /* may be NULL */
  void (*access)(void *ctx, const struct coho_access *a); /* may be NULL */
  void *access_log_ctx;
  _Atomic bool access_off; /* any thread */
  /* Further fields of every file, as coho__files_fields() writes them; the server's. */
  struct coho__buf file_fields;
};

/* Limits of which the log tells when they are reached. */
enum coho__http_limit {
  COHO_HTTP_LIMIT_ALL, /* of connections, or new ones when memory is tight */
  COHO_HTTP_LIMIT_ADDRESS,
  COHO_HTTP_LIMIT_RATE, /* of handshakes of TLS; others are answered, and have lines of their own */
  COHO_HTTP_LIMIT_MEMORY, /* a connection in hand was closed */
  COHO_HTTP_LIMITS
};

/* One per loop of a server. */
struct coho__http {
  coho_loop *loop;
  const struct coho__http_conf *conf;
  struct coho__counters *counters;
  struct coho__list conns; /* HTTP connections now */
  bool draining;           /* stop: no keep-alive any more */
  bool paced;              /* and deferred requests are told by coho__http_tell_some() */
  uint32_t turned_away;    /* connections over a limit that still wait to read their 503 */
  uint64_t told_ms[COHO_HTTP_LIMITS]; /* when the log last told about it; 0: never */
  uint64_t date_second;               /* of date, since 1970 */
  char date[COHO_DATE_SIZE];          /* the Date field, made once a second */
};

void coho__http_init(struct coho__http *h, coho_loop *loop, const struct coho__http_conf *conf,
                     struct coho__counters *counters);
/* Takes an accepted stream; over a limit it is answered 503 with Retry-After and closed, or, when
   many are turned away at once or a TLS handshake would come first, only closed. */
void coho__http_accept(struct coho__http *h, struct coho__stream *s);
/* One line of a limit in a second. */
void coho__http_complain(struct coho__http *h, enum coho__http_limit which);
/* Graceful stop: idle connections close now, busy ones after their reply, and deferred requests are
   told. */
void coho__http_drain(struct coho__http *h);
/* Deferred requests that wait for their answer. */
size_t coho__http_deferred(const struct coho__http *h);
/* Tells so many more of them, the oldest connections first, at the end of this turn. */
void coho__http_tell_some(struct coho__http *h, size_t count);
/* Cuts what is left: deferred requests at the end of this turn, all others now. */
void coho__http_cut(struct coho__http *h);
/* Cuts all now. Not inside a call of the program. */
void coho__http_end(struct coho__http *h);

/* ---- inside a route's serve() --------------------------------------------------------------- */

struct coho__http *coho__http_of(const coho_request *r);
/* For an upgrade: the stream is the caller's now, and with it its place in the admission, for which
   there is coho__http_address(), and in counters->sockets, both of which the caller gives back when
   it closes. *rest views what came
   behind the head, valid until the loop's next read. The stream gives a READ event in the next turn
   when more may be there. No reply follows; the 101 is counted and has its line in the access log.
   The request stays valid until serve() returns. Nothing is freed before the end of the turn. NULL
   when the connection was cut meanwhile: there is nothing to do. */
struct coho__stream *coho__http_take(coho_request *r, struct coho__view *rest);
struct coho__address *coho__http_address(const coho_request *r); /* may be NULL */
/* As coho_request_set_user(); drop(user) is called when no connection comes of the request. */
void coho__http_give_user(coho_request *r, void *user, void (*drop)(void *user));
/* The fields collected by coho_reply_header(), as "Name: value\r\n..."; valid like the request. */
struct coho__view coho__http_fields(const coho_request *r);
/* There is a reply, or the connection is gone: nothing more to say. */
bool coho__http_replied(const coho_request *r);
/* Replies with the answer of an error: its status, its text, the fields that belong to it, one log
   line, and the connection ends. */
void coho__http_refuse(coho_request *r, int err);

/* A line of the access log, see access.h. */
struct coho__access {
  const char *peer;
  struct coho__view method, target;
  unsigned status; /* HTTP status, 0: a WebSocket connection ended */
  unsigned code;   /* its close code */
  uint64_t bytes;  /* sent */
  uint64_t duration_ms;
};
/* Somebody wants to know. */
bool coho__http_logs(const struct coho__http *h);
void coho__http_access(const struct coho__http *h, const struct coho__access *a);

#endif
