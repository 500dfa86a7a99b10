#include "topics/poll.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "http/late.h"
#include "http/reply.h"
#include "topics/answer.h"
#include "topics/badges.h"
#include "topics/cors.h"
#include "topics/document.h"

enum { WAIT_MOST_S = 60 };

/* One that waits, or is about to be answered. */
struct poll {
  struct coho__mount *mount;
  coho_request *request;
  struct coho__sink sink;
  struct coho__badges badges;
  struct coho__answer_body answer;
  struct coho__task task;
  struct coho__wheel_timer timer;
  bool ended; /* the answer is whole */
};

static struct poll *poll_of(struct coho__sink *s) {
  return COHO_CONTAINER_OF(s, struct poll, sink);
}

static void free_poll(struct poll *p) {
  coho__sink_end(&p->sink);
  coho__badges_leave(&p->badges);
  coho__task_cancel(&p->task);
  coho__loop_stop_timer(p->sink.loop, &p->timer);
  coho__answer_free(&p->answer);
  coho__mount_unref(p->mount);
  coho__free(p, sizeof *p);
}

/* ---- answering ------------------------------------------------------------------------------- */

static int reply(struct poll *p) {
  int err = p->ended ? 0 : coho__answer_end(&p->answer);
  p->ended = !err;
  return err ? err : coho__document_reply(p->request, 200, &p->answer.out);
}

/* To one that waits. */
static void answer(struct poll *p) {
  int err = reply(p);
  if (err) coho__refuse(p->request, err);
  /* Else on_gone comes. */
  if (!coho__late_waits(coho__http_conn_of(p->request))) free_poll(p);
}

static void run_task(struct coho__task *t) { answer(COHO_CONTAINER_OF(t, struct poll, task)); }

static void on_timer(struct coho__wheel_timer *t) {
  answer(COHO_CONTAINER_OF(t, struct poll, timer));
}

static void answer_soon(struct poll *p) { coho__loop_soon(p->sink.loop, &p->task); }

/* ---- what it is given ------------------------------------------------------------------------ */

static int on_message(struct coho__sink *sink, const struct coho__delivery *d) {
  struct poll *p = poll_of(sink);
  answer_soon(p);
  return coho__answer_message(&p->answer, d);
}

static int on_gap(struct coho__sink *sink, const char *topic, const char *pattern, uint64_t lost,
                  coho_pos pos) {
  struct poll *p = poll_of(sink);
  (void)pattern;
  answer_soon(p);
  return coho__answer_gap(&p->answer, topic, lost, pos);
}

static void on_close(struct coho__sink *sink, int err) {
  (void)err;
  answer_soon(poll_of(sink));
}

static const struct coho__sink_ops sink_ops = {
    .message = on_message, .gap = on_gap, .close = on_close};

static void on_stop(coho_request *r, void *ctx) {
  (void)r;
  answer_soon((struct poll *)ctx);
}

static void on_gone(coho_request *r, void *ctx) {
  (void)r;
  free_poll((struct poll *)ctx);
}

/* ---- what it asks for ------------------------------------------------------------------------ */

static int read_wait(const struct coho__mount *m, coho_request *r, uint64_t *ms) {
  const char *text = coho_request_query(r, "wait");
  uint64_t seconds = COHO_POLL_DEFAULT_S;
  uint64_t most = COHO_MAX(m->opt.poll_ms / 1000, WAIT_MOST_S);
  if (text && !coho__view_number(coho__view_of(text), most, &seconds)) return COHO_EREQUEST;
  *ms = COHO_MIN(seconds * 1000, (uint64_t)m->opt.poll_ms);
  return 0;
}

/* What is there already. */
static int look(struct poll *p, const struct coho__wants *w, const struct coho__who *who) {
  int err = coho__badges_init(&p->badges, p->request, w->count);
  for (size_t i = 0; i < w->count && !err; i++) {
    const struct coho__want *want = &w->list[i];
    int failed = want->err;
    if (!failed) failed = coho__badges_enter(&p->badges, p->mount, who, want->path.topic);
    err = failed ? coho__answer_error(&p->answer, want, failed)
                 : coho__answer_held(&p->answer, p->mount->hub, want, w->count - i - 1);
  }
  return err;
}

/* Nothing was there, so all topics have a position, behind which is what comes. */
static int join(struct poll *p, const struct coho__wants *w) {
  int err = 0;
  for (size_t i = 0; i < w->count && !err; i++) {
    const struct coho__want *want = &w->list[i];
    coho_start start = {.lost = 0};
    err = coho__sink_subscribe(p->mount->hub, &p->sink, want->path.follow, want->since, &start);
    if (err)
      err = coho__answer_error(&p->answer, want, err);
    else if (start.lost)
      err = coho__answer_gap(&p->answer, want->name, start.lost, start.pos);
  }
  return err;
}

/* No longer than the token is good. */
static uint64_t cut_wait(const struct coho__who *who, uint64_t ms) {
  uint64_t until = coho__who_until(who), now = coho__clock_wall_ms();
  return COHO_MIN(ms, until > now ? until - now : 0);
}

/* 0, also when there is something after all: then it is answered at the end of the turn. */
static int begin_wait(struct poll *p, const struct coho__wants *w, uint64_t ms) {
  coho_late late = {.on_stop = on_stop, .on_gone = on_gone, .ctx = p};
  int err = join(p, w);
  if (!err) err = coho_request_defer(p->request, &late);
  if (err) return err;
  coho__loop_set_timer(p->sink.loop, &p->timer, ms);
  coho__sink_ready(&p->sink);
  if (p->answer.due) answer_soon(p);
  coho_request_forget(p->request);
  return 0;
}

static struct poll *new_poll(struct coho__mount *m, coho_request *r, bool many) {
  struct poll *p = (struct poll *)coho__zalloc(sizeof *p);
  if (!p) return NULL;
  p->mount = coho__mount_ref(m);
  p->request = r;
  coho__sink_init(&p->sink, &sink_ops, coho_request_loop(r));
  coho__task_init(&p->task, run_task);
  coho__wheel_timer_init(&p->timer, on_timer);
  coho__answer_init(&p->answer, many);
  return p;
}

static int serve(struct coho__mount *m, coho_request *r, const struct coho__wants *w,
                 const struct coho__who *who) {
  uint64_t ms;
  int err = read_wait(m, r, &ms);
  if (err) return err;
  struct poll *p = new_poll(m, r, w->many);
  if (!p) return COHO_ENOMEM;
  err = look(p, w, who);
  ms = cut_wait(who, ms);
  bool waits = ms && w->count && !p->answer.due && !coho__reply_is_head(coho__http_conn_of(r));
  if (!err && waits) {
    err = begin_wait(p, w, ms);
    if (!err) return 0;
  } else if (!err) {
    err = reply(p);
  }
  free_poll(p);
  return err;
}

void coho__poll(struct coho__mount *m, coho_request *r, const struct coho__path *path) {
  coho__wants_serve(m, r, path, serve);
}
