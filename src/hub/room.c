#include "hub/room.h"

#include "base/alloc.h"
#include "hub/hub.h"
#include "io/mailbox.h"

/* In the topic's list, then told by its letter. fn and what is below it belong to the loop's thread. */
struct coho__room {
  struct coho__room_waiter waiter;
  struct coho__letter letter;
  coho_hub *hub; /* held */
  struct coho__mailbox *mailbox;
  bool posted;           /* the letter is under way; locked */
  void (*fn)(void *ctx); /* NULL: cancelled */
  void *ctx;
};

static void free_room(struct coho__room *r) {
  coho__mailbox_drop(r->mailbox);
  coho__hub_unref(r->hub);
  coho__free(r, sizeof *r);
}

static void run(coho_loop *loop, struct coho__letter *letter) {
  struct coho__room *r = COHO_CONTAINER_OF(letter, struct coho__room, letter);
  void (*fn)(void *) = r->fn;
  void *ctx = r->ctx;
  (void)loop;
  free_room(r);
  if (fn) fn(ctx);
}

/* The loop dies: who waits cancels, or has. */
static void drop(struct coho__letter *letter) {
  struct coho__room *r = COHO_CONTAINER_OF(letter, struct coho__room, letter);
  coho__hub_lock(r->hub);
  r->posted = false;
  bool cancelled = !r->fn;
  coho__hub_unlock(r->hub);
  if (cancelled) free_room(r);
}

/* Any thread, locked. */
static void tell(struct coho__room_waiter *w) {
  struct coho__room *r = COHO_CONTAINER_OF(w, struct coho__room, waiter);
  r->posted = true; /* before it is, since the loop may be done with it at once */
  if (coho__mailbox_answer(r->mailbox, &r->letter)) r->posted = false;
}

/* Locked. */
static int enlist(coho_hub *hub, struct coho__view topic, struct coho__room *r) {
  struct coho__topic *t = coho__hub_find(hub, topic);
  if (!t || t->opt->slow != COHO_SLOW_BLOCK) return COHO_ENOTFOUND;
  coho__list_append(&t->waiters, &r->waiter.node);
  return 0;
}

int coho__room_wait(coho_hub *hub, struct coho__view topic, coho_loop *loop, void (*fn)(void *ctx),
                    void *ctx, struct coho__room **out) {
  struct coho__room *r = (struct coho__room *)coho__alloc(sizeof *r);
  if (!r) return COHO_ENOMEM;
  *r = (struct coho__room){.waiter = {.tell = tell},
                           .letter = {.run = run, .drop = drop, .bytes = sizeof *r},
                           .hub = coho__hub_ref(hub),
                           .mailbox = coho__mailbox_hold(coho__mailbox_of(loop)),
                           .fn = fn,
                           .ctx = ctx};
  coho__list_init(&r->waiter.node);
  coho__hub_lock(hub);
  int err = enlist(hub, topic, r);
  coho__hub_unlock(hub);
  if (err)
    free_room(r);
  else
    *out = r;
  return err;
}

void coho__room_cancel(struct coho__room *r) {
  coho__hub_lock(r->hub);
  coho__list_remove(&r->waiter.node);
  r->fn = NULL;
  bool posted = r->posted;
  coho__hub_unlock(r->hub);
  if (!posted) free_room(r);
}
