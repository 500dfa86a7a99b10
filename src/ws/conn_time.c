#include "ws/client.h"
#include "ws/conn.h"

static void on_timer(struct coho__wheel_timer *timer) {
  coho_conn *c = COHO_CONTAINER_OF(timer, coho_conn, timer);
  switch ((enum coho__conn_state)c->state) {
  case COHO_CONN_CONNECTING: coho__client_timeout(c); break;
  case COHO_CONN_OPEN:
    c->retime = true;
    coho__conn_enter(c);
    coho__conn_leave(c);
    break;
  case COHO_CONN_LINGERING: coho__conn_linger_timeout(c); break;
  case COHO_CONN_BURIED: break;
  }
}

void coho__conn_time_init(coho_conn *c) { coho__wheel_timer_init(&c->timer, on_timer); }

/* Time left for the peer to read something of what waits for it; 0: it had enough. */
static uint64_t write_wait(const coho_conn *c, uint64_t now) {
  uint32_t limit = c->opt->set.write_timeout_ms;
  if (!c->blocked || !c->pending || limit == UINT32_MAX) return UINT64_MAX;
  uint64_t age = now - c->pending->progress_ms;
  return age < limit ? limit - age : 0;
}

/* The engine's clock does not run while no events are delivered: a peer whose pong we do not read
   is not to blame. The deadline of the queue does run. */
static uint64_t engine_wait(coho_conn *c, uint64_t now) {
  if (c->stop) return UINT64_MAX;
  uint64_t clock = now - c->lag_ms;
  uint64_t at = coho__engine_tick(&c->engine, &c->home->loop->cork, clock);
  c->was_busy = !coho__engine_idle(&c->engine);
  if (at == clock) coho__conn_deliver(c); /* a deadline passed */
  return at == UINT64_MAX ? at : at - clock;
}

/* Until a peer above its rate is read again. */
static uint64_t rate_wait(coho_conn *c, uint64_t now) {
  if (!(c->stop & COHO_STOP_RATED)) return UINT64_MAX;
  uint64_t wait = coho__conn_rate_wait(c, now);
  if (wait) return wait;
  coho__conn_go(c, COHO_STOP_RATED);
  return UINT64_MAX;
}

/* Until a connection without messages is closed. What is under way has deadlines of its own, and
   whether a peer that the program does not read is silent nobody knows. */
static uint64_t idle_wait(coho_conn *c, uint64_t now) {
  uint32_t limit = c->opt->set.idle_timeout_ms;
  if (limit == UINT32_MAX || c->stop & COHO_STOP_PAUSED) return UINT64_MAX;
  if (!coho__engine_open(&c->engine)) return UINT64_MAX;
  if (!coho__engine_idle(&c->engine) || c->pending) coho__conn_talked(c);
  uint32_t silence = (uint32_t)now - c->talked_ms;
  if (silence < limit) return limit - silence;
  (void)coho_close(c, 1000, "idle");
  return UINT64_MAX;
}

void coho__conn_retime(coho_conn *c) {
  uint64_t now = coho__loop_time(c->home->loop);
  c->retime = false;
  uint64_t wait = write_wait(c, now);
  if (wait == 0) {
    coho__conn_doom(c, COHO_EWRITETIMEOUT);
    return;
  }
  uint64_t idle = idle_wait(c, now);
  wait = COHO_MIN(wait, idle);
  uint64_t rate = rate_wait(c, now);
  wait = COHO_MIN(wait, rate);
  uint64_t engine = engine_wait(c, now);
  wait = COHO_MIN(wait, engine);
  if (c->state != COHO_CONN_OPEN) return;
  if (wait == UINT64_MAX)
    coho__loop_stop_timer(c->home->loop, &c->timer);
  else
    coho__loop_set_timer(c->home->loop, &c->timer, wait);
}

static bool reading_stopped(const coho_conn *c) {
  return (c->stop & (COHO_STOP_PAUSED | COHO_STOP_CHOKED | COHO_STOP_RATED)) != 0;
}

static void changed(coho_conn *c) {
  c->retime = true;
  if (!coho__conn_corked(c)) coho__conn_soon(c);
}

void coho__conn_stop(coho_conn *c, enum coho__conn_stop why) {
  if (c->stop & (COHO_STOP_ENDED | COHO_STOP_DOOMED)) return;
  if (!reading_stopped(c)) {
    c->stopped_ms = (uint32_t)coho__loop_time(c->home->loop);
    changed(c);
  }
  c->stop |= (uint8_t)why;
}

void coho__conn_go(coho_conn *c, enum coho__conn_stop why) {
  if (c->stop & COHO_STOP_ENDED || !(c->stop & why)) return;
  c->stop &= (uint8_t)~why;
  if (c->rate && why != COHO_STOP_RATED) coho__conn_rate_behind(c->rate);
  if (reading_stopped(c)) return;
  c->lag_ms += (uint32_t)coho__loop_time(c->home->loop) - c->stopped_ms;
  changed(c);
  /* What came meanwhile brought its event already. */
  if (c->state == COHO_CONN_OPEN) coho__stream_again(c->stream, COHO_IO_READ | COHO_IO_HANGUP);
}
