/* A connection that speaks coho.json.v1: many topics, by requests and answers. */
#ifndef COHO_TOPICS_JSON_SESSION_H
#define COHO_TOPICS_JSON_SESSION_H

#include "topics/seat.h"

/* Before the handshake is answered: the seat of the connection to come, or NULL and there is a reply. */
struct coho__seat *coho__json_admit(struct coho__mount *m, coho_request *r, struct coho__who *who);

#endif
