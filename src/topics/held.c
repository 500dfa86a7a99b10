#include "topics/held.h"

#include "base/alloc.h"
#include "hub/room.h"

#include <string.h>

struct coho__held {
  struct coho__seat *seat;
  struct coho__room *room; /* NULL: told */
  json_t *id;
  char *topic, *key, *idempotency_key;
  coho_msg msg; /* its data are behind this structure */
  char data[];
};

void coho__held_free(struct coho__held *h) {
  if (!h) return;
  if (h->room) coho__room_cancel(h->room);
  json_decref(h->id);
  coho__free_str(h->topic);
  coho__free_str(h->key);
  coho__free_str(h->idempotency_key);
  coho__free(h, sizeof *h + h->msg.len);
}

/* *copy of a string that may be NULL. */
static bool copy(char **to, const char *from) {
  *to = from ? coho__strdup(from) : NULL;
  return *to || !from;
}

static struct coho__held *new_held(struct coho__seat *s, const char *topic, coho_msg m,
                                   const coho_publish_options *opt, const json_t *id) {
  struct coho__held *h = (struct coho__held *)coho__zalloc(sizeof *h + m.len);
  if (!h) return NULL;
  h->seat = s;
  h->msg = m;
  if (m.len) memcpy(h->data, m.data, m.len);
  h->msg.data = h->data;
  h->id = id ? json_deep_copy(id) : NULL;
  bool whole = copy(&h->topic, topic) && copy(&h->key, opt->key) &&
               copy(&h->idempotency_key, opt->idempotency_key) && (h->id || !id);
  if (whole) return h;
  coho__held_free(h);
  return NULL;
}

static void on_room(void *ctx);

/* Results of coho_publish_with(); COHO_QUEUED: there is no room yet. */
static int try_again(struct coho__held *h, coho_pos *pos) {
  struct coho__seat *s = h->seat;
  coho_hub *hub = s->mount->hub;
  coho_publish_options opt = {.key = h->key, .idempotency_key = h->idempotency_key};
  /* To wait first, so that room made meanwhile is not missed. */
  int err =
      coho__room_wait(hub, coho__view_of(h->topic), coho_conn_loop(s->conn), on_room, h, &h->room);
  if (err) return err == COHO_ENOTFOUND ? COHO_EFULL : err;
  err = coho_publish_with(hub, h->topic, h->msg, &opt, pos);
  if (err == COHO_EFULL) return COHO_QUEUED;
  coho__room_cancel(h->room);
  h->room = NULL;
  return err;
}

static void on_room(void *ctx) {
  struct coho__held *h = (struct coho__held *)ctx;
  struct coho__seat *s = h->seat;
  coho_pos pos = {0, 0};
  h->room = NULL;
  int err = try_again(h, &pos);
  if (err == COHO_QUEUED) return;
  s->held = NULL;
  s->ops->held(s, h->id, h->topic, err, pos);
  coho__held_free(h);
  coho_resume(s->conn);
}

int coho__held_publish(struct coho__seat *s, const char *topic, coho_msg m,
                       const coho_publish_options *opt, const json_t *id, coho_pos *pos) {
  int err = coho_publish_with(s->mount->hub, topic, m, opt, pos);
  if (err != COHO_EFULL || s->held) return err;
  struct coho__held *h = new_held(s, topic, m, opt, id);
  err = h ? try_again(h, pos) : COHO_ENOMEM;
  if (err != COHO_QUEUED) {
    coho__held_free(h);
    return err;
  }
  s->held = h;
  coho_pause(s->conn);
  return COHO_QUEUED;
}
