/*
 * What a connection publishes, also to a topic that takes nothing for now (COHO_SLOW_BLOCK): then the
 * connection is not read until it does, so that its peer feels the back-pressure. At most one message
 * is held.
 */
#ifndef COHO_TOPICS_HELD_H
#define COHO_TOPICS_HELD_H

#include "topics/json.h"
#include "topics/seat.h"

struct coho__held;

/* 0 and the position; COHO_QUEUED: the message is copied, and held(seat, id, topic, err, pos) comes later,
   unless the connection ends before; or an error of coho_publish_with(). id: the request's, or NULL. */
int coho__held_publish(struct coho__seat *s, const char *topic, coho_msg m,
                       const coho_publish_options *opt, const json_t *id, coho_pos *pos);
void coho__held_free(struct coho__held *h); /* NULL is fine */

#endif
