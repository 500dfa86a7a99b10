/*
 * The history of a topic: its last messages, by offset. Counts what it takes in bytes; the owner
 * keeps the limits. One that conflates keeps of each key the latest message only.
 *
 * Invariants: offsets rise; count is that of the messages, bytes the sum of coho__message_size(); a
 * place without message is one that a later message of its key replaced, neither the first place nor
 * the last is so, and at most half of the places and 16 more are.
 */
#ifndef COHO_HUB_HISTORY_H
#define COHO_HUB_HISTORY_H

#include "base/map.h"
#include "hub/message.h"

#include <stdbool.h>

struct coho__history_place {
  uint64_t offset;
  struct coho__message *message; /* NULL: replaced */
};

struct coho__history {
  struct coho__history_place *places; /* a ring */
  size_t cap, head, used;             /* places; cap is a power of two, or 0 while empty */
  size_t count;                       /* messages */
  uint64_t bytes;                     /* messages, with their places and keys */
  bool conflates;
  struct coho__map keys; /* to messages, when it conflates */
};

void coho__history_init(struct coho__history *h, bool conflates, const uint64_t seed[2]);
void coho__history_free(struct coho__history *h);
/* Adds a message with an offset above all others; takes a reference of its own. 0 or COHO_ENOMEM; then
   nothing has changed. */
int coho__history_add(struct coho__history *h, struct coho__message *m);
/* The oldest message; NULL: empty. */
struct coho__message *coho__history_first(const struct coho__history *h);
void coho__history_drop_first(struct coho__history *h); /* not empty */
/* Borrows into out at most max messages from this offset on, in order; returns how many. */
size_t coho__history_from(const struct coho__history *h, uint64_t offset,
                          struct coho__message **out, size_t max);
/* How many messages there are with from <= offset < to. */
size_t coho__history_between(const struct coho__history *h, uint64_t from, uint64_t to);
/* Borrows the last n messages, or fewer, in order. */
size_t coho__history_last(const struct coho__history *h, struct coho__message **out, size_t n);
void coho__history_check(const struct coho__history *h);

#endif
