/* Long polls (RFC 6202): one topic, or below the mount's root several, as frames of coho.json.v1. */
#ifndef COHO_TOPICS_POLL_H
#define COHO_TOPICS_POLL_H

#include "topics/mount.h"

/* p: ROOT with `sub` in the query, TOPIC or PRESENCE. */
void coho__poll(struct coho__mount *m, coho_request *r, const struct coho__path *p);

#endif
