/*
 * Waiting on a loop until a topic that blocks takes messages again. Who waits is told once, on its
 * loop, and tries again; another may have been faster.
 */
#ifndef COHO_HUB_ROOM_H
#define COHO_HUB_ROOM_H

#include "base/view.h"

#include <coho/hub.h>

struct coho__room;

/* On the loop's thread, before one more try to publish. 0: fn(ctx) comes once who held the topic up does
   no more, unless it is cancelled, and never inside a call; COHO_ENOTFOUND: there is no such topic, or
   it does not block; COHO_ENOMEM. */
int coho__room_wait(coho_hub *hub, struct coho__view topic, coho_loop *loop, void (*fn)(void *ctx),
                    void *ctx, struct coho__room **out);
/* Before fn() was called. */
void coho__room_cancel(struct coho__room *r);

#endif
