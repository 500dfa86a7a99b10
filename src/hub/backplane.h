/*
 * The backplane: where topics live. It gives each message its number and tells every node that has the
 * topic; this process alone (backplane_memory.c), or a store that several share.
 *
 * All functions but bury are called with the hub's lock held and do not wait. What a shared one learns
 * later, it brings by coho__topic_arrive() in the order of offsets, also this node's own messages.
 */
#ifndef COHO_HUB_BACKPLANE_H
#define COHO_HUB_BACKPLANE_H

#include "hub/topic.h"

struct coho__backplane;

struct coho__backplane_ops {
  void (*free)(struct coho__backplane *b);
  /* This node has the topic from now on: sets t->last. 0 or an error. */
  int (*open)(struct coho__backplane *b, struct coho__topic *t);
  /* And no more. A later topic of the name has no position that this one had. */
  void (*close)(struct coho__backplane *b, struct coho__topic *t);
  /* Then, without the lock: frees what it still has of it. */
  void (*bury)(struct coho__topic *t);
  /* Takes a message. 0 and its position; COHO_EFULL and others. *repeated: the key was known, and the
     position is that of the first time. */
  int (*publish)(struct coho__backplane *b, struct coho__topic *t, struct coho__message *m,
                 struct coho__view idempotency_key, coho_pos *pos, bool *repeated);
  /* Once a second or so, for each topic: frees at most so many things whose time is over; returns how
     many. */
  size_t (*sweep)(struct coho__backplane *b, struct coho__topic *t, uint64_t now_ms, size_t most);
};

struct coho__backplane {
  const struct coho__backplane_ops *ops;
};

struct coho__backplane *coho__backplane_memory(void); /* NULL: out of memory */

#endif
