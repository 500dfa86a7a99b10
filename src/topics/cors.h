/*
 * Pages of other origins (Fetch 3.2): which may, and what their browsers are told. The origins that may
 * open a WebSocket, and no others (RFC 6455 10.2); who sends no Origin is no page.
 */
#ifndef COHO_TOPICS_CORS_H
#define COHO_TOPICS_CORS_H

#include "topics/mount.h"

/* Checks the Origin, and adds the fields that every answer has: those of CORS, and those against caches.
   0 or COHO_EORIGIN. */
int coho__cors(const struct coho__mount *m, coho_request *r);
/* Whether the page may use its user's cookies: it is the request's own host's, or its origin is named in
   the list. One that is let in as any other (*) acts for itself alone (RFC 6454 8.3). */
bool coho__cors_trusts(const struct coho__mount *m, coho_request *r);
/* 204 to OPTIONS. */
void coho__cors_preflight(coho_request *r, const struct coho__path *p);
/* 405 with Allow. */
void coho__cors_wrong_method(coho_request *r, const struct coho__path *p);
/* A request that coho__cors() has not seen is about to be refused by the HTTP server: answers it where there
   is an answer of ours, else adds the fields. 0; an error: neither. */
int coho__refuse_early(const struct coho__mount *m, coho_request *r, int err);
/* Refuses a request with the answer of an error, as JSON; 401 and 403 with WWW-Authenticate, 429 and 503
   with Retry-After. In on_upgrade too. */
void coho__refuse(coho_request *r, int err);

#endif
