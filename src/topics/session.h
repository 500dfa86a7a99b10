/*
 * WebSocket connections of the mount: raw ones, which follow one topic (raw.h), and those of
 * coho.json.v1, which follow many. One route serves both, since a URL is a topic whatever is spoken.
 */
#ifndef COHO_TOPICS_SESSION_H
#define COHO_TOPICS_SESSION_H

#include "topics/mount.h"

/* Adds the WebSocket route. */
int coho__session_route(coho_server *s, struct coho__mount *m);

#endif
