#include "hub/sink.h"

#include "hub/lag.h"
#include "ws/conn.h"

/* Where the shelf finds it. */
struct bound {
  struct coho__sink *sink;
};

struct coho__sink *coho__shelf_sink(const struct coho__shelf *s, const coho_conn *c) {
  if (!(c->attached & COHO_ATTACHED_SINK)) return NULL;
  const struct bound *b =
      (const struct bound *)coho__pool_at(&s->sinks, c->attached & ~COHO_ATTACHED_SINK);
  return b->sink;
}

int coho__sink_bind(struct coho__sink *s, coho_conn *c) {
  struct coho__shelf *shelf = coho__shelf_of(s->loop);
  COHO_ASSERT(!c->attached && !s->bound);
  struct bound *b = shelf ? (struct bound *)coho__pool_add(&shelf->sinks, &s->bound) : NULL;
  if (!b) return COHO_ENOMEM;
  b->sink = s;
  c->attached = COHO_ATTACHED_SINK | s->bound;
  return 0;
}

void coho__sink_init(struct coho__sink *s, const struct coho__sink_ops *ops, coho_loop *loop) {
  *s = (struct coho__sink){.ops = ops, .loop = loop};
}

static struct coho__view name_of(const struct coho__sub *sub) {
  if (sub->of->pattern)
    return coho__view_of(COHO_CONTAINER_OF(sub->of, struct coho__pattern, subs)->text);
  return coho__topic_name(COHO_CONTAINER_OF(sub->of, struct coho__leaf, subs)->topic);
}

void coho__sink_each(struct coho__sink *s,
                     void (*fn)(void *ctx, struct coho__view name, bool pattern), void *ctx) {
  struct coho__shelf *shelf = coho__shelf_of(s->loop);
  if (!shelf) return;
  /* What ends meanwhile keeps its name until the end. */
  coho__shelf_enter(shelf);
  for (uint32_t n = s->subs, next; n; n = next) {
    const struct coho__sub *sub = coho__sub_at(shelf, n);
    next = sub->sibling;
    fn(ctx, name_of(sub), sub->of->pattern);
  }
  coho__shelf_leave(shelf);
}

void coho__sink_ready(struct coho__sink *s) {
  struct coho__shelf *shelf = coho__shelf_of(s->loop);
  if (shelf) coho__lag_feed_subscriber(shelf, (struct coho__subscriber){.sink = s});
}
