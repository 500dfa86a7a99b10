#include "io/wheel.h"

#include <limits.h>

enum { SLOTS = 1 << COHO_WHEEL_BITS, MASK = SLOTS - 1 };

#define SPAN (UINT64_C(1) << (COHO_WHEEL_LEVELS * COHO_WHEEL_BITS))

static unsigned shift_of(unsigned level) { return level * COHO_WHEEL_BITS; }

static struct coho__wheel_timer *timer_of(struct coho__list *node) {
  return COHO_LIST_ENTRY(node, struct coho__wheel_timer, node);
}

void coho__wheel_init(struct coho__wheel *w, uint64_t now_ms) {
  w->now = now_ms / COHO_WHEEL_STEP_MS;
  w->count = 0;
  for (size_t i = 0; i < COHO_WHEEL_LEVELS; i++)
    w->busy[i] = 0;
  for (size_t i = 0; i < COHO_COUNT(w->slots); i++)
    coho__list_init(&w->slots[i]);
}

void coho__wheel_timer_init(struct coho__wheel_timer *t, void (*fire)(struct coho__wheel_timer *)) {
  coho__list_init(&t->node);
  t->deadline = 0;
  t->fire = fire;
}

bool coho__wheel_is_set(const struct coho__wheel_timer *t) { return !coho__list_empty(&t->node); }

/* Into the slot that the deadline has as seen from now: the further away, the higher the level. */
static void place(struct coho__wheel *w, struct coho__wheel_timer *t) {
  uint64_t distance = COHO_MIN(t->deadline - w->now, SPAN - 1);
  unsigned level = (63 - (unsigned)__builtin_clzll(distance | MASK)) / COHO_WHEEL_BITS;
  unsigned slot = (unsigned)((w->now + distance) >> shift_of(level)) & MASK;
  coho__list_append(&w->slots[level * SLOTS + slot], &t->node);
  w->busy[level] |= UINT64_C(1) << slot;
}

static void unplace(struct coho__wheel *w, struct coho__wheel_timer *t) {
  struct coho__list *prev = t->node.prev;
  bool alone = prev == t->node.next; /* then both are the slot itself */
  coho__list_remove(&t->node);
  if (alone) {
    size_t i = (size_t)(prev - w->slots);
    w->busy[i / SLOTS] &= ~(UINT64_C(1) << i % SLOTS);
  }
}

void coho__wheel_stop(struct coho__wheel *w, struct coho__wheel_timer *t) {
  if (!coho__wheel_is_set(t)) return;
  unplace(w, t);
  w->count--;
}

void coho__wheel_set(struct coho__wheel *w, struct coho__wheel_timer *t, uint64_t now_ms,
                     uint64_t delay_ms) {
  coho__wheel_stop(w, t);
  uint64_t deadline = (now_ms + delay_ms + COHO_WHEEL_STEP_MS - 1) / COHO_WHEEL_STEP_MS;
  /* The step that is being worked off takes no more: a timer that restarts itself with no delay
     must not keep the loop busy for ever. */
  t->deadline = COHO_MAX(deadline, w->now + 1);
  place(w, t);
  w->count++;
}

/* The next step at which a slot has to be looked at: fired, or moved one level down. */
static uint64_t next_step(const struct coho__wheel *w) {
  uint64_t next = UINT64_MAX;
  for (unsigned level = 0; level < COHO_WHEEL_LEVELS; level++) {
    uint64_t busy = w->busy[level];
    if (!busy) continue;
    uint64_t first = (w->now >> shift_of(level)) + 1;
    unsigned turn = (unsigned)first & MASK;
    uint64_t rotated = busy >> turn | busy << ((SLOTS - turn) & MASK);
    uint64_t at = (first + (unsigned)__builtin_ctzll(rotated)) << shift_of(level);
    next = COHO_MIN(next, at);
  }
  return next;
}

/* Where a level has just made a full turn, the next higher one moves on by one slot, and what is in
   it goes where it belongs as seen from now. */
static void cascade(struct coho__wheel *w) {
  for (unsigned level = 1; level < COHO_WHEEL_LEVELS; level++) {
    if (w->now & ((UINT64_C(1) << shift_of(level)) - 1)) return;
    struct coho__list *slot =
        &w->slots[level * SLOTS + ((unsigned)(w->now >> shift_of(level)) & MASK)];
    while (!coho__list_empty(slot)) {
      struct coho__wheel_timer *t = timer_of(slot->next);
      unplace(w, t);
      place(w, t);
    }
  }
}

static void fire(struct coho__wheel *w) {
  struct coho__list *slot = &w->slots[w->now & MASK];
  while (!coho__list_empty(slot)) {
    struct coho__wheel_timer *t = timer_of(slot->next);
    coho__wheel_stop(w, t);
    t->fire(t);
  }
}

void coho__wheel_turn(struct coho__wheel *w, uint64_t now_ms) {
  uint64_t target = now_ms / COHO_WHEEL_STEP_MS;
  while (w->now < target) {
    uint64_t next = next_step(w);
    w->now = COHO_MIN(next, target);
    if (next > target) return;
    cascade(w);
    fire(w);
  }
}

int coho__wheel_wait(const struct coho__wheel *w, uint64_t now_ms) {
  if (w->count == 0) return -1;
  uint64_t due_ms = next_step(w) * COHO_WHEEL_STEP_MS;
  if (due_ms <= now_ms) return 0;
  return (int)COHO_MIN(due_ms - now_ms, (uint64_t)INT_MAX);
}

void coho__wheel_check(const struct coho__wheel *w) {
  size_t count = 0;
  for (size_t i = 0; i < COHO_COUNT(w->slots); i++) {
    const struct coho__list *slot = &w->slots[i];
    bool busy = w->busy[i / SLOTS] >> i % SLOTS & 1;
    COHO_ASSERT(busy == !coho__list_empty(slot));
    for (struct coho__list *n = slot->next; n != slot; n = n->next) {
      COHO_ASSERT(timer_of(n)->deadline > w->now);
      count++;
    }
  }
  COHO_ASSERT(count == w->count);
}
