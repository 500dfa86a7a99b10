#include "topics/feed.h"

#include "base/alloc.h"
#include "base/clock.h"

static const char TYPE[] = "text/event-stream";

enum {
  WARN_MS = 30 * 1000,        /* before the token ends */
  LONG_MS = 24 * 3600 * 1000, /* what is further away is looked at again then */
  AGAIN_MS = 1000             /* to end it, when there was no memory for that */
};

/* ---- the end --------------------------------------------------------------------------------- */

void coho__feed_free(struct coho__feed *f) {
  coho_loop *loop = f->sink.loop;
  coho__sink_end(&f->sink);
  coho__badges_leave(&f->badges);
  coho__task_cancel(&f->end);
  coho__loop_stop_timer(loop, &f->silence);
  coho__loop_stop_timer(loop, &f->token);
  coho__mount_unref(f->mount);
  coho__free(f, sizeof *f);
}

static void run_end(struct coho__task *t) {
  struct coho__feed *f = COHO_CONTAINER_OF(t, struct coho__feed, end);
  int err = coho_reply_end(f->request);
  if (!err)
    coho__feed_free(f);
  else if (err == COHO_ENOMEM)
    coho__loop_set_timer(f->sink.loop, &f->silence, AGAIN_MS);
  /* else on_gone comes */
}

void coho__feed_end(struct coho__feed *f) {
  f->over = true;
  coho__loop_soon(f->sink.loop, &f->end);
}

/* ---- saying ---------------------------------------------------------------------------------- */

int coho__feed_say(struct coho__feed *f, const struct coho__buf *text,
                   const struct coho__part *part) {
  if (f->over) return COHO_ECLOSED;
  int err = part ? coho__reply_share(f->request, part)
                 : coho_reply_part(f->request, text->data, text->len);
  if (err >= 0) f->said_ms = coho__loop_time(f->sink.loop);
  if (err >= 0 || err == COHO_EFULL || err == COHO_ETOOBIG) return COHO_MIN(err, 0);
  coho__feed_end(f);
  return err;
}

/* ---- time ------------------------------------------------------------------------------------ */

/* A comment, unless something was said meanwhile, or the peer does not even read that. */
static void on_silence(struct coho__wheel_timer *t) {
  struct coho__feed *f = COHO_CONTAINER_OF(t, struct coho__feed, silence);
  uint32_t wait = f->mount->opt.heartbeat_ms;
  uint64_t silent = coho__loop_time(f->sink.loop) - f->said_ms;
  if (f->over) {
    coho__loop_soon(f->sink.loop, &f->end);
    return;
  }
  if (silent >= wait) {
    if (!coho_reply_queued(f->request)) (void)coho_reply_part(f->request, ":\n\n", 3);
    f->said_ms += silent;
    silent = 0;
  }
  coho__loop_set_timer(f->sink.loop, &f->silence, wait - silent);
}

static void on_token(struct coho__wheel_timer *t) {
  struct coho__feed *f = COHO_CONTAINER_OF(t, struct coho__feed, token);
  uint64_t now = coho__clock_wall_ms();
  uint64_t left = f->until > now ? f->until - now : 0;
  if (!left) {
    coho__feed_end(f);
    return;
  }
  if (left <= WARN_MS && !f->warned) {
    f->warned = true;
    f->ops->expiring(f, (left + 999) / 1000);
  }
  uint64_t wait = left > WARN_MS ? left - WARN_MS : left;
  coho__loop_set_timer(f->sink.loop, t, COHO_MIN(wait, (uint64_t)LONG_MS));
}

/* ---- life ------------------------------------------------------------------------------------ */

struct coho__feed *coho__feed_new(const struct coho__feed_ops *ops, struct coho__mount *m,
                                  coho_request *r, const struct coho__who *who) {
  struct coho__feed *f = (struct coho__feed *)coho__zalloc(sizeof *f);
  if (!f) return NULL;
  f->ops = ops;
  f->mount = coho__mount_ref(m);
  f->request = r;
  f->until = coho__who_until(who);
  coho__sink_init(&f->sink, &ops->sink, coho_request_loop(r));
  coho__task_init(&f->end, run_end);
  coho__wheel_timer_init(&f->silence, on_silence);
  coho__wheel_timer_init(&f->token, on_token);
  return f;
}

static void on_drain(coho_request *r, void *ctx) {
  struct coho__feed *f = (struct coho__feed *)ctx;
  (void)r;
  if (!f->over) coho__sink_ready(&f->sink);
}

static void on_stop(coho_request *r, void *ctx) {
  (void)r;
  coho__feed_end((struct coho__feed *)ctx);
}

static void on_gone(coho_request *r, void *ctx) {
  (void)r;
  coho__feed_free((struct coho__feed *)ctx);
}

static void start_timers(struct coho__feed *f) {
  f->said_ms = coho__loop_time(f->sink.loop);
  if (f->mount->opt.heartbeat_ms != UINT32_MAX)
    coho__loop_set_timer(f->sink.loop, &f->silence, f->mount->opt.heartbeat_ms);
  if (f->until != COHO_CLAIMS_NEVER) on_token(&f->token);
}

/* A reply that has begun goes on, or ends at once: then the client comes back. */
static int go_on(struct coho__feed *f, const struct coho__buf *first) {
  coho_late late = {.on_drain = on_drain, .on_stop = on_stop, .on_gone = on_gone, .ctx = f};
  int err = coho_request_defer(f->request, &late);
  if (err) {
    (void)coho_reply_end(f->request);
    return err;
  }
  coho__reply_limit(f->request, f->mount->opt.max_queue);
  err = coho_reply_part(f->request, first->data, first->len);
  if (err < 0)
    coho__feed_end(f);
  else
    start_timers(f);
  return 0;
}

int coho__feed_begin(struct coho__feed *f, const struct coho__buf *first) {
  int err = coho_reply_header(f->request, "Cache-Control", "no-transform");
  if (!err) err = coho_reply_header(f->request, "X-Accel-Buffering", "no");
  if (!err) err = coho_reply_begin(f->request, 200, TYPE);
  return err ? err : go_on(f, first);
}
