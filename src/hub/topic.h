/*
 * A topic, for all loops: its history, its position, and on which loops it has subscribers. All of it
 * is the hub's, under its lock, but for opt, hub and name, which do not change.
 *
 * A topic lives while it has subscribers, history or members, and after its last message as long as the
 * epoch is to live; when there are too many, while it has subscribers or members. Who follows by pattern
 * keeps none.
 */
#ifndef COHO_HUB_TOPIC_H
#define COHO_HUB_TOPIC_H

#include "hub/history.h"
#include "hub/members.h"
#include "hub/pattern.h"

/* Options with their defaults filled in; they apply to names that the pattern matches. */
struct coho__rule {
  struct coho__list node;
  coho_topic_options opt;
  char *pattern; /* NULL: everything */
};

/* Who waits for a topic to take messages again. */
struct coho__room_waiter {
  struct coho__list node;
  void (*tell)(struct coho__room_waiter *w); /* the hub's lock is held; it is in no list any more */
};

struct coho__topic {
  coho_hub *hub;
  const coho_topic_options *opt;
  struct coho__list round;     /* in hub->rounds */
  struct coho__list use;       /* in hub->blank or hub->written */
  struct coho__list inhabited; /* in hub->inhabited while it has members */
  struct coho__list
      holder; /* in hub->holders while it has history, longest without publish first */
  struct coho__list leaves;  /* coho__leaf: of each loop that has it, see leaf.h */
  struct coho__list waiters; /* coho__room_waiter */
  size_t leaf_count;
  size_t subscribers; /* exact */
  coho_pos last;      /* of the last message */
  uint64_t trimmed;   /* offset of the last message that a limit took out of the history */
  uint64_t used_ms;   /* when the last message came */
  uint64_t dropped;
  uint64_t pattern_turn; /* of the hub, when all loops with a pattern that matches had a leaf */
  size_t refused;        /* what the last message took, when somebody slow left no room for it */
  struct coho__history history;
  struct coho__members *members; /* NULL: nobody */
  void *store;                   /* the backplane's */
  struct coho__topic *gone;      /* the next in hub->gone */
  size_t name_len;
  char name[]; /* terminated */
};

struct coho__view coho__topic_name(const struct coho__topic *t);
/* In the hub's index. NULL: out of memory. */
struct coho__topic *coho__topic_new(coho_hub *hub, struct coho__view name,
                                    const coho_topic_options *opt);
/* Without leaves: it is in the hub no more. */
void coho__topic_leave(struct coho__topic *t);
void coho__topic_free(struct coho__topic *t); /* then; without the lock */
/* Somebody uses it now, or still. */
void coho__topic_use(struct coho__topic *t);

/* The message with the next number, m->pos, came: keeps it, tells all loops. 0 or COHO_ENOMEM. */
int coho__topic_arrive(struct coho__topic *t, struct coho__message *m);
/* Whether one more of this size would take from the history what a subscriber still wants: then a
   topic that blocks takes no more. */
bool coho__topic_blocked(const struct coho__topic *t, size_t size);
/* The same for the message that it refused last; false: it refused none, or has taken one since. */
bool coho__topic_held_up(const struct coho__topic *t);
/* Whether a message of this size fits into an empty history. */
bool coho__topic_holds(const struct coho__topic *t, size_t size);
/* Takes out of the history what is over its limits. */
void coho__topic_trim(struct coho__topic *t, uint64_t now_ms);
/* The same, at most so many messages; returns how many. */
size_t coho__topic_trim_some(struct coho__topic *t, uint64_t now_ms, size_t most);
/* The first of its messages makes room for other topics. */
void coho__topic_give_way(struct coho__topic *t);
/* Where somebody starts who asks for what came after since (NULL: from now on). */
coho_start coho__topic_start(const struct coho__topic *t, const coho_pos *since);
/* The lowest offset that some subscriber has not got yet; UINT64_MAX: none. */
uint64_t coho__topic_needed(const struct coho__topic *t);
/* needed rose: whoever waits for room is told. */
void coho__topic_tell_waiters(struct coho__topic *t);
bool coho__topic_conflates(const struct coho__topic *t);
/* Nobody would miss it but those who follow by pattern; or only who comes back would, and the hub has so
   many topics that some are to give way. */
bool coho__topic_idle(const struct coho__topic *t, uint64_t now_ms);
/* Nobody would miss it. */
bool coho__topic_dead(const struct coho__topic *t, uint64_t now_ms);
/* Nobody is there who would miss it now: it may give way to another. */
bool coho__topic_deserted(const struct coho__topic *t);
void coho__topic_check(const struct coho__topic *t);

#endif
