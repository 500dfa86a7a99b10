/*
 * A subscription: who gets what is published to a topic, or to all topics of a pattern, on one loop.
 * There may be millions, so it is 24 bytes while its subscriber keeps up, all of them numbers; what one
 * that does not keep up has missed is a coho__lag beside it.
 *
 * Subscriptions live in pools of their loop, all hubs together, and are in two lists: that of what they
 * subscribed, and that of their subscriber, a connection or a sink.
 *
 * While messages are being delivered (shelf->busy), a subscription that ends stays in its list without
 * subscriber, so that whoever walks the list goes on; it is freed afterwards.
 */
#ifndef COHO_HUB_SUB_H
#define COHO_HUB_SUB_H

#include "base/pool.h"
#include "hub/sink.h"

/* Who subscribed one topic, or one pattern, on one loop; oldest first. */
struct coho__subs {
  uint32_t first, last;
  uint32_t count;  /* those that ended but are still in the list not included */
  uint32_t number; /* in shelf->lists while it has any, those included */
  bool pattern;    /* of a coho__pattern, else of a coho__leaf */
};

struct coho__sub {
  uint32_t to;         /* the number of a sink, or behind a connection's slot; 0: it has ended */
  uint32_t of;         /* the number of a coho__subs */
  uint32_t next, prev; /* in of */
  uint32_t sibling;    /* the next of the same subscriber */
  uint32_t mixed;      /* whether `to` is a sink; its first coho__lag, or its place, see sub.c */
};

_Static_assert(sizeof(struct coho__sub) == 24, "a subscription is small");

/* Numbers of subscriptions and lags end before this. */
#define COHO_SUBS_MOST ((uint32_t)1 << 30)

/* All subscriptions of a loop. Lives as long as its table of connections. */
struct coho__shelf {
  coho_loop *loop;
  const struct coho__conn_table *table;
  struct coho__pool subs, lags;
  struct coho__pool lists; /* pointers to each coho__subs that is not empty */
  struct coho__pool sinks; /* pointers to those that subscribed, or stand for a connection */
  uint32_t busy;           /* deliveries under way */
  uint32_t ended;          /* first of those that ended meanwhile, by sibling */
};

/* In coho_conn.attached: it is the number of a sink, not of a subscription. */
#define COHO_ATTACHED_SINK ((uint32_t)1 << 31)

struct coho__sink *coho__sink_at(const struct coho__shelf *s, uint32_t number);
/* It has a number from now on, until it ends. False: out of memory. */
bool coho__sink_enter(struct coho__sink *s, struct coho__shelf *shelf);
/* The sink that stands for c, or NULL. */
struct coho__sink *coho__shelf_sink(const struct coho__shelf *s, const coho_conn *c);

/* Made when there is none. NULL: out of memory. */
struct coho__shelf *coho__shelf_of(coho_loop *loop);

static inline struct coho__sub *coho__sub_at(const struct coho__shelf *s, uint32_t n) {
  return (struct coho__sub *)coho__pool_at(&s->subs, n);
}

/* What it subscribed, and the name of that. */
struct coho__subs *coho__subs_of(const struct coho__shelf *s, const struct coho__sub *sub);
const char *coho__subs_name(struct coho__subs *of);

/* The subscriber: one of both. */
struct coho__subscriber {
  coho_conn *conn;
  struct coho__sink *sink;
};
struct coho__subscriber coho__subscriber_of(const struct coho__shelf *s,
                                            const struct coho__sub *sub);
uint32_t *coho__subscriber_first(struct coho__subscriber who); /* where its list begins */

/* How many it has, in all hubs of the loop. */
uint32_t coho__subscriber_count(const struct coho__shelf *s, struct coho__subscriber who);

/* A new one at the end of `of`. 0: out of memory. */
uint32_t coho__sub_add(struct coho__shelf *s, struct coho__subs *of, struct coho__subscriber who);
/* Out of the subscriber's list: it has ended. */
void coho__sub_end(struct coho__shelf *s, uint32_t n);
/* One that has ended and lags nowhere: out of the other list, and freed. */
void coho__sub_free(struct coho__shelf *s, uint32_t n);
/* 0: none. Walks the shorter of both lists. */
uint32_t coho__sub_find(const struct coho__shelf *s, const struct coho__subs *of,
                        struct coho__subscriber who);

/* Its first lag, 0: it keeps up everywhere. */
uint32_t coho__sub_lag(const struct coho__sub *sub);
void coho__sub_set_lag(const struct coho__shelf *s, struct coho__sub *sub, uint32_t lag);

static inline void coho__shelf_enter(struct coho__shelf *s) { s->busy++; }
/* Frees what ended meanwhile (subscribe.c). */
void coho__shelf_leave(struct coho__shelf *s);

#endif
