/*
 * Topics of a hub on one loop, and who subscribed them there. Only the loop's thread looks at them,
 * but for what each topic lends to the hub's index.
 *
 * Invariants: a topic that exists has subscribers; subs has count of them.
 */
#ifndef COHO_HUB_TOPIC_H
#define COHO_HUB_TOPIC_H

#include "base/map.h"
#include "ws/conn.h"

enum { COHO_TOPIC_NAME_MAX = 255 };

struct coho__topic {
  struct coho__list subs; /* coho__subscription, oldest first */
  size_t count;
  struct coho__list node;        /* hub's: in the index */
  struct coho__mailbox *mailbox; /* hub's: of the loop */
  void *owner; /* hub's: who is told when a subscription ends with its connection */
  size_t name_len;
  char name[];
};

/* Belongs to its connection and ends with it. */
struct coho__subscription {
  struct coho__attachment attachment;
  struct coho__list node;
  coho_conn *conn;
  struct coho__topic *topic;
  uint64_t since; /* the last publication before it began */
};

struct coho__topics {
  struct coho__map map;
};

void coho__topics_init(struct coho__topics *ts);
void coho__topics_free(struct coho__topics *ts); /* empty */
struct coho__topic *coho__topics_find(const struct coho__topics *ts, struct coho__view name);
/* A new one, without subscribers yet. NULL: out of memory. */
struct coho__topic *coho__topics_add(struct coho__topics *ts, struct coho__view name);
/* One without subscribers. */
void coho__topics_remove(struct coho__topics *ts, struct coho__topic *t);

/* c's subscription of t; NULL: none. end is what marks the attachments of a hub. */
struct coho__subscription *coho__topic_of_conn(const struct coho__topic *t, const coho_conn *c,
                                               void (*end)(struct coho__attachment *a));
void coho__topic_join(struct coho__topic *t, struct coho__subscription *sub, coho_conn *c);
/* Out of the topic; the caller frees it. */
void coho__topic_part(struct coho__subscription *sub);
void coho__topics_check(const struct coho__topics *ts);

#endif
