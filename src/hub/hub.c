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
  HISTORY_BYTES = 2 * 1024 * 1024, /* so that a message of 1 MiB fits */
  HISTORY_AGE_MS = 60 * 60 * 1000,
  INTERVAL_MS = 100,
  BLOCK_MS = 10000,
  GRACE_MS = 10000,
  MAX_TOPICS = 10000,
  MAX_BYTES = 256 * 1024 * 1024,
  SWEEP_MS = 1000,
  ROUND_MOST = 1024, /* topics looked after in a second */
#ifdef COHO_HARD
  SWEEP_MOST = 4,
#else
  SWEEP_MOST = 1024, /* topics looked at, and things freed, in one go */
#endif
  GIVE_WAY_MOST = 512 /* topics looked at to find one that may */
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
  if (err || !complete(&o)) return COHO_EOPTION;
  if (!coho__pattern_valid(coho__view_of(pattern))) return COHO_EINVAL;
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

/* ---- topics that go -------------------------------------------------------------------------- */

/* Freed when the lock is given back. */
static void remove_topic(coho_hub *hub, struct coho__topic *t) {
  hub->backplane->ops->close(hub->backplane, t);
  coho__topic_leave(t);
  t->gone = hub->gone;
  hub->gone = t;
}

void coho__hub_bury(coho_hub *hub, struct coho__topic *gone) {
  for (struct coho__topic *t = gone; t; t = gone) {
    gone = t->gone;
    hub->backplane->ops->bury(t);
    coho__topic_free(t);
  }
}

/* ---- upkeep ---------------------------------------------------------------------------------- */

void coho__hub_trim(coho_hub *hub) {
  while (hub->bytes > hub->opt.max_bytes && !coho__list_empty(&hub->holders))
    coho__topic_give_way(COHO_LIST_ENTRY(hub->holders.next, struct coho__topic, holder));
}

/* Members whose time has come, of one topic after the other. */
static void sweep_members(coho_hub *hub, size_t *left) {
  struct coho__upkeep *u = &hub->upkeep;
  size_t leaves = COHO_LEAVES_MOST;
  while (u->inhabited && *left && !coho__list_empty(&hub->inhabited)) {
    struct coho__topic *t = COHO_LIST_ENTRY(hub->inhabited.next, struct coho__topic, inhabited);
    leaves -= coho__presence_let_go(t, u->began_ms, leaves);
    if (!leaves) return; /* there may be more */
    u->inhabited--;
    (*left)--;
    if (!t->members) continue;
    coho__list_remove(&t->inhabited);
    coho__list_append(&hub->inhabited, &t->inhabited);
  }
  if (coho__list_empty(&hub->inhabited)) u->inhabited = 0;
}

/* False: there is more to do than may be taken now. */
static bool tidy(coho_hub *hub, struct coho__topic *t, size_t *left) {
  uint64_t now = hub->upkeep.began_ms;
  *left -= coho__topic_trim_some(t, now, *left);
  if (*left) *left -= hub->backplane->ops->sweep(hub->backplane, t, now, *left);
  return *left > 0;
}

static void sweep_topics(coho_hub *hub, size_t *left) {
  struct coho__upkeep *u = &hub->upkeep;
  while (u->topics && *left && !coho__list_empty(&hub->rounds)) {
    struct coho__topic *t = COHO_LIST_ENTRY(hub->rounds.next, struct coho__topic, round);
    if (!tidy(hub, t, left)) return;
    u->topics--;
    (*left)--;
    coho__list_remove(&t->round);
    coho__list_append(&hub->rounds, &t->round);
    if (coho__topic_dead(t, u->began_ms))
      remove_topic(hub, t);
    else if (!coho__topic_deserted(t))
      coho__topic_use(t);
  }
  if (coho__list_empty(&hub->rounds)) u->topics = 0;
}

/* Locked: goes on in another turn of some loop. Where none has a part of the hub, who publishes does. */
static void post_errand(coho_hub *hub) {
  struct coho__upkeep *u = &hub->upkeep;
  for (size_t i = 0; i < COHO_LOOPS_MAX && !u->posted; i++) {
    if (!hub->parts[i]) continue;
    u->posted = true; /* before it is, since the loop may be done with it at once */
    coho__hub_ref(hub);
    if (!coho__mailbox_post(hub->parts[i]->mailbox, &u->letter)) return;
    u->posted = false;
    atomic_fetch_sub_explicit(&hub->refs, 1, memory_order_relaxed); /* not the last one */
  }
}

static void go_on(coho_hub *hub, uint64_t now_ms) {
  struct coho__upkeep *u = &hub->upkeep;
  size_t left = SWEEP_MOST;
  u->turned_ms = now_ms;
  sweep_members(hub, &left);
  if (!u->inhabited) sweep_topics(hub, &left);
  if (u->inhabited || u->topics) post_errand(hub);
}

void coho__hub_sweep(coho_hub *hub, uint64_t now_ms) {
  struct coho__upkeep *u = &hub->upkeep;
  /* A loop that is to go on may be busy with something else for long. */
  if (u->posted && now_ms < u->turned_ms + SWEEP_MS) return;
  if (!u->inhabited && !u->topics) {
    if (now_ms < u->began_ms + SWEEP_MS) return; /* loops differ in what time it is */
    u->began_ms = now_ms;
    u->inhabited = hub->inhabited_count;
    u->topics = COHO_MIN(hub->topics.count, (size_t)ROUND_MOST);
  }
  go_on(hub, now_ms);
}

static coho_hub *hub_of(struct coho__letter *letter) {
  struct coho__upkeep *u = COHO_CONTAINER_OF(letter, struct coho__upkeep, letter);
  return COHO_CONTAINER_OF(u, coho_hub, upkeep);
}

static void run_errand(coho_loop *loop, struct coho__letter *letter) {
  coho_hub *hub = hub_of(letter);
  coho__hub_lock(hub);
  hub->upkeep.posted = false;
  go_on(hub, coho__loop_time(loop));
  coho__hub_unlock(hub);
  coho__hub_unref(hub);
}

/* The loop dies: somebody else goes on. */
static void drop_errand(struct coho__letter *letter) {
  coho_hub *hub = hub_of(letter);
  coho__hub_lock(hub);
  hub->upkeep.posted = false;
  coho__hub_unlock(hub);
  coho__hub_unref(hub);
}

/* ---- life ------------------------------------------------------------------------------------ */

static void free_hub(coho_hub *hub) {
  struct coho__list *n;
  while ((n = hub->rounds.next) != &hub->rounds)
    remove_topic(hub, COHO_LIST_ENTRY(n, struct coho__topic, round));
  coho__hub_bury(hub, hub->gone);
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
  coho__list_init(&hub->blank);
  coho__list_init(&hub->written);
  coho__list_init(&hub->holders);
  coho__list_init(&hub->inhabited);
  hub->upkeep.letter =
      (struct coho__letter){.run = run_errand, .drop = drop_errand, .bytes = sizeof hub->upkeep};
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

/* The first of the list that nobody would miss now; those that somebody has are in use until now. */
static struct coho__topic *find_deserted(struct coho__list *longest_without_use) {
  struct coho__list *l = longest_without_use;
  for (int i = 0; i < GIVE_WAY_MOST && !coho__list_empty(l); i++) {
    struct coho__topic *t = COHO_LIST_ENTRY(l->next, struct coho__topic, use);
    if (coho__topic_deserted(t)) return t;
    coho__topic_use(t);
  }
  return NULL;
}

/* First those that were never published to, in which there is nothing that one could miss. */
static bool make_room(coho_hub *hub) {
  if (hub->topics.count < hub->opt.max_topics) return true;
  struct coho__topic *t = find_deserted(&hub->blank);
  if (!t) t = find_deserted(&hub->written);
  if (!t) return false;
  hub->stats.forgotten += t->last.offset > 0;
  remove_topic(hub, t);
  return true;
}

int coho__hub_need(coho_hub *hub, struct coho__view name, struct coho__topic **out) {
  *out = coho__hub_find(hub, name);
  if (*out) {
    coho__topic_use(*out);
    return tell_patterns(hub, *out);
  }
  if (!make_room(hub)) return COHO_EFULL;
  struct coho__topic *t = coho__topic_new(hub, name, rule_for(hub, name));
  if (!t) return COHO_ENOMEM;
  coho__list_append(&hub->rounds, &t->round);
  int err = hub->backplane->ops->open(hub->backplane, t);
  coho__topic_use(t);
  if (!err) err = tell_patterns(hub, t);
  if (!err)
    *out = t;
  else
    coho__hub_forget(hub, t);
  return err;
}

/* ---- invariants ------------------------------------------------------------------------------ */

void coho__hub_check(coho_hub *hub) {
  uint64_t bytes = 0, member_bytes = 0, members = 0;
  size_t inhabited = 0;
  coho__hub_lock(hub);
  coho__map_check(&hub->topics);
  for (struct coho__list *n = hub->rounds.next; n != &hub->rounds; n = n->next) {
    const struct coho__topic *t = COHO_LIST_ENTRY(n, struct coho__topic, round);
    coho__topic_check(t);
    bytes += t->history.bytes;
    if (!t->members) continue;
    member_bytes += t->members->bytes;
    members += coho__members_count(t->members);
    inhabited++;
  }
  COHO_ASSERT(bytes == hub->bytes && member_bytes == hub->member_bytes);
  COHO_ASSERT(members == hub->stats.members && inhabited == hub->inhabited_count);
  coho__hub_unlock(hub);
}
