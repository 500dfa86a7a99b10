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
  /* HTTP: replies to a request whose body is larger than max_body, before it is there. May be NULL. */
  void (*too_big)(coho_request *r, void *ctx);
  uint64_t max_body; /* 0: the server's */
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

struct coho__match {
  const struct coho__route *route; /* NULL: nothing answers this request */
  bool path_known;                 /* the path has a route, but not for this method: 405 or 426 */
  bool ws_known;                   /* a GET that lacks nothing but the upgrade: 426 */
  char allow[128];                 /* methods served here, for 405 */
};

/* Finds who serves r: a WebSocket route when it wants to upgrade, else an HTTP route; sets the
   parameters of r. 0 or COHO_ENOMEM. */
int coho__routes_find(const struct coho__routes *rs, coho_request *r, struct coho__match *m);

#endif
