#include "hub/sub.h"

#include "base/alloc.h"
#include "hub/lag.h"
#include "ws/conn.h"

/*
 * The list of a subscriber is walked by sibling, and a subscription knows its place in it: the one
 * before or, as the first, how many there are. While it lags the first of its lags keeps the place.
 */
#define IS_SINK ((uint32_t)1 << 31)
#define HAS_LAG COHO_SUBS_MOST
#define NUMBER  (HAS_LAG - 1)

/* ---- the shelf ------------------------------------------------------------------------------ */

struct coho__subscriber coho__subscriber_of(const struct coho__sub *sub) {
  struct coho__subscriber who = {NULL, NULL};
  if (sub->mixed & IS_SINK)
    who.sink = sub->to.sink;
  else
    who.conn = sub->to.conn;
  return who;
}

uint32_t *coho__subscriber_first(struct coho__subscriber who) {
  return who.conn ? &who.conn->attached : &who.sink->subs;
}

static uint32_t place(const struct coho__shelf *s, const struct coho__sub *sub) {
  uint32_t n = sub->mixed & NUMBER;
  return sub->mixed & HAS_LAG ? coho__lag_at(s, n)->place : n;
}

static void set_place(const struct coho__shelf *s, struct coho__sub *sub, uint32_t n) {
  if (sub->mixed & HAS_LAG)
    coho__lag_at(s, sub->mixed & NUMBER)->place = n;
  else
    sub->mixed = (sub->mixed & IS_SINK) | n;
}

uint32_t coho__subscriber_count(const struct coho__shelf *s, struct coho__subscriber who) {
  uint32_t first = *coho__subscriber_first(who);
  return first ? place(s, coho__sub_at(s, first)) : 0;
}

/* ---- subscriptions -------------------------------------------------------------------------- */

static void append(const struct coho__shelf *s, struct coho__subs *of, uint32_t n) {
  struct coho__sub *sub = coho__sub_at(s, n);
  sub->of = of;
  sub->prev = of->last;
  if (of->last)
    coho__sub_at(s, of->last)->next = n;
  else
    of->first = n;
  of->last = n;
  of->count++;
}

uint32_t coho__sub_add(struct coho__shelf *s, struct coho__subs *of, struct coho__subscriber who) {
  uint32_t n;
  struct coho__sub *sub = (struct coho__sub *)coho__pool_add(&s->subs, &n);
  if (sub && n >= COHO_SUBS_MOST) {
    coho__pool_remove(&s->subs, n);
    return 0;
  }
  if (!sub) return 0;
  if (who.conn) {
    sub->to.conn = who.conn;
  } else {
    sub->to.sink = who.sink;
    sub->mixed = IS_SINK;
    who.sink->count++;
  }
  append(s, of, n);
  uint32_t *first = coho__subscriber_first(who);
  set_place(s, sub, coho__subscriber_count(s, who) + 1);
  if (*first) set_place(s, coho__sub_at(s, *first), n);
  sub->sibling = *first;
  *first = n;
  return n;
}

void coho__sub_end(struct coho__shelf *s, uint32_t n) {
  struct coho__sub *sub = coho__sub_at(s, n);
  struct coho__subscriber who = coho__subscriber_of(sub);
  uint32_t *first = coho__subscriber_first(who), count = coho__subscriber_count(s, who);
  uint32_t before = *first == n ? 0 : place(s, sub);
  if (before)
    coho__sub_at(s, before)->sibling = sub->sibling;
  else
    *first = sub->sibling;
  if (sub->sibling) set_place(s, coho__sub_at(s, sub->sibling), before);
  if (*first) set_place(s, coho__sub_at(s, *first), count - 1);
  sub->sibling = 0;
  if (who.sink) who.sink->count--;
  sub->to.conn = NULL;
  sub->of->count--;
}

void coho__sub_free(struct coho__shelf *s, uint32_t n) {
  const struct coho__sub *sub = coho__sub_at(s, n);
  struct coho__subs *of = sub->of;
  COHO_ASSERT(!sub->to.conn && !coho__sub_lag(sub));
  if (sub->prev)
    coho__sub_at(s, sub->prev)->next = sub->next;
  else
    of->first = sub->next;
  if (sub->next)
    coho__sub_at(s, sub->next)->prev = sub->prev;
  else
    of->last = sub->prev;
  coho__pool_remove(&s->subs, n);
}

static bool is(const struct coho__sub *sub, struct coho__subscriber who) {
  struct coho__subscriber has = coho__subscriber_of(sub);
  return has.conn == who.conn && has.sink == who.sink;
}

uint32_t coho__sub_find(const struct coho__shelf *s, const struct coho__subs *of,
                        struct coho__subscriber who) {
  uint32_t a = of->first, b = *coho__subscriber_first(who);
  while (a && b) {
    const struct coho__sub *here = coho__sub_at(s, a), *there = coho__sub_at(s, b);
    if (is(here, who)) return a;
    if (there->of == of) return b;
    a = here->next;
    b = there->sibling;
  }
  return 0;
}

uint32_t coho__sub_lag(const struct coho__sub *sub) {
  return sub->mixed & HAS_LAG ? sub->mixed & NUMBER : 0;
}

void coho__sub_set_lag(const struct coho__shelf *s, struct coho__sub *sub, uint32_t lag) {
  uint32_t kept = place(s, sub);
  sub->mixed = (sub->mixed & IS_SINK) | (lag ? HAS_LAG | lag : 0);
  set_place(s, sub, kept);
}
