/*
 * A subscriber that is behind in a topic: because it asked for what came before, or because it could
 * not take more. It goes on from the history, until it has what its loop has delivered.
 */
#ifndef COHO_HUB_LAG_H
#define COHO_HUB_LAG_H

#include "hub/leaf.h"

struct coho__lag {
  struct coho__list node;   /* in leaf->lags */
  struct coho__list hungry; /* in part->hungry: goes on in another turn */
  struct coho__list slow;   /* in part->slow, when its topic blocks */
  struct coho__leaf *leaf;
  uint32_t sub;      /* whose */
  uint32_t sibling;  /* of the same subscription, by pattern, in another topic */
  uint32_t place;    /* of the subscription, in its first lag */
  uint64_t next;     /* the offset it gets next */
  uint64_t missed;   /* conflating: what others got, and it neither got nor was told of */
  uint64_t since_ms; /* when it last took something, or did not hold up its topic */
  bool skips;        /* gets nothing of what comes until it can take more */
  bool waits;        /* could take more, but is ahead of its loop, or began inside a delivery */
};

static inline struct coho__lag *coho__lag_at(const struct coho__shelf *s, uint32_t n) {
  return (struct coho__lag *)coho__pool_at(&s->lags, n);
}

/* That of a subscription in this topic; NULL: none. */
struct coho__lag *coho__lag_find(const struct coho__shelf *s, const struct coho__sub *sub,
                                 const struct coho__leaf *l);
/* Subscription n gets offset `next` next. NULL: out of memory. */
struct coho__lag *coho__lag_begin(struct coho__leaf *l, uint32_t n, uint64_t next);
/* Conflating: what it has not got yet is what is held. */
void coho__lag_count(struct coho__lag *lag);
/* All of a subscription. */
void coho__lag_end_all(struct coho__shelf *s, uint32_t n);
/* Gives it what it can take; it ends when it is no longer behind. */
void coho__lag_feed(struct coho__lag *lag);
/* All of a subscription. inside: a delivery or a meal is under way, so that it is fed afterwards. */
void coho__lag_feed_sub(struct coho__shelf *s, uint32_t n, bool inside);
/* All that lag of a subscriber, or a leaf (those that only wait for the leaf). */
void coho__lag_feed_subscriber(struct coho__shelf *s, struct coho__subscriber who);
void coho__lag_catch_up(struct coho__leaf *l);
/* Closes those that hold up a topic that blocks, and have for too long. */
void coho__lag_expire(struct coho__part *p, uint64_t now_ms);

#endif
