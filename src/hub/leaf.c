#include "hub/leaf.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "hub/give.h"
#include "hub/hub.h"
#include "hub/lag.h"
#include "hub/pattern.h"

#include <string.h>

static struct coho__leaf *leaf_of(struct coho__list *in_topic) {
  return COHO_LIST_ENTRY(in_topic, struct coho__leaf, in_topic);
}

/* ---- life ------------------------------------------------------------------------------------ */

/* The first of this loop, from node on. */
static struct coho__leaf *look_on(const struct coho__topic *t, const struct coho__part *part,
                                  struct coho__list *node) {
  while (node != &t->leaves && leaf_of(node)->part != part)
    node = node->next;
  return node == &t->leaves ? NULL : leaf_of(node);
}

struct coho__leaf *coho__leaf_first(const struct coho__topic *t, const struct coho__part *part) {
  return look_on(t, part, t->leaves.next);
}

struct coho__leaf *coho__leaf_next(const struct coho__leaf *l) {
  return look_on(l->topic, l->part, l->in_topic.next);
}

struct coho__leaf *coho__leaf_find(const struct coho__topic *t, const struct coho__part *part) {
  struct coho__leaf *l = coho__leaf_first(t, part);
  while (l && l->slice)
    l = coho__leaf_next(l);
  return l;
}

static void free_patterns(struct coho__leaf *l) {
  coho__free(l->patterns, l->pattern_count * sizeof(struct coho__pattern *));
  l->patterns = NULL;
  l->pattern_count = 0;
}

bool coho__leaf_matches(const struct coho__leaf *l, const struct coho__pattern *p) {
  struct coho__view name = coho__topic_name(l->topic);
  return !l->slice && !coho__topic_is_companion(name) &&
         coho__pattern_matches(coho__view_of(p->text), name);
}

/* How many match; they are put into out unless it is NULL. */
static uint32_t find_patterns(const struct coho__leaf *l, struct coho__pattern **out) {
  const struct coho__part *part = l->part;
  uint32_t count = 0;
  for (struct coho__list *n = part->patterns.next; n != &part->patterns; n = n->next) {
    struct coho__pattern *p = COHO_LIST_ENTRY(n, struct coho__pattern, node);
    if (!coho__leaf_matches(l, p)) continue;
    if (out) out[count] = p;
    count++;
  }
  return count;
}

/* Locked: what matches now. False: out of memory. */
static bool match_again(struct coho__leaf *l) {
  uint64_t turn = l->topic->hub->pattern_turn;
  if (l->pattern_turn == turn) return true;
  free_patterns(l); /* some may be gone */
  uint32_t count = find_patterns(l, NULL);
  if (count) {
    l->patterns = (struct coho__pattern **)coho__alloc(count * sizeof(struct coho__pattern *));
    if (!l->patterns) return false;
    l->pattern_count = find_patterns(l, l->patterns);
  }
  l->pattern_turn = turn;
  return true;
}

/* Locked. */
static bool has_patterns(const struct coho__leaf *l) {
  if (l->slice) return false;
  bool known = l->pattern_turn == l->topic->hub->pattern_turn;
  return known ? l->pattern_count > 0 : coho__part_matches(l->part, coho__topic_name(l->topic));
}

static void on_rested(struct coho__wheel_timer *timer) {
  struct coho__leaf *l = COHO_CONTAINER_OF(timer, struct coho__leaf, timer);
  coho__hub_lock(l->topic->hub);
  coho__list_remove(&l->rest);
  if (l->next <= l->topic->last.offset) coho__leaf_wake(l);
  coho__hub_unlock(l->topic->hub);
}

static struct coho__leaf *new_leaf(struct coho__topic *t, struct coho__part *part) {
  struct coho__leaf *l = (struct coho__leaf *)coho__alloc(sizeof *l);
  if (!l) return NULL;
  *l = (struct coho__leaf){
      .topic = t, .part = part, .epoch = t->last.epoch, .next = t->last.offset + 1};
  l->needed = l->next;
  l->round = t->last.offset;
  coho__list_init(&l->news);
  coho__list_init(&l->unsettled);
  coho__list_init(&l->lags);
  coho__list_init(&l->rest);
  coho__wheel_timer_init(&l->timer, on_rested);
  return l;
}

static struct coho__leaf *add_leaf(struct coho__topic *t, struct coho__part *part, bool slice) {
  struct coho__leaf *l = new_leaf(t, part);
  if (!l) return NULL;
  l->slice = slice;
  coho__list_append(&t->leaves, &l->in_topic);
  coho__list_append(&part->leaves, &l->in_part);
  t->leaf_count++;
  return l;
}

struct coho__leaf *coho__leaf_need(struct coho__topic *t, struct coho__part *part) {
  struct coho__leaf *l = coho__leaf_find(t, part);
  return l ? l : add_leaf(t, part, false);
}

struct coho__leaf *coho__leaf_with_room(struct coho__topic *t, struct coho__part *part) {
  if (!coho__topic_conflates(t)) return coho__leaf_need(t, part);
  struct coho__leaf *l = coho__leaf_first(t, part);
  bool some = l;
  while (l && l->subs.count >= COHO_LEAF_SLICE)
    l = coho__leaf_next(l);
  return l ? l : add_leaf(t, part, some);
}

/* What it will not deliver any more. */
static void pass_by(const struct coho__leaf *l) {
  struct coho__message *batch[COHO_LEAF_BATCH];
  uint64_t next = l->next;
  size_t n;
  while ((n = coho__history_from(&l->topic->history, next, batch, COHO_LEAF_BATCH))) {
    for (size_t i = 0; i < n; i++)
      coho__message_done(batch[i]);
    next = batch[n - 1]->pos.offset + 1;
  }
}

static void free_leaf(struct coho__leaf *l) {
  coho__list_remove(&l->in_topic);
  coho__list_remove(&l->in_part);
  coho__list_remove(&l->news);
  coho__list_remove(&l->unsettled);
  coho__list_remove(&l->rest);
  l->topic->leaf_count--;
  free_patterns(l);
  coho__free(l, sizeof *l);
}

void coho__leaf_unmake(struct coho__leaf *l) { free_leaf(l); }

static void drop_leaf(struct coho__leaf *l) {
  struct coho__topic *t = l->topic;
  COHO_ASSERT(coho__list_empty(&l->lags));
  pass_by(l);
  coho__loop_stop_timer(l->part->loop, &l->timer);
  free_leaf(l);
  coho__topic_tell_waiters(t);
}

void coho__leaf_drop_if_empty(struct coho__leaf *l) {
  if (!l->subs.first && !has_patterns(l)) drop_leaf(l);
}

void coho__leaf_drop_if_idle(struct coho__leaf *l, uint64_t now_ms) {
  struct coho__topic *t = l->topic;
  if (l->subs.first || !coho__list_empty(&l->lags)) return;
  bool idle = l->next > t->last.offset && coho__topic_idle(t, now_ms);
  if (!idle && has_patterns(l)) return;
  t->pattern_turn = 0; /* its next use gives it back */
  drop_leaf(l);
}

/* ---- delivering ------------------------------------------------------------------------------ */

/* What is given to each subscriber in one go. */
struct batch {
  struct coho__message *messages[COHO_LEAF_BATCH];
  size_t count;
  uint64_t from, to; /* offsets, of which some may be missing */
};

void coho__leaf_wake(struct coho__leaf *l) {
  if (!coho__list_empty(&l->rest) || !coho__list_empty(&l->news)) return;
  coho__list_append(&l->part->news, &l->news);
  coho__part_post(l->part);
}

/* What it delivers now ends here. What comes while it delivers belongs to the next round of one that
   conflates, after the rest. */
static uint64_t end_of_round(struct coho__leaf *l) {
  bool conflates = coho__topic_conflates(l->topic);
  if (conflates && l->next <= l->round) return l->round;
  l->round = l->topic->last.offset;
  if (conflates) l->round_ms = coho__clock_ms(); /* the loop's is that of the turn's beginning */
  return l->round;
}

static void take(struct coho__leaf *l, struct batch *b) {
  struct coho__topic *t = l->topic;
  coho__hub_lock(t->hub);
  *b = (struct batch){.from = l->next, .to = l->next};
  if (!match_again(l)) { /* then in another turn */
    coho__hub_unlock(t->hub);
    return;
  }
  uint64_t end = end_of_round(l) + 1;
  b->to = end;
  b->count = coho__history_from(&t->history, l->next, b->messages, COHO_LEAF_BATCH);
  if (b->count == COHO_LEAF_BATCH) b->to = COHO_MIN(end, b->messages[b->count - 1]->pos.offset + 1);
  while (b->count && b->messages[b->count - 1]->pos.offset >= end)
    b->count--;
  for (size_t i = 0; i < b->count; i++)
    coho__message_ref(b->messages[i]);
  l->next = b->to;
  coho__hub_unlock(t->hub);
}

/* It cannot take the message with index i. */
static void fall_behind(struct coho__leaf *l, uint32_t n, uint64_t next, const struct batch *b,
                        size_t i) {
  const struct coho__sub *sub = coho__sub_at(l->part->shelf, n);
  if (l->topic->opt->slow == COHO_SLOW_DISCONNECT) {
    coho__give_close(l->part->shelf, sub, COHO_EFULL);
    return;
  }
  struct coho__lag *lag = coho__lag_begin(l, n, next);
  if (!lag) {
    coho__give_close(l->part->shelf, sub, COHO_ENOMEM);
    return;
  }
  lag->skips = l->topic->opt->slow == COHO_SLOW_DROP_NEWEST;
  lag->missed = coho__topic_conflates(l->topic) ? b->count - i : 0;
}

/* The whole batch to one subscriber, as far as it takes it. */
static void give_batch(struct coho__leaf *l, uint32_t n, const struct batch *b,
                       const char *pattern) {
  const struct coho__shelf *s = l->part->shelf;
  const struct coho__sub *sub = coho__sub_at(s, n);
  struct coho__delivery d = {.topic = l->topic->name, .pattern = pattern, .live = true};
  bool sparse = coho__topic_conflates(l->topic);
  uint64_t next = b->from;
  int err = 0;
  for (size_t i = 0; i <= b->count && !err && sub->to; i++) {
    uint64_t offset = i < b->count ? b->messages[i]->pos.offset : b->to;
    /* The loop itself was too slow: the history has lost them. */
    if (!sparse && offset > next)
      err = coho__give_gap(l, sub, offset - next, (coho_pos){l->epoch, offset - 1});
    if (!err) next = offset;
    if (!err && i < b->count && sub->to) {
      d.message = b->messages[i];
      err = coho__give(s, sub, &d);
      if (!err) next = offset + 1;
    }
    if (err == COHO_EFULL) fall_behind(l, n, next, b, i);
  }
}

/* To all who keep up. Who subscribes meanwhile comes later in the list, and lags. */
static void give_all(struct coho__leaf *l, struct coho__subs *subs, const struct batch *b) {
  const struct coho__shelf *s = l->part->shelf;
  const char *pattern = coho__give_pattern(subs);
  for (uint32_t n = subs->first; n;) {
    const struct coho__sub *sub = coho__sub_at(s, n);
    if (sub->to && !coho__lag_find(s, sub, l)) give_batch(l, n, b, pattern);
    n = sub->next;
  }
}

static void count_missed(const struct coho__leaf *l, size_t n) {
  if (!coho__topic_conflates(l->topic)) return;
  for (struct coho__list *node = l->lags.next; node != &l->lags; node = node->next) {
    struct coho__lag *lag = COHO_LIST_ENTRY(node, struct coho__lag, node);
    if (!lag->waits) lag->missed += n;
  }
}

/* Locked. An eighth of the interval is left for the next round to reach everybody, so that what is
   published does within the interval. */
static void rest(struct coho__leaf *l) {
  coho_loop *loop = l->part->loop;
  uint32_t interval = l->topic->opt->interval_ms;
  uint64_t until = l->round_ms + interval - interval / 8, now = coho__loop_time(loop);
  coho__list_remove(&l->news);
  coho__list_append(&l->part->resting, &l->rest);
  coho__loop_set_timer(loop, &l->timer, until > now ? until - now : 0);
}

/* What came while it was at work, or rests until it may go on. */
static void go_on(struct coho__leaf *l) {
  struct coho__topic *t = l->topic;
  coho__hub_lock(t->hub);
  if (coho__topic_conflates(t) && l->next > l->round) rest(l);
  if (l->next <= t->last.offset) coho__leaf_wake(l);
  coho__leaf_settle(l);
  coho__hub_unlock(t->hub);
}

void coho__leaf_deliver(struct coho__leaf *l) {
  struct coho__shelf *s = l->part->shelf;
  struct batch b;
  coho__shelf_enter(s);
  take(l, &b);
  count_missed(l, b.count); /* who falls behind now counts for itself */
  give_all(l, &l->subs, &b);
  for (uint32_t i = 0; i < l->pattern_count; i++)
    give_all(l, &l->patterns[i]->subs, &b);
  for (size_t i = 0; i < b.count; i++) {
    coho__message_done(b.messages[i]);
    coho__message_unref(b.messages[i]);
  }
  coho__lag_catch_up(l);
  go_on(l);
  coho__shelf_leave(s);
}

/* ---- how far it is --------------------------------------------------------------------------- */

void coho__leaf_settle(struct coho__leaf *l) {
  const coho_topic_options *opt = l->topic->opt;
  if (opt->slow != COHO_SLOW_BLOCK && !(opt->flags & COHO_NO_HISTORY)) return;
  if (coho__list_empty(&l->unsettled)) coho__list_append(&l->part->unsettled, &l->unsettled);
  coho__part_post(l->part);
}

void coho__leaf_settle_now(struct coho__leaf *l) {
  uint64_t needed = l->next;
  for (struct coho__list *n = l->lags.next; n != &l->lags; n = n->next) {
    const struct coho__lag *lag = COHO_LIST_ENTRY(n, struct coho__lag, node);
    /* One that gets nothing of what is there needs nothing of it. */
    if (!lag->skips) needed = COHO_MIN(needed, lag->next);
  }
  if (needed == l->needed) return;
  l->needed = needed;
  if (l->topic->opt->flags & COHO_NO_HISTORY) coho__topic_trim(l->topic, coho__clock_ms());
  coho__topic_tell_waiters(l->topic);
}
