#include "ws/conn_table.h"

#include "base/alloc.h"
#include "base/random.h"
#include "io/mailbox.h"
#include "ws/conn.h"

#include <pthread.h>

enum { GENERATION_BITS = 32, SLOTS_FIRST = 16 };

/* A slot that reached this is retired, and so is a loop index. */
static const uint32_t USED_UP = UINT32_MAX;

/* Where other threads look whether an id is stale: the tables by loop index. Only opening and
   ending connections and calls by id take a lock, and of one loop each. */
static struct entry {
  pthread_mutex_t lock;
  struct coho__conn_table *table;
} registry[COHO_LOOPS_MAX];
static pthread_once_t registry_once = PTHREAD_ONCE_INIT;

static void registry_init(void) {
  for (size_t i = 0; i < COHO_LOOPS_MAX; i++)
    pthread_mutex_init(&registry[i].lock, NULL);
}

static struct entry *lock_entry(uint32_t loop_index) {
  pthread_once(&registry_once, registry_init);
  struct entry *e = &registry[loop_index];
  pthread_mutex_lock(&e->lock);
  return e;
}

static void unlock_entry(struct entry *e) { pthread_mutex_unlock(&e->lock); }

static void register_table(const coho_loop *loop, struct coho__conn_table *t) {
  struct entry *e = lock_entry(loop->index);
  e->table = t;
  unlock_entry(e);
}

/* ---- ids ------------------------------------------------------------------------------------ */

uint32_t coho__id_loop(coho_id id) { return (uint32_t)(id >> (GENERATION_BITS + COHO_SLOT_BITS)); }

uint32_t coho__id_slot(coho_id id) {
  return (uint32_t)(id >> GENERATION_BITS) & (uint32_t)(COHO_SLOT_NONE - 1);
}

uint32_t coho__id_generation(coho_id id) { return (uint32_t)id; }

coho_id coho__conn_table_id(const struct coho__conn_table *t, uint32_t slot) {
  return (uint64_t)t->loop->index << (GENERATION_BITS + COHO_SLOT_BITS) |
         (uint64_t)slot << GENERATION_BITS | t->slots[slot].generation;
}

coho_conn *coho__conn_table_find(const struct coho__conn_table *t, coho_id id) {
  uint32_t slot = coho__id_slot(id);
  if (coho__id_loop(id) != t->loop->index || slot >= t->count) return NULL;
  const struct coho__slot *s = &t->slots[slot];
  return s->generation == coho__id_generation(id) ? s->conn : NULL;
}

/* ---- life ----------------------------------------------------------------------------------- */

static void free_table(struct coho__task *task) {
  struct coho__conn_table *t = COHO_CONTAINER_OF(task, struct coho__conn_table, burial);
  coho__map_free(&t->gates);
  coho__deflate_pool_free(t->deflate);
  if (t->attachments) t->attached_ops->free(t->attachments);
  coho__free(t->slots, t->cap * sizeof *t->slots);
  coho__free(t, sizeof *t);
}

/* No id of this loop index is ever given again. */
static void keep_generation(const struct coho__conn_table *t) {
  uint32_t next = t->first;
  for (uint32_t i = 0; i < t->count; i++)
    next = COHO_MAX(next, t->slots[i].generation);
  coho__loop_set_generation(t->loop->index, next);
}

static void tear_down(struct coho__teardown *teardown) {
  struct coho__conn_table *t = COHO_CONTAINER_OF(teardown, struct coho__conn_table, teardown);
  t->closing = true;
  uint32_t it = 0;
  coho_conn *c;
  while ((c = coho__conn_table_next(t, &it)))
    coho__conn_cut(c, COHO_ESTOPPED);
  keep_generation(t);
  register_table(t->loop, NULL);
  t->loop->conns = NULL;
  /* After the connections, which are buried in the order of their ends. */
  coho__loop_bury(t->loop, &t->burial);
}

struct coho__conn_table *coho__conn_table_of(coho_loop *loop) {
  struct coho__conn_table *t = (struct coho__conn_table *)loop->conns;
  if (t) return t;
  t = (struct coho__conn_table *)coho__zalloc(sizeof *t);
  if (!t) return NULL;
  uint64_t seed[2];
  coho__random(seed, sizeof seed);
  t->loop = loop;
  t->first = COHO_MAX(coho__loop_generation(loop->index), 1);
  t->free_head = COHO_SLOT_NONE;
  coho__map_init(&t->gates, seed);
  t->clients = (struct coho__home){.loop = loop, .table = t, .counters = &t->counters};
  t->teardown.run = tear_down;
  coho__task_init(&t->burial, free_table);
  coho__loop_on_free(loop, &t->teardown);
  loop->conns = t;
  register_table(loop, t);
  return t;
}

/* ---- slots ---------------------------------------------------------------------------------- */

static bool grow(struct coho__conn_table *t) {
  uint32_t cap = t->cap ? t->cap * 2 : SLOTS_FIRST;
  if (cap > COHO_SLOT_NONE || t->first == USED_UP) return false;
  struct coho__slot *slots =
      (struct coho__slot *)coho__realloc(t->slots, t->cap * sizeof *slots, cap * sizeof *slots);
  if (!slots) return false;
  t->slots = slots;
  t->cap = cap;
  return true;
}

/* A free slot, perhaps a new one. */
static uint32_t take_slot(struct coho__conn_table *t) {
  uint32_t slot = t->free_head;
  if (slot != COHO_SLOT_NONE) {
    t->free_head = t->slots[slot].next_free;
    return slot;
  }
  if (t->count == t->cap && !grow(t)) return COHO_SLOT_NONE;
  slot = t->count++;
  t->slots[slot] = (struct coho__slot){.generation = t->first};
  return slot;
}

uint32_t coho__conn_table_add(struct coho__conn_table *t, coho_conn *c) {
  struct entry *e = lock_entry(t->loop->index);
  uint32_t slot = take_slot(t);
  if (slot != COHO_SLOT_NONE) t->slots[slot].conn = c;
  unlock_entry(e);
  return slot;
}

void coho__conn_table_expire(struct coho__conn_table *t, uint32_t slot) {
  struct entry *e = lock_entry(t->loop->index);
  COHO_ASSERT(t->slots[slot].generation != USED_UP);
  t->slots[slot].generation++;
  unlock_entry(e);
}

void coho__conn_table_remove(struct coho__conn_table *t, uint32_t slot) {
  struct entry *e = lock_entry(t->loop->index);
  struct coho__slot *s = &t->slots[slot];
  s->conn = NULL;
  if (s->generation != USED_UP) {
    s->next_free = t->free_head;
    t->free_head = slot;
  }
  unlock_entry(e);
}

coho_conn *coho__conn_table_next(const struct coho__conn_table *t, uint32_t *it) {
  while (*it < t->count) {
    coho_conn *c = t->slots[(*it)++].conn;
    if (c) return c;
  }
  return NULL;
}

/* ---- other threads -------------------------------------------------------------------------- */

int coho__conn_table_post(coho_id id, uint64_t bytes, struct coho__letter *l) {
  int err = COHO_ESTALE;
  struct entry *e = lock_entry(coho__id_loop(id));
  coho_conn *c = e->table ? coho__conn_table_find(e->table, id) : NULL;
  if (c && bytes > c->opt->set.max_queue)
    err = COHO_ETOOBIG;
  else if (c)
    err = coho__mailbox_post(coho__mailbox_of(e->table->loop), l);
  unlock_entry(e);
  return err;
}
