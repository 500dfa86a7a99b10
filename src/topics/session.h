/*
 * WebSocket connections of the mount: raw ones, which follow one topic (raw.h), and those of
 * coho.json.v1, which follow many. One route serves both, since a URL is a topic whatever is spoken.
 */
#ifndef COHO_TOPICS_SESSION_H
#define COHO_TOPICS_SESSION_H

#include "topics/site.h"

/* Adds the WebSocket route; conn: of its connections. 0 or an error of coho_route_ws(). */
int coho__session_route(coho_server *s, const char *pattern, struct coho__site *site,
                        const coho_options *conn);
/* Its options from now on, by those of a mount that is about to hold. */
int coho__session_update(coho_server *s, const char *pattern, struct coho__site *site,
                         const struct coho__mount *m, const coho_options *conn);

#endif
