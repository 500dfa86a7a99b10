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

struct coho__subs *coho__subs_of(const struct coho__shelf *s, const struct coho__sub *sub) {
  struct coho__subs *const *of = (struct coho__subs *const *)coho__pool_at(&s->lists, sub->of);
  return *of;
}

struct coho__subscriber coho__subscriber_of(const struct coho__shelf *s,
                                            const struct coho__sub *sub) {
  struct coho__subscriber who = {NULL, NULL};
  if (sub->mixed & IS_SINK)
    who.sink = coho__sink_at(s, sub->to);
  else
    who.conn = s->table->slots[sub->to - 1].conn;
  return who;
}

static uint32_t number_of(struct coho__subscriber who) {
  return who.conn ? who.conn->slot + 1 : who.sink->number;
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

/* A number for a list that is about to be used. */
static bool enlist(struct coho__shelf *s, struct coho__subs *of) {
  struct coho__subs **place;
  if (of->number) return true;
  place = (struct coho__subs **)coho__pool_add(&s->lists, &of->number);
  if (place) *place = of;
  return place;
}

static void delist_if_empty(struct coho__shelf *s, struct coho__subs *of) {
  if (of->first || !of->number) return;
  coho__pool_remove(&s->lists, of->number);
  of->number = 0;
}

static void append(const struct coho__shelf *s, struct coho__subs *of, uint32_t n) {
  struct coho__sub *sub = coho__sub_at(s, n);
  sub->of = of->number;
  sub->prev = of->last;
  if (of->last)
    coho__sub_at(s, of->last)->next = n;
  else
    of->first = n;
  of->last = n;
  of->count++;
}

/* The element, without subscriber or list. */
static uint32_t make(struct coho__shelf *s) {
  uint32_t n;
  if (!coho__pool_add(&s->subs, &n)) return 0;
  if (n < COHO_SUBS_MOST) return n;
  coho__pool_remove(&s->subs, n);
  return 0;
}

uint32_t coho__sub_add(struct coho__shelf *s, struct coho__subs *of, struct coho__subscriber who) {
  bool known = (who.conn || coho__sink_enter(who.sink, s)) && enlist(s, of);
  uint32_t n = known ? make(s) : 0;
  if (!n) {
    delist_if_empty(s, of);
    return 0;
  }
  struct coho__sub *sub = coho__sub_at(s, n);
  sub->to = number_of(who);
  if (who.sink) {
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
  struct coho__subscriber who = coho__subscriber_of(s, sub);
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
  sub->to = 0;
  coho__subs_of(s, sub)->count--;
}

void coho__sub_free(struct coho__shelf *s, uint32_t n) {
  const struct coho__sub *sub = coho__sub_at(s, n);
  struct coho__subs *of = coho__subs_of(s, sub);
  COHO_ASSERT(!sub->to && !coho__sub_lag(sub));
  if (sub->prev)
    coho__sub_at(s, sub->prev)->next = sub->next;
  else
    of->first = sub->next;
  if (sub->next)
    coho__sub_at(s, sub->next)->prev = sub->prev;
  else
    of->last = sub->prev;
  coho__pool_remove(&s->subs, n);
  delist_if_empty(s, of);
}

static bool is(const struct coho__sub *sub, struct coho__subscriber who) {
  bool sink = sub->mixed & IS_SINK;
  return sub->to == number_of(who) && sink == (who.sink != NULL);
}

uint32_t coho__sub_find(const struct coho__shelf *s, const struct coho__subs *of,
                        struct coho__subscriber who) {
  uint32_t a = of->first, b = *coho__subscriber_first(who);
  while (a && b) {
    const struct coho__sub *here = coho__sub_at(s, a), *there = coho__sub_at(s, b);
    if (is(here, who)) return a;
    if (there->of == of->number) return b;
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
