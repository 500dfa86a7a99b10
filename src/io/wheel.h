/*
 * A hierarchical timer wheel: setting and stopping cost a few instructions, however many there are.
 * Deadlines are rounded up to COHO_WHEEL_STEP_MS.
 *
 * Invariants: count timers are in the slots; a bit of busy is set exactly when its slot is not
 * empty; no deadline is at or before now.
 */
#ifndef COHO_IO_WHEEL_H
#define COHO_IO_WHEEL_H

#include "base/list.h"

#include <stdint.h>

/* Each level has 64 slots, a bit of a word each; the highest reaches 2^32 ms, what is later waits
   there for another round. */
enum { COHO_WHEEL_STEP_MS = 4, COHO_WHEEL_BITS = 6, COHO_WHEEL_LEVELS = 5 };

struct coho__wheel_timer {
  struct coho__list node;
  uint64_t deadline; /* in steps */
  void (*fire)(struct coho__wheel_timer *t);
};

struct coho__wheel {
  uint64_t now; /* steps that have passed */
  size_t count; /* timers that run */
  uint64_t busy[COHO_WHEEL_LEVELS];
  struct coho__list slots[COHO_WHEEL_LEVELS << COHO_WHEEL_BITS]; /* level by level */
};

void coho__wheel_init(struct coho__wheel *w, uint64_t now_ms);
void coho__wheel_timer_init(struct coho__wheel_timer *t, void (*fire)(struct coho__wheel_timer *));
/* Starts or restarts. Fires not before now_ms + delay_ms. */
void coho__wheel_set(struct coho__wheel *w, struct coho__wheel_timer *t, uint64_t now_ms,
                     uint64_t delay_ms);
void coho__wheel_stop(struct coho__wheel *w, struct coho__wheel_timer *t); /* also when not set */
bool coho__wheel_is_set(const struct coho__wheel_timer *t);
/* Fires what is due; a fired timer is not set and may be set again from its own fire. */
void coho__wheel_turn(struct coho__wheel *w, uint64_t now_ms);
/* ms until something may be due (never too late, perhaps early), -1 for nothing. */
int coho__wheel_wait(const struct coho__wheel *w, uint64_t now_ms);
void coho__wheel_check(const struct coho__wheel *w); /* asserts the invariants */

#endif
