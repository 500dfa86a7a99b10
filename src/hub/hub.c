#include "hub/hub.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/sized.h"
#include "hub/leaf.h"
#include "hub/pattern.h"
#include "hub/presence.h"

#include <string.h>

enum {
  HISTORY_COUNT = 1000,
  HISTORY_BYTES = 1024 * 1024,
  HISTORY_AGE_MS = 60 * 60 * 1000,
  INTERVAL_MS = 100,
  BLOCK_MS = 10000,
  GRACE_MS = 10000,
  MAX_TOPICS = 10000,
  MAX_BYTES = 256 * 1024 * 1024,
  SWEEP_MS = 1000,
  SWEEP_MOST = 1024 /* topics looked after in one go */
};

/* ---- options --------------------------------------------------------------------------------- */

static void set_default(uint32_t *field, uint32_t value) {
  if (!*field) *field = value;
}

/* With defaults filled in. False: something is wrong. */
static bool complete(coho_topic_options *o) {
  if (o->slow > COHO_SLOW_BLOCK || o->flags & ~(uint32_t)COHO_NO_HISTORY) return false;
  if (!o->history_bytes) o->history_bytes = HISTORY_BYTES;
  set_default(&o->history_count, HISTORY_COUNT);
  set_default(&o->history_age_ms, HISTORY_AGE_MS);
  set_default(&o->interval_ms, INTERVAL_MS);
  set_default(&o->block_ms, BLOCK_MS);
  set_default(&o->grace_ms, GRACE_MS);
  set_default(&o->max_subscribers, UINT32_MAX);
  return true;
}

static struct coho__rule *new_rule(const char *pattern, const coho_topic_options *opt) {
  struct coho__rule *r = (struct coho__rule *)coho__zalloc(sizeof *r);
  if (!r) return NULL;
  r->opt = *opt;
  r->pattern = pattern ? coho__strdup(pattern) : NULL;
  if (!pattern || r->pattern) return r;
  coho__free(r, sizeof *r);
  return NULL;
}

static void free_rules(coho_hub *hub) {
  struct coho__list *node;
  while ((node = coho__list_pop(&hub->rules))) {
    struct coho__rule *r = COHO_LIST_ENTRY(node, struct coho__rule, node);
    coho__free_str(r->pattern);
    coho__free(r, sizeof *r);
  }
}

/* The last one, without pattern, is there always. */
static const coho_topic_options *rule_for(const coho_hub *hub, struct coho__view name) {
  struct coho__list *n = hub->rules.next;
  for (;; n = n->next) {
    const struct coho__rule *r = COHO_LIST_ENTRY(n, struct coho__rule, node);
    if (!r->pattern || coho__pattern_matches(coho__view_of(r->pattern), name)) return &r->opt;
  }
}

int coho_hub_configure_sized(coho_hub *hub, const char *pattern, const coho_topic_options *opt,
                             size_t size) {
  coho_topic_options o;
  int err = coho__sized_read(&o, sizeof o, opt, size);
  if (err || !complete(&o) || !coho__pattern_valid(coho__view_of(pattern))) return COHO_EINVAL;
  struct coho__rule *r = new_rule(pattern, &o);
  if (!r) return COHO_ENOMEM;
  coho__hub_lock(hub);
  bool used = hub->topics.count > 0;
  if (!used) coho__list_append(hub->rules.prev, &r->node); /* before the last */
  coho__hub_unlock(hub);
  if (!used) return 0;
  coho__free_str(r->pattern);
  coho__free(r, sizeof *r);
  return COHO_EBUSY;
}

/* ---- life ------------------------------------------------------------------------------------ */

static void free_hub(coho_hub *hub) {
  struct coho__list *n;
  while ((n = hub->rounds.next) != &hub->rounds) {
    struct coho__topic *t = COHO_LIST_ENTRY(n, struct coho__topic, round);
    hub->backplane->ops->close(hub->backplane, t);
    coho__topic_free(t);
  }
  coho__map_free(&hub->topics);
  if (hub->backplane) hub->backplane->ops->free(hub->backplane);
  free_rules(hub);
  pthread_mutex_destroy(&hub->lock);
  coho__free(hub, sizeof *hub);
}

coho_hub *coho_hub_new_sized(const coho_hub_options *opt, size_t size) {
  coho_hub_options o;
  coho_topic_options rest = {.slow = 0};
  if (coho__sized_read(&o, sizeof o, opt, size) || !complete(&rest)) return NULL;
  coho_hub *hub = (coho_hub *)coho__zalloc(sizeof *hub);
  if (!hub) return NULL;
  if (!o.max_bytes) o.max_bytes = MAX_BYTES;
  set_default(&o.max_topics, MAX_TOPICS);
  set_default(&o.max_subscriptions, UINT32_MAX);
  hub->opt = o;
  hub->pattern_turn = 1;
  atomic_init(&hub->refs, 1);
  pthread_mutex_init(&hub->lock, NULL);
  coho__random(hub->seed, sizeof hub->seed);
  coho__map_init(&hub->topics, hub->seed);
  coho__list_init(&hub->rules);
  coho__list_init(&hub->rounds);
  coho__list_init(&hub->holders);
  coho__list_init(&hub->inhabited);
  struct coho__rule *last = new_rule(NULL, &rest);
  if (last) coho__list_append(&hub->rules, &last->node);
  hub->backplane = coho__backplane_memory();
  if (last && hub->backplane) return hub;
  free_hub(hub);
  return NULL;
}

coho_hub *coho__hub_ref(coho_hub *hub) {
  atomic_fetch_add_explicit(&hub->refs, 1, memory_order_relaxed);
  return hub;
}

void coho__hub_unref(coho_hub *hub) {
  if (atomic_fetch_sub_explicit(&hub->refs, 1, memory_order_acq_rel) == 1) free_hub(hub);
}

void coho_hub_free(coho_hub *hub) {
  if (hub) coho__hub_unref(hub);
}

/* ---- topics ---------------------------------------------------------------------------------- */

bool coho__hub_read_name(const char *topic, struct coho__view *name) {
  *name = coho__view_of(topic);
  if (name->len == 0 || name->len > COHO_TOPIC_COMPANION_MAX) return false;
  return name->len <= COHO_TOPIC_NAME_MAX || coho__topic_is_companion(*name);
}

struct coho__topic *coho__hub_find(const coho_hub *hub, struct coho__view name) {
  return (struct coho__topic *)coho__map_get(&hub->topics, name);
}

static void remove_topic(coho_hub *hub, struct coho__topic *t) {
  hub->backplane->ops->close(hub->backplane, t);
  coho__topic_free(t);
}

/* Loops that follow a pattern which matches have it from the next message on. It is the topic that looks
   for patterns, and not a pattern for all topics: whoever follows and leaves one again and again would
   have the hub to himself. */
static int tell_patterns(coho_hub *hub, struct coho__topic *t) {
  if (t->pattern_turn == hub->pattern_turn) return 0;
  for (size_t i = 0; i < COHO_LOOPS_MAX && hub->pattern_count; i++) {
    struct coho__part *p = hub->parts[i];
    if (!p || coho__leaf_find(t, p) || !coho__part_matches(p, coho__topic_name(t))) continue;
    if (!coho__leaf_need(t, p)) return COHO_ENOMEM;
  }
  t->pattern_turn = hub->pattern_turn;
  return 0;
}

void coho__hub_forget(coho_hub *hub, struct coho__topic *t) {
  struct coho__list *n;
  while ((n = t->leaves.next) != &t->leaves)
    coho__leaf_unmake(COHO_LIST_ENTRY(n, struct coho__leaf, in_topic));
  remove_topic(hub, t);
}

/* One that is of no use any more makes room. */
static bool make_room(coho_hub *hub) {
  if (hub->topics.count < hub->opt.max_topics) return true;
  uint64_t now = coho__clock_ms();
  struct coho__list *n = hub->rounds.next;
  for (int i = 0; i < SWEEP_MOST && n != &hub->rounds; i++) {
    struct coho__topic *t = COHO_LIST_ENTRY(n, struct coho__topic, round);
    n = n->next;
    if (!coho__topic_dead(t, now)) continue;
    remove_topic(hub, t);
    return true;
  }
  return false;
}

int coho__hub_need(coho_hub *hub, struct coho__view name, struct coho__topic **out) {
  *out = coho__hub_find(hub, name);
  if (*out) return tell_patterns(hub, *out);
  if (!make_room(hub)) return COHO_EFULL;
  struct coho__topic *t = coho__topic_new(hub, name, rule_for(hub, name));
  if (!t) return COHO_ENOMEM;
  coho__list_append(&hub->rounds, &t->round);
  int err = hub->backplane->ops->open(hub->backplane, t);
  if (!err) err = tell_patterns(hub, t);
  if (!err)
    *out = t;
  else
    coho__hub_forget(hub, t);
  return err;
}

/* ---- upkeep ---------------------------------------------------------------------------------- */

void coho__hub_trim(coho_hub *hub) {
  while (hub->bytes > hub->opt.max_bytes && !coho__list_empty(&hub->holders))
    coho__topic_give_way(COHO_LIST_ENTRY(hub->holders.next, struct coho__topic, holder));
}

static void look_after(coho_hub *hub, struct coho__topic *t, uint64_t now_ms) {
  coho__topic_trim(t, now_ms);
  hub->backplane->ops->sweep(hub->backplane, t, now_ms);
  if (coho__topic_dead(t, now_ms)) remove_topic(hub, t);
}

void coho__hub_sweep(coho_hub *hub, uint64_t now_ms) {
  if (now_ms < hub->swept_ms + SWEEP_MS) return; /* loops differ in what time it is */
  hub->swept_ms = now_ms;
  coho__presence_sweep(hub, now_ms);
  for (size_t i = COHO_MIN(hub->topics.count, SWEEP_MOST); i; i--) {
    struct coho__list *n = hub->rounds.next;
    coho__list_remove(n);
    coho__list_append(&hub->rounds, n);
    look_after(hub, COHO_LIST_ENTRY(n, struct coho__topic, round), now_ms);
  }
}

void coho__hub_check(coho_hub *hub) {
  uint64_t bytes = 0, member_bytes = 0;
  coho__hub_lock(hub);
  coho__map_check(&hub->topics);
  for (struct coho__list *n = hub->rounds.next; n != &hub->rounds; n = n->next) {
    const struct coho__topic *t = COHO_LIST_ENTRY(n, struct coho__topic, round);
    coho__topic_check(t);
    bytes += t->history.bytes;
    member_bytes += t->members ? t->members->bytes : 0;
  }
  COHO_ASSERT(bytes == hub->bytes && member_bytes == hub->member_bytes);
  coho__hub_unlock(hub);
}
