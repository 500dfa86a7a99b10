#include "ws/conn.h"

#include "http/counters.h"

#include <string.h>

/* ---- events to handlers --------------------------------------------------------------------- */

/* What the program gets of a compressed message, for those who watch the connection. */
static void show(coho_conn *c, const coho_msg *m) {
  const struct coho__frame f = {
      .len = m->len, .opcode = (uint8_t)m->type, .fin = !(m->flags & COHO_MORE)};
  coho__meter_message(c->engine.meter, &f, m->data, false);
}

static void meter(coho_conn *c, const coho_msg *m) {
  struct coho__meter *n = c->engine.meter;
  if (!n) return;
  if (!(m->flags & COHO_MORE)) n->messages_in++;
  n->payload_in += m->len;
  if (n->watches && c->engine.packed) show(c, m);
}

static void on_message(coho_conn *c, const coho_msg *m) {
  struct coho__counters *n = c->home->counters;
  meter(c, m);
  coho__conn_talked(c);
  if (!(m->flags & COHO_MORE)) coho__count(&n->messages_in, 1);
  coho__count(&n->bytes_in, m->len);
  if (c->opt->set.on_message) c->opt->set.on_message(c, *m);
}

/* A pong to the keepalive's own ping looks empty to the program. */
static void on_pong(coho_conn *c, const coho_msg *m) {
  coho_msg pong = *m;
  uint64_t us;
  if (coho__rtt_read(m, &us)) {
    coho__rtts_add(&c->rtts, us);
    pong = coho_binary(NULL, 0);
  }
  if (c->opt->set.on_pong) c->opt->set.on_pong(c, pong);
}

static void on_end(coho_conn *c, const coho_event *ev) {
  char reason[128]; /* of a control frame: at most 123 bytes, and here terminated */
  COHO_ASSERT(ev->msg.len < sizeof reason);
  if (ev->msg.len) memcpy(reason, ev->msg.data, ev->msg.len);
  reason[ev->msg.len] = '\0';
  coho_ending how = {.err = ev->err,
                     .code = ev->code,
                     .reason_len = (uint32_t)ev->msg.len,
                     .reason = reason,
                     .detail = ""};
  coho__conn_end(c, &how);
}

static void handle(coho_conn *c, const coho_event *ev) {
  const coho_options *set = &c->opt->set;
  switch ((coho_event_type)ev->type) {
  case COHO_MESSAGE: on_message(c, &ev->msg); break;
  case COHO_PING:
    if (set->on_ping) set->on_ping(c, ev->msg);
    break;
  case COHO_PONG: on_pong(c, &ev->msg); break;
  case COHO_CLOSE: on_end(c, ev); break;
  case COHO_ERROR: /* COHO_CLOSE follows and tells the same */
  case COHO_REQUEST:
  case COHO_OPEN: break; /* not from an engine that is open */
  }
}

/* The engine's next event that the peer's rate allows. */
static bool next_event(coho_conn *c, coho_event *ev) {
  struct coho__buf *cork = &c->home->loop->cork;
  bool got = coho__engine_next(&c->engine, cork, ev);
  if (!c->rate || coho__conn_rate_event(c, got ? ev : NULL)) return got;
  coho__engine_fail(&c->engine, cork, COHO_ERATE);
  return coho__engine_next(&c->engine, cork, ev);
}

/* All events until the input is used up or the connection is not to be read. */
static void pull(coho_conn *c) {
  struct coho__buf *cork = &c->home->loop->cork;
  coho_event ev;
  while (!c->stop && next_event(c, &ev)) {
    handle(c, &ev);
    /* Now and then, so that a burst has no cliff and a blocked socket is noticed in time. */
    if (cork->len > c->opt->cork_mark) coho__conn_flush(c);
  }
}

/* ---- input that has to be kept -------------------------------------------------------------- */

static void take_back(struct coho__engine *e) { e->in = e->in_end = NULL; }

int coho__conn_keep(coho_conn *c, const void *data, size_t len) {
  if (!len) return 0;
  struct coho__pending *p = coho__conn_pending(c);
  if (!p) return COHO_ENOMEM;
  if (!coho__buf_affordable(&p->in, len)) return COHO_EMEMORY;
  return coho__buf_append(&p->in, data, len);
}

/* Memory is tight, and what came cannot be kept until it may be delivered. */
static void shed(coho_conn *c) {
  c->stop &= (uint8_t) ~(COHO_STOP_PAUSED | COHO_STOP_CHOKED | COHO_STOP_RATED);
  coho__engine_fail(&c->engine, &c->home->loop->cork, COHO_EMEMORY);
  pull(c);
}

/* What the engine did not use of the loop's buffer is ours again. */
static void keep_rest(coho_conn *c) {
  size_t rest = coho__engine_unread(&c->engine);
  int err = rest && coho__conn_alive(c) ? coho__conn_keep(c, c->engine.in, rest) : 0;
  take_back(&c->engine);
  if (err == COHO_EMEMORY)
    shed(c);
  else if (err)
    coho__conn_doom(c, err);
}

static bool has_kept(const coho_conn *c) { return c->pending && c->pending->in.len; }

static void deliver_kept(coho_conn *c) {
  struct coho__pending *p = c->pending;
  size_t len = p->in.len - p->in_at;
  coho__engine_input(&c->engine, p->in.data + p->in_at, len);
  pull(c);
  /* Still there: what is kept keeps the structure alive. */
  p->in_at = p->in.len - coho__engine_unread(&c->engine);
  take_back(&c->engine);
  if (p->in_at < p->in.len && coho__conn_alive(c)) return;
  coho__buf_release(&p->in);
  p->in_at = 0;
}

void coho__conn_deliver(coho_conn *c) {
  if (c->stop) return;
  if (has_kept(c)) deliver_kept(c);
  if (!c->stop) pull(c);
}

/* ---- reading -------------------------------------------------------------------------------- */

void coho__conn_count_input(coho_conn *c, size_t n) {
  if (c->rate && !coho__conn_rate_bytes(c, n))
    coho__engine_fail(&c->engine, &c->home->loop->cork, COHO_ERATE);
}

/* How much of the loop's buffer a read may fill. */
static size_t room(const coho_conn *c) {
  return c->rate ? coho__conn_rate_room(c) : (size_t)COHO_LOOP_RECV;
}

static void take_input(coho_conn *c, size_t n) {
  coho__conn_count_input(c, n);
  coho__engine_input(&c->engine, c->home->loop->recv, n);
  pull(c);
  keep_rest(c);
}

/* What the peer did, or memory, ended reading: it can be told. */
static bool can_tell(ssize_t err) { return err == COHO_EMEMORY || err == COHO_EMESSAGETIMEOUT; }

static void take_eof(coho_conn *c, ssize_t err) {
  if (can_tell(err))
    coho__engine_fail(&c->engine, &c->home->loop->cork, (int)err);
  else
    coho__engine_eof(&c->engine, (int)err);
  pull(c);
}

/* The stream has nothing for us; any byte of the peer counts all the same. */
static void take_nothing(coho_conn *c) {
  if (coho__stream_heard(c->stream) && !c->engine.close_sent)
    coho__keepalive_heard(&c->engine.keepalive);
}

static void on_readable(coho_conn *c, unsigned events) {
  if (has_kept(c) || coho__engine_has_more(&c->engine)) coho__conn_deliver(c);
  if (c->stop) return; /* coho__conn_go() asks again */
  size_t most = room(c);
  ssize_t n = coho__stream_read(c->stream, c->home->loop->recv, most);
  if (n > 0) take_input(c, (size_t)n);
  if (c->rate && n < (ssize_t)most && !c->stop) coho__conn_rate_caught_up(c->rate);
  if (n == COHO_STREAM_AGAIN) take_nothing(c);
  if (n == COHO_STREAM_AGAIN) return;
  if (n <= 0) {
    take_eof(c, n);
    return;
  }
  /* Edge-triggered: unless all was read, nobody will call. */
  bool more = (size_t)n == most || (events & COHO_IO_HANGUP);
  if (more && !c->stop) coho__stream_again(c->stream, events & ~(unsigned)COHO_IO_WRITE);
}

void coho__conn_read_rest(coho_conn *c) {
  c->stop &= (uint8_t)~COHO_STOP_CHOKED; /* what waits will never be written */
  coho__conn_enter(c);
  coho__conn_deliver(c);
  /* A socket that failed has nothing more to come: this ends. */
  while (!c->stop) {
    ssize_t n = coho__stream_read(c->stream, c->home->loop->recv, room(c));
    if (n <= 0) break;
    take_input(c, (size_t)n);
  }
  coho__conn_leave(c);
  if (c->state == COHO_CONN_OPEN) coho__conn_doom(c, c->doom);
}

void coho__conn_on_event(struct coho__stream *s, unsigned events) {
  coho_conn *c = (coho_conn *)s->owner;
  if (events & COHO_IO_WRITE && c->state == COHO_CONN_LINGERING) c->blocked = false;
  if (c->state == COHO_CONN_LINGERING) coho__conn_linger(c);
  /* After a broken write the end of this turn does the rest. */
  if (c->state != COHO_CONN_OPEN || c->broken) return;
  coho__conn_enter(c);
  if (events & COHO_IO_WRITE && c->blocked) coho__conn_drained(c);
  if (events & (COHO_IO_READ | COHO_IO_HANGUP) && !c->stop) on_readable(c, events);
  coho__conn_leave(c);
}

/* ---- around handlers ------------------------------------------------------------------------ */

void coho__conn_enter(coho_conn *c) {
  struct coho__conn_table *t = c->home->table;
  COHO_ASSERT(!t->corked && t->loop->cork.len == 0);
  t->corked = c;
}

void coho__conn_leave(coho_conn *c) {
  struct coho__conn_table *t = c->home->table;
  if (c->state == COHO_CONN_OPEN && c->was_busy == coho__engine_idle(&c->engine)) c->retime = true;
  /* The flush may find the socket full, which gives the timer something to watch. */
  for (int i = 0; i < 2; i++) {
    if (c->retime && coho__conn_alive(c)) coho__conn_retime(c);
    coho__conn_flush(c);
    /* A full cork makes the engine hold its pong back, too. */
    if (c->engine.blocked && !c->blocked) (void)coho__engine_unblock(&c->engine, &t->loop->cork);
  }
  coho__conn_flush(c);
  t->corked = NULL;
  /* The next compressed message, which would see to it, may be far off. */
  if (t->deflate) coho__deflate_pool_trim(t->deflate);
  if (c->state == COHO_CONN_LINGERING)
    coho__conn_linger(c);
  else
    coho__conn_settle(c);
}
