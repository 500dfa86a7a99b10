#include "http/late.h"

#include "base/alloc.h"
#include "base/sized.h"
#include "http/parts.h"

bool coho__late_waits(const struct coho__http_conn *c) { return c->late && !c->late->done; }

void coho__late_wake(struct coho__http_conn *c) {
  if (c->late) coho__loop_soon(c->http->loop, &c->late->task);
}

void coho__late_done(struct coho__http_conn *c) {
  if (!c->late) return;
  c->late->done = true;
  coho__late_wake(c);
}

void coho__late_free(struct coho__http_conn *c) {
  if (!c->late) return;
  coho__task_cancel(&c->late->task);
  coho__free(c->late, sizeof *c->late);
  c->late = NULL;
}

static bool stop_due(const struct coho__http_conn *c) {
  const struct coho__http *h = c->http;
  return h->draining && !c->late->stop_told && (!h->paced || c->late->stop_due);
}

static bool drain_due(const struct coho__http_conn *c, bool sent) {
  return c->late->want_drain && sent && c->out.queue.bytes <= coho__parts_cap(c) / 4;
}

void coho__late_tell(struct coho__http_conn *c, bool sent) {
  struct coho__late *l = c->late;
  if (!l || l->done || l->cut) return;
  if (stop_due(c)) {
    l->stop_told = true;
    if (l->on.on_stop) l->on.on_stop(&c->request, l->on.ctx);
  }
  if (l->done || l->cut || !drain_due(c, sent)) return;
  l->want_drain = false;
  if (l->on.on_drain) l->on.on_drain(&c->request, l->on.ctx);
}

void coho__late_gone(struct coho__http_conn *c) {
  if (!coho__late_waits(c)) return;
  c->late->done = true;
  c->late->on.on_gone(&c->request, c->late->on.ctx);
}

/* ---- what programs call ---------------------------------------------------------------------- */

static void on_task(struct coho__task *t) {
  coho__http_conn_run(COHO_CONTAINER_OF(t, struct coho__late, task)->conn);
}

/* Why it cannot be put off, or 0. */
static int settled(const struct coho__http_conn *c) {
  if (c->state == COHO_HTTP_GONE) return COHO_ECLOSED;
  if (!c->route || c->route->kind != COHO_ROUTE_HTTP) return COHO_EINVAL;
  return c->late || (c->replied && !c->parts) ? COHO_EBUSY : 0;
}

int coho_request_defer_sized(coho_request *r, const coho_late *late, size_t size) {
  coho_late on;
  if (!r || !r->owner || !late) return COHO_EINVAL;
  struct coho__http_conn *c = coho__http_conn_of(r);
  int err = coho__sized_read(&on, sizeof on, late, size);
  if (!err && !on.on_gone) err = COHO_EINVAL;
  if (!err) err = settled(c);
  if (err) return err;
  c->late = (struct coho__late *)coho__zalloc(sizeof *c->late);
  if (!c->late) return COHO_ENOMEM;
  c->late->conn = c;
  c->late->on = on;
  coho__task_init(&c->late->task, on_task);
  return 0;
}

void coho_request_forget(coho_request *r) {
  struct coho__http_conn *c = r && r->owner ? coho__http_conn_of(r) : NULL;
  if (!c || !coho__late_waits(c)) return;
  coho__buf_release(&c->body);
  coho__request_forget(r);
}

coho_loop *coho_request_loop(const coho_request *r) {
  return r && r->owner ? coho__http_conn_of(r)->http->loop : NULL;
}
