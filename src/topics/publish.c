#include "topics/publish.h"

#include "base/alloc.h"
#include "base/utf8.h"
#include "http/late.h"
#include "hub/room.h"
#include "hub/topic.h"
#include "io/loop.h"
#include "topics/access.h"
#include "topics/cors.h"
#include "topics/document.h"
#include "topics/frames.h"

#include <string.h>

enum {
  KEY_MOST = 255,
  WAIT_MS = 25 * 1000, /* for room: less than what stands between us and the client waits */
  ANSWER_MOST = 64
};

/* What is to be published; all of it is the request's but for topic. */
struct post {
  coho_hub *hub;
  char topic[COHO_TOPIC_NAME_MAX + 1];
  coho_publish_options opt;
  coho_msg msg;
};

/* One that waits for room. */
struct waiting {
  struct post post;
  coho_request *request;
  coho_loop *loop;
  struct coho__room *room; /* NULL: told */
  struct coho__wheel_timer timer;
  struct coho__task end; /* the server stops */
};

/* ---- reading --------------------------------------------------------------------------------- */

static bool is_binary(const coho_request *r, coho_bytes body) {
  struct coho__view rest = coho__view_of(coho_request_header(r, "Content-Type"));
  struct coho__view type = coho__view_trim(coho__view_split(&rest, ';'));
  return coho__view_eq_nocase(type, VIEW("application/octet-stream")) ||
         !coho__utf8_valid(body.data, body.len);
}

static bool key_valid(const char *key, size_t least) {
  size_t len = key ? strlen(key) : least;
  return len >= least && len <= KEY_MOST;
}

static int read_post(struct post *p, struct coho__mount *m, const coho_request *r,
                     const struct coho__path *path) {
  coho_bytes body = coho_request_body(r);
  COHO_ASSERT(path->topic.len < sizeof p->topic);
  p->hub = m->hub;
  memcpy(p->topic, path->topic.data, path->topic.len);
  p->topic[path->topic.len] = '\0';
  p->opt = (coho_publish_options){.key = coho_request_header(r, "Coho-Key"),
                                  .idempotency_key = coho_request_header(r, "Idempotency-Key")};
  if (!key_valid(p->opt.key, 0) || !key_valid(p->opt.idempotency_key, 1)) return COHO_EREQUEST;
  p->msg = is_binary(r, body) ? coho_binary(body.data, body.len)
                              : coho_text_n((const char *)body.data, body.len);
  return body.len > m->opt.max_message ? COHO_ETOOBIG : 0;
}

static int may(const struct coho__mount *m, coho_request *r, const struct coho__path *path) {
  struct coho__who who;
  int err = coho__who_of(m, r, &who);
  if (err) return err;
  err = coho__who_may(m, &who, COHO_MAY_PUBLISH, path->topic);
  coho__who_free(&who);
  return err;
}

/* ---- answering ------------------------------------------------------------------------------- */

static int answer(coho_request *r, coho_pos pos) {
  struct coho__buf out = COHO_BUF(ANSWER_MOST);
  int err = coho__buf_append_str(&out, "{\"pos\":");
  if (!err) err = coho__frame_pos(&out, pos);
  if (!err) err = coho__buf_append_str(&out, "}");
  if (!err) err = coho__document_reply(r, 200, &out);
  coho__buf_release(&out);
  return err;
}

static int try_publish(const struct post *p, coho_request *r) {
  coho_pos pos;
  int err = coho_publish_with(p->hub, p->topic, p->msg, &p->opt, &pos);
  return err ? err : answer(r, pos);
}

/* ---- waiting for room ------------------------------------------------------------------------ */

static void free_waiting(struct waiting *w) {
  if (w->room) coho__room_cancel(w->room);
  coho__task_cancel(&w->end);
  coho__loop_stop_timer(w->loop, &w->timer);
  coho__free(w, sizeof *w);
}

/* It has an answer, or err is that. */
static void finish(struct waiting *w, int err) {
  if (err) coho__refuse(w->request, err);
  /* Else on_gone comes. */
  if (!coho__late_waits(coho__http_conn_of(w->request))) free_waiting(w);
}

static void on_room(void *ctx);

/* Results as of coho_publish_with(); COHO_EFULL and a room: it waits. */
static int try_or_wait(struct waiting *w) {
  struct coho__view topic = coho__view_of(w->post.topic);
  int err = coho__room_wait(w->post.hub, topic, w->loop, on_room, w, &w->room);
  if (err) return err == COHO_ENOTFOUND ? COHO_EFULL : err;
  err = try_publish(&w->post, w->request);
  if (err == COHO_EFULL) return err;
  coho__room_cancel(w->room);
  w->room = NULL;
  return err;
}

static void on_room(void *ctx) {
  struct waiting *w = (struct waiting *)ctx;
  w->room = NULL;
  int err = try_or_wait(w);
  if (!w->room) finish(w, err);
}

static void on_timer(struct coho__wheel_timer *t) {
  finish(COHO_CONTAINER_OF(t, struct waiting, timer), COHO_EFULL);
}

static void run_end(struct coho__task *t) {
  finish(COHO_CONTAINER_OF(t, struct waiting, end), COHO_EFULL);
}

static void on_stop(coho_request *r, void *ctx) {
  struct waiting *w = (struct waiting *)ctx;
  (void)r;
  coho__loop_soon(w->loop, &w->end);
}

static void on_gone(coho_request *r, void *ctx) {
  (void)r;
  free_waiting((struct waiting *)ctx);
}

static int begin_wait(const struct post *p, coho_request *r) {
  struct waiting *w = (struct waiting *)coho__zalloc(sizeof *w);
  if (!w) return COHO_ENOMEM;
  coho_late late = {.on_stop = on_stop, .on_gone = on_gone, .ctx = w};
  w->post = *p;
  w->request = r;
  w->loop = coho_request_loop(r);
  coho__task_init(&w->end, run_end);
  coho__wheel_timer_init(&w->timer, on_timer);
  int err = try_or_wait(w);
  if (w->room) err = coho_request_defer(r, &late);
  if (w->room && !err)
    coho__loop_set_timer(w->loop, &w->timer, WAIT_MS);
  else
    free_waiting(w);
  return err;
}

void coho__post(struct coho__mount *m, coho_request *r, const struct coho__path *path) {
  struct post p;
  int err = may(m, r, path);
  if (!err) err = read_post(&p, m, r, path);
  if (!err) err = try_publish(&p, r);
  if (err == COHO_EFULL) err = begin_wait(&p, r);
  if (err) coho__refuse(r, err == COHO_EINVAL ? COHO_EREQUEST : err);
}
