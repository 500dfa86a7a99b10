#include "hub/hub.h"

#include "base/alloc.h"
#include "base/random.h"

#include <string.h>

/* ---- life ----------------------------------------------------------------------------------- */

coho_hub *coho_hub_new(void) {
  coho_hub *hub = (coho_hub *)coho__zalloc(sizeof *hub);
  uint64_t seed[2];
  if (!hub) return NULL;
  coho__random(seed, sizeof seed);
  atomic_init(&hub->refs, 1);
  pthread_mutex_init(&hub->lock, NULL);
  coho__map_init(&hub->index, seed);
  return hub;
}

static coho_hub *ref(coho_hub *hub) {
  atomic_fetch_add_explicit(&hub->refs, 1, memory_order_relaxed);
  return hub;
}

static void unref(coho_hub *hub) {
  if (atomic_fetch_sub_explicit(&hub->refs, 1, memory_order_acq_rel) > 1) return;
  coho__map_free(&hub->index);
  pthread_mutex_destroy(&hub->lock);
  coho__free(hub, sizeof *hub);
}

void coho_hub_free(coho_hub *hub) {
  if (hub) unref(hub);
}

static bool read_name(const char *topic, struct coho__view *name) {
  *name = coho__view_of(topic);
  return name->len > 0 && name->len <= COHO_TOPIC_NAME_MAX;
}

/* ---- the part of a loop --------------------------------------------------------------------- */

static struct coho__hub_loop *loop_part(coho_hub *hub, coho_loop *loop) {
  struct coho__hub_loop *part = hub->loops[loop->index];
  if (part) return part;
  part = (struct coho__hub_loop *)coho__zalloc(sizeof *part);
  if (!part) return NULL;
  part->hub = ref(hub);
  part->index = loop->index;
  part->mailbox = coho__mailbox_hold(coho__mailbox_of(loop));
  coho__topics_init(&part->topics);
  hub->loops[loop->index] = part;
  return part;
}

static void drop_part_if_empty(struct coho__hub_loop *part) {
  if (part->topics.map.count) return;
  coho_hub *hub = part->hub;
  hub->loops[part->index] = NULL;
  coho__topics_free(&part->topics);
  coho__mailbox_drop(part->mailbox);
  coho__free(part, sizeof *part);
  unref(hub);
}

/* ---- the index ------------------------------------------------------------------------------ */

static struct coho__hub_entry *find_entry(coho_hub *hub, struct coho__view name) {
  return (struct coho__hub_entry *)coho__map_get(&hub->index, name);
}

static struct coho__hub_entry *need_entry(coho_hub *hub, struct coho__view name) {
  struct coho__hub_entry *e = find_entry(hub, name);
  if (e) return e;
  e = (struct coho__hub_entry *)coho__zalloc(sizeof *e);
  if (!e) return NULL;
  coho__list_init(&e->topics);
  if (!coho__map_add(&hub->index, name, e)) return e;
  coho__free(e, sizeof *e);
  return NULL;
}

/* A further subscriber of a topic of this loop. 0 or COHO_ENOMEM. */
static int index_join(coho_hub *hub, struct coho__topic *t, struct coho__subscription *sub) {
  pthread_mutex_lock(&hub->lock);
  sub->since = hub->publications;
  struct coho__hub_entry *e = need_entry(hub, (struct coho__view){t->name, t->name_len});
  if (e) {
    e->subscribers++;
    if (coho__list_empty(&t->node)) {
      coho__list_append(&e->topics, &t->node);
      e->loops++;
    }
  }
  pthread_mutex_unlock(&hub->lock);
  return e ? 0 : COHO_ENOMEM;
}

/* One less; t has it counted off already. */
static void index_part(coho_hub *hub, struct coho__topic *t) {
  struct coho__view name = {t->name, t->name_len};
  pthread_mutex_lock(&hub->lock);
  struct coho__hub_entry *e = find_entry(hub, name);
  e->subscribers--;
  if (t->count == 0) {
    coho__list_remove(&t->node);
    e->loops--;
  }
  if (e->subscribers == 0) {
    coho__map_remove(&hub->index, name);
    coho__free(e, sizeof *e);
  }
  pthread_mutex_unlock(&hub->lock);
}

size_t coho_hub_subscribers(coho_hub *hub, const char *topic) {
  struct coho__view name;
  if (!read_name(topic, &name)) return 0;
  pthread_mutex_lock(&hub->lock);
  const struct coho__hub_entry *e = find_entry(hub, name);
  size_t n = e ? e->subscribers : 0;
  pthread_mutex_unlock(&hub->lock);
  return n;
}

/* ---- subscribing ---------------------------------------------------------------------------- */

static void drop_topic_if_empty(struct coho__hub_loop *part, struct coho__topic *t) {
  if (t->count == 0) coho__topics_remove(&part->topics, t);
  drop_part_if_empty(part);
}

/* The subscription is no attachment any more. */
static void on_end(struct coho__attachment *a) {
  struct coho__subscription *sub = COHO_CONTAINER_OF(a, struct coho__subscription, attachment);
  struct coho__topic *t = sub->topic;
  struct coho__hub_loop *part = (struct coho__hub_loop *)t->owner;
  coho__topic_part(sub);
  index_part(part->hub, t);
  coho__free(sub, sizeof *sub);
  drop_topic_if_empty(part, t);
}

static struct coho__topic *need_topic(struct coho__hub_loop *part, struct coho__view name) {
  struct coho__topic *t = coho__topics_find(&part->topics, name);
  if (t) return t;
  t = coho__topics_add(&part->topics, name);
  if (!t) return NULL;
  t->mailbox = part->mailbox;
  t->owner = part;
  return t;
}

static int join(struct coho__hub_loop *part, struct coho__topic *t, coho_conn *c) {
  if (coho__topic_of_conn(t, c, on_end)) return COHO_EEXISTS;
  struct coho__subscription *sub = (struct coho__subscription *)coho__zalloc(sizeof *sub);
  if (!sub) return COHO_ENOMEM;
  int err = index_join(part->hub, t, sub);
  if (err) {
    coho__free(sub, sizeof *sub);
    return err;
  }
  sub->attachment.end = on_end;
  coho__topic_join(t, sub, c);
  coho__conn_attach(c, &sub->attachment);
  return 0;
}

int coho_subscribe(coho_hub *hub, coho_conn *c, const char *topic) {
  struct coho__view name;
  if (!read_name(topic, &name)) return COHO_EINVAL;
  if (!coho__conn_alive(c)) return COHO_ECLOSED;
  struct coho__hub_loop *part = loop_part(hub, coho_conn_loop(c));
  if (!part) return COHO_ENOMEM;
  struct coho__topic *t = need_topic(part, name);
  int err = t ? join(part, t, c) : COHO_ENOMEM;
  if (t)
    drop_topic_if_empty(part, t);
  else
    drop_part_if_empty(part);
  return err;
}

int coho_unsubscribe(coho_hub *hub, coho_conn *c, const char *topic) {
  struct coho__view name;
  if (!read_name(topic, &name)) return COHO_EINVAL;
  struct coho__hub_loop *part = hub->loops[coho_conn_loop(c)->index];
  struct coho__topic *t = part ? coho__topics_find(&part->topics, name) : NULL;
  struct coho__subscription *sub = t ? coho__topic_of_conn(t, c, on_end) : NULL;
  if (!sub) return COHO_ENOTFOUND;
  coho__conn_detach(&sub->attachment);
  on_end(&sub->attachment);
  return 0;
}

/* ---- publishing ----------------------------------------------------------------------------- */

struct delivery {
  struct coho__letter letter;
  struct publication *publication;
};

/* One message on its way to some loops: each letter holds a reference, and so does who posts. */
struct publication {
  _Atomic size_t refs;
  coho_hub *hub;
  struct coho__framed *framed;
  uint64_t number;
  size_t room;             /* deliveries */
  struct coho__view topic; /* behind them */
  struct delivery deliveries[];
};

static size_t publication_size(size_t room, size_t name_len) {
  return sizeof(struct publication) + room * sizeof(struct delivery) + name_len;
}

static void publication_unref(struct publication *p) {
  if (atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) > 1) return;
  coho_hub *hub = p->hub;
  coho__framed_free(p->framed);
  coho__free(p, publication_size(p->room, p->topic.len));
  unref(hub);
}

static void drop(struct coho__letter *letter) {
  publication_unref(COHO_CONTAINER_OF(letter, struct delivery, letter)->publication);
}

static void deliver(const struct publication *p, const struct coho__topic *t) {
  for (struct coho__list *node = t->subs.next; node != &t->subs; node = node->next) {
    const struct coho__subscription *sub = COHO_LIST_ENTRY(node, struct coho__subscription, node);
    if (sub->since >= p->number) continue;
    coho_conn *c = sub->conn;
    int err = coho__conn_insert_framed(c, p->framed);
    /* None of these ends the subscription before the turn ends. */
    if (err == COHO_EFULL || err == COHO_ETOOBIG)
      coho__conn_overflow(c, err);
    else if (err == COHO_ENOMEM)
      coho__conn_doom(c, err);
  }
}

static void run(coho_loop *loop, struct coho__letter *letter) {
  struct publication *p = COHO_CONTAINER_OF(letter, struct delivery, letter)->publication;
  const struct coho__hub_loop *part = p->hub->loops[loop->index];
  const struct coho__topic *t = part ? coho__topics_find(&part->topics, p->topic) : NULL;
  if (t) deliver(p, t);
  drop(letter);
}

static struct publication *publication_new(coho_hub *hub, size_t room, struct coho__view topic,
                                           const coho_msg *m) {
  struct publication *p = (struct publication *)coho__alloc(publication_size(room, topic.len));
  if (!p) return NULL;
  *p = (struct publication){.hub = ref(hub), .room = room};
  atomic_init(&p->refs, 1);
  char *name = (char *)&p->deliveries[room];
  memcpy(name, topic.data, topic.len);
  p->topic = (struct coho__view){name, topic.len};
  p->framed = coho__framed_new(m);
  if (p->framed) return p;
  publication_unref(p);
  return NULL;
}

/* Locked. To as many loops as there is room for; one that joined meanwhile is too late. */
static int post_all(struct publication *p, const struct coho__hub_entry *e) {
  int result = 0;
  size_t i = 0;
  for (struct coho__list *n = e->topics.next; n != &e->topics && i < p->room; n = n->next) {
    struct delivery *d = &p->deliveries[i++];
    size_t bytes = sizeof *p + coho__framed_size(p->framed);
    *d = (struct delivery){.letter = {.run = run, .drop = drop, .bytes = bytes}, .publication = p};
    atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
    int err = coho__mailbox_post(COHO_LIST_ENTRY(n, struct coho__topic, node)->mailbox, &d->letter);
    if (!err) continue;
    publication_unref(p);
    if (err == COHO_EFULL) result = err;
  }
  return result;
}

static size_t loops_of(coho_hub *hub, struct coho__view name) {
  pthread_mutex_lock(&hub->lock);
  const struct coho__hub_entry *e = find_entry(hub, name);
  size_t n = e ? e->loops : 0;
  pthread_mutex_unlock(&hub->lock);
  return n;
}

int coho_publish(coho_hub *hub, const char *topic, coho_msg m) {
  struct coho__view name;
  if (!read_name(topic, &name) || m.type > COHO_BINARY || (m.flags & ~(uint32_t)COHO_PLAIN))
    return COHO_EINVAL;
  size_t room = loops_of(hub, name);
  if (!room) return 0;
  struct publication *p = publication_new(hub, room, name, &m);
  if (!p) return COHO_ENOMEM;
  pthread_mutex_lock(&hub->lock);
  const struct coho__hub_entry *e = find_entry(hub, name);
  p->number = ++hub->publications;
  int err = e ? post_all(p, e) : 0;
  pthread_mutex_unlock(&hub->lock);
  publication_unref(p);
  return err;
}
