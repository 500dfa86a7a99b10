#include "http/conn.h"

#include "base/alloc.h"
#include "base/budget.h"
#include "base/log.h"
#include "http/forwarded.h"
#include "http/late.h"
#include "http/reply.h"
#include "proto/upgrade_server.h"

#ifdef COHO_HARD
enum { READ_PIECE = 3, STEPS = 64, LINGER_MOST = 64 * 1024, LINGER_MS = 1000 };
#else
enum {
  READ_PIECE = 16 * 1024,  /* all of this may have to be kept while a reply does not go out */
  STEPS = 64,              /* pieces and requests in one turn, then others get theirs */
  LINGER_MOST = 64 * 1024, /* bytes dropped, then no more is read */
  LINGER_MS = 1000
};
#endif

/* Defaults of coho_server_options, and "never". */
enum { HEAD_MS = 10000, BODY_MS = 30000, KEEPALIVE_MS = 15000, WRITE_MS = 10000 };
enum { MAX_BODY = 64 * 1024 };
enum { UNANSWERED = 499 }; /* what the access log says of a request that nobody waited for */

/* ---- deadlines ------------------------------------------------------------------------------- */

/* 0 in the configuration is the default. */
static uint32_t time_of(const struct coho__http_conf *conf, enum coho__http_wait wait) {
  switch (wait) {
  case COHO_HTTP_WAIT_FIRST:
  case COHO_HTTP_WAIT_HEAD: return conf->head_timeout_ms ? conf->head_timeout_ms : HEAD_MS;
  case COHO_HTTP_WAIT_IDLE:
    return conf->keepalive_timeout_ms ? conf->keepalive_timeout_ms : KEEPALIVE_MS;
  case COHO_HTTP_WAIT_BODY: return conf->body_timeout_ms ? conf->body_timeout_ms : BODY_MS;
  case COHO_HTTP_WAIT_WRITE: return conf->write_timeout_ms ? conf->write_timeout_ms : WRITE_MS;
  case COHO_HTTP_WAIT_LINGER: return LINGER_MS;
  case COHO_HTTP_WAIT_NONE: break;
  }
  return UINT32_MAX;
}

static void arm(struct coho__http_conn *c, enum coho__http_wait wait) {
  uint32_t ms = time_of(c->http->conf, wait);
  c->wait = wait;
  if (ms == UINT32_MAX) {
    coho__loop_stop_timer(c->http->loop, &c->timer);
  } else {
    coho__loop_set_timer(c->http->loop, &c->timer, ms);
  }
}

static void on_deadline(struct coho__wheel_timer *t) {
  struct coho__http_conn *c = COHO_CONTAINER_OF(t, struct coho__http_conn, timer);
  switch (c->wait) {
  case COHO_HTTP_WAIT_HEAD:
  case COHO_HTTP_WAIT_BODY:
    /* Empty lines are no request. */
    if (c->request.head.head.len) {
      coho__reply_refuse(c, COHO_EHEADTIMEOUT);
      c->state = COHO_HTTP_REPLY;
      coho__http_conn_run(c);
      return;
    }
    break;
  case COHO_HTTP_WAIT_WRITE:
    /* What waits would keep the socket busy in the kernel: a reset ends that too. */
    coho__http_conn_close(c, true);
    return;
  case COHO_HTTP_WAIT_NONE:
  case COHO_HTTP_WAIT_FIRST:
  case COHO_HTTP_WAIT_IDLE:
  case COHO_HTTP_WAIT_LINGER: break;
  }
  coho__http_conn_close(c, false);
}

/* ---- life ------------------------------------------------------------------------------------ */

static void on_event(struct coho__stream *s, unsigned events) {
  struct coho__http_conn *c = (struct coho__http_conn *)s->owner;
  if (events & (COHO_IO_READ | COHO_IO_HANGUP)) c->readable = true;
  if (events & COHO_IO_HANGUP) c->hangup = true;
  coho__http_conn_run(c);
}

static void bury(struct coho__task *t) {
  struct coho__http_conn *c = COHO_CONTAINER_OF(t, struct coho__http_conn, grave);
  coho__late_free(c);
  coho__request_free(&c->request);
  coho__buf_release(&c->body);
  coho__buf_release(&c->fields);
  coho__buf_release(&c->rest);
  coho__output_free(&c->out);
  coho__free(c, sizeof *c);
}

struct coho__http_conn *coho__http_conn_new(struct coho__http *h, struct coho__stream *s,
                                            bool admitted, struct coho__address *address) {
  struct coho__http_conn *c = (struct coho__http_conn *)coho__zalloc(sizeof *c);
  if (!c) {
    coho__stream_close(s, true);
    if (admitted) coho__admission_leave(h->conf->admission, address, h->loop->now_ms);
    return NULL;
  }
  c->http = h;
  c->stream = s;
  c->admitted = admitted;
  c->address = address;
  coho__request_init(&c->request, &h->conf->limits);
  c->request.owner = c;
  coho__output_init(&c->out);
  coho__wheel_timer_init(&c->timer, on_deadline);
  coho__task_init(&c->grave, bury);
  coho__list_append(&h->conns, &c->node);
  if (admitted) {
    coho__count(&h->counters->sockets, 1);
  } else {
    h->turned_away++;
  }
  s->owner = c;
  s->on_event = on_event;
  c->started_ms = h->loop->now_ms;
  arm(c, COHO_HTTP_WAIT_FIRST);
  return c;
}

static void log_access(const struct coho__http_conn *c, unsigned status) {
  char peer[COHO_ADDR_MAX];
  const struct coho__http1 *head = &c->request.head;
  struct coho__access a = {.peer = "",
                           .method = VIEW("-"),
                           .target = VIEW("-"),
                           .status = status,
                           .bytes = c->out.sent,
                           .duration_ms = c->http->loop->now_ms - c->started_ms};
  if (!coho__http_logs(c->http)) return;
  if (head->complete) {
    a.method = coho__http1_method(head);
    a.target = coho__http1_target(head);
  }
  a.peer = coho__http_conn_peer(c, peer, sizeof peer);
  coho__http_access(c->http, &a);
}

/* The request in hand has been answered, wholly or as far as it went. */
static void tell(const struct coho__http_conn *c, unsigned status) {
  coho__count(&c->http->counters->requests, 1);
  log_access(c, status);
}

/* Out of the loop's hands; the memory is kept for whoever still looks at the request. */
static void drop_user(struct coho__http_conn *c) {
  if (c->drop_user) c->drop_user(c->user);
  c->drop_user = NULL;
  c->user = NULL;
}

static void detach(struct coho__http_conn *c) {
  coho__loop_stop_timer(c->http->loop, &c->timer);
  coho__list_remove(&c->node);
  if (!c->admitted) c->http->turned_away--;
  c->state = COHO_HTTP_GONE;
  coho__loop_bury(c->http->loop, &c->grave);
}

void coho__http_conn_close(struct coho__http_conn *c, bool reset) {
  if (c->state == COHO_HTTP_GONE) return;
  if (c->replied) {
    tell(c, c->status);
  } else if (coho__late_waits(c)) {
    log_access(c, UNANSWERED);
  }
  detach(c);
  drop_user(c);
  if (c->admitted) {
    coho__admission_leave(c->http->conf->admission, c->address, coho__loop_time(c->http->loop));
    coho__count(&c->http->counters->sockets, UINT64_MAX); /* one less */
  }
  coho__output_free(&c->out);
  coho__output_init(&c->out);
  coho__stream_close(c->stream, reset);
  coho__late_gone(c);
}

struct coho__stream *coho__http_conn_give(struct coho__http_conn *c, struct coho__view *rest) {
  if (c->state == COHO_HTTP_GONE) return NULL;
  COHO_ASSERT(!c->replied && c->admitted && coho__output_empty(&c->out));
  COHO_ASSERT(coho__body_done(&c->framing));
  c->out.sent = 0; /* a 100 was none of this answer */
  tell(c, 101);
  c->taken = true;
  coho__forwarded_give(c);
  c->drop_user = NULL; /* the connection's now */
  detach(c);
  *rest = c->in;
  if (c->readable) {
    coho__stream_again(c->stream, c->hangup ? COHO_IO_READ | COHO_IO_HANGUP : COHO_IO_READ);
  }
  return c->stream;
}

bool coho__http_conn_idle(const struct coho__http_conn *c) {
  return c->state == COHO_HTTP_HEAD && c->request.head.head.len == 0;
}

/* ---- input ----------------------------------------------------------------------------------- */

/* The stream cannot keep what came of a request, since memory is tight. */
static void shed(struct coho__http_conn *c) {
  coho__http_complain(c->http, COHO_HTTP_LIMIT_MEMORY);
  coho__reply_refuse(c, COHO_EOVERLOAD);
  c->state = COHO_HTTP_REPLY;
}

/* Has bytes in c->in, or false: none now, or the connection is closed, or there is a reply. */
static bool fill(struct coho__http_conn *c) {
  if (c->in.len) return true;
  coho__buf_release(&c->rest);
  if (!c->readable) return false;
  char *buf = c->http->loop->recv;
  ssize_t n = coho__stream_read(c->stream, buf, READ_PIECE);
  if (n == COHO_STREAM_AGAIN) {
    c->readable = false;
    return false;
  }
  if (n == COHO_EOVERLOAD) coho__http_complain(c->http, COHO_HTTP_LIMIT_ALL);
  if (n == COHO_EMEMORY && c->state != COHO_HTTP_LINGER) {
    shed(c);
    return false;
  }
  if (n <= 0) {
    coho__http_conn_close(c, n < 0);
    return false;
  }
  if (n < READ_PIECE && !c->hangup) c->readable = false;
  c->in = (struct coho__view){buf, (size_t)n};
  return true;
}

static void use(struct coho__http_conn *c, size_t n) {
  c->in.data += n;
  c->in.len -= n;
}

/* Bytes that are not used now move out of the loop's buffer, where the next read overwrites them. */
static void keep_rest(struct coho__http_conn *c) {
  if (c->state == COHO_HTTP_GONE || c->in.len == 0 || c->rest.len) return;
  c->rest.max = READ_PIECE;
  if (coho__buf_append(&c->rest, c->in.data, c->in.len)) {
    coho__http_conn_close(c, true);
    return;
  }
  c->in = (struct coho__view){c->rest.data, c->rest.len};
}

/* ---- a request ------------------------------------------------------------------------------- */

static void refuse(struct coho__http_conn *c, int err) {
  coho__reply_refuse(c, err);
  c->state = COHO_HTTP_REPLY;
}

/* Whether it asks only what may be asked here (RFC 9110 9.3.7), which health checks do. */
static bool asks_options(const struct coho__http_conn *c, const struct coho__match *m) {
  const struct coho__http1 *head = &c->request.head;
  if (!coho__view_eq(coho__http1_method(head), VIEW("OPTIONS"))) return false;
  return m->path_known || coho__view_eq(coho__http1_target(head), VIEW("*"));
}

/* No route: the connection may go on, since nothing is wrong with the request as such. */
static void refuse_route(struct coho__http_conn *c, const struct coho__match *m) {
  struct coho__answer options = {.status = 204, .source = COHO_SOURCE_NONE};
  if (m->ws_known) {
    refuse(c, COHO_ENOUPGRADE);
    return;
  }
  int err = m->path_known ? coho__reply_field(c, "Allow", m->allow) : 0;
  if (err) {
    refuse(c, err);
    return;
  }
  coho__reply_refusing(c, m->slashed, COHO_ENOTFOUND);
  if (c->replied) {
    c->state = COHO_HTTP_REPLY;
    return;
  }
  err = asks_options(c, m) ? coho__reply(c, &options)
                           : coho__reply_text(c, m->path_known ? 405 : 404, NULL);
  if (err) coho__reply_refuse(c, err);
  c->state = COHO_HTTP_REPLY;
}

/* RFC 9110 10.1.1: the only expectation there is; a client of HTTP/1.0 cannot have one. */
static int check_expectation(const struct coho__http1 *head, bool *wants_continue) {
  struct coho__http1_list it = {0};
  struct coho__view element;
  *wants_continue = false;
  if (head->minor == 0) return 0;
  while (coho__http1_list_next(head, "Expect", &it, &element)) {
    if (!coho__view_eq_nocase(element, VIEW("100-continue"))) return COHO_EEXPECT;
    *wants_continue = true;
  }
  return 0;
}

/* Of a request to this route, which may be NULL. */
static uint64_t max_body(const struct coho__http_conn *c, const struct coho__route *route) {
  uint64_t all = c->http->conf->max_body ? c->http->conf->max_body : MAX_BODY;
  return route && route->max_body ? atomic_load_explicit(route->max_body, memory_order_relaxed)
                                  : all;
}

/* There is a route: what is to be read before it can serve. */
static int expect_body(struct coho__http_conn *c, bool wants_continue) {
  bool ws = c->route->kind == COHO_ROUTE_WS;
  bool complete = coho__body_done(&c->framing);
  uint64_t max = c->framing.max;
  c->body.max = max < SIZE_MAX ? (size_t)max : SIZE_MAX;
  /* A handshake with a body is refused unread; the 100 comes before the 101 (RFC 9110 7.8). */
  c->state = ws || complete ? COHO_HTTP_READY : COHO_HTTP_BODY;
  return wants_continue && ws == complete ? coho__reply_continue(c) : 0;
}

/* What a handshake may meet before anybody looks at it closer. */
static int check_load(struct coho__http_conn *c, const struct coho__route *route) {
  if (route->kind != COHO_ROUTE_WS) return 0;
  int err = coho__admission_handshake(c->http->conf->admission, c->address, c->http->loop->now_ms);
  if (err == COHO_EOVERLOAD) coho__http_complain(c->http, COHO_HTTP_LIMIT_ALL);
  return err;
}

/* Cheap checks first: nothing of the body is read before somebody is there who wants it. */
static void check_request(struct coho__http_conn *c) {
  coho_request *r = &c->request;
  struct coho__match match = {.route = NULL};
  bool wants_continue = false;
  int err = coho__forwarded_enter(c);
  if (!err) err = coho__request_parse(r);
  int find_err = err ? 0 : coho__routes_find(c->http->conf->routes, r, &match);
  c->route = match.route; /* which may have a word in the refusal, too */
  /* A proxy may have switched to a tunnel when it saw this field: whatever comes behind an answer
     that is not 101 must not be taken for another request. */
  if (coho__http1_find(&r->head, "Upgrade", 0) != SIZE_MAX) c->ending = true;
  if (!err) err = coho__body_init(&c->framing, &r->head, UINT64_MAX);
  if (err) {
    refuse(c, err);
    return;
  }
  err = find_err;
  int body_err = coho__body_limit(&c->framing, max_body(c, match.route));
  if (body_err) c->ending = true;
  if (!err && !match.route) {
    refuse_route(c, &match);
    return;
  }
  if (!err) err = check_load(c, match.route);
  if (!err) err = body_err;
  if (!err) err = check_expectation(&r->head, &wants_continue);
  if (!err) err = expect_body(c, wants_continue);
  if (err) refuse(c, err);
}

static void read_head(struct coho__http_conn *c) {
  size_t used = 0;
  if (c->wait != COHO_HTTP_WAIT_HEAD) {
    c->started_ms = c->http->loop->now_ms;
    /* That of a first request counts from accept. */
    if (c->wait != COHO_HTTP_WAIT_FIRST) arm(c, COHO_HTTP_WAIT_HEAD);
    c->wait = COHO_HTTP_WAIT_HEAD;
  }
  int done = coho__http1_input(&c->request.head, c->in.data, c->in.len, &used);
  use(c, used);
  if (done < 0) {
    refuse(c, done);
  } else if (done) {
    check_request(c);
  } else if (c->request.head.head.len > COHO_MEMORY_SMALL && coho__memory_tight()) {
    refuse(c, COHO_EOVERLOAD);
  }
}

static void read_body(struct coho__http_conn *c) {
  size_t used = 0;
  struct coho__view payload;
  int err = coho__body_input(&c->framing, c->in.data, c->in.len, &used, &payload);
  if (!err && !coho__buf_affordable(&c->body, payload.len)) err = COHO_EOVERLOAD;
  if (!err) err = coho__buf_append(&c->body, payload.data, payload.len);
  use(c, used);
  if (err) {
    refuse(c, err);
  } else if (coho__body_done(&c->framing)) {
    c->state = COHO_HTTP_READY;
  }
}

/* The handler has returned and does not come back: what it left undone is its fault. */
static void end_reply(struct coho__http_conn *c) {
  bool begun = c->parts && !coho__reply_is_head(c);
  c->parts = false;
  if (c->replied && !begun) return;
  coho__log(COHO_LOG_ERROR, "the handler of %s did not %s", c->route->pattern,
            begun ? "end its reply" : "reply");
  c->ending = true;
  if (begun && c->out.sent) {
    c->broken = true; /* so that the peer sees that something is missing */
    return;
  }
  coho__output_free(&c->out);
  c->fields.len = 0;
  c->replied = false;
  if (coho__reply_text(c, 500, NULL)) c->replied = c->broken = true;
}

static void serve(struct coho__http_conn *c) {
  arm(c, COHO_HTTP_WAIT_NONE);
  c->route->serve(&c->request, c->route->ctx);
  if (c->state == COHO_HTTP_GONE) return;
  if (!c->late) end_reply(c);
  c->state = c->late ? COHO_HTTP_LATE : COHO_HTTP_REPLY;
}

/* The reply is written: on to the next request, or to the end. */
static void finish(struct coho__http_conn *c) {
  tell(c, c->status);
  coho__late_free(c);
  c->replied = false;
  coho__forwarded_leave(c);
  c->route = NULL;
  drop_user(c);
  coho__buf_release(&c->body);
  coho__buf_release(&c->fields);
  if (c->ending || c->http->draining) {
    (void)coho__stream_shutdown(c->stream);
    c->state = COHO_HTTP_LINGER;
    arm(c, COHO_HTTP_WAIT_LINGER);
    return;
  }
  c->state = COHO_HTTP_HEAD;
  if (c->in.len) {
    coho__request_reset(&c->request);
    arm(c, COHO_HTTP_WAIT_NONE);
    return;
  }
  coho__request_free(&c->request); /* an idle connection owns no buffers */
  arm(c, COHO_HTTP_WAIT_IDLE);
}

static void linger(struct coho__http_conn *c) {
  c->lingered += c->in.len;
  use(c, c->in.len);
}

/* ---- going on -------------------------------------------------------------------------------- */

static enum coho__output_state write_out(struct coho__http_conn *c) {
  uint64_t before = c->out.sent;
  if (c->broken) return COHO_OUTPUT_FAILED;
  if (coho__output_empty(&c->out)) return COHO_OUTPUT_DONE;
  enum coho__output_state state = coho__output_flush(&c->out, c->stream);
  bool moved = c->wait != COHO_HTTP_WAIT_WRITE || c->out.sent != before;
  if (state == COHO_OUTPUT_BLOCKED && moved) arm(c, COHO_HTTP_WAIT_WRITE);
  return state;
}

/* Writes what waits. False: not all of it went out. */
static bool flush(struct coho__http_conn *c) {
  enum coho__output_state state = write_out(c);
  if (state == COHO_OUTPUT_FAILED) coho__http_conn_close(c, true);
  return state == COHO_OUTPUT_DONE;
}

void coho__http_conn_push(struct coho__http_conn *c) {
  enum coho__output_state state = write_out(c);
  if (state == COHO_OUTPUT_FAILED) {
    c->broken = true;
    coho__late_wake(c);
  } else if (state == COHO_OUTPUT_DONE && c->wait == COHO_HTTP_WAIT_WRITE) {
    arm(c, COHO_HTTP_WAIT_NONE);
  }
}

/* Room behind the input that is kept, which is at the front of rest then; 0: no more is read now. */
static size_t room_for_more(struct coho__http_conn *c) {
  keep_rest(c);
  if (c->state == COHO_HTTP_GONE) return 0;
  coho__buf_consume(&c->rest, c->rest.len - c->in.len);
  c->in.data = c->rest.data;
  size_t room = READ_PIECE - c->in.len;
  return coho__buf_affordable(&c->rest, room) ? room : 0;
}

/* Reads what comes while the answer is not there, since the end of the stream is to be seen. False: it
   is closed. */
static bool watch_peer(struct coho__http_conn *c) {
  char *buf = c->http->loop->recv;
  size_t room;
  if (!c->in.len) coho__buf_release(&c->rest);
  while (c->readable && (room = room_for_more(c))) {
    ssize_t n = coho__stream_read(c->stream, buf, room);
    if (n == COHO_STREAM_AGAIN || (n > 0 && (size_t)n < room)) c->readable = false;
    if (n == COHO_STREAM_AGAIN) break;
    c->rest.max = READ_PIECE;
    if (n <= 0 || coho__buf_append(&c->rest, buf, (size_t)n)) {
      coho__http_conn_close(c, n != 0);
      return false;
    }
    c->in = (struct coho__view){c->rest.data, c->rest.len};
  }
  return c->state != COHO_HTTP_GONE;
}

/* Nobody is there to answer, or to be answered. */
static bool is_over(const struct coho__http_conn *c) { return c->hangup || c->late->cut; }

/* A deferred request. False: it is still to be answered, or gone. */
static bool await_answer(struct coho__http_conn *c) {
  uint64_t before = c->out.sent;
  if (c->parts && coho__reply_is_head(c)) {
    c->parts = false;
    coho__late_gone(c);
  }
  if (c->late->done) {
    c->state = COHO_HTTP_REPLY;
    return true;
  }
  if (is_over(c)) {
    coho__http_conn_close(c, c->late->cut);
    return false;
  }
  bool empty = flush(c);
  if (c->state == COHO_HTTP_GONE) return false;
  if (empty && c->wait == COHO_HTTP_WAIT_WRITE) arm(c, COHO_HTTP_WAIT_NONE);
  if (!watch_peer(c)) return false;
  coho__late_tell(c, empty || c->out.sent != before);
  return false;
}

/* One step. False: nothing more can be done now. */
static bool step(struct coho__http_conn *c) {
  if (c->state == COHO_HTTP_LATE) return await_answer(c);
  if (c->state == COHO_HTTP_GONE || !flush(c)) return false;
  switch (c->state) {
  case COHO_HTTP_READY: serve(c); return true;
  case COHO_HTTP_REPLY: finish(c); return true;
  case COHO_HTTP_HEAD:
    if (!fill(c)) return c->state == COHO_HTTP_REPLY;
    read_head(c);
    return true;
  case COHO_HTTP_BODY:
    if (c->wait != COHO_HTTP_WAIT_BODY) arm(c, COHO_HTTP_WAIT_BODY);
    if (!fill(c)) return c->state == COHO_HTTP_REPLY;
    read_body(c);
    return true;
  case COHO_HTTP_LINGER:
    /* Closing over unread bytes would be a reset, which takes the answer away from a peer that has
       not read it yet: the timer ends it. */
    if (c->lingered > LINGER_MOST || !fill(c)) return false;
    linger(c);
    return true;
  case COHO_HTTP_LATE:
  case COHO_HTTP_GONE: break;
  }
  return false;
}

void coho__http_conn_run(struct coho__http_conn *c) {
  for (int i = 0; i < STEPS; i++) {
    if (!step(c)) {
      keep_rest(c);
      return;
    }
  }
  keep_rest(c);
  if (c->state != COHO_HTTP_GONE) coho__stream_again(c->stream, COHO_IO_READ);
}
