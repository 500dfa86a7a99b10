/*
 * Server-Sent Events (HTML 9.2): one topic, whose events are its messages and whose ids are positions;
 * or, below the mount's root, several, whose events are frames of coho.json.v1.
 */
#ifndef COHO_TOPICS_EVENTS_H
#define COHO_TOPICS_EVENTS_H

#include "topics/mount.h"

/* p: ROOT with `sub` in the query, TOPIC or PRESENCE. */
void coho__events(struct coho__mount *m, coho_request *r, const struct coho__path *p);

#endif
