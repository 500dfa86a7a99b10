/*
 * The hub: topics across the loops of a process.
 *
 * Each topic has one history and one order, under the hub's lock. A loop with subscribers has a leaf
 * of the topic, which knows how far the loop is; a publish adds to the history and wakes the leaves,
 * whose loops take what is new from there and give it to their subscribers. So a publish costs no
 * memory but the message, whatever the number of loops and subscribers; a subscriber that cannot take
 * more waits at its place in the history; and who comes back goes on there.
 *
 * Where topics really live is the backplane's: it numbers messages and keeps what is published twice
 * from being so. That of this process is backplane_memory.c.
 *
 * A hub is freed with its last reference: the program's, and that of each loop that has a part of it.
 */
#ifndef COHO_HUB_HUB_H
#define COHO_HUB_HUB_H

#include "hub/backplane.h"
#include "hub/part.h"
#include "hub/topic.h"

#include <pthread.h>

/* What is done once a second, in as many turns of a loop as it takes. */
struct coho__upkeep {
  uint64_t began_ms;
  uint64_t turned_ms;       /* when the last turn was */
  size_t inhabited, topics; /* to be looked after still */
  bool posted;              /* the letter is under way, with a reference to the hub */
  struct coho__letter letter;
};

struct coho_hub {
  _Atomic size_t refs;
  coho_hub_options opt;
  struct coho__backplane *backplane;
  struct coho__list rules;     /* coho__rule, in order; the last has no pattern */
  pthread_mutex_t lock;        /* over all that follows */
  struct coho__map topics;     /* by name */
  struct coho__list rounds;    /* all topics, in the order in which they are looked after */
  struct coho__list blank;     /* those never published to, longest without use first */
  struct coho__list written;   /* the others, in the same order */
  struct coho__list holders;   /* topics with history */
  struct coho__list inhabited; /* topics with members */
  size_t inhabited_count;
  struct coho__topic *gone; /* to be freed once the lock is given back */
  uint64_t bytes;           /* of histories */
  uint64_t member_bytes;
  uint64_t arrivals;     /* of members */
  size_t pattern_count;  /* on all loops */
  uint64_t pattern_turn; /* how often one of them began or ended */
  struct coho__upkeep upkeep;
  uint64_t seed[2];
  coho_hub_stats stats; /* what is counted, not looked up */
  struct coho__part *parts[COHO_LOOPS_MAX];
};

coho_hub *coho__hub_ref(coho_hub *hub);
void coho__hub_unref(coho_hub *hub);

static inline void coho__hub_lock(coho_hub *hub) { pthread_mutex_lock(&hub->lock); }
/* Topics that are gone, with all that they held. */
void coho__hub_bury(coho_hub *hub, struct coho__topic *gone);

/* What went meanwhile is freed by who made it go, while others do not wait. */
static inline void coho__hub_unlock(coho_hub *hub) {
  struct coho__topic *gone = hub->gone;
  hub->gone = NULL;
  pthread_mutex_unlock(&hub->lock);
  if (gone) coho__hub_bury(hub, gone);
}

/* A name of 1 to 255 bytes, or the companion of one. */
bool coho__hub_read_name(const char *topic, struct coho__view *name);

/* All of these with the lock held. */

struct coho__topic *coho__hub_find(const coho_hub *hub, struct coho__view name);
/* Made when there is none, for which another may give way: it is of use now. 0, COHO_EFULL,
   COHO_ENOMEM. */
int coho__hub_need(coho_hub *hub, struct coho__view name, struct coho__topic **out);
/* One that could not be made whole. */
void coho__hub_forget(coho_hub *hub, struct coho__topic *t);
/* The histories together are over their limit: those longest without publish give way. */
void coho__hub_trim(coho_hub *hub);
/* What age takes, topics that nobody would miss, members that are gone: once a second, and what is left
   of it for another turn. */
void coho__hub_sweep(coho_hub *hub, uint64_t now_ms);
/* Numbers, keeps and delivers a message. 0 or an error, see coho_publish(). */
int coho__hub_publish(coho_hub *hub, struct coho__view topic, struct coho__message *m,
                      struct coho__view idempotency_key, coho_pos *pos);

/* Without the lock, once in a test. */
void coho__hub_check(coho_hub *hub);

#endif
