#include "topics/events.h"

#include "base/alloc.h"
#include "base/base64.h"
#include "base/random.h"
#include "http/reply.h"
#include "proto/sse.h"
#include "topics/feed.h"
#include "topics/frames.h"
#include "topics/wants.h"

#include <inttypes.h>

enum {
  RETRY_MS = 1000, /* at least, and at most twice as much again, so that not all come at once */
  FORM_EVENT = 1,  /* places among the forms of a message */
  FORM_FRAME = 2
};

/* ---- what is said ---------------------------------------------------------------------------- */

static struct coho__view view(const struct coho__buf *b) {
  return (struct coho__view){b->data, b->len};
}

/* A frame as the data of an event. */
static int wrap(struct coho__buf *out, struct coho__buf *frame, int err) {
  if (!err) err = coho__sse_event(out, &(struct coho__sse_event){.data = view(frame)});
  coho__buf_release(frame);
  return err;
}

/* Binary bytes as text. */
static int put_base64(struct coho__buf *out, const coho_msg *m) {
  size_t len = COHO_BASE64_LEN(m->len);
  char *at = coho__buf_reserve(out, len + 1);
  if (!at) return COHO_ENOMEM;
  coho__base64_encode(at, m->data, m->len);
  out->len += len;
  return 0;
}

static int put_event(struct coho__buf *out, const struct coho__message *m) {
  char pos[COHO_POS_MAX];
  struct coho__buf text = COHO_BUF(SIZE_MAX / 4);
  struct coho__sse_event e = {.id = coho__view_of(coho_pos_text(m->pos, pos, sizeof pos)),
                              .data = {m->msg.data, m->msg.len}};
  int err = 0;
  if (m->msg.type == COHO_BINARY) {
    err = put_base64(&text, &m->msg);
    e.type = VIEW("data64");
    e.data = view(&text);
  }
  if (!err) err = coho__sse_event(out, &e);
  coho__buf_release(&text);
  return err;
}

static int put_message(struct coho__buf *out, const struct coho__feed *f,
                       const struct coho__delivery *d) {
  struct coho__buf frame = COHO_BUF(SIZE_MAX / 4);
  if (!f->frames) return put_event(out, d->message);
  return wrap(out, &frame, coho__frame_message(&frame, d));
}

static int put_gap(struct coho__buf *out, const struct coho__feed *f, const char *topic,
                   uint64_t lost, coho_pos pos) {
  char id[COHO_POS_MAX];
  struct coho__buf text = COHO_BUF(SIZE_MAX / 4);
  if (f->frames) return wrap(out, &text, coho__frame_gap(&text, topic, NULL, lost, pos));
  int err = coho__buf_append_str(&text, "{\"lost\":");
  if (!err) err = coho__frame_lost(&text, lost);
  if (!err) err = coho__buf_append_str(&text, "}");
  struct coho__sse_event e = {.type = VIEW("gap"),
                              .id = coho__view_of(coho_pos_text(pos, id, sizeof id)),
                              .data = view(&text)};
  if (!err) err = coho__sse_event(out, &e);
  coho__buf_release(&text);
  return err;
}

/* ---- what it is given ------------------------------------------------------------------------ */

struct form {
  struct coho__form base;
  struct coho__part part;
};

static void free_form(struct coho__form *base) {
  struct form *f = COHO_CONTAINER_OF(base, struct form, base);
  coho__chunk_unref(f->part.chunk);
  coho__free(f, sizeof *f);
}

/* What all streams of this kind share. NULL: out of memory. */
static const struct coho__part *shared(const struct coho__feed *feed,
                                       const struct coho__delivery *d) {
  unsigned place = feed->frames ? FORM_FRAME : FORM_EVENT;
  struct coho__form *known = coho__message_form(d->message, place);
  if (known) return &COHO_CONTAINER_OF(known, struct form, base)->part;
  struct form *mine = (struct form *)coho__alloc(sizeof *mine);
  struct coho__buf text = COHO_BUF(SIZE_MAX / 4);
  struct coho__view piece;
  if (!mine) return NULL;
  mine->base.free = free_form;
  int err = put_message(&text, feed, d);
  piece = view(&text);
  if (!err) err = coho__part_make(&mine->part, &piece, 1);
  coho__buf_release(&text);
  if (err) {
    coho__free(mine, sizeof *mine);
    return NULL;
  }
  known = coho__message_set_form(d->message, place, &mine->base);
  return &COHO_CONTAINER_OF(known, struct form, base)->part;
}

/* Out of memory, among others. */
static int fail(struct coho__feed *f, int err) {
  coho__feed_end(f);
  return err;
}

static int say_gap(struct coho__feed *f, const char *topic, uint64_t lost, coho_pos pos) {
  struct coho__buf text = COHO_BUF(SIZE_MAX / 4);
  int err = put_gap(&text, f, topic, lost, pos);
  err = err ? fail(f, err) : coho__feed_say(f, &text, NULL);
  coho__buf_release(&text);
  return err == COHO_ETOOBIG ? fail(f, err) : err;
}

static int say_one(struct coho__feed *f, const struct coho__delivery *d) {
  struct coho__buf text = COHO_BUF(SIZE_MAX / 4);
  int err = put_message(&text, f, d);
  err = err ? fail(f, err) : coho__feed_say(f, &text, NULL);
  coho__buf_release(&text);
  return err;
}

static int say_live(struct coho__feed *f, const struct coho__delivery *d) {
  const struct coho__part *part = shared(f, d);
  return part ? coho__feed_say(f, NULL, part) : fail(f, COHO_ENOMEM);
}

static int on_message(struct coho__sink *sink, const struct coho__delivery *d) {
  struct coho__feed *f = coho__feed_of(sink);
  int err = d->live ? say_live(f, d) : say_one(f, d);
  /* Larger than all that may ever wait: whoever came back for it would not get it either. */
  return err == COHO_ETOOBIG ? say_gap(f, d->topic, 1, d->message->pos) : err;
}

static int on_gap(struct coho__sink *sink, const char *topic, const char *pattern, uint64_t lost,
                  coho_pos pos) {
  (void)pattern;
  return say_gap(coho__feed_of(sink), topic, lost, pos);
}

static void on_close(struct coho__sink *sink, int err) {
  (void)err;
  coho__feed_end(coho__feed_of(sink));
}

static void on_expiring(struct coho__feed *f, uint64_t seconds) {
  struct coho__buf frame = COHO_BUF(SIZE_MAX / 4), text = COHO_BUF(SIZE_MAX / 4);
  if (!f->frames) return;
  int err = coho__buf_printf(&frame, "{\"op\":\"expiring\",\"in\":%" PRIu64 "}", seconds);
  /* Who does not read it will see the end. */
  if (!wrap(&text, &frame, err)) (void)coho__feed_say(f, &text, NULL);
  coho__buf_release(&text);
}

static const struct coho__feed_ops ops = {
    .sink = {.message = on_message, .gap = on_gap, .close = on_close}, .expiring = on_expiring};

/* ---- the beginning --------------------------------------------------------------------------- */

static int join(struct coho__feed *f, const struct coho__want *want, const struct coho__who *who,
                coho_start *start) {
  coho_hub *hub = f->mount->hub;
  int err = want->err;
  if (!err) err = coho__sink_subscribe(hub, &f->sink, want->path.follow, want->since, start);
  if (err) return err;
  err = coho__badges_enter(&f->badges, f->mount, who, want->path.topic);
  if (err) (void)coho__sink_unsubscribe(hub, &f->sink, want->path.follow);
  return err;
}

/* retry, and of a single topic the position. Behind a hole only the gap has it: a client that gets no
   further than here comes back to where it was. */
static int put_beginning(struct coho__buf *out, const coho_start *start) {
  char pos[COHO_POS_MAX];
  struct coho__sse_event e = {.retry_ms = RETRY_MS + coho__random_below(2 * RETRY_MS + 1)};
  if (start && !start->lost) e.id = coho__view_of(coho_pos_text(start->pos, pos, sizeof pos));
  return coho__sse_event(out, &e);
}

static int join_one(struct coho__feed *f, const struct coho__want *want,
                    const struct coho__who *who, struct coho__buf *out) {
  coho_start start;
  int err = join(f, want, who, &start);
  if (!err) err = put_beginning(out, &start);
  if (!err && start.lost) err = put_gap(out, f, want->name, start.lost, start.pos);
  return err;
}

static int join_many(struct coho__feed *f, const struct coho__wants *w, const struct coho__who *who,
                     struct coho__buf *out) {
  int err = put_beginning(out, NULL);
  for (size_t i = 0; i < w->count && !err; i++) {
    const struct coho__want *want = &w->list[i];
    struct coho__buf frame = COHO_BUF(SIZE_MAX / 4);
    coho_start start = {.lost = 0};
    int failed = join(f, want, who, &start);
    err = failed ? coho__frame_error(&frame, NULL, want->name, NULL, failed)
                 : coho__frame_ok(&frame, NULL, want->name, NULL, &start.pos);
    err = wrap(out, &frame, err);
    if (!err && start.lost) err = put_gap(out, f, want->name, start.lost, start.pos);
  }
  return err;
}

/* Whether the feed goes on by itself. */
static int open_feed(struct coho__feed *f, const struct coho__wants *w,
                     const struct coho__who *who) {
  struct coho__buf first = COHO_BUF(SIZE_MAX / 4);
  int err = coho__badges_init(&f->badges, f->request, w->count);
  f->frames = w->many;
  if (!err) err = w->many ? join_many(f, w, who, &first) : join_one(f, w->list, who, &first);
  if (!err) err = coho__feed_begin(f, &first);
  coho__buf_release(&first);
  if (err) return err;
  coho__sink_ready(&f->sink);
  coho_request_forget(f->request);
  return 0;
}

/* HEAD: what the answer would be. */
static int answer_head(coho_request *r) {
  int err = coho_reply_begin(r, 200, "text/event-stream");
  return err ? err : coho_reply_end(r);
}

static int follow(struct coho__mount *m, coho_request *r, const struct coho__wants *w,
                  const struct coho__who *who) {
  if (!w->count) return COHO_EREQUEST;
  if (coho__reply_is_head(coho__http_conn_of(r))) return answer_head(r);
  struct coho__feed *f = coho__feed_new(&ops, m, r, who);
  if (!f) return COHO_ENOMEM;
  int err = open_feed(f, w, who);
  if (err) coho__feed_free(f);
  return err;
}

void coho__events(struct coho__mount *m, coho_request *r, const struct coho__path *p) {
  coho__wants_serve(m, r, p, follow);
}
