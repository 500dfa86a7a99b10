#include "hub/part.h"

#include "base/alloc.h"
#include "hub/hub.h"
#include "hub/lag.h"
#include "hub/pattern.h"

enum {
#ifdef COHO_HARD
  TURN = 1,
#else
  TURN = 256, /* leaves in one turn, so that sockets get theirs */
#endif
  TICK_MS = 1000,
  TICK_MOST = 1024 /* leaves looked after in one go */
};

/* ---- its letter ------------------------------------------------------------------------------ */

static struct coho__part *part_of(struct coho__letter *letter) {
  return COHO_CONTAINER_OF(letter, struct coho__part, letter);
}

void coho__part_post(struct coho__part *p) {
  if (p->posted) return;
  /* A full mailbox: the timer tries again. */
  p->posted = coho__mailbox_post(p->mailbox, &p->letter) == 0;
}

static struct coho__leaf *next_leaf(struct coho__part *p) {
  coho__hub_lock(p->hub);
  struct coho__list *node = coho__list_pop(&p->news);
  coho__hub_unlock(p->hub);
  return node ? COHO_LIST_ENTRY(node, struct coho__leaf, news) : NULL;
}

static void feed_hungry(struct coho__part *p) {
  struct coho__list now;
  struct coho__list *node;
  coho__list_init(&now);
  coho__list_splice(&now, &p->hungry);
  for (int i = 0; i < TURN && (node = coho__list_pop(&now)); i++)
    coho__lag_feed(COHO_LIST_ENTRY(node, struct coho__lag, hungry));
  /* Who had to wait comes first in the next turn. */
  coho__list_splice(&now, &p->hungry);
  coho__list_splice(&p->hungry, &now);
}

/* Locked. */
static void settle(struct coho__part *p) {
  struct coho__list *node;
  while ((node = coho__list_pop(&p->unsettled)))
    coho__leaf_settle_now(COHO_LIST_ENTRY(node, struct coho__leaf, unsettled));
}

/* Locked: something is left to do. */
static bool has_work(const struct coho__part *p) {
  return !coho__list_empty(&p->news) || !coho__list_empty(&p->hungry) ||
         !coho__list_empty(&p->unsettled);
}

static void run(coho_loop *loop, struct coho__letter *letter) {
  struct coho__part *p = part_of(letter);
  struct coho__leaf *l;
  (void)loop;
  feed_hungry(p);
  for (int i = 0; i < TURN && (l = next_leaf(p)); i++)
    coho__leaf_deliver(l);
  coho_hub *hub = coho__hub_ref(p->hub);
  coho__hub_lock(hub);
  settle(p);
  p->posted = false;
  if (has_work(p)) coho__part_post(p);
  coho__part_drop_if_empty(p);
  coho__hub_unlock(hub);
  coho__hub_unref(hub);
}

/* The loop dies, and all its subscriptions have ended or will. */
static void drop(struct coho__letter *letter) {
  struct coho__part *p = part_of(letter);
  coho_hub *hub = coho__hub_ref(p->hub);
  coho__hub_lock(hub);
  p->posted = false;
  coho__part_drop_if_empty(p);
  coho__hub_unlock(hub);
  coho__hub_unref(hub);
}

bool coho__part_matches(const struct coho__part *p, struct coho__view name) {
  if (coho__topic_is_companion(name)) return false;
  for (struct coho__list *n = p->patterns.next; n != &p->patterns; n = n->next) {
    const char *text = COHO_LIST_ENTRY(n, struct coho__pattern, node)->text;
    if (coho__pattern_matches(coho__view_of(text), name)) return true;
  }
  return false;
}

/* ---- once a second --------------------------------------------------------------------------- */

/* Locked: topics that nobody would miss are not kept by patterns. */
static void drop_idle(struct coho__part *p, uint64_t now_ms) {
  for (int i = 0; i < TICK_MOST && !coho__list_empty(&p->leaves); i++) {
    struct coho__list *n = p->leaves.next;
    coho__list_remove(n);
    coho__list_append(&p->leaves, n);
    coho__leaf_drop_if_idle(COHO_LIST_ENTRY(n, struct coho__leaf, in_part), now_ms);
  }
}

static void tick(struct coho__wheel_timer *timer) {
  struct coho__part *p = COHO_CONTAINER_OF(timer, struct coho__part, timer);
  uint64_t now = coho__loop_time(p->loop);
  coho__loop_set_timer(p->loop, &p->timer, TICK_MS);
  coho__hub_lock(p->hub);
  drop_idle(p, now);
  coho__hub_sweep(p->hub, now);
  if (has_work(p)) coho__part_post(p); /* the mailbox was full */
  coho__hub_unlock(p->hub);
  coho__lag_expire(p, now); /* with which p may go */
}

/* ---- life ------------------------------------------------------------------------------------ */

struct coho__part *coho__part_need(coho_hub *hub, coho_loop *loop) {
  struct coho__part *p = hub->parts[loop->index];
  struct coho__shelf *shelf = coho__shelf_of(loop);
  if (p || !shelf) return p;
  p = (struct coho__part *)coho__alloc(sizeof *p);
  if (!p) return NULL;
  *p = (struct coho__part){.hub = coho__hub_ref(hub),
                           .loop = loop,
                           .index = loop->index,
                           .mailbox = coho__mailbox_hold(coho__mailbox_of(loop)),
                           .shelf = shelf,
                           .letter = {.run = run, .drop = drop, .bytes = sizeof *p}};
  coho__list_init(&p->news);
  coho__list_init(&p->leaves);
  coho__list_init(&p->patterns);
  coho__list_init(&p->resting);
  coho__list_init(&p->hungry);
  coho__list_init(&p->slow);
  coho__list_init(&p->unsettled);
  coho__wheel_timer_init(&p->timer, tick);
  coho__loop_set_timer(loop, &p->timer, TICK_MS);
  coho__hub_lock(hub);
  hub->parts[loop->index] = p;
  coho__hub_unlock(hub);
  return p;
}

void coho__part_drop_if_empty(struct coho__part *p) {
  coho_hub *hub = p->hub;
  if (p->posted || !coho__list_empty(&p->leaves) || !coho__list_empty(&p->patterns)) return;
  hub->parts[p->index] = NULL;
  coho__loop_stop_timer(p->loop, &p->timer);
  coho__mailbox_drop(p->mailbox);
  coho__free(p, sizeof *p);
  coho__hub_unref(hub);
}
