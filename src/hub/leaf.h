/*
 * A topic on one loop: its subscribers there, and how far they are. Belongs to the loop's thread, but
 * for what is marked as locked, and its making: the thread that makes a topic also makes leaves on
 * loops with a pattern that matches.
 *
 * Of a topic that conflates a loop has several, slices, each with some of its subscribers and an
 * interval of its own. So a value is never older when it is given than when the slice took it, and the
 * work is spread over the interval. Patterns get theirs by the one that is no slice.
 */
#ifndef COHO_HUB_LEAF_H
#define COHO_HUB_LEAF_H

#include "hub/part.h"
#include "hub/sub.h"
#include "hub/topic.h"

/* Subscribers of a pattern on one loop. */
struct coho__pattern {
  struct coho__subs subs;
  struct coho__list node; /* in part->patterns; locked */
  struct coho__part *part;
  char text[]; /* terminated */
};

struct coho__leaf {
  struct coho__subs subs; /* exact */
  bool slice;             /* another one of a topic that conflates */
  struct coho__topic *topic;
  struct coho__part *part;
  struct coho__list in_topic;      /* locked */
  struct coho__list in_part;       /* locked */
  struct coho__list news;          /* in part->news while there is something to deliver; locked */
  struct coho__list unsettled;     /* in part->unsettled until needed is known again */
  struct coho__list lags;          /* coho__lag */
  uint64_t epoch;                  /* of what it delivers */
  uint64_t next;                   /* the offset it delivers next; written while locked */
  uint64_t needed;                 /* the lowest that somebody here has not got; locked */
  struct coho__pattern **patterns; /* that match; locked while they change */
  uint32_t pattern_count;
  uint64_t pattern_turn;  /* of the hub, when they did */
  uint64_t round;         /* conflating: up to here it delivers before it rests */
  uint64_t round_ms;      /* when that began */
  struct coho__list rest; /* in part->resting: nothing is delivered before the timer; locked */
  struct coho__wheel_timer timer;
};

/* Locked: of this topic on this loop, the one that is no slice; made when there is none. NULL: out of
   memory. */
struct coho__leaf *coho__leaf_find(const struct coho__topic *t, const struct coho__part *part);
struct coho__leaf *coho__leaf_need(struct coho__topic *t, struct coho__part *part);
/* Locked: one for another subscriber, likewise. */
struct coho__leaf *coho__leaf_with_room(struct coho__topic *t, struct coho__part *part);
/* Locked: all of this topic on this loop. NULL: no more. */
struct coho__leaf *coho__leaf_first(const struct coho__topic *t, const struct coho__part *part);
struct coho__leaf *coho__leaf_next(const struct coho__leaf *l);
/* Locked: this pattern of its loop matches. */
bool coho__leaf_matches(const struct coho__leaf *l, const struct coho__pattern *p);
/* Locked: one that nobody has seen yet, as if it had never been. */
void coho__leaf_unmake(struct coho__leaf *l);
/* Locked, on its thread: frees it when nobody is left. */
void coho__leaf_drop_if_empty(struct coho__leaf *l);
/* Locked, on its thread, while nothing is delivered: frees it when nobody is left, or when only patterns
   keep it and its topic has nothing. */
void coho__leaf_drop_if_idle(struct coho__leaf *l, uint64_t now_ms);

/* Delivers at most COHO_LEAF_BATCH messages, and wakes it again when there are more. It may be gone
   afterwards. */
void coho__leaf_deliver(struct coho__leaf *l);
/* Locked: what is new is to be delivered. */
void coho__leaf_wake(struct coho__leaf *l);
/* Locked: who is how far has changed; what follows from that is done once in this turn or the next,
   since to find out takes a look at all that lag. */
void coho__leaf_settle(struct coho__leaf *l);
void coho__leaf_settle_now(struct coho__leaf *l); /* Locked. */

#ifdef COHO_HARD
enum { COHO_LEAF_BATCH = 2, COHO_LEAF_SLICE = 2 };
#else
enum {
  COHO_LEAF_BATCH = 64,
  COHO_LEAF_SLICE = 256 /* subscribers, to whom a value is sent in about a millisecond */
};
#endif

#endif
