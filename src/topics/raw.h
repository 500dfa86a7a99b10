/* A WebSocket connection on one topic: what is published comes as it is, what it sends is published. */
#ifndef COHO_TOPICS_RAW_H
#define COHO_TOPICS_RAW_H

#include "topics/seat.h"

/* Before the handshake is answered: the seat of the connection to come, or NULL and there is a reply. */
struct coho__seat *coho__raw_admit(struct coho__mount *m, coho_request *r,
                                   const struct coho__path *p, struct coho__who *who);

#endif
