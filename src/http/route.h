/*
 * Routes: which path is served by what. Filled before the server runs, then only read, by all
 * loops.
 *
 * A pattern is a path whose segments are literal, ":name" (one segment that is not empty) or a last
 * "*" (the rest: any number of segments, also none; its value is the parameter "*"). The most
 * specific pattern wins: literal before :name before *, segment by segment. Only then the method
 * counts, so that a path with a route of its own never falls through to a folder of files. A path
 * with an encoded slash (%2F) has no route: whoever stands before us may have read it otherwise.
 */
#ifndef COHO_HTTP_ROUTE_H
#define COHO_HTTP_ROUTE_H

#include "base/list.h"
#include "proto/request.h"

#include <coho/coho.h>
#include <stdatomic.h>

enum coho__route_kind { COHO_ROUTE_WS, COHO_ROUTE_HTTP };

struct coho__route {
  struct coho__list node; /* most specific first */
  char *pattern;
  enum coho__route_kind kind;
  char *method; /* HTTP: "GET" (serves HEAD too), "*", ...; NULL for WebSocket */
  /* HTTP: answers with coho_reply() before it returns. WebSocket: the request wants to upgrade and
     is correct HTTP; checks the handshake, also that it has no body, then takes the stream or
     replies. */
  void (*serve)(coho_request *r, void *ctx);
  /* HTTP: a request to its paths is about to be refused with this error, before serve() had it or
     instead of its answer: may reply, or add fields to the reply to come; an error when it did
     neither. COHO_ENOTFOUND: the path has an encoded slash. May be NULL. */
  int (*refuse)(coho_request *r, int err, void *ctx);
  const _Atomic uint64_t *max_body; /* lives as ctx does; NULL: the server's */
  void *ctx;
  void (*free_ctx)(void *ctx); /* may be NULL */
};

struct coho__routes {
  struct coho__list list;
};

void coho__routes_init(struct coho__routes *rs);
void coho__routes_free(struct coho__routes *rs);
/* Copies pattern and method; ctx is the table's only on success. 0, COHO_EINVAL, COHO_EEXISTS,
   COHO_ENOMEM. */
int coho__routes_add(struct coho__routes *rs, const char *pattern, const struct coho__route *route);

/* The route of exactly this pattern that is served by this function; NULL: there is none. */
const struct coho__route *coho__routes_get(const struct coho__routes *rs, const char *pattern,
                                           void (*serve)(coho_request *r, void *ctx));

struct coho__match {
  const struct coho__route *route; /* NULL: nothing answers this request */
  const struct coho__route
      *slashed;    /* the one of HTTP that it had without its encoded slash; NULL */
  bool path_known; /* the path has a route, but not for this method: 405 or 426 */
  bool ws_known;   /* a GET that lacks nothing but the upgrade: 426 */
  char allow[128]; /* methods served here, also OPTIONS */
};

/* Finds who serves r: a WebSocket route when it wants to upgrade, else an HTTP route; sets the
   parameters of r. 0 or COHO_ENOMEM. */
int coho__routes_find(const struct coho__routes *rs, coho_request *r, struct coho__match *m);

#endif
