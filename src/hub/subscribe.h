/* Subscribing and unsubscribing, for connections and sinks; public functions are in coho/hub.h. */
#ifndef COHO_HUB_SUBSCRIBE_H
#define COHO_HUB_SUBSCRIBE_H

#include "hub/sub.h"

/* Ends a subscription, and what only it kept. */
void coho__subscription_end(struct coho__shelf *s, uint32_t n);
/* All of a subscriber. */
void coho__subscription_end_all(struct coho__shelf *s, struct coho__subscriber who);

#endif
