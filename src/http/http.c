#include "http/http.h"

#include "base/log.h"
#include "http/late.h"
#include "http/reply.h"

#include <string.h>

enum {
  /* Connections over a limit that get an answer at a time; the others are only closed. */
  TURNED_AWAY_MOST = 16,
  COMPLAINT_MS = 1000 /* at most one line of a kind in this time */
};

void coho__http_init(struct coho__http *h, coho_loop *loop, const struct coho__http_conf *conf,
                     struct coho__counters *counters) {
  *h = (struct coho__http){.loop = loop, .conf = conf, .counters = counters};
  coho__list_init(&h->conns);
}

void coho__http_complain(struct coho__http *h, enum coho__http_limit which) {
  static const int errors[] = {[COHO_HTTP_LIMIT_ALL] = COHO_EOVERLOAD,
                               [COHO_HTTP_LIMIT_ADDRESS] = COHO_EADDRESSFULL,
                               [COHO_HTTP_LIMIT_RATE] = COHO_EHANDSHAKERATE,
                               [COHO_HTTP_LIMIT_MEMORY] = COHO_EMEMORY};
  uint64_t *told_ms = &h->told_ms[which];
  if (*told_ms && h->loop->now_ms - *told_ms < COMPLAINT_MS) return;
  *told_ms = h->loop->now_ms;
  coho__log(COHO_LOG_WARN, "%s", coho_strerror(errors[which]));
}

static void turn_away(struct coho__http *h, struct coho__stream *s, int err) {
  coho__http_complain(h, err == COHO_EADDRESSFULL     ? COHO_HTTP_LIMIT_ADDRESS
                         : err == COHO_EHANDSHAKERATE ? COHO_HTTP_LIMIT_RATE
                                                      : COHO_HTTP_LIMIT_ALL);
  if (h->turned_away >= TURNED_AWAY_MOST || coho__stream_secure(s)) {
    coho__stream_close(s, true);
    return;
  }
  struct coho__http_conn *c = coho__http_conn_new(h, s, false, NULL);
  if (!c) return;
  coho__reply_refuse(c, err);
  c->state = COHO_HTTP_REPLY;
  coho__http_conn_run(c);
}

void coho__http_accept(struct coho__http *h, struct coho__stream *s) {
  struct coho__address *address;
  int err = coho__admission_enter(h->conf->admission, s, h->loop->now_ms, &address);
  if (err) {
    turn_away(h, s, err);
  } else {
    (void)coho__http_conn_new(h, s, true, address);
  }
}

static struct coho__http_conn *conn_at(struct coho__list *node) {
  return COHO_LIST_ENTRY(node, struct coho__http_conn, node);
}

void coho__http_drain(struct coho__http *h) {
  h->draining = true;
  for (struct coho__list *node = h->conns.next, *next; node != &h->conns; node = next) {
    next = node->next;
    coho__late_wake(conn_at(node));
    if (coho__http_conn_idle(conn_at(node))) coho__http_conn_close(conn_at(node), false);
  }
}

size_t coho__http_deferred(const struct coho__http *h) {
  size_t count = 0;
  for (struct coho__list *node = h->conns.next; node != &h->conns; node = node->next)
    count += coho__late_waits(conn_at(node));
  return count;
}

void coho__http_tell_some(struct coho__http *h, size_t count) {
  for (struct coho__list *node = h->conns.next; node != &h->conns && count; node = node->next) {
    struct coho__http_conn *c = conn_at(node);
    if (!coho__late_waits(c) || c->late->stop_due) continue;
    c->late->stop_due = true;
    coho__late_wake(c);
    count--;
  }
}

void coho__http_cut(struct coho__http *h) {
  for (struct coho__list *node = h->conns.next, *next; node != &h->conns; node = next) {
    struct coho__http_conn *c = conn_at(node);
    next = node->next;
    if (!coho__late_waits(c)) {
      coho__http_conn_close(c, true);
      continue;
    }
    c->late->cut = true;
    coho__late_wake(c);
  }
}

void coho__http_end(struct coho__http *h) {
  while (!coho__list_empty(&h->conns))
    coho__http_conn_close(conn_at(h->conns.next), true);
}

/* ---- inside a route's serve() ---------------------------------------------------------------- */

struct coho__http *coho__http_of(const coho_request *r) {
  return coho__http_conn_of(r)->http;
}

struct coho__stream *coho__http_take(coho_request *r, struct coho__view *rest) {
  return coho__http_conn_give(coho__http_conn_of(r), rest);
}

struct coho__address *coho__http_address(const coho_request *r) {
  return coho__http_conn_of(r)->address;
}

struct coho__view coho__http_fields(const coho_request *r) {
  const struct coho__http_conn *c = coho__http_conn_of(r);
  return (struct coho__view){c->fields.data, c->fields.len};
}

bool coho__http_replied(const coho_request *r) {
  const struct coho__http_conn *c = coho__http_conn_of(r);
  return c->replied || c->state == COHO_HTTP_GONE;
}

void coho__http_refuse(coho_request *r, int err) { coho__reply_refuse(coho__http_conn_of(r), err); }

/* A request of an engine of core.h belongs to no connection of ours. */
void *coho_request_user(const coho_request *r) {
  return r->owner ? coho__http_conn_of(r)->user : NULL;
}

void coho_request_set_user(coho_request *r, void *user) {
  if (r->owner) coho__http_conn_of(r)->user = user;
}

void coho__http_give_user(coho_request *r, void *user, void (*drop)(void *user)) {
  coho_request_set_user(r, user);
  coho__http_conn_of(r)->drop_user = drop;
}

coho_bytes coho_request_body(const coho_request *r) {
  const struct coho__http_conn *c = coho__http_conn_of(r);
  return c && c->body.len ? (coho_bytes){c->body.data, c->body.len} : (coho_bytes){"", 0};
}

const char *coho_request_peer(const coho_request *r, char *buf, size_t cap) {
  if (r->owner) return coho__http_conn_peer(coho__http_conn_of(r), buf, cap);
  if (cap) *buf = '\0';
  return buf;
}
