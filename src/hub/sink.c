#include "hub/sink.h"

#include "hub/lag.h"
#include "ws/conn.h"

struct coho__sink *coho__sink_at(const struct coho__shelf *s, uint32_t number) {
  struct coho__sink *const *place = (struct coho__sink *const *)coho__pool_at(&s->sinks, number);
  return *place;
}

bool coho__sink_enter(struct coho__sink *s, struct coho__shelf *shelf) {
  if (s->number) return true;
  struct coho__sink **place = (struct coho__sink **)coho__pool_add(&shelf->sinks, &s->number);
  if (place) *place = s;
  return place;
}

struct coho__sink *coho__shelf_sink(const struct coho__shelf *s, const coho_conn *c) {
  if (!(c->attached & COHO_ATTACHED_SINK)) return NULL;
  return coho__sink_at(s, c->attached & ~COHO_ATTACHED_SINK);
}

int coho__sink_bind(struct coho__sink *s, coho_conn *c) {
  struct coho__shelf *shelf = coho__shelf_of(s->loop);
  COHO_ASSERT(!c->attached && !s->number);
  if (!shelf || !coho__sink_enter(s, shelf)) return COHO_ENOMEM;
  c->attached = COHO_ATTACHED_SINK | s->number;
  return 0;
}

void coho__sink_init(struct coho__sink *s, const struct coho__sink_ops *ops, coho_loop *loop) {
  *s = (struct coho__sink){.ops = ops, .loop = loop};
}

void coho__sink_each(struct coho__sink *s,
                     void (*fn)(void *ctx, struct coho__view name, bool pattern), void *ctx) {
  struct coho__shelf *shelf = coho__shelf_of(s->loop);
  if (!shelf) return;
  /* What ends meanwhile keeps its name until the end. */
  coho__shelf_enter(shelf);
  for (uint32_t n = s->subs, next; n; n = next) {
    const struct coho__sub *sub = coho__sub_at(shelf, n);
    struct coho__subs *of = coho__subs_of(shelf, sub);
    next = sub->sibling;
    fn(ctx, coho__view_of(coho__subs_name(of)), of->pattern);
  }
  coho__shelf_leave(shelf);
}

void coho__sink_ready(struct coho__sink *s) {
  struct coho__shelf *shelf = coho__shelf_of(s->loop);
  if (shelf) coho__lag_feed_subscriber(shelf, (struct coho__subscriber){.sink = s});
}
