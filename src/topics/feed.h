/*
 * A stream of events to one client: a reply that goes on until the client leaves, its token ends, it is
 * closed as too slow, or the server stops. What it says is told by a sink (events.h).
 */
#ifndef COHO_TOPICS_FEED_H
#define COHO_TOPICS_FEED_H

#include "base/buf.h"
#include "http/parts.h"
#include "hub/sink.h"
#include "io/wheel.h"
#include "topics/badges.h"

struct coho__feed;

struct coho__feed_ops {
  struct coho__sink_ops sink;
  /* The token ends in so many seconds. */
  void (*expiring)(struct coho__feed *f, uint64_t seconds);
};

struct coho__feed {
  const struct coho__feed_ops *ops;
  struct coho__mount *mount;
  coho_request *request;
  struct coho__sink sink;
  struct coho__badges badges;
  struct coho__task end;
  struct coho__wheel_timer silence, token;
  uint64_t said_ms; /* when it last said something */
  uint64_t until;   /* the token's end; COHO_CLAIMS_NEVER */
  bool frames;      /* below the root */
  bool warned, over;
};

/* NULL: out of memory. */
struct coho__feed *coho__feed_new(const struct coho__feed_ops *ops, struct coho__mount *m,
                                  coho_request *r, const struct coho__who *who);
/* One that has not begun. */
void coho__feed_free(struct coho__feed *f);
/* Begins the reply with these bytes; from then on it frees itself. An error: it is over, perhaps with a
   reply that is complete. */
int coho__feed_begin(struct coho__feed *f, const struct coho__buf *first);
/* Says one of both. 0; COHO_EFULL: the sink is told when there is room; COHO_ETOOBIG: it can never be
   said; anything else: it is about to end. */
int coho__feed_say(struct coho__feed *f, const struct coho__buf *text,
                   const struct coho__part *part);
/* Ends at the end of this turn. */
void coho__feed_end(struct coho__feed *f);

static inline struct coho__feed *coho__feed_of(struct coho__sink *s) {
  return COHO_CONTAINER_OF(s, struct coho__feed, sink);
}

#endif
