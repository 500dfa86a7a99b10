#include "base/alloc.h"
#include "base/sized.h"
#include "hub/hub.h"
#include "hub/sink.h"

struct coho_watcher {
  struct coho__sink sink;
  coho_watch_options opt;
  coho_hub *hub;
  coho_start start; /* told once, then lost is 0 */
  char *topic;      /* of start */
  struct coho__task task;
  struct coho__task grave;
  bool ended;
};

static coho_watcher *watcher_of(struct coho__sink *s) {
  return COHO_CONTAINER_OF(s, coho_watcher, sink);
}

static int on_message(struct coho__sink *s, const struct coho__delivery *d) {
  const coho_watcher *w = watcher_of(s);
  w->opt.on_message(w->opt.ctx, d->topic, d->message->pos, d->message->msg);
  return 0;
}

static int on_gap(struct coho__sink *s, const char *topic, const char *pattern, uint64_t lost,
                  coho_pos pos) {
  const coho_watcher *w = watcher_of(s);
  (void)pattern;
  if (w->opt.on_gap) w->opt.on_gap(w->opt.ctx, topic, lost, pos);
  return 0;
}

/* It takes everything, so only memory can be the reason: the program is not told twice. */
static void on_close(struct coho__sink *s, int err) {
  (void)s;
  (void)err;
}

static const struct coho__sink_ops ops = {.message = on_message, .gap = on_gap, .close = on_close};

static void begin(struct coho__task *task) {
  coho_watcher *w = COHO_CONTAINER_OF(task, coho_watcher, task);
  if (w->start.lost) (void)on_gap(&w->sink, w->topic, NULL, w->start.lost, w->start.pos);
  if (!w->ended) coho__sink_ready(&w->sink);
}

static void free_watcher(struct coho__task *task) {
  coho_watcher *w = COHO_CONTAINER_OF(task, coho_watcher, grave);
  coho__hub_unref(w->hub);
  coho__free_str(w->topic);
  coho__free(w, sizeof *w);
}

static int watch(coho_watcher *w, const char *name, bool pattern) {
  struct coho__view view;
  if (pattern) return coho__sink_subscribe_pattern(w->hub, &w->sink, coho__view_of(name));
  if (!coho__hub_read_name(name, &view)) return COHO_EINVAL;
  int err = coho__sink_subscribe(w->hub, &w->sink, view, w->opt.since, &w->start);
  if (!err) coho__loop_soon(w->sink.loop, &w->task);
  return err;
}

static int start(coho_hub *hub, coho_loop *loop, const char *name, bool pattern,
                 const coho_watch_options *opt, coho_watcher **out) {
  coho_watcher *w = (coho_watcher *)coho__zalloc(sizeof *w);
  *out = NULL;
  if (!w) return COHO_ENOMEM;
  w->opt = *opt;
  w->hub = coho__hub_ref(hub);
  w->topic = coho__strdup(name);
  coho__sink_init(&w->sink, &ops, loop);
  coho__task_init(&w->task, begin);
  coho__task_init(&w->grave, free_watcher);
  int err = w->topic ? watch(w, name, pattern) : COHO_ENOMEM;
  w->opt.since = NULL; /* the caller's */
  if (!err) {
    *out = w;
    return 0;
  }
  coho__sink_end(&w->sink); /* it may have a number */
  free_watcher(&w->grave);
  return err;
}

int coho_watch_sized(coho_hub *hub, coho_loop *loop, const char *topic,
                     const coho_watch_options *opt, size_t size, coho_watcher **out) {
  coho_watch_options o;
  int err = coho__sized_read(&o, sizeof o, opt, size);
  *out = NULL;
  if (err) return err;
  return o.on_message && topic ? start(hub, loop, topic, false, &o, out) : COHO_EINVAL;
}

int coho_watch_pattern_sized(coho_hub *hub, coho_loop *loop, const char *pattern,
                             const coho_watch_options *opt, size_t size, coho_watcher **out) {
  coho_watch_options o;
  int err = coho__sized_read(&o, sizeof o, opt, size);
  *out = NULL;
  if (err) return err;
  if (!o.on_message || !pattern || o.since) return COHO_EINVAL;
  return start(hub, loop, pattern, true, &o, out);
}

void coho_unwatch(coho_watcher *w) {
  if (!w || w->ended) return;
  w->ended = true;
  coho__task_cancel(&w->task);
  coho__sink_end(&w->sink);
  coho__loop_bury(w->sink.loop, &w->grave);
}
