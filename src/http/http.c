#include "http/http.h"

#include "base/log.h"
#include "http/reply.h"

#include <string.h>

enum {
  /* Connections over the limit that get an answer at a time; the others are only closed. */
  TURNED_AWAY_MOST = 16,
  OVERLOAD_LOG_MS = 1000 /* at most one line in this time */
};

void coho__http_init(struct coho__http *h, coho_loop *loop, const struct coho__http_conf *conf,
                     struct coho__counters *counters) {
  *h = (struct coho__http){.loop = loop, .conf = conf, .counters = counters};
  coho__list_init(&h->conns);
}

static void turn_away(struct coho__http *h, struct coho__stream *s) {
  if (h->overload_ms == 0 || h->loop->now_ms - h->overload_ms >= OVERLOAD_LOG_MS) {
    h->overload_ms = h->loop->now_ms;
    coho__log(COHO_LOG_WARN, "%s", coho_strerror(COHO_EOVERLOAD));
  }
  if (h->turned_away >= TURNED_AWAY_MOST) {
    coho__stream_close(s, true);
    return;
  }
  struct coho__http_conn *c = coho__http_conn_new(h, s, false);
  if (!c) return;
  coho__reply_refuse(c, COHO_EOVERLOAD);
  c->state = COHO_HTTP_REPLY;
  coho__http_conn_run(c);
}

void coho__http_accept(struct coho__http *h, struct coho__stream *s) {
  if (coho__admission_enter(h->conf->admission)) {
    (void)coho__http_conn_new(h, s, true);
  } else {
    turn_away(h, s);
  }
}

static struct coho__http_conn *conn_at(struct coho__list *node) {
  return COHO_LIST_ENTRY(node, struct coho__http_conn, node);
}

void coho__http_drain(struct coho__http *h) {
  h->draining = true;
  for (struct coho__list *node = h->conns.next, *next; node != &h->conns; node = next) {
    next = node->next;
    if (coho__http_conn_idle(conn_at(node))) coho__http_conn_close(conn_at(node), false);
  }
}

void coho__http_cut(struct coho__http *h) {
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

coho_bytes coho_request_body(const coho_request *r) {
  const struct coho__http_conn *c = coho__http_conn_of(r);
  return c && c->body.len ? (coho_bytes){c->body.data, c->body.len} : (coho_bytes){"", 0};
}

const char *coho_request_peer(const coho_request *r, char *buf, size_t cap) {
  if (r->owner) return coho__stream_peer(coho__http_conn_of(r)->stream, buf, cap);
  if (cap) *buf = '\0';
  return buf;
}
