#include "hub/subscribe.h"

#include "base/alloc.h"
#include "base/sized.h"
#include "hub/give.h"
#include "hub/hub.h"
#include "hub/lag.h"
#include "hub/pattern.h"
#include "ws/conn.h"

#include <string.h>

enum {
  SUBS_SHIFT = 9, /* 12 KiB at a time, of which next to nothing is overhead */
  SOME_SHIFT = 6,
  FEW_SHIFT = 4 /* mostly there are none */
};

/* ---- the shelf of a loop --------------------------------------------------------------------- */

/* Who gets what c is to get. */
static struct coho__subscriber subscriber(const struct coho__shelf *s, coho_conn *c) {
  struct coho__sink *sink = coho__shelf_sink(s, c);
  return sink ? (struct coho__subscriber){.sink = sink} : (struct coho__subscriber){.conn = c};
}

static void on_conn_gone(coho_conn *c) {
  struct coho__shelf *s = coho__shelf_of(coho__conn_loop(c));
  coho__subscription_end_all(s, subscriber(s, c));
}

static void on_conn_room(coho_conn *c) {
  struct coho__shelf *s = coho__shelf_of(coho__conn_loop(c));
  coho__lag_feed_subscriber(s, subscriber(s, c));
}

const char *coho__subs_name(struct coho__subs *of) {
  if (of->pattern) return COHO_CONTAINER_OF(of, struct coho__pattern, subs)->text;
  return COHO_CONTAINER_OF(of, struct coho__leaf, subs)->topic->name;
}

static int list_topics(const coho_conn *c, struct coho__buf *out) {
  const struct coho__shelf *s = (const struct coho__shelf *)c->home->table->attachments;
  const struct coho__sink *sink = coho__shelf_sink(s, c);
  int err = 0;
  for (uint32_t n = sink ? sink->subs : c->attached; n && !err;) {
    const struct coho__sub *sub = coho__sub_at(s, n);
    err =
        coho__buf_printf(out, "%s%s", out->len ? " " : "", coho__subs_name(coho__subs_of(s, sub)));
    n = sub->sibling;
  }
  return err;
}

static void free_shelf(void *shelf) {
  struct coho__shelf *s = (struct coho__shelf *)shelf;
  COHO_ASSERT(!s->subs.used && !s->lags.used && !s->lists.used && !s->sinks.used);
  coho__pool_free(&s->sinks);
  coho__pool_free(&s->lists);
  coho__pool_free(&s->subs);
  coho__pool_free(&s->lags);
  coho__free(s, sizeof *s);
}

static const struct coho__attached_ops attached_ops = {
    .gone = on_conn_gone, .room = on_conn_room, .free = free_shelf, .topics = list_topics};

struct coho__shelf *coho__shelf_of(coho_loop *loop) {
  struct coho__conn_table *t = coho__conn_table_of(loop);
  if (!t) return NULL;
  if (t->attachments) return (struct coho__shelf *)t->attachments;
  struct coho__shelf *s = (struct coho__shelf *)coho__zalloc(sizeof *s);
  if (!s) return NULL;
  s->loop = loop;
  s->table = t;
  coho__pool_init(&s->subs, sizeof(struct coho__sub), SUBS_SHIFT);
  coho__pool_init(&s->lags, sizeof(struct coho__lag), FEW_SHIFT);
  coho__pool_init(&s->lists, sizeof(struct coho__subs *), SOME_SHIFT);
  coho__pool_init(&s->sinks, sizeof(struct coho__sink *), SOME_SHIFT);
  t->attached_ops = &attached_ops;
  t->attachments = s;
  return s;
}

/* ---- ending ---------------------------------------------------------------------------------- */

static struct coho__leaf *leaf_of(struct coho__subs *of) {
  return COHO_CONTAINER_OF(of, struct coho__leaf, subs);
}

static struct coho__pattern *pattern_of(struct coho__subs *of) {
  return COHO_CONTAINER_OF(of, struct coho__pattern, subs);
}

static struct coho__part *part_of(struct coho__subs *of) {
  return of->pattern ? pattern_of(of)->part : leaf_of(of)->part;
}

/* Locked. Leaves that only patterns kept go with the last of these, or one after the other. */
static void drop_leaves_of_patterns(struct coho__part *part) {
  if (part->pattern_count) return;
  for (struct coho__list *n = part->leaves.next, *next; n != &part->leaves; n = next) {
    next = n->next;
    coho__leaf_drop_if_empty(COHO_LIST_ENTRY(n, struct coho__leaf, in_part));
  }
}

/* Locked: one that was added, or is to be removed. */
static void count_pattern(struct coho__part *part, bool more) {
  if (more) {
    part->pattern_count++;
    part->hub->pattern_count++;
  } else {
    part->pattern_count--;
    part->hub->pattern_count--;
  }
  part->hub->pattern_turn++;
}

/* Locked. */
static void drop_pattern_if_empty(struct coho__pattern *p) {
  struct coho__part *part = p->part;
  if (p->subs.first) return;
  coho__list_remove(&p->node);
  count_pattern(part, false);
  coho__free(p, sizeof *p + strlen(p->text) + 1);
  drop_leaves_of_patterns(part);
}

/* Locked: a topic or pattern, perhaps with its part. */
static void drop_if_empty(struct coho__subs *of) {
  struct coho__part *part = part_of(of);
  if (of->pattern)
    drop_pattern_if_empty(pattern_of(of));
  else
    coho__leaf_drop_if_empty(leaf_of(of));
  coho__part_drop_if_empty(part);
}

/* Nobody looks at it any more. */
static void finish(struct coho__shelf *s, uint32_t n) {
  struct coho__subs *of = coho__subs_of(s, coho__sub_at(s, n));
  coho_hub *hub = coho__hub_ref(part_of(of)->hub);
  coho__lag_end_all(s, n);
  coho__sub_free(s, n);
  coho__hub_lock(hub);
  if (!of->pattern) coho__leaf_settle(leaf_of(of));
  drop_if_empty(of);
  coho__hub_unlock(hub);
  coho__hub_unref(hub);
}

void coho__subscription_end(struct coho__shelf *s, uint32_t n) {
  struct coho__sub *sub = coho__sub_at(s, n);
  struct coho__subs *of = coho__subs_of(s, sub);
  coho_hub *hub = part_of(of)->hub;
  coho__sub_end(s, n);
  coho__hub_lock(hub);
  if (!of->pattern) leaf_of(of)->topic->subscribers--;
  hub->stats.subscriptions--;
  coho__hub_unlock(hub);
  if (s->busy) {
    sub->sibling = s->ended;
    s->ended = n;
  } else {
    finish(s, n);
  }
}

void coho__subscription_end_all(struct coho__shelf *s, struct coho__subscriber who) {
  while (*coho__subscriber_first(who))
    coho__subscription_end(s, *coho__subscriber_first(who));
}

void coho__shelf_leave(struct coho__shelf *s) {
  if (s->busy > 1) {
    s->busy--;
    return;
  }
  s->busy = 0;
  while (s->ended) {
    uint32_t n = s->ended;
    s->ended = coho__sub_at(s, n)->sibling;
    finish(s, n);
  }
}

/* ---- beginning ------------------------------------------------------------------------------- */

/* What somebody wants to follow. */
struct wish {
  coho_hub *hub;
  coho_loop *loop;
  struct coho__subscriber who;
  struct coho__view name;
  const coho_pos *since; /* NULL: from now on */
  coho_start start;      /* the answer */
  uint32_t sub;          /* the subscription */
};

/* As many as one subscriber may have, in all hubs of the loop. */
static bool may_have_more(const struct coho__shelf *s, const struct wish *w) {
  return coho__subscriber_count(s, w->who) < w->hub->opt.max_subscriptions;
}

/* Locked: its subscription of this topic. 0: none. */
static uint32_t find_in_topic(const struct coho__part *part, const struct coho__topic *t,
                              struct coho__subscriber who) {
  uint32_t found = 0;
  for (struct coho__leaf *l = coho__leaf_first(t, part); l && !found; l = coho__leaf_next(l))
    found = coho__sub_find(part->shelf, &l->subs, who);
  return found;
}

/* Locked. The subscription begins behind w->start. */
static int join_leaf(struct coho__leaf *l, struct wish *w) {
  struct coho__shelf *s = l->part->shelf;
  struct coho__topic *t = l->topic;
  w->start = coho__topic_start(t, w->since);
  uint64_t next = w->start.pos.offset + 1;
  uint32_t n = coho__sub_add(s, &l->subs, w->who);
  if (!n) return COHO_ENOMEM;
  w->sub = n;
  if (next != l->next || s->busy) {
    struct coho__lag *lag = coho__lag_begin(l, n, next);
    if (!lag) {
      coho__sub_end(s, n);
      coho__sub_free(s, n);
      return COHO_ENOMEM;
    }
    lag->waits = next >= l->next;
    l->needed = COHO_MIN(l->needed, next);
    if (coho__topic_conflates(t)) lag->missed = coho__history_between(&t->history, next, l->next);
  }
  t->subscribers++;
  w->hub->stats.subscriptions++;
  if (w->start.lost) w->hub->stats.gaps++;
  return 0;
}

static int join_topic(struct coho__part *part, struct wish *w) {
  struct coho__topic *t;
  int err = coho__hub_need(w->hub, w->name, &t);
  if (err) return err;
  if (find_in_topic(part, t, w->who)) return COHO_EEXISTS;
  if (t->subscribers >= t->opt->max_subscribers) return COHO_EFULL;
  struct coho__leaf *l = coho__leaf_with_room(t, part);
  if (!l) return COHO_ENOMEM;
  err = join_leaf(l, w);
  coho__leaf_drop_if_empty(l);
  return err;
}

/* Locked. NULL: none. */
static struct coho__pattern *find_pattern(const struct coho__part *part, struct coho__view text) {
  for (struct coho__list *n = part->patterns.next; n != &part->patterns; n = n->next) {
    struct coho__pattern *p = COHO_LIST_ENTRY(n, struct coho__pattern, node);
    if (coho__view_eq(coho__view_of(p->text), text)) return p;
  }
  return NULL;
}

/* Locked. 0, COHO_EFULL, COHO_ENOMEM. */
static int need_pattern(struct coho__part *part, struct coho__view text,
                        struct coho__pattern **out) {
  struct coho__pattern *p = *out = find_pattern(part, text);
  if (p) return 0;
  if (part->pattern_count >= COHO_PATTERNS_MOST) return COHO_EFULL;
  p = *out = (struct coho__pattern *)coho__zalloc(sizeof *p + text.len + 1);
  if (!p) return COHO_ENOMEM;
  p->part = part;
  p->subs.pattern = true;
  memcpy(p->text, text.data, text.len);
  coho__list_append(&part->patterns, &p->node);
  count_pattern(part, true);
  return 0;
}

static int wait_for_leaf(struct coho__leaf *l, const struct coho__pattern *p, uint32_t n) {
  uint64_t next = l->topic->last.offset + 1;
  if ((l->next == next && !l->part->shelf->busy) || !coho__leaf_matches(l, p)) return 0;
  struct coho__lag *lag = coho__lag_begin(l, n, next);
  if (!lag) return COHO_ENOMEM;
  lag->waits = true;
  return 0;
}

/* What is on its way to the loop was published before: it waits where that ends. */
static int wait_for_leaves(struct coho__pattern *p, uint32_t n) {
  struct coho__part *part = p->part;
  int err = 0;
  if (part->shelf->busy) {
    for (struct coho__list *i = part->leaves.next; i != &part->leaves && !err; i = i->next)
      err = wait_for_leaf(COHO_LIST_ENTRY(i, struct coho__leaf, in_part), p, n);
    return err;
  }
  for (struct coho__list *i = part->news.next; i != &part->news && !err; i = i->next)
    err = wait_for_leaf(COHO_LIST_ENTRY(i, struct coho__leaf, news), p, n);
  for (struct coho__list *i = part->resting.next; i != &part->resting && !err; i = i->next)
    err = wait_for_leaf(COHO_LIST_ENTRY(i, struct coho__leaf, rest), p, n);
  return err;
}

/* Locked. */
static int join_subs(struct coho__pattern *p, struct wish *w) {
  struct coho__shelf *s = p->part->shelf;
  if (coho__sub_find(s, &p->subs, w->who)) return COHO_EEXISTS;
  uint32_t n = coho__sub_add(s, &p->subs, w->who);
  if (!n) return COHO_ENOMEM;
  if (!wait_for_leaves(p, n)) {
    w->hub->stats.subscriptions++;
    return 0;
  }
  coho__lag_end_all(s, n);
  coho__sub_end(s, n);
  coho__sub_free(s, n);
  return COHO_ENOMEM;
}

static int join_pattern(struct coho__part *part, struct wish *w) {
  struct coho__pattern *p;
  int err = need_pattern(part, w->name, &p);
  if (err) return err;
  err = join_subs(p, w);
  drop_pattern_if_empty(p);
  return err;
}

static int subscribe(struct wish *w, int (*join)(struct coho__part *part, struct wish *w)) {
  struct coho__part *part = coho__part_need(w->hub, w->loop);
  if (!part) return COHO_ENOMEM;
  coho_hub *hub = coho__hub_ref(w->hub);
  coho__hub_lock(hub);
  int err = may_have_more(part->shelf, w) ? join(part, w) : COHO_EFULL;
  coho__part_drop_if_empty(part);
  coho__hub_unlock(hub);
  coho__hub_unref(hub);
  return err;
}

/* ---- unsubscribing --------------------------------------------------------------------------- */

/* Locked. 0: none. */
static uint32_t find_sub(coho_hub *hub, const struct coho__part *part, struct coho__subscriber who,
                         struct coho__view name, bool pattern) {
  if (pattern) {
    const struct coho__pattern *p = find_pattern(part, name);
    return p ? coho__sub_find(part->shelf, &p->subs, who) : 0;
  }
  const struct coho__topic *t = coho__hub_find(hub, name);
  return t ? find_in_topic(part, t, who) : 0;
}

static int unsubscribe(coho_hub *hub, coho_loop *loop, struct coho__subscriber who,
                       struct coho__view name, bool pattern) {
  const struct coho__part *part = hub->parts[loop->index];
  if (!part) return COHO_ENOTFOUND;
  coho__hub_lock(hub);
  uint32_t n = find_sub(hub, part, who, name, pattern);
  coho__hub_unlock(hub);
  if (!n) return COHO_ENOTFOUND;
  coho__subscription_end(part->shelf, n);
  return 0;
}

/* ---- connections ----------------------------------------------------------------------------- */

int coho_subscribe(coho_hub *hub, coho_conn *c, const char *topic) {
  struct wish w = {.hub = hub, .loop = coho_conn_loop(c), .who = {.conn = c}};
  if (!coho__hub_read_name(topic, &w.name)) return COHO_EINVAL;
  return coho__conn_alive(c) ? subscribe(&w, join_topic) : COHO_ECLOSED;
}

/* The program did not ask where it starts, so a hole is told as any other. */
static void tell_start(coho_hub *hub, coho_conn *c, const struct wish *w, const char *topic) {
  if (!w->start.lost) return;
  if (hub->opt.on_gap)
    hub->opt.on_gap(c, topic, w->start.lost, w->start.pos);
  else
    (void)coho_close(c, 4408, "messages were lost");
}

int coho_subscribe_from_sized(coho_hub *hub, coho_conn *c, const char *topic, coho_pos since,
                              coho_start *start, size_t size) {
  struct wish w = {.hub = hub, .loop = coho_conn_loop(c), .who = {.conn = c}, .since = &since};
  if (!coho__hub_read_name(topic, &w.name)) return COHO_EINVAL;
  if (!coho__conn_alive(c)) return COHO_ECLOSED;
  int err = subscribe(&w, join_topic);
  if (err) return err;
  struct coho__shelf *s = coho__shelf_of(w.loop);
  COHO_ASSERT(s); /* since there is a subscription */
  bool inside = s->busy > 0;
  coho__shelf_enter(s); /* what on_gap ends stays until the end */
  if (start) {
    memset(start, 0, size);
    memcpy(start, &w.start, COHO_MIN(size, sizeof w.start));
  } else {
    tell_start(hub, c, &w, topic);
  }
  coho__lag_feed_sub(s, w.sub, inside);
  coho__shelf_leave(s);
  return 0;
}

int coho_subscribe_pattern(coho_hub *hub, coho_conn *c, const char *pattern) {
  struct wish w = {
      .hub = hub, .loop = coho_conn_loop(c), .who = {.conn = c}, .name = coho__view_of(pattern)};
  if (!coho__pattern_valid(w.name)) return COHO_EINVAL;
  return coho__conn_alive(c) ? subscribe(&w, join_pattern) : COHO_ECLOSED;
}

int coho_unsubscribe(coho_hub *hub, coho_conn *c, const char *topic) {
  struct coho__view name;
  if (!coho__hub_read_name(topic, &name)) return COHO_EINVAL;
  return unsubscribe(hub, coho_conn_loop(c), (struct coho__subscriber){.conn = c}, name, false);
}

int coho_unsubscribe_pattern(coho_hub *hub, coho_conn *c, const char *pattern) {
  struct coho__view name = coho__view_of(pattern);
  if (!coho__pattern_valid(name)) return COHO_EINVAL;
  return unsubscribe(hub, coho_conn_loop(c), (struct coho__subscriber){.conn = c}, name, true);
}

/* ---- sinks ----------------------------------------------------------------------------------- */

int coho__sink_subscribe(coho_hub *hub, struct coho__sink *s, struct coho__view topic,
                         const coho_pos *since, coho_start *start) {
  struct wish w = {.hub = hub, .loop = s->loop, .who = {.sink = s}, .name = topic, .since = since};
  int err = subscribe(&w, join_topic);
  if (!err) *start = w.start;
  return err;
}

int coho__sink_subscribe_pattern(coho_hub *hub, struct coho__sink *s, struct coho__view pattern) {
  struct wish w = {.hub = hub, .loop = s->loop, .who = {.sink = s}, .name = pattern};
  return coho__pattern_valid(pattern) ? subscribe(&w, join_pattern) : COHO_EINVAL;
}

int coho__sink_unsubscribe(coho_hub *hub, struct coho__sink *s, struct coho__view topic) {
  return unsubscribe(hub, s->loop, (struct coho__subscriber){.sink = s}, topic, false);
}

int coho__sink_unsubscribe_pattern(coho_hub *hub, struct coho__sink *s, struct coho__view pattern) {
  return unsubscribe(hub, s->loop, (struct coho__subscriber){.sink = s}, pattern, true);
}

void coho__sink_end(struct coho__sink *s) {
  struct coho__shelf *shelf = coho__shelf_of(s->loop);
  if (!shelf) return;
  coho__subscription_end_all(shelf, (struct coho__subscriber){.sink = s});
  if (s->number) coho__pool_remove(&shelf->sinks, s->number);
  s->number = 0;
}
