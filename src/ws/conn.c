#include "ws/conn.h"

#include "base/alloc.h"
#include "base/log.h"
#include "http/http.h"
#include "ws/client.h"
#include "ws/stats.h"

#include <stdio.h>
#include <string.h>

enum {
  AWAIT_MS = 2000,        /* a client gives the server so long to close TCP (RFC 6455 7.1.1) */
  DRAIN_MS = 1000,        /* what follows a fatal error is discarded within these bounds, */
  DRAIN_BYTES = 64 * 1024 /* so that the peer sees our Close and not a reset */
};

static void on_task(struct coho__task *task);

/* ---- birth and burial ----------------------------------------------------------------------- */

coho_conn *coho__conn_new(struct coho__home *home, struct coho__options *opt) {
  coho_conn *c = (coho_conn *)coho__zalloc(sizeof *c);
  if (!c) return NULL;
  coho__engine_init(&c->engine, &opt->engine);
  coho__task_init(&c->task, on_task);
  coho__conn_time_init(c);
  c->home = home;
  c->opt = opt;
  c->user = opt->set.user;
  c->protocol = "";
  int err = coho__conn_rate_new(&opt->set, coho__loop_time(home->loop), &c->rate);
  c->slot = err ? COHO_SLOT_NONE : coho__conn_table_add(home->table, c);
  if (c->slot == COHO_SLOT_NONE) {
    coho__conn_rate_free(c->rate);
    coho__free(c, sizeof *c);
    return NULL;
  }
  coho__options_ref(opt);
  home->conns++;
  coho__loop_hold(home->loop);
  return c;
}

void coho__note_free(struct coho__note *n) {
  if (!n) return;
  coho__free_str(n->target);
  coho__free_str(n->protocol);
  coho__free(n, sizeof *n);
}

static void free_pending(struct coho__pending *p) {
  if (!p) return;
  coho__outq_free(&p->out);
  coho__outq_free(&p->held);
  coho__buf_release(&p->in);
  coho__free(p, sizeof *p);
}

static void free_conn(coho_conn *c) {
  struct coho__home *home = c->home;
  coho__conn_table_remove(home->table, c->slot);
  coho__engine_free(&c->engine);
  free_pending(c->pending);
  coho__conn_rate_free(c->rate);
  coho__note_free(c->more.note);
  coho__options_unref(c->opt);
  coho__free(c, sizeof *c);
  coho__loop_release(home->loop);
  if (--home->conns == 0 && home->on_empty) home->on_empty(home);
}

void coho__conn_unmake(coho_conn *c) {
  coho__conn_table_expire(c->home->table, c->slot);
  free_conn(c);
}

static void on_burial(struct coho__task *task) {
  free_conn(COHO_CONTAINER_OF(task, coho_conn, task));
}

/* The transport goes now, the memory at the end of the turn. */
static void bury(coho_conn *c, bool reset) {
  struct coho__http *h = c->home->http;
  c->state = COHO_CONN_BURIED;
  coho__loop_stop_timer(c->home->loop, &c->timer);
  if (c->stream) {
    coho__stream_close(c->stream, reset);
    if (h) {
      coho__admission_leave(h->conf->admission, c->more.note ? c->more.note->address : NULL,
                            coho__loop_time(c->home->loop));
      coho__count(&c->home->counters->sockets, (uint64_t)-1);
    }
  }
  c->stream = NULL;
  c->task.run = on_burial;
  coho__loop_bury(c->home->loop, &c->task);
}

/* ---- compression --------------------------------------------------------------------------- */

int coho__conn_deflate(coho_conn *c, struct coho__deflate_terms *terms) {
  struct coho__conn_table *t = c->home->table;
  if (!terms->agreed) return 0;
  if (!t->deflate) t->deflate = coho__deflate_pool_new();
  if (t->deflate)
    c->engine.permessage = coho__permessage_new(t->deflate, (coho_role)c->opt->engine.role, terms,
                                                &c->opt->set.deflate);
  if (c->engine.permessage)
    *terms = (struct coho__deflate_terms){.agreed = false}; /* it is the codec's now */
  else
    coho__deflate_terms_drop(terms);
  return c->engine.permessage ? 0 : COHO_ENOMEM;
}

/* ---- opening -------------------------------------------------------------------------------- */

void coho__conn_open(coho_conn *c, const struct coho__conn_start *start) {
  struct coho__conn_table *t = c->home->table;
  struct coho__counters *n = c->home->counters;
  c->state = COHO_CONN_OPEN;
  c->stream = start->stream;
  c->stream->owner = c;
  c->stream->on_event = coho__conn_on_event;
  c->protocol = start->protocol;
  c->more.note = start->note;
  c->retime = true;
  c->opened = (uint32_t)(coho__loop_time(c->home->loop) / COHO_CONN_AGE_MS);
  coho__conn_talked(c);
  coho__count(&n->connections, 1);
  coho__count(&n->connections_total, 1);

  coho__conn_enter(c);
  int err = coho__buf_append(&t->loop->cork, start->head.data, start->head.len);
  if (!err) err = coho__conn_keep(c, start->rest.data, start->rest.len);
  if (err) coho__conn_doom(c, err);
  coho__conn_count_input(c, start->rest.len);
  t->request = start->request;
  if (c->opt->set.on_open) c->opt->set.on_open(c);
  t->request = NULL;
  if (coho__conn_alive(c)) coho__conn_release(c);
  coho__conn_deliver(c);
  coho__conn_leave(c);
}

/* ---- the end -------------------------------------------------------------------------------- */

static enum coho__linger choose_linger(const coho_conn *c, int err) {
  if (c->broken || (c->stop & COHO_STOP_DOOMED)) return COHO_LINGER_RESET;
  if (coho__engine_clean(&c->engine))
    return c->opt->engine.role == COHO_SERVER ? COHO_LINGER_CLOSE : COHO_LINGER_AWAIT;
  if (coho_error_answer(err) >= 1000) return COHO_LINGER_DRAIN;
  /* The peer is gone or does not listen: what still waits will not arrive. */
  bool lost = err == COHO_EPONGTIMEOUT || err == COHO_ECONNRESET || coho__conn_waiting(c);
  return lost ? COHO_LINGER_RESET : COHO_LINGER_CLOSE;
}

static void log_end(const coho_conn *c, const coho_ending *how) {
  char peer[COHO_ADDR_MAX];
  bool quiet =
      how->err == COHO_ESTOPPED || how->err == COHO_EABNORMAL || how->err == COHO_ECONNRESET;
  int level = quiet ? COHO_LOG_DEBUG : COHO_LOG_INFO;
  if (!how->err || !coho__log_wants(level)) return;
  const char *rfc = coho_error_rfc(how->err);
  coho__log(level, "%s %s: %s%s%s%s", coho_conn_peer(c, peer, sizeof peer), coho_errname(how->err),
            *how->detail ? how->detail : coho_strerror(how->err), *rfc ? " (" : "", rfc,
            *rfc ? ")" : "");
}

static void log_access(const coho_conn *c, uint32_t code) {
  const struct coho__note *n = c->more.note;
  char peer[COHO_ADDR_MAX];
  if (!n || !n->target) return;
  struct coho__access line = {.peer = coho_conn_peer(c, peer, sizeof peer),
                              .method = VIEW("GET"),
                              .target = coho__view_of(n->target),
                              .code = code,
                              .bytes = n->sent,
                              .duration_ms = coho__loop_time(c->home->loop) - n->opened_ms};
  coho__http_access(c->home->http, &line);
}

void coho__conn_end(coho_conn *c, const coho_ending *how) {
  const coho_options *set = &c->opt->set;
  bool was_open = c->state == COHO_CONN_OPEN;
  c->linger = (uint8_t)choose_linger(c, how->err);
  c->state = COHO_CONN_LINGERING;
  c->stop |= COHO_STOP_ENDED;
  c->stopped_ms = 0;
  coho__loop_stop_timer(c->home->loop, &c->timer);
  if (c->attached) c->home->table->attached_ops->gone(c);
  if (was_open) {
    coho__count(&c->home->counters->connections, (uint64_t)-1);
    coho__stats_ended(c->home->counters, how->err, how->code);
  }

  log_end(c, how);
  if (how->err && set->on_error) set->on_error(c, how->err);
  if (set->on_close) set->on_close(c, how);
  coho__conn_table_expire(c->home->table, c->slot);
  if (was_open) log_access(c, how->code);
  if (how->err == COHO_EMEMORY && c->home->http)
    coho__http_complain(c->home->http, COHO_HTTP_LIMIT_MEMORY);
  if (c->home->on_end) c->home->on_end(c->home, how->err);
  coho__engine_free(&c->engine); /* half a message is not to wait for the peer's end of TCP */
}

/* Without closing handshake. */
static void finish(coho_conn *c, int err) {
  coho_ending how = {.err = err, .code = 1006, .reason = "", .detail = ""};
  if (c->state == COHO_CONN_CONNECTING) coho__client_drop(c);
  coho__conn_end(c, &how);
  coho__conn_linger(c);
}

void coho__conn_cut(coho_conn *c, int err) {
  if (c->state == COHO_CONN_BURIED) return;
  c->stop |= COHO_STOP_DOOMED;
  if (c->state != COHO_CONN_LINGERING)
    finish(c, err);
  else
    bury(c, true);
}

void coho__conn_doom(coho_conn *c, int err) {
  if (c->stop & (COHO_STOP_DOOMED | COHO_STOP_ENDED)) return;
  c->stop |= COHO_STOP_DOOMED;
  c->doom = (int16_t)err;
  coho__conn_soon(c);
}

void coho__conn_break(coho_conn *c, int err) {
  if (c->broken) return;
  c->broken = true;
  c->doom = (int16_t)err;
  coho__conn_soon(c);
}

void coho__conn_soon(coho_conn *c) { coho__loop_soon(c->home->loop, &c->task); }

static void on_task(struct coho__task *task) {
  coho_conn *c = COHO_CONTAINER_OF(task, coho_conn, task);
  if (c->state == COHO_CONN_LINGERING) {
    coho__conn_linger(c);
  } else if (c->stop & COHO_STOP_DOOMED) {
    finish(c, c->doom);
  } else if (c->broken) {
    coho__conn_read_rest(c);
  } else if (c->state == COHO_CONN_OPEN) {
    coho__conn_enter(c);
    coho__conn_leave(c);
  }
}

/* ---- after the end -------------------------------------------------------------------------- */

static void set_timer(coho_conn *c, uint32_t ms) {
  if (ms != UINT32_MAX) coho__loop_set_timer(c->home->loop, &c->timer, ms);
}

/* Discards what comes. True: the peer is done. A peer that goes on and on is not read any more, and
   left to the timer: closing over unread bytes would be a reset, which takes the Close away from a
   peer that has not read it yet. */
static bool discard(coho_conn *c) {
  while (c->stopped_ms <= DRAIN_BYTES) {
    ssize_t n = coho__stream_read(c->stream, c->home->loop->recv, COHO_LOOP_RECV);
    if (n == COHO_STREAM_AGAIN) return false;
    if (n <= 0) return true;
    c->stopped_ms += (uint32_t)n;
  }
  return false;
}

static bool await_peer(coho_conn *c) {
  if (c->linger == COHO_LINGER_CLOSE) return true;
  if (!c->flushed) {
    c->flushed = true;
    if (c->linger == COHO_LINGER_AWAIT)
      set_timer(c, AWAIT_MS);
    else
      (void)coho__stream_shutdown(c->stream);
  }
  return discard(c);
}

void coho__conn_linger(coho_conn *c) {
  if (c->state != COHO_CONN_LINGERING) return;
  if (!c->stream || c->linger == COHO_LINGER_RESET) {
    bury(c, true);
    return;
  }
  if (!coho__wheel_is_set(&c->timer))
    set_timer(c, c->linger == COHO_LINGER_DRAIN ? DRAIN_MS : c->opt->set.write_timeout_ms);
  coho__conn_flush(c);
  if (c->broken)
    bury(c, true);
  else if (!coho__conn_waiting(c) && await_peer(c))
    bury(c, false);
}

void coho__conn_linger_timeout(coho_conn *c) { bury(c, coho__conn_waiting(c) > 0); }

void coho__conn_dropped(coho_conn *c, uint64_t n) {
  struct coho__meter *m = coho__engine_meter(&c->engine);
  if (m) m->drops += n;
}

/* ---- what programs may ask ------------------------------------------------------------------ */

void coho_abort(coho_conn *c) { coho__conn_doom(c, COHO_ESTOPPED); }

void coho_pause(coho_conn *c) {
  /* Once closing there is nothing to deliver, but the peer's Close to be seen. */
  if (c->state == COHO_CONN_CONNECTING || coho__engine_open(&c->engine))
    coho__conn_stop(c, COHO_STOP_PAUSED);
}

void coho_resume(coho_conn *c) {
  if (c->stop & COHO_STOP_PAUSED) coho__conn_talked(c); /* what came meanwhile comes now */
  coho__conn_go(c, COHO_STOP_PAUSED);
}

coho_id coho_conn_id(const coho_conn *c) { return coho__conn_table_id(c->home->table, c->slot); }
void *coho_conn_user(const coho_conn *c) { return c->user; }
void coho_conn_set_user(coho_conn *c, void *user) { c->user = user; }
coho_loop *coho_conn_loop(const coho_conn *c) { return c->home->loop; }
const char *coho_conn_protocol(const coho_conn *c) { return c->protocol; }

const char *coho_conn_peer(const coho_conn *c, char *buf, size_t cap) {
  if (c->stream) return coho__stream_peer(c->stream, buf, cap);
  if (cap) buf[0] = '\0';
  return buf;
}

const char *coho_conn_extensions(const coho_conn *c, char *buf, size_t cap) {
  char text[COHO_DEFLATE_TEXT] = "";
  const struct coho__permessage *p = c->engine.permessage;
  if (p) (void)coho__deflate_answer(coho__permessage_terms(p), text);
  if (cap) (void)snprintf(buf, cap, "%s", text);
  return buf;
}

coho_request *coho_conn_request(const coho_conn *c) {
  const struct coho__conn_table *t = c->home->table;
  return coho__conn_corked(c) ? t->request : NULL;
}
