#include "topics/question.h"

#include "base/alloc.h"
#include "base/sized.h"
#include "hub/pattern.h"
#include "topics/hub_client.h"

#include <string.h>

enum {
  FRAME_MOST = 1024, /* of a question: a topic and a number */
  LIMIT_MOST = 1000,
  LIMIT_DEFAULT = 100,
  PAGE_MEMBERS = 100 /* with 1 KiB of information each they are less than COHO_HUB_VALUES */
};

struct coho__question {
  struct coho__ask ask;
  struct coho__list node;
  uint64_t due_ms;                                         /* UINT64_MAX: never */
  uint32_t limit;                                          /* of a history; 0: who is present */
  size_t topic_len;                                        /* without terminator */
  uint64_t after;                                          /* of the next page; 0: none came yet */
  coho_pos pos;                                            /* of the first page */
  void (*on_message)(void *ctx, coho_pos pos, coho_msg m); /* may be NULL, as the others */
  void (*on_member)(void *ctx, const char *id, const char *info);
  void (*done)(void *ctx, int err, coho_pos pos);
  void *ctx;
  char topic[];
};

static size_t size_of(size_t topic_len) { return sizeof(struct coho__question) + topic_len + 1; }

static struct coho__question *oldest(const coho_client *c) {
  const struct coho__list *all = &c->questions.all;
  return coho__list_empty(all) ? NULL : COHO_LIST_ENTRY(all->next, struct coho__question, node);
}

/* ---- the end of one ------------------------------------------------------------------------- */

static void complete(coho_client *c, struct coho__question *q, int err, coho_pos pos) {
  void (*done)(void *, int, coho_pos) = q->done;
  void *ctx = q->ctx;
  coho__hub_client_forget(c, &q->ask);
  coho__list_remove(&q->node);
  c->questions.count--;
  coho__free(q, size_of(q->topic_len));
  if (done) done(ctx, err, pos);
}

static void complete_without(coho_client *c, struct coho__question *q, int err) {
  complete(c, q, err, (coho_pos){0, 0});
}

/* For the oldest, which is due first, since all have the same time. */
static void set_expiry(coho_client *c) {
  const struct coho__question *q = oldest(c);
  coho__hub_client_ring(c, c->questions.expiry, q ? q->due_ms : UINT64_MAX);
}

static void on_expiry(void *arg) {
  coho_client *c = (coho_client *)arg;
  struct coho__question *q;
  while (!c->freed && (q = oldest(c)) && q->due_ms <= coho__loop_time(c->loop))
    complete_without(c, q, COHO_ETIMEDOUT);
  if (!c->freed) set_expiry(c);
}

int coho__questions_init(coho_client *c) {
  c->questions.expiry = coho_timer_new(c->loop, on_expiry, c);
  return c->questions.expiry ? 0 : COHO_ENOMEM;
}

void coho__questions_end(coho_client *c, int err) {
  struct coho__question *q;
  while ((q = oldest(c)))
    complete_without(c, q, err);
}

void coho__questions_free(coho_client *c) { coho_timer_free(c->questions.expiry); }

/* ---- a new one ------------------------------------------------------------------------------ */

/* With the rest zero. 0, COHO_EINVAL, COHO_EFULL, COHO_ENOMEM. */
static int question_new(coho_client *c, const char *topic, struct coho__question **out) {
  struct coho__view name = coho__view_of(topic);
  uint32_t timeout = c->set.question_timeout_ms;
  if (!coho__topic_name_valid(name)) return COHO_EINVAL;
  if (c->questions.count >= c->set.max_questions) return COHO_EFULL;
  struct coho__question *q = (struct coho__question *)coho__zalloc(size_of(name.len));
  if (!q) return COHO_ENOMEM;
  q->ask = (struct coho__ask){.id = coho__hub_client_id(c), .kind = COHO_ASK_QUESTION};
  q->due_ms = timeout == UINT32_MAX ? UINT64_MAX : coho__loop_time(c->loop) + timeout;
  q->topic_len = name.len;
  memcpy(q->topic, name.data, name.len);
  coho__list_append(&c->questions.all, &q->node);
  if (c->questions.count++ == 0) set_expiry(c);
  *out = q;
  return 0;
}

int coho_client_history_sized(coho_client *c, const char *topic,
                              const coho_client_history_options *opt, size_t size) {
  coho_client_history_options set;
  struct coho__question *q;
  if (c->freed || c->state == COHO_CLIENT_CLOSED) return COHO_ECLOSED;
  int err = coho__sized_read(&set, sizeof set, opt, size);
  if (!err && set.limit > LIMIT_MOST) err = COHO_EINVAL;
  if (!err) err = question_new(c, topic, &q);
  if (err) return err;
  q->limit = set.limit ? (uint32_t)set.limit : LIMIT_DEFAULT;
  q->on_message = set.on_message;
  q->done = set.done;
  q->ctx = set.ctx;
  coho__hub_client_pump(c);
  return 0;
}

int coho_client_presence_sized(coho_client *c, const char *topic,
                               const coho_client_presence_options *opt, size_t size) {
  coho_client_presence_options set;
  struct coho__question *q;
  if (c->freed || c->state == COHO_CLIENT_CLOSED) return COHO_ECLOSED;
  int err = coho__sized_read(&set, sizeof set, opt, size);
  if (!err) err = question_new(c, topic, &q);
  if (err) return err;
  q->on_member = set.on_member;
  q->done = set.done;
  q->ctx = set.ctx;
  coho__hub_client_pump(c);
  return 0;
}

/* ---- the connection ------------------------------------------------------------------------- */

static int ask(coho_client *c, struct coho__question *q) {
  struct coho__buf frame = COHO_BUF(FRAME_MOST);
  const struct coho__hub_page page = {.topic = q->topic, .limit = PAGE_MEMBERS, .after = q->after};
  int err = q->limit ? coho__hub_put_history(&frame, q->ask.id, q->topic, q->limit)
                     : coho__hub_put_presence(&frame, q->ask.id, &page);
  if (!err) err = coho__hub_client_ask(c, &q->ask, (struct coho__view){frame.data, frame.len});
  coho__buf_release(&frame);
  return err;
}

int coho__questions_pump(coho_client *c) {
  const struct coho__list *all = &c->questions.all;
  for (struct coho__list *n = all->next; n != all; n = n->next) {
    struct coho__question *q = COHO_LIST_ENTRY(n, struct coho__question, node);
    int err = q->ask.asked ? 0 : ask(c, q);
    if (err) return err;
  }
  return 0;
}

void coho__questions_lost(coho_client *c) {
  const struct coho__list *all = &c->questions.all;
  for (struct coho__list *n = all->next; n != all; n = n->next)
    coho__hub_client_forget(c, &COHO_LIST_ENTRY(n, struct coho__question, node)->ask);
}

/* ---- answers -------------------------------------------------------------------------------- */

/* Each of these ends early when the client is freed, and the question with it. */

static void tell_messages(coho_client *c, const struct coho__question *q,
                          struct coho__hub_frame *frame) {
  void (*on_message)(void *, coho_pos, coho_msg) = q->on_message;
  void *ctx = q->ctx;
  for (size_t i = 0; i < frame->count && on_message && !c->freed; i++) {
    coho_pos pos;
    coho_msg m;
    coho__hub_frame_message(frame, i, &pos, &m);
    on_message(ctx, pos, m);
  }
}

/* 0 or COHO_ENOMEM. */
static int tell_members(coho_client *c, const struct coho__question *q,
                        const struct coho__hub_frame *frame) {
  void (*on_member)(void *, const char *, const char *) = q->on_member;
  void *ctx = q->ctx;
  int err = 0;
  for (size_t i = 0; i < frame->count && on_member && !c->freed && !err; i++) {
    struct coho__hub_member m;
    err = coho__hub_frame_member(frame, i, &m);
    if (!err) on_member(ctx, m.id, m.info);
    coho__hub_member_free(&m);
  }
  return err;
}

/* The next page is asked for by the next pump. False: this was the last one. */
static bool turn_page(coho_client *c, struct coho__question *q,
                      const struct coho__hub_frame *frame) {
  if (!frame->next) return false;
  q->after = frame->next;
  q->ask.id = coho__hub_client_id(c);
  return true;
}

/* 0 or COHO_EHUBFRAME; *err: what is wrong for this question only. */
static int check(struct coho__question *q, const struct coho__hub_frame *frame, int *err) {
  *err = frame->op == COHO_HUB_ERROR ? frame->err : 0;
  if (*err) return 0;
  if (frame->op != (q->limit ? COHO_HUB_HISTORY : COHO_HUB_PRESENCE)) return COHO_EHUBFRAME;
  if (frame->count > (q->limit ? q->limit : PAGE_MEMBERS)) return COHO_EHUBFRAME;
  if (frame->next && frame->next <= q->after) return COHO_EHUBFRAME; /* it would never end */
  if (!q->after) q->pos = frame->pos;
  /* The hub is another one by now, whose members the first pages do not have. */
  if (q->pos.epoch != frame->pos.epoch) *err = COHO_EUNAVAILABLE;
  return 0;
}

int coho__question_answer(coho_client *c, struct coho__ask *a, struct coho__hub_frame *frame) {
  struct coho__question *q = COHO_CONTAINER_OF(a, struct coho__question, ask);
  int err;
  int wrong = check(q, frame, &err);
  if (wrong) return wrong; /* is asked again */
  if (!err && q->limit)
    tell_messages(c, q, frame);
  else if (!err)
    err = tell_members(c, q, frame);
  if (c->freed || (!err && turn_page(c, q, frame))) return 0;
  complete(c, q, err, err ? (coho_pos){0, 0} : q->pos);
  if (!c->freed) set_expiry(c);
  return 0;
}
