#include "hub/topic.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "hub/hub.h"
#include "hub/leaf.h"

#include <string.h>

enum { QUIET_MS = 1000 /* without publish: nothing happens in it for now */ };

/* ---- life ------------------------------------------------------------------------------------ */

struct coho__view coho__topic_name(const struct coho__topic *t) {
  return (struct coho__view){t->name, t->name_len};
}

bool coho__topic_conflates(const struct coho__topic *t) {
  return t->opt->slow == COHO_SLOW_CONFLATE;
}

static size_t size_of(const struct coho__topic *t) { return sizeof *t + t->name_len + 1; }

struct coho__topic *coho__topic_new(coho_hub *hub, struct coho__view name,
                                    const coho_topic_options *opt) {
  struct coho__topic *t = (struct coho__topic *)coho__zalloc(sizeof *t + name.len + 1);
  if (!t) return NULL;
  t->hub = hub;
  t->opt = opt;
  t->name_len = name.len;
  memcpy(t->name, name.data, name.len);
  t->used_ms = coho__clock_ms();
  coho__list_init(&t->round);
  coho__list_init(&t->use);
  coho__list_init(&t->holder);
  coho__list_init(&t->inhabited);
  coho__list_init(&t->leaves);
  coho__list_init(&t->waiters);
  coho__history_init(&t->history, coho__topic_conflates(t), hub->seed);
  if (!coho__map_add(&hub->topics, coho__topic_name(t), t)) return t;
  coho__free(t, size_of(t));
  return NULL;
}

void coho__topic_leave(struct coho__topic *t) {
  coho_hub *hub = t->hub;
  COHO_ASSERT(coho__list_empty(&t->leaves) && coho__list_empty(&t->waiters));
  coho__map_remove(&hub->topics, coho__topic_name(t));
  coho__list_remove(&t->round);
  coho__list_remove(&t->use);
  coho__list_remove(&t->holder);
  coho__list_remove(&t->inhabited);
  hub->bytes -= t->history.bytes;
  hub->stats.messages -= t->history.count;
  if (!t->members) return;
  hub->member_bytes -= t->members->bytes;
  hub->stats.members -= coho__members_count(t->members);
  hub->inhabited_count--;
}

void coho__topic_free(struct coho__topic *t) {
  coho__history_free(&t->history);
  if (t->members) {
    coho__members_free(t->members);
    coho__free(t->members, sizeof *t->members);
  }
  coho__free(t, size_of(t));
}

void coho__topic_use(struct coho__topic *t) {
  coho__list_remove(&t->use);
  coho__list_append(t->last.offset ? &t->hub->written : &t->hub->blank, &t->use);
}

/* ms from then to now. The clock of a loop stands still for a turn, so what another thread did may be
   ahead of it: that has just been. */
static uint64_t passed(uint64_t then_ms, uint64_t now_ms) {
  return now_ms > then_ms ? now_ms - then_ms : 0;
}

/* How long its epoch lives after the last message: the history's age, and as long again. */
static bool forgotten(const struct coho__topic *t, uint64_t now_ms) {
  uint64_t age = t->opt->history_age_ms;
  if (t->last.offset == 0) return true;
  return age != UINT32_MAX && passed(t->used_ms, now_ms) > 2 * age;
}

/* Nothing of it is left. */
static bool spent(const struct coho__topic *t, uint64_t now_ms) {
  return t->history.count == 0 && !t->store && forgotten(t, now_ms);
}

/* Who follows by pattern has a part of it only while something happens, and it can give way. */
static bool superfluous(const struct coho__topic *t, uint64_t now_ms) {
  uint32_t most = t->hub->opt.max_topics;
  return t->hub->topics.count >= most - most / 4 && passed(t->used_ms, now_ms) >= QUIET_MS;
}

bool coho__topic_idle(const struct coho__topic *t, uint64_t now_ms) {
  return t->subscribers == 0 && !t->members && coho__list_empty(&t->waiters) &&
         (spent(t, now_ms) || superfluous(t, now_ms));
}

bool coho__topic_deserted(const struct coho__topic *t) {
  return t->leaf_count == 0 && !t->members && coho__list_empty(&t->waiters);
}

bool coho__topic_dead(const struct coho__topic *t, uint64_t now_ms) {
  return coho__topic_deserted(t) && spent(t, now_ms);
}

/* ---- the history's limits -------------------------------------------------------------------- */

uint64_t coho__topic_needed(const struct coho__topic *t) {
  uint64_t needed = UINT64_MAX;
  for (struct coho__list *n = t->leaves.next; n != &t->leaves; n = n->next)
    needed = COHO_MIN(needed, COHO_LIST_ENTRY(n, struct coho__leaf, in_topic)->needed);
  return needed;
}

/* It holds more than it may at all. */
static bool full(const struct coho__topic *t) {
  const struct coho__history *h = &t->history;
  return h->count > t->opt->history_count || h->bytes > t->opt->history_bytes;
}

/* Held only for subscribers that have not got it. */
static bool stale(const struct coho__topic *t, const struct coho__message *m, uint64_t now_ms) {
  const coho_topic_options *opt = t->opt;
  if (opt->flags & COHO_NO_HISTORY) return true;
  return opt->history_age_ms != UINT32_MAX && passed(m->born_ms, now_ms) > opt->history_age_ms;
}

static bool wanted(const struct coho__topic *t, const struct coho__message *m) {
  /* Elsewhere nobody looks after who is how far; what is stale is lost to who is that slow. */
  bool known = t->opt->flags & COHO_NO_HISTORY || t->opt->slow == COHO_SLOW_BLOCK;
  return known && m->pos.offset >= coho__topic_needed(t);
}

bool coho__topic_blocked(const struct coho__topic *t, size_t size) {
  const coho_topic_options *opt = t->opt;
  if (opt->slow != COHO_SLOW_BLOCK) return false;
  uint64_t needed = coho__topic_needed(t), bytes = t->history.bytes + size;
  size_t count = t->history.count + 1;
  struct coho__message *m;
  /* As many of the first would go as it takes to make room. */
  for (uint64_t from = 0; count > opt->history_count || bytes > opt->history_bytes; count--) {
    if (!coho__history_from(&t->history, from, &m, 1)) return false;
    if (m->pos.offset >= needed) return true;
    bytes -= coho__message_size(m);
    from = m->pos.offset + 1;
  }
  return false;
}

bool coho__topic_held_up(const struct coho__topic *t) {
  return t->refused && coho__topic_blocked(t, t->refused);
}

bool coho__topic_holds(const struct coho__topic *t, size_t size) {
  return size <= t->opt->history_bytes && size <= t->hub->opt.max_bytes;
}

static void drop_first(struct coho__topic *t) {
  coho_hub *hub = t->hub;
  uint64_t before = t->history.bytes;
  t->trimmed = coho__history_first(&t->history)->pos.offset;
  coho__history_drop_first(&t->history);
  hub->bytes -= before - t->history.bytes;
  hub->stats.messages--;
  if (!t->history.count) coho__list_remove(&t->holder);
}

size_t coho__topic_trim_some(struct coho__topic *t, uint64_t now_ms, size_t most) {
  const struct coho__message *m;
  size_t n = 0;
  while (n < most && (m = coho__history_first(&t->history)) &&
         (full(t) || (stale(t, m, now_ms) && !wanted(t, m)))) {
    drop_first(t);
    n++;
  }
  return n;
}

void coho__topic_trim(struct coho__topic *t, uint64_t now_ms) {
  (void)coho__topic_trim_some(t, now_ms, SIZE_MAX);
}

void coho__topic_give_way(struct coho__topic *t) { drop_first(t); }

/* ---- messages -------------------------------------------------------------------------------- */

static int keep(struct coho__topic *t, struct coho__message *m) {
  coho_hub *hub = t->hub;
  uint64_t bytes = t->history.bytes;
  size_t count = t->history.count;
  int err = coho__history_add(&t->history, m);
  if (err) return err;
  hub->bytes += t->history.bytes - bytes; /* less, perhaps, when it replaced another */
  hub->stats.messages += t->history.count - count;
  coho__list_remove(&t->holder);
  coho__list_append(&hub->holders, &t->holder);
  return 0;
}

int coho__topic_arrive(struct coho__topic *t, struct coho__message *m) {
  uint64_t now = coho__clock_ms();
  m->born_ms = now;
  int err = coho__message_begin(m, t->leaf_count);
  if (!err) err = keep(t, m);
  if (err) return err;
  t->last = m->pos;
  coho__topic_use(t);
  t->used_ms = now;
  t->refused = 0;
  coho__topic_trim(t, now);
  coho__hub_trim(t->hub);
  for (struct coho__list *n = t->leaves.next; n != &t->leaves; n = n->next)
    coho__leaf_wake(COHO_LIST_ENTRY(n, struct coho__leaf, in_topic));
  return 0;
}

/* ---- where to start -------------------------------------------------------------------------- */

/* The offset before all that is held. */
static uint64_t before_held(const struct coho__topic *t) {
  const struct coho__message *first = coho__history_first(&t->history);
  return first ? first->pos.offset - 1 : t->last.offset;
}

coho_start coho__topic_start(const struct coho__topic *t, const coho_pos *since) {
  coho_start start = {.pos = t->last, .lost = 0};
  if (!since) return start;
  uint64_t held = before_held(t);
  if (since->epoch != t->last.epoch || since->offset > t->last.offset) {
    bool all = since->epoch == 0 && since->offset == 0;
    start.pos.offset = held;
    start.lost = all ? 0 : COHO_LOST_UNKNOWN;
  } else if (coho__topic_conflates(t)) {
    /* What later values replaced is no loss; of what a limit took nobody knows the number. */
    start.pos.offset = since->offset;
    start.lost = since->offset < t->trimmed ? COHO_LOST_UNKNOWN : 0;
  } else {
    start.pos.offset = COHO_MAX(since->offset, held);
    start.lost = start.pos.offset - since->offset;
  }
  return start;
}

/* ---- waiting for room ------------------------------------------------------------------------ */

void coho__topic_tell_waiters(struct coho__topic *t) {
  struct coho__list *node;
  if (coho__topic_held_up(t)) return;
  while ((node = coho__list_pop(&t->waiters))) {
    struct coho__room_waiter *w = COHO_LIST_ENTRY(node, struct coho__room_waiter, node);
    w->tell(w);
  }
}

void coho__topic_check(const struct coho__topic *t) {
  size_t leaves = 0, subscribers = 0;
  coho__history_check(&t->history);
  for (struct coho__list *n = t->leaves.next; n != &t->leaves; n = n->next, leaves++)
    subscribers += COHO_LIST_ENTRY(n, struct coho__leaf, in_topic)->subs.count;
  COHO_ASSERT(leaves == t->leaf_count);
  COHO_ASSERT(subscribers == t->subscribers);
  COHO_ASSERT(coho__list_empty(&t->holder) == (t->history.count == 0));
  COHO_ASSERT(!coho__list_empty(&t->use));
}
