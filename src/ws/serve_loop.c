#include "base/log.h"
#include "ws/conn.h"
#include "ws/door.h"

enum { LOOK_MS = 8 }; /* between two looks whether a stop is complete */

static void close_listeners(struct coho__serve_loop *sl) {
  coho_server *s = sl->server;
  size_t index = (size_t)(sl - s->loops);
  pthread_mutex_lock(&s->lock);
  for (struct coho__list *n = s->listeners.next; n != &s->listeners; n = n->next) {
    struct coho__listener *l = COHO_LIST_ENTRY(n, struct coho__listener, node);
    coho__listen_close(l->doors[index].socket);
    l->doors[index].socket = NULL;
  }
  pthread_mutex_unlock(&s->lock);
  coho__proxied_end(&sl->room);
}

/* Calls fn for each connection of this server on the loop, lingering ones included. */
static void each_conn(struct coho__serve_loop *sl, void (*fn)(coho_conn *c)) {
  uint32_t it = 0;
  coho_conn *c;
  while ((c = coho__conn_table_next(sl->host.home.table, &it)))
    if (c->home == &sl->host.home) fn(c);
}

/* ---- stopping ------------------------------------------------------------------------------- */

static void go_away(coho_conn *c) {
  const struct coho__serve_loop *sl =
      COHO_CONTAINER_OF(c->home, struct coho__serve_loop, host.home);
  if (coho__conn_alive(c) && coho__engine_open(&c->engine))
    (void)coho_close(c, (int)sl->opt.drain_code, NULL);
}

/* How many of so many may have gone by now: the first one at once. */
static uint64_t due_of(const struct coho__serve_loop *sl, uint64_t total) {
  uint64_t elapsed = coho__loop_time(sl->loop) - sl->drain_ms;
  return total * elapsed / sl->spread_ms + 1;
}

/* In the order of the table, which is about that of their coming. */
static void go_in_turn(struct coho__serve_loop *sl) {
  uint64_t due = due_of(sl, sl->drain_total);
  while (sl->drained < due) {
    coho_conn *c = coho__conn_table_next(sl->host.home.table, &sl->drain_it);
    if (!c) return;
    if (c->home != &sl->host.home) continue;
    go_away(c);
    sl->drained++;
  }
}

static void tell_in_turn(struct coho__serve_loop *sl) {
  uint64_t due = due_of(sl, sl->deferred_total);
  coho__http_tell_some(&sl->host.http, (size_t)(due - sl->deferred_told));
  sl->deferred_told = due;
}

static bool spreading(const struct coho__serve_loop *sl) {
  return coho__loop_time(sl->loop) - sl->drain_ms < sl->spread_ms;
}

static void send_away(struct coho__serve_loop *sl) {
  struct coho__http *h = &sl->host.http;
  if (spreading(sl)) {
    go_in_turn(sl);
    tell_in_turn(sl);
    return;
  }
  each_conn(sl, go_away); /* those included that opened meanwhile */
  if (!h->paced) return;
  h->paced = false;
  coho__http_drain(h);
}

static void doom(coho_conn *c) {
  /* One whose on_close ran needs no more than to be told not to wait. */
  c->linger = COHO_LINGER_RESET;
  coho__conn_doom(c, COHO_ESTOPPED);
  coho__conn_soon(c);
}

static void cut_now(coho_conn *c) { coho__conn_cut(c, COHO_ESTOPPED); }

static void unref_server(struct coho__task *t) {
  coho__server_unref(COHO_CONTAINER_OF(t, struct coho__serve_loop, grave)->server);
}

/* The last that happens here but for giving back the reference. */
static void done(struct coho__serve_loop *sl, coho_loop *loop) {
  coho_server *s = sl->server;
  sl->state = COHO_SERVE_DONE;
  coho__stop_unwatch(&sl->watch);
  coho__loop_stop_timer(loop, &sl->timer);
  coho__list_remove(&sl->teardown.node);
  coho__loop_release(loop);
  atomic_fetch_sub(&s->undone, 1);
  if (s->own_loops) coho_loop_stop(loop);
}

static void look(struct coho__serve_loop *sl) {
  if (coho__list_empty(&sl->host.http.conns) && sl->host.home.conns == 0) {
    done(sl, sl->loop);
    coho__loop_bury(sl->loop, &sl->grave);
    return;
  }
  if (coho__loop_time(sl->loop) >= sl->cut_ms) {
    coho__http_cut(&sl->host.http);
    each_conn(sl, doom);
  } else {
    send_away(sl);
  }
  coho__loop_set_timer(sl->loop, &sl->timer, LOOK_MS);
}

static void on_timer(struct coho__wheel_timer *t) {
  look(COHO_CONTAINER_OF(t, struct coho__serve_loop, timer));
}

static void drain(struct coho__serve_loop *sl) {
  const coho_server_options *opt = &sl->opt;
  uint32_t limit = opt->drain_timeout_ms;
  sl->state = COHO_SERVE_DRAINING;
  sl->drain_ms = coho__loop_time(sl->loop);
  sl->spread_ms = opt->drain_spread_ms;
  sl->drain_total = sl->host.home.conns;
  sl->cut_ms = limit == UINT32_MAX ? UINT64_MAX : sl->drain_ms + sl->spread_ms + limit;
  close_listeners(sl);
  sl->host.http.paced = sl->spread_ms > 0;
  sl->deferred_total = coho__http_deferred(&sl->host.http);
  coho__http_drain(&sl->host.http);
  send_away(sl);
  coho__loop_set_timer(sl->loop, &sl->timer, LOOK_MS);
}

void coho__serve_loop_cut(struct coho__serve_loop *sl) {
  if (sl->state == COHO_SERVE_RUNNING) drain(sl);
  if (sl->state != COHO_SERVE_DRAINING) return;
  sl->cut_ms = 0;
  coho__http_cut(&sl->host.http);
  each_conn(sl, doom);
  coho__loop_set_timer(sl->loop, &sl->timer, 0);
}

/* Of what the server took over meanwhile. */
static void take_options(struct coho__serve_loop *sl) {
  coho_server *s = sl->server;
  if (atomic_load(&s->version) == sl->version) return;
  pthread_mutex_lock(&s->lock);
  sl->version = atomic_load(&s->version);
  sl->opt = s->fresh;
  pthread_mutex_unlock(&s->lock);
  coho__server_conf(&sl->opt, &sl->conf);
  sl->room.timeout_ms = sl->opt.proxy_timeout_ms;
}

static void on_ring(struct coho__stop_watch *w) {
  struct coho__serve_loop *sl = COHO_CONTAINER_OF(w, struct coho__serve_loop, watch);
  coho_server *s = sl->server;
  take_options(sl);
  if (s->obeys_stop && coho__stop_count() != s->stop_count) atomic_store(&s->stopping, true);
  if (atomic_load(&s->cutting))
    coho__serve_loop_cut(sl);
  else if (atomic_load(&s->stopping) && sl->state == COHO_SERVE_RUNNING)
    drain(sl);
}

/* ---- life ----------------------------------------------------------------------------------- */

void coho__serve_loop_leave(struct coho__serve_loop *sl) {
  coho_server *s = sl->server;
  coho_loop *loop = sl->loop;
  if (sl->state == COHO_SERVE_DONE || !loop) return;
  close_listeners(sl);
  if (!s->own_loops) sl->loop = NULL;
  if (sl->state == COHO_SERVE_NEW) {
    coho__list_remove(&sl->teardown.node);
    return;
  }
  coho__http_end(&sl->host.http);
  each_conn(sl, cut_now);
  done(sl, loop);
  /* Connections are freed later, and need the server. Own loops are freed with it; a loop of the
     program buries it behind them. */
  if (s->own_loops)
    coho__server_unref(s);
  else
    coho__loop_bury(loop, &sl->grave);
}

static void tear_down(struct coho__teardown *t) {
  coho__serve_loop_leave(COHO_CONTAINER_OF(t, struct coho__serve_loop, teardown));
}

void coho__serve_loop_init(struct coho__serve_loop *sl, coho_server *s, coho_loop *loop) {
  sl->server = s;
  sl->loop = loop;
  sl->conf = s->http_conf;
  sl->opt = s->opt;
  coho__http_init(&sl->host.http, loop, &sl->conf, &sl->counters);
  sl->host.home =
      (struct coho__home){.loop = loop,
                          .table = (struct coho__conn_table *)loop->conns,
                          .counters = &sl->counters,
                          .http = &sl->host.http,
                          .keeps_targets = (s->opt.flags & (uint64_t)COHO_KEEP_TARGETS) != 0};
  coho__proxied_init(&sl->room, loop, &s->admission);
  sl->room.proxies = &s->proxies;
  sl->room.timeout_ms = s->opt.proxy_timeout_ms;
  coho__wheel_timer_init(&sl->timer, on_timer);
  coho__task_init(&sl->grave, unref_server);
  sl->teardown.run = tear_down;
  coho__loop_on_free(loop, &sl->teardown);
}

int coho__serve_loop_start(struct coho__serve_loop *sl) {
  coho_server *s = sl->server;
  size_t index = (size_t)(sl - s->loops);
  int err = coho__stop_watch(&sl->watch, sl->loop, on_ring);
  if (err) return err;
  take_options(sl);
  for (struct coho__list *n = s->listeners.next; n != &s->listeners; n = n->next)
    coho__door_start(&COHO_LIST_ENTRY(n, struct coho__listener, node)->doors[index]);
  coho__loop_hold(sl->loop);
  atomic_fetch_add(&s->undone, 1);
  atomic_fetch_add(&s->refs, 1);
  sl->state = COHO_SERVE_RUNNING;
  return 0;
}
