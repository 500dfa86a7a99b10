#include "hub/topic.h"

#include "base/alloc.h"
#include "base/random.h"

#include <string.h>

static struct coho__view name_of(const struct coho__topic *t) {
  return (struct coho__view){t->name, t->name_len};
}

static size_t size_of(const struct coho__topic *t) { return sizeof *t + t->name_len + 1; }

void coho__topics_init(struct coho__topics *ts) {
  uint64_t seed[2]; /* names may come from strangers */
  coho__random(seed, sizeof seed);
  coho__map_init(&ts->map, seed);
}

void coho__topics_free(struct coho__topics *ts) {
  COHO_ASSERT(ts->map.count == 0);
  coho__map_free(&ts->map);
}

struct coho__topic *coho__topics_find(const struct coho__topics *ts, struct coho__view name) {
  return (struct coho__topic *)coho__map_get(&ts->map, name);
}

struct coho__topic *coho__topics_add(struct coho__topics *ts, struct coho__view name) {
  struct coho__topic *t = (struct coho__topic *)coho__zalloc(sizeof *t + name.len + 1);
  if (!t) return NULL;
  coho__list_init(&t->subs);
  coho__list_init(&t->node);
  t->name_len = name.len;
  memcpy(t->name, name.data, name.len);
  if (!coho__map_add(&ts->map, name_of(t), t)) return t;
  coho__free(t, size_of(t));
  return NULL;
}

void coho__topics_remove(struct coho__topics *ts, struct coho__topic *t) {
  COHO_ASSERT(t->count == 0);
  coho__map_remove(&ts->map, name_of(t));
  coho__free(t, size_of(t));
}

struct coho__subscription *coho__topic_of_conn(const struct coho__topic *t, const coho_conn *c,
                                               void (*end)(struct coho__attachment *a)) {
  for (struct coho__attachment *a = c->attached; a; a = a->next) {
    if (a->end != end) continue;
    struct coho__subscription *sub = COHO_CONTAINER_OF(a, struct coho__subscription, attachment);
    if (sub->topic == t) return sub;
  }
  return NULL;
}

void coho__topic_join(struct coho__topic *t, struct coho__subscription *sub, coho_conn *c) {
  sub->conn = c;
  sub->topic = t;
  coho__list_append(&t->subs, &sub->node);
  t->count++;
}

void coho__topic_part(struct coho__subscription *sub) {
  coho__list_remove(&sub->node);
  sub->topic->count--;
}

void coho__topics_check(const struct coho__topics *ts) {
  size_t it = 0;
  struct coho__topic *t;
  coho__map_check(&ts->map);
  while ((t = (struct coho__topic *)coho__map_next(&ts->map, &it, NULL))) {
    size_t n = 0;
    for (struct coho__list *node = t->subs.next; node != &t->subs; node = node->next)
      n++;
    COHO_ASSERT(n == t->count && n > 0);
  }
}
