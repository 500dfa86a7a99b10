/*
 * What the admin page sees and does: a WebSocket with JSON. docs/operations.md has the messages.
 */
#ifndef COHO_CMD_ADMIN_FEED_H
#define COHO_CMD_ADMIN_FEED_H

#include "metrics.h"

/* The handlers of the route; the rest is the caller's. */
void admin_feed_handlers(coho_options *o);
/* Looks into the server of m; the connections are on `loop`. */
void admin_feed_start(const struct metrics *m, coho_loop *loop);

#endif
