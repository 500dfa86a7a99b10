/*
 * A sink: a subscriber that is no connection, such as a stream of events, or a connection that carries
 * many topics. It belongs to a loop.
 *
 * Its functions are called on the loop's thread; they do not end the sink, nor begin or end
 * subscriptions of it, but put that off to the end of the turn.
 */
#ifndef COHO_HUB_SINK_H
#define COHO_HUB_SINK_H

#include "hub/message.h"

#include <coho/hub.h>

struct coho__sink;

/* A message on its way to a subscriber. */
struct coho__delivery {
  struct coho__message *message;
  const char *topic;
  const char *pattern; /* by which it was subscribed; NULL: by the topic */
  bool live;           /* message->live may be used */
};

struct coho__sink_ops {
  /* Takes a message: 0; COHO_EFULL: it cannot now, and coho__sink_ready() will be called; anything
     else: it is about to end. */
  int (*message)(struct coho__sink *s, const struct coho__delivery *d);
  /* lost messages of the topic are missing before what follows pos. Results as above. */
  int (*gap)(struct coho__sink *s, const char *topic, const char *pattern, uint64_t lost,
             coho_pos pos);
  /* It is to be closed: COHO_EFULL, it is too slow; COHO_ENOMEM. */
  void (*close)(struct coho__sink *s, int err);
};

struct coho__sink {
  const struct coho__sink_ops *ops;
  coho_loop *loop;
  uint32_t subs;   /* the first of its subscriptions, 0: none */
  uint32_t number; /* on its loop, once it subscribed or stands for a connection; 0: neither */
  uint32_t count;  /* of its subscriptions */
};

void coho__sink_init(struct coho__sink *s, const struct coho__sink_ops *ops, coho_loop *loop);
/* It stands for this connection, which has no subscriptions of its own: it is ready when the connection
   can take more, and what it follows is what the connection follows. 0 or COHO_ENOMEM. */
int coho__sink_bind(struct coho__sink *s, coho_conn *c);
/* Ends all its subscriptions, and stands for nobody any more. Of each that ever subscribed, or could not
   for want of memory, before it goes. */
void coho__sink_end(struct coho__sink *s);
/* It can take more: what it missed follows, as far as it goes. Also begins what a subscription asked
   for. */
void coho__sink_ready(struct coho__sink *s);

/* fn for each of its subscriptions, which it may end; name is terminated. */
void coho__sink_each(struct coho__sink *s,
                     void (*fn)(void *ctx, struct coho__view name, bool pattern), void *ctx);

/* As coho_subscribe() and so on. since NULL: from now on. */
int coho__sink_subscribe(coho_hub *hub, struct coho__sink *s, struct coho__view topic,
                         const coho_pos *since, coho_start *start);
int coho__sink_subscribe_pattern(coho_hub *hub, struct coho__sink *s, struct coho__view pattern);
int coho__sink_unsubscribe(coho_hub *hub, struct coho__sink *s, struct coho__view topic);
int coho__sink_unsubscribe_pattern(coho_hub *hub, struct coho__sink *s, struct coho__view pattern);

#endif
