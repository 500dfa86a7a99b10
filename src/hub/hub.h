/*
 * The hub: exact topics across the loops of a process.
 *
 * Each loop has subscriber sets of its own (topic.h). The index, under a lock, knows which loops
 * have a name at all, so that a publish frames the message once and posts one letter to each of
 * them, also to the one it was called on. That makes one order for all: every subscriber sees
 * the publishes of a topic in the order in which they took the lock. A loop delivers in its mailbox
 * phase; connections are flushed at the end of its turn, once each. Since delivery is later than
 * the publish, both are numbered: who subscribes after a publish does not get it.
 *
 * A hub is freed with its last reference: the program's, that of each loop with subscribers, and
 * that of each publication under way.
 */
#ifndef COHO_HUB_HUB_H
#define COHO_HUB_HUB_H

#include "hub/topic.h"
#include "io/mailbox.h"

#include <pthread.h>

/* The part of one loop; there is one while it has subscribers. */
struct coho__hub_loop {
  coho_hub *hub;
  uint32_t index; /* of the loop */
  struct coho__mailbox *mailbox;
  struct coho__topics topics;
};

/* A name that somebody subscribed. */
struct coho__hub_entry {
  struct coho__list topics; /* coho__topic, one for each loop */
  size_t loops;             /* how many */
  size_t subscribers;       /* on all of them */
};

struct coho_hub {
  _Atomic size_t refs;
  pthread_mutex_t lock;
  uint64_t publications;                        /* so far; locked */
  struct coho__map index;                       /* name to coho__hub_entry; locked */
  struct coho__hub_loop *loops[COHO_LOOPS_MAX]; /* each belongs to its loop's thread */
};

#endif
