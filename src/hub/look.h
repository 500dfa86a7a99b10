/* Looking into topics, for their transports. Any thread. */
#ifndef COHO_HUB_LOOK_H
#define COHO_HUB_LOOK_H

#include "hub/hub.h"

/* Messages with a reference each. */
struct coho__taken {
  struct coho__message **messages;
  size_t count, size;
  coho_pos pos; /* of the topic's last message */
};

/* Where somebody would start now who asks for what came after since (NULL: from now on); the topic is
   made when there is none. 0, COHO_EFULL, COHO_ENOMEM. */
int coho__hub_start(coho_hub *hub, struct coho__view name, const coho_pos *since,
                    coho_start *start);
/* The same with the first messages after it that are held, at most `limit`; out->pos is where they end:
   the topic's last message, or of those that were taken. *out is freed in any case. */
int coho__hub_take_since(coho_hub *hub, struct coho__view name, const coho_pos *since, size_t limit,
                         coho_start *start, struct coho__taken *out);
/* The last messages that are held. 0, COHO_ENOTFOUND, COHO_ENOMEM. */
int coho__hub_take_last(coho_hub *hub, struct coho__view name, size_t limit,
                        struct coho__taken *out);
void coho__taken_free(struct coho__taken *t);

#endif
