#include "topics/outbox.h"

#include "base/alloc.h"
#include "base/random.h"
#include "base/sized.h"
#include "base/utf8.h"
#include "hub/pattern.h"
#include "topics/hub_client.h"

#include <stdio.h>
#include <string.h>

enum {
  KEY_MOST = 255,
  IDEM_BYTES = 16,  /* of a random idempotency key */
  HEADER_MOST = 14, /* of a WebSocket frame */
  WINDOW_MOST = COHO_ASKED_MOST
};

struct coho__publish {
  struct coho__ask ask;
  struct coho__list node;
  void (*done)(void *ctx, int err, coho_pos pos); /* may be NULL */
  void *ctx;
  uint64_t due_ms; /* UINT64_MAX: never */
  bool flies;      /* in sent */
  size_t len;
  char frame[];
};

static size_t size_of(size_t len) { return sizeof(struct coho__publish) + len; }

static struct coho__publish *first_of(const struct coho__list *list) {
  return coho__list_empty(list) ? NULL : COHO_LIST_ENTRY(list->next, struct coho__publish, node);
}

static struct coho__publish *oldest(const struct coho__outbox *o) {
  struct coho__publish *sent = first_of(&o->sent), *unsent = first_of(&o->unsent);
  if (!sent || !unsent) return sent ? sent : unsent;
  return sent->ask.id < unsent->ask.id ? sent : unsent;
}

/* Where its age belongs, which mostly is the end. */
static void insert(struct coho__list *list, struct coho__publish *p) {
  struct coho__list *before = list;
  while (before->prev != list &&
         COHO_LIST_ENTRY(before->prev, struct coho__publish, node)->ask.id > p->ask.id)
    before = before->prev;
  coho__list_append(before, &p->node);
}

/* Out of both lists. */
static void take_out(coho_client *c, struct coho__publish *p) {
  if (p->flies) c->outbox.flying--;
  p->flies = false;
  coho__hub_client_forget(c, &p->ask);
  coho__list_remove(&p->node);
}

/* ---- the end of one ------------------------------------------------------------------------- */

static void complete(coho_client *c, struct coho__publish *p, int err, coho_pos pos) {
  void (*done)(void *, int, coho_pos) = p->done;
  void *ctx = p->ctx;
  take_out(c, p);
  c->outbox.count--;
  c->outbox.bytes -= size_of(p->len);
  coho__free(p, size_of(p->len));
  if (done) done(ctx, err, pos);
}

static void complete_without(coho_client *c, struct coho__publish *p, int err) {
  complete(c, p, err, (coho_pos){0, 0});
}

/* For the oldest, which is due first, since all have the same time. */
static void set_expiry(coho_client *c) {
  const struct coho__publish *p = oldest(&c->outbox);
  coho__hub_client_ring(c, c->outbox.expiry, p ? p->due_ms : UINT64_MAX);
}

static void on_expiry(void *arg) {
  coho_client *c = (coho_client *)arg;
  struct coho__publish *p;
  while (!c->freed && (p = oldest(&c->outbox)) && p->due_ms <= coho__loop_time(c->loop))
    complete_without(c, p, COHO_ETIMEDOUT);
  if (!c->freed) set_expiry(c);
}

static void on_hold(void *arg) {
  coho_client *c = (coho_client *)arg;
  c->outbox.held = false;
  coho__hub_client_pump(c);
}

int coho__outbox_init(coho_client *c) {
  c->outbox.window = WINDOW_MOST;
  c->outbox.expiry = coho_timer_new(c->loop, on_expiry, c);
  c->outbox.hold = coho_timer_new(c->loop, on_hold, c);
  return c->outbox.expiry && c->outbox.hold ? 0 : COHO_ENOMEM;
}

void coho__outbox_end(coho_client *c, int err) {
  struct coho__publish *p;
  while ((p = oldest(&c->outbox)))
    complete_without(c, p, err);
}

void coho__outbox_free(coho_client *c) {
  coho_timer_free(c->outbox.expiry);
  coho_timer_free(c->outbox.hold);
}

/* ---- a new one ------------------------------------------------------------------------------ */

static void random_key(char key[2 * IDEM_BYTES + 1]) {
  unsigned char bytes[IDEM_BYTES];
  coho__random(bytes, sizeof bytes);
  for (size_t i = 0; i < sizeof bytes; i++)
    (void)snprintf(key + 2 * i, 3, "%02x", bytes[i]);
}

static bool is_key(const char *key) {
  size_t len = strlen(key);
  return len <= KEY_MOST && coho__utf8_valid(key, len);
}

static int check(const char *topic, const coho_msg *m, const coho_client_publish_options *set) {
  if (!topic || !coho__topic_name_valid(coho__view_of(topic))) return COHO_EINVAL;
  if (m->flags & COHO_MORE || (set->key && !is_key(set->key))) return COHO_EINVAL;
  if (set->idempotency_key && (!*set->idempotency_key || !is_key(set->idempotency_key)))
    return COHO_EINVAL;
  return m->type == COHO_TEXT && !coho__utf8_valid(m->data, m->len) ? COHO_EUTF8 : 0;
}

/* What one request may take: of the outbox, and of the connection. */
static size_t room_for_one(const coho_client *c) {
  uint64_t queue = c->connection->set.max_queue;
  uint64_t room = COHO_MIN(c->set.max_queue_bytes, queue > HEADER_MOST ? queue - HEADER_MOST : 0);
  return (size_t)COHO_MIN(room, (uint64_t)SIZE_MAX / 2);
}

/* Copies the frame. */
static int append(coho_client *c, uint64_t id, struct coho__view frame,
                  const coho_client_publish_options *set) {
  uint32_t timeout = c->set.publish_timeout_ms;
  struct coho__outbox *o = &c->outbox;
  if (o->bytes + size_of(frame.len) > c->set.max_queue_bytes) return COHO_EFULL;
  struct coho__publish *p = (struct coho__publish *)coho__alloc(size_of(frame.len));
  if (!p) return COHO_ENOMEM;
  *p = (struct coho__publish){.ask = {.id = id, .kind = COHO_ASK_PUBLISH, .asked = false},
                              .done = set->done,
                              .ctx = set->ctx,
                              .due_ms = UINT64_MAX,
                              .len = frame.len};
  if (timeout != UINT32_MAX) p->due_ms = coho__loop_time(c->loop) + timeout;
  memcpy(p->frame, frame.data, frame.len);
  coho__list_append(&o->unsent, &p->node);
  o->bytes += size_of(frame.len);
  if (o->count++ == 0) set_expiry(c);
  return 0;
}

static int put_frame(const coho_client *c, uint64_t id, const struct coho__hub_pub *pub,
                     struct coho__buf *frame) {
  int err = coho__hub_put_pub(frame, id, pub);
  bool too_big = err == COHO_EFULL || (!err && size_of(frame->len) > c->set.max_queue_bytes);
  return too_big ? COHO_ETOOBIG : err;
}

int coho_client_publish_sized(coho_client *c, const char *topic, coho_msg m,
                              const coho_client_publish_options *opt, size_t size) {
  coho_client_publish_options set;
  char key[2 * IDEM_BYTES + 1];
  if (c->freed || c->state == COHO_CLIENT_CLOSED) return COHO_ECLOSED;
  int err = coho__sized_read(&set, sizeof set, opt, size);
  if (!err) err = check(topic, &m, &set);
  if (!err && c->outbox.count >= c->set.max_queue) err = COHO_EFULL;
  if (err) return err;
  random_key(key);
  struct coho__hub_pub pub = {.topic = topic,
                              .msg = m,
                              .key = set.key,
                              .idem = set.idempotency_key ? set.idempotency_key : key};
  uint64_t id = coho__hub_client_id(c);
  struct coho__buf frame = COHO_BUF(room_for_one(c));
  err = put_frame(c, id, &pub, &frame);
  if (!err) err = append(c, id, (struct coho__view){frame.data, frame.len}, &set);
  coho__buf_release(&frame);
  if (!err) coho__hub_client_pump(c);
  return err;
}

size_t coho_client_queued(const coho_client *c) { return c->outbox.count; }

/* ---- the connection ------------------------------------------------------------------------- */

int coho__outbox_pump(coho_client *c) {
  struct coho__outbox *o = &c->outbox;
  struct coho__publish *p;
  while (!o->held && o->flying < o->window && (p = first_of(&o->unsent))) {
    int err = coho__hub_client_ask(c, &p->ask, (struct coho__view){p->frame, p->len});
    if (err) return err;
    coho__list_remove(&p->node);
    insert(&o->sent, p);
    p->flies = true;
    o->flying++;
  }
  return 0;
}

static void put_back(coho_client *c, struct coho__publish *p) {
  take_out(c, p);
  insert(&c->outbox.unsent, p);
}

void coho__outbox_lost(coho_client *c) {
  struct coho__publish *p;
  while ((p = first_of(&c->outbox.sent)))
    put_back(c, p);
}

/* Whatever has no room now has some later. */
static void refused_for_now(coho_client *c, struct coho__publish *p) {
  struct coho__outbox *o = &c->outbox;
  put_back(c, p);
  o->window = 1;
  if (o->held) return;
  o->held = true;
  coho_timer_start(o->hold, coho__hub_client_breath(c, ++o->refusals), 0);
}

void coho__outbox_too_big(coho_client *c) {
  struct coho__publish *largest = NULL;
  for (struct coho__list *n = c->outbox.sent.next; n != &c->outbox.sent; n = n->next) {
    struct coho__publish *p = COHO_LIST_ENTRY(n, struct coho__publish, node);
    if (!largest || p->len > largest->len) largest = p;
  }
  if (largest) complete_without(c, largest, COHO_ETOOBIG);
}

int coho__publish_answer(coho_client *c, struct coho__ask *a, const struct coho__hub_frame *frame) {
  struct coho__publish *p = COHO_CONTAINER_OF(a, struct coho__publish, ask);
  struct coho__outbox *o = &c->outbox;
  bool fine = frame->op == COHO_HUB_OK;
  if (fine && !frame->has_pos) return COHO_EHUBFRAME; /* is asked again */
  if (!fine && coho__hub_frame_for_now(frame)) {
    refused_for_now(c, p);
    return 0;
  }
  o->refusals = 0;
  if (o->window < WINDOW_MOST) o->window++;
  complete(c, p, fine ? 0 : frame->err, fine ? frame->pos : (coho_pos){0, 0});
  if (!c->freed) set_expiry(c);
  return 0;
}
