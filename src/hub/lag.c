#include "hub/lag.h"

#include "hub/give.h"
#include "hub/hub.h"

#ifdef COHO_HARD
enum { FEED_MOST = 3 };
#else
enum { FEED_MOST = 256 }; /* messages for one subscriber in one turn, so that others get theirs */
#endif

struct coho__lag *coho__lag_find(const struct coho__shelf *s, const struct coho__sub *sub,
                                 const struct coho__leaf *l) {
  uint32_t n = coho__sub_lag(sub);
  /* One by pattern may lag in many topics, and many in one topic: the shorter list ends the search. */
  for (struct coho__list *node = l->lags.next; n && node != &l->lags; node = node->next) {
    struct coho__lag *here = COHO_LIST_ENTRY(node, struct coho__lag, node);
    struct coho__lag *there = coho__lag_at(s, n);
    if (coho__sub_at(s, here->sub) == sub) return here;
    if (there->leaf == l) return there;
    n = there->sibling;
  }
  return NULL;
}

struct coho__lag *coho__lag_begin(struct coho__leaf *l, uint32_t n, uint64_t next) {
  struct coho__shelf *s = l->part->shelf;
  struct coho__sub *sub = coho__sub_at(s, n);
  uint32_t number;
  struct coho__lag *lag = (struct coho__lag *)coho__pool_add(&s->lags, &number);
  if (lag && number >= COHO_SUBS_MOST) {
    coho__pool_remove(&s->lags, number);
    return NULL;
  }
  if (!lag) return NULL;
  *lag = (struct coho__lag){.leaf = l,
                            .sub = n,
                            .sibling = coho__sub_lag(sub),
                            .next = next,
                            .since_ms = coho__loop_time(s->loop)};
  coho__list_init(&lag->hungry);
  coho__list_init(&lag->slow);
  coho__list_append(&l->lags, &lag->node);
  if (l->topic->opt->slow == COHO_SLOW_BLOCK) coho__list_append(&l->part->slow, &lag->slow);
  coho__sub_set_lag(s, sub, number);
  return lag;
}

void coho__lag_count(struct coho__lag *lag) {
  const struct coho__leaf *l = lag->leaf;
  if (!coho__topic_conflates(l->topic)) return;
  coho__hub_lock(l->topic->hub);
  lag->missed = coho__history_between(&l->topic->history, lag->next, l->next);
  coho__hub_unlock(l->topic->hub);
}

static void end(struct coho__shelf *s, struct coho__lag *lag) {
  struct coho__sub *sub = coho__sub_at(s, lag->sub);
  uint32_t number = coho__sub_lag(sub), before = 0;
  while (coho__lag_at(s, number) != lag) {
    before = number;
    number = coho__lag_at(s, number)->sibling;
  }
  if (before)
    coho__lag_at(s, before)->sibling = lag->sibling;
  else
    coho__sub_set_lag(s, sub, lag->sibling);
  coho__list_remove(&lag->node);
  coho__list_remove(&lag->hungry);
  coho__list_remove(&lag->slow);
  coho__pool_remove(&s->lags, number);
}

void coho__lag_end_all(struct coho__shelf *s, uint32_t n) {
  const struct coho__sub *sub = coho__sub_at(s, n);
  while (coho__sub_lag(sub))
    end(s, coho__lag_at(s, coho__sub_lag(sub)));
}

/* ---- feeding --------------------------------------------------------------------------------- */

/* What the history has for it, up to where its loop is. */
struct ration {
  struct coho__message *messages[COHO_LEAF_BATCH];
  size_t count;
  uint64_t more; /* conflating: how many there are in all */
};

static void take(const struct coho__lag *lag, struct ration *r) {
  const struct coho__leaf *l = lag->leaf;
  const struct coho__history *h = &l->topic->history;
  coho__hub_lock(l->topic->hub);
  r->count = coho__history_from(h, lag->next, r->messages, COHO_LEAF_BATCH);
  while (r->count && r->messages[r->count - 1]->pos.offset >= l->next)
    r->count--;
  for (size_t i = 0; i < r->count; i++)
    coho__message_ref(r->messages[i]);
  r->more = lag->missed ? coho__history_between(h, lag->next, l->next) : 0;
  coho__hub_unlock(l->topic->hub);
}

/* Before the message with this offset. Results as of coho__give(). */
static int tell_gap(struct coho__lag *lag, uint64_t offset, uint64_t lost) {
  const struct coho__leaf *l = lag->leaf;
  if (!lost) return 0;
  coho_pos pos = {l->epoch, offset - 1};
  int err = coho__give_gap(l, coho__sub_at(l->part->shelf, lag->sub), lost, pos);
  if (!err) lag->next = offset;
  return err;
}

/* How many are missing before the message with this offset. */
static uint64_t lost_before(const struct coho__lag *lag, uint64_t offset) {
  return coho__topic_conflates(lag->leaf->topic) ? 0 : offset - lag->next;
}

static int give_one(struct coho__lag *lag, struct coho__message *m) {
  const struct coho__shelf *s = lag->leaf->part->shelf;
  const struct coho__sub *sub = coho__sub_at(s, lag->sub);
  struct coho__delivery d = {.message = m,
                             .topic = lag->leaf->topic->name,
                             .pattern = coho__give_pattern(coho__subs_of(s, sub))};
  int err = tell_gap(lag, m->pos.offset, lost_before(lag, m->pos.offset));
  if (!err && sub->to) err = coho__give(s, sub, &d);
  if (err) return err;
  lag->next = m->pos.offset + 1;
  if (lag->missed) lag->missed--;
  return 0;
}

/* Conflating: values that the others got and that are not to be had any more. */
static int tell_missed(struct coho__lag *lag, const struct ration *r) {
  uint64_t next = lag->next;
  uint64_t lost = lag->missed > r->more ? lag->missed - r->more : 0;
  int err = tell_gap(lag, next, lost);
  if (!err) lag->missed -= lost;
  return err;
}

/* 0: it may take more; else not now. */
static int feed_some(struct coho__lag *lag) {
  const struct coho__leaf *l = lag->leaf;
  const struct coho__sub *sub = coho__sub_at(l->part->shelf, lag->sub);
  struct ration r = {.count = 0};
  if (!lag->skips) take(lag, &r);
  int err = lag->missed ? tell_missed(lag, &r) : 0;
  for (size_t i = 0; i < r.count; i++) {
    if (!err && sub->to) err = give_one(lag, r.messages[i]);
    coho__message_unref(r.messages[i]);
  }
  if (!err && !r.count && sub->to) {
    err = tell_gap(lag, l->next, lost_before(lag, l->next));
    if (!err) lag->next = l->next;
  }
  return err;
}

static void feed_later(struct coho__lag *lag) {
  struct coho__part *p = lag->leaf->part;
  coho__list_remove(&lag->hungry);
  coho__list_append(&p->hungry, &lag->hungry);
  coho__hub_lock(p->hub);
  coho__part_post(p);
  coho__hub_unlock(p->hub);
}

void coho__lag_feed(struct coho__lag *lag) {
  struct coho__leaf *l = lag->leaf;
  uint64_t before = lag->next;
  struct coho__shelf *s = l->part->shelf;
  const struct coho__sub *sub = coho__sub_at(s, lag->sub);
  int err = 0;
  coho__shelf_enter(s);
  coho__list_remove(&lag->hungry);
  for (int given = 0; !err && sub->to && lag->next < l->next; given += COHO_LEAF_BATCH) {
    if (given >= FEED_MOST) {
      feed_later(lag);
      break;
    }
    err = feed_some(lag);
  }
  if (lag->next > before) lag->since_ms = coho__loop_time(s->loop);
  /* One that is about to end needs nothing any more. */
  bool over = lag->next == l->next || (err && err != COHO_EFULL);
  if (sub->to && over) end(s, lag);
  coho__hub_lock(l->topic->hub);
  coho__leaf_settle(l);
  coho__hub_unlock(l->topic->hub);
  coho__shelf_leave(s);
}

void coho__lag_feed_sub(struct coho__shelf *s, uint32_t n, bool inside) {
  coho__shelf_enter(s);
  for (uint32_t l = coho__sub_lag(coho__sub_at(s, n)); l;) {
    struct coho__lag *lag = coho__lag_at(s, l);
    l = lag->sibling;
    if (inside)
      feed_later(lag);
    else
      coho__lag_feed(lag);
  }
  coho__shelf_leave(s);
}

void coho__lag_feed_subscriber(struct coho__shelf *s, struct coho__subscriber who) {
  /* By what a handler did: one that is being fed now is not to be fed by that as well. */
  bool inside = s->busy > 0;
  coho__shelf_enter(s);
  for (uint32_t n = *coho__subscriber_first(who); n;) {
    const struct coho__sub *sub = coho__sub_at(s, n);
    coho__lag_feed_sub(s, n, inside);
    /* Feeding may end any of them, and with this one the way to the others is gone. */
    n = sub->to ? sub->sibling : *coho__subscriber_first(who);
  }
  coho__shelf_leave(s);
}

void coho__lag_catch_up(struct coho__leaf *l) {
  for (struct coho__list *n = l->lags.next, *next; n != &l->lags; n = next) {
    struct coho__lag *lag = COHO_LIST_ENTRY(n, struct coho__lag, node);
    next = n->next;
    /* One that cannot take more is fed when it can. */
    if (lag->waits && lag->next <= l->next) {
      lag->waits = false;
      coho__lag_count(lag);
      coho__lag_feed(lag);
    }
  }
}

/* Its topic takes no more because of it. */
static bool holds_up(const struct coho__lag *lag) {
  const struct coho__topic *t = lag->leaf->topic;
  coho__hub_lock(t->hub);
  bool so = lag->next <= coho__topic_needed(t) && coho__topic_held_up(t);
  coho__hub_unlock(t->hub);
  return so && !lag->waits;
}

/* It holds it up, and has for too long. */
static bool overdue(struct coho__lag *lag, uint64_t now_ms) {
  uint32_t most = lag->leaf->topic->opt->block_ms;
  if (!holds_up(lag)) lag->since_ms = now_ms;
  return most != UINT32_MAX && now_ms > lag->since_ms && now_ms - lag->since_ms > most;
}

void coho__lag_expire(struct coho__part *p, uint64_t now_ms) {
  coho__shelf_enter(p->shelf);
  for (struct coho__list *n = p->slow.next, *next; n != &p->slow; n = next) {
    struct coho__lag *lag = COHO_LIST_ENTRY(n, struct coho__lag, slow);
    struct coho__leaf *l = lag->leaf;
    const struct coho__sub *sub = coho__sub_at(p->shelf, lag->sub);
    next = n->next;
    if (!sub->to || !overdue(lag, now_ms)) continue;
    coho__give_close(p->shelf, sub, COHO_EFULL);
    /* Closing takes its time, and nobody is to wait for that. */
    if (sub->to) end(p->shelf, lag);
    coho__hub_lock(p->hub);
    coho__leaf_settle(l);
    coho__hub_unlock(p->hub);
  }
  coho__shelf_leave(p->shelf);
}
