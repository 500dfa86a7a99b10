#include "hub/look.h"

#include "base/alloc.h"

#include <string.h>

size_t coho_hub_subscribers(coho_hub *hub, const char *topic) {
  struct coho__view name;
  if (!coho__hub_read_name(topic, &name)) return 0;
  coho__hub_lock(hub);
  const struct coho__topic *t = coho__hub_find(hub, name);
  size_t n = t ? t->subscribers : 0;
  coho__hub_unlock(hub);
  return n;
}

int coho_hub_position(coho_hub *hub, const char *topic, coho_pos *pos) {
  struct coho__view name;
  if (!coho__hub_read_name(topic, &name)) return COHO_EINVAL;
  coho__hub_lock(hub);
  const struct coho__topic *t = coho__hub_find(hub, name);
  if (t) *pos = t->last;
  coho__hub_unlock(hub);
  return t ? 0 : COHO_ENOTFOUND;
}

int coho__hub_start(coho_hub *hub, struct coho__view name, const coho_pos *since,
                    coho_start *start) {
  struct coho__topic *t;
  coho__hub_lock(hub);
  int err = coho__hub_need(hub, name, &t);
  if (!err) *start = coho__topic_start(t, since);
  coho__hub_unlock(hub);
  return err;
}

/* Locked: room for n messages, which get a reference each by keep(). */
static int make_room(struct coho__taken *out, size_t n) {
  size_t bytes = n * sizeof(struct coho__message *);
  out->size = n;
  out->messages = bytes ? (struct coho__message **)coho__alloc(bytes) : NULL;
  if (!bytes || out->messages) return 0;
  out->size = 0;
  return COHO_ENOMEM;
}

static void keep(struct coho__taken *out, size_t count) {
  out->count = count;
  for (size_t i = 0; i < count; i++)
    coho__message_ref(out->messages[i]);
}

static int take_since(const struct coho__topic *t, const coho_start *start, size_t limit,
                      struct coho__taken *out) {
  const struct coho__history *h = &t->history;
  uint64_t from = start->pos.offset + 1;
  size_t there = coho__history_between(h, from, UINT64_MAX);
  int err = make_room(out, COHO_MIN(limit, there));
  if (err) return err;
  if (out->messages) keep(out, coho__history_from(h, from, out->messages, out->size));
  const struct coho__message *last = out->messages ? out->messages[out->count - 1] : NULL;
  out->pos = there == out->count ? t->last : last ? last->pos : start->pos;
  return 0;
}

int coho__hub_take_since(coho_hub *hub, struct coho__view name, const coho_pos *since, size_t limit,
                         coho_start *start, struct coho__taken *out) {
  struct coho__topic *t;
  *out = (struct coho__taken){.count = 0};
  coho__hub_lock(hub);
  int err = coho__hub_need(hub, name, &t);
  if (!err) {
    *start = coho__topic_start(t, since);
    err = take_since(t, start, limit, out);
  }
  coho__hub_unlock(hub);
  return err;
}

int coho__hub_take_last(coho_hub *hub, struct coho__view name, size_t limit,
                        struct coho__taken *out) {
  *out = (struct coho__taken){.count = 0};
  coho__hub_lock(hub);
  const struct coho__topic *t = coho__hub_find(hub, name);
  int err = t ? 0 : COHO_ENOTFOUND;
  if (!err) {
    out->pos = t->last;
    err = make_room(out, COHO_MIN(limit, t->history.count));
  }
  if (out->messages) keep(out, coho__history_last(&t->history, out->messages, out->size));
  coho__hub_unlock(hub);
  return err;
}

void coho__taken_free(struct coho__taken *t) {
  for (size_t i = 0; i < t->count; i++)
    coho__message_unref(t->messages[i]);
  coho__free(t->messages, t->size * sizeof(struct coho__message *));
  *t = (struct coho__taken){.count = 0};
}

int coho_hub_history(coho_hub *hub, const char *topic, size_t limit,
                     void (*fn)(void *ctx, coho_pos pos, coho_msg m), void *ctx, coho_pos *pos) {
  struct coho__taken taken;
  struct coho__view name;
  if (!coho__hub_read_name(topic, &name)) return COHO_EINVAL;
  int err = coho__hub_take_last(hub, name, limit, &taken);
  if (err) return err;
  if (pos) *pos = taken.pos;
  for (size_t i = 0; i < taken.count; i++)
    fn(ctx, taken.messages[i]->pos, taken.messages[i]->msg);
  coho__taken_free(&taken);
  return 0;
}

/* ---- figures --------------------------------------------------------------------------------- */

static size_t members_of(const struct coho__topic *t) {
  return t->members ? coho__members_count(t->members) : 0;
}

void coho_hub_get_stats_sized(coho_hub *hub, coho_hub_stats *out, size_t size) {
  coho__hub_lock(hub);
  coho_hub_stats s = hub->stats;
  s.topics = hub->topics.count;
  s.bytes = hub->bytes;
  coho__hub_unlock(hub);
  memset(out, 0, size);
  memcpy(out, &s, COHO_MIN(size, sizeof s));
}

void coho_hub_topics(coho_hub *hub, void (*fn)(void *ctx, const coho_topic_info *info), void *ctx) {
  coho__hub_lock(hub);
  for (struct coho__list *n = hub->rounds.next; n != &hub->rounds; n = n->next) {
    const struct coho__topic *t = COHO_LIST_ENTRY(n, struct coho__topic, round);
    coho_topic_info info = {.name = t->name,
                            .pos = t->last,
                            .subscribers = t->subscribers,
                            .messages = t->history.count,
                            .bytes = t->history.bytes,
                            .dropped = t->dropped,
                            .members = members_of(t)};
    fn(ctx, &info);
  }
  coho__hub_unlock(hub);
}
