#include "base/map.h"

#include "base/alloc.h"
#include "base/check.h"

#include <coho/error.h>
#include <string.h>

struct coho__map_entry {
  struct coho__map_entry *next; /* in its chain */
  void *value;
  uint64_t hash;
  size_t place; /* behind the chains */
  size_t key_len;
  char key[];
};

enum { CAP_MIN = 8 };

static uint64_t rotate(uint64_t x, unsigned n) { return x << n | x >> (64 - n); }

static void sip_round(uint64_t v[4]) {
  v[0] += v[1];
  v[2] += v[3];
  v[1] = rotate(v[1], 13) ^ v[0];
  v[3] = rotate(v[3], 16) ^ v[2];
  v[0] = rotate(v[0], 32);
  v[2] += v[1];
  v[0] += v[3];
  v[1] = rotate(v[1], 17) ^ v[2];
  v[3] = rotate(v[3], 21) ^ v[0];
  v[2] = rotate(v[2], 32);
}

/* n bytes, the lowest first. */
static uint64_t load(const uint8_t *p, size_t n) {
  uint64_t x = 0;
  for (size_t i = 0; i < n; i++)
    x |= (uint64_t)p[i] << (8 * i);
  return x;
}

static void sip_word(uint64_t v[4], uint64_t word) {
  v[3] ^= word;
  sip_round(v);
  v[0] ^= word;
}

uint64_t coho__siphash(const uint64_t seed[2], const void *data, size_t len) {
  const uint8_t *p = (const uint8_t *)data;
  uint64_t v[4] = {seed[0] ^ 0x736f6d6570736575, seed[1] ^ 0x646f72616e646f6d,
                   seed[0] ^ 0x6c7967656e657261, seed[1] ^ 0x7465646279746573};
  size_t left = len;
  for (; left >= 8; left -= 8, p += 8)
    sip_word(v, load(p, 8));
  sip_word(v, load(p, left) | (uint64_t)len << 56);
  v[2] ^= 0xff;
  for (int i = 0; i < 3; i++)
    sip_round(v);
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void coho__map_init(struct coho__map *m, const uint64_t seed[2]) {
  *m = (struct coho__map){NULL, 0, 0, {seed[0], seed[1]}};
}

static struct coho__map_entry **places(const struct coho__map *m) { return m->buckets + m->cap; }

/* Of n pointers. */
static size_t pointers(size_t n) { return n * sizeof(struct coho__map_entry *); }

static struct coho__map_entry **chain(const struct coho__map *m, uint64_t hash) {
  return &m->buckets[(size_t)hash & (m->cap - 1)];
}

static void free_entry(struct coho__map_entry *e) { coho__free(e, sizeof *e + e->key_len); }

static void free_table(struct coho__map *m) {
  coho__free(m->buckets, pointers(2 * m->cap));
  m->buckets = NULL;
  m->cap = 0;
}

void coho__map_free(struct coho__map *m) {
  for (size_t i = 0; i < m->count; i++)
    free_entry(places(m)[i]);
  free_table(m);
  m->count = 0;
}

static void link_entry(const struct coho__map *m, struct coho__map_entry *e) {
  struct coho__map_entry **first = chain(m, e->hash);
  e->next = *first;
  *first = e;
}

/* The entries keep their places, so that a walk goes on where it was. */
static int resize(struct coho__map *m, size_t cap) {
  if (cap > SIZE_MAX / pointers(2)) return COHO_ENOMEM;
  struct coho__map_entry **buckets = (struct coho__map_entry **)coho__zalloc(pointers(2 * cap));
  if (buckets == NULL) return COHO_ENOMEM;
  if (m->count > 0) memcpy(buckets + cap, places(m), pointers(m->count));
  free_table(m);
  m->buckets = buckets;
  m->cap = cap;
  for (size_t i = 0; i < m->count; i++)
    link_entry(m, places(m)[i]);
  return 0;
}

/* What points to the entry, or to the end of its chain. The map has a table. */
static struct coho__map_entry **find(const struct coho__map *m, struct coho__view key,
                                     uint64_t hash) {
  struct coho__map_entry **at = chain(m, hash);
  for (; *at != NULL; at = &(*at)->next) {
    const struct coho__map_entry *e = *at;
    if (e->hash == hash && coho__view_eq((struct coho__view){e->key, e->key_len}, key)) break;
  }
  return at;
}

void *coho__map_get(const struct coho__map *m, struct coho__view key) {
  if (m->count == 0) return NULL;
  const struct coho__map_entry *e = *find(m, key, coho__siphash(m->seed, key.data, key.len));
  return e != NULL ? e->value : NULL;
}

int coho__map_add(struct coho__map *m, struct coho__view key, void *value) {
  COHO_ASSERT(value != NULL);
  uint64_t hash = coho__siphash(m->seed, key.data, key.len);
  if (m->count > 0 && *find(m, key, hash) != NULL) return COHO_EEXISTS;
  struct coho__map_entry *e = (struct coho__map_entry *)coho__alloc(sizeof *e + key.len);
  if (e == NULL) return COHO_ENOMEM;
  *e = (struct coho__map_entry){NULL, value, hash, m->count, key.len};
  if (key.len > 0) memcpy(e->key, key.data, key.len);
  if (m->count == m->cap && resize(m, COHO_MAX(m->cap * 2, (size_t)CAP_MIN)) != 0) {
    free_entry(e);
    return COHO_ENOMEM;
  }
  link_entry(m, e);
  places(m)[m->count++] = e;
  return 0;
}

void *coho__map_replace(struct coho__map *m, struct coho__view key, void *value) {
  COHO_ASSERT(value != NULL);
  if (m->count == 0) return NULL;
  struct coho__map_entry *e = *find(m, key, coho__siphash(m->seed, key.data, key.len));
  if (e == NULL) return NULL;
  void *old = e->value;
  e->value = value;
  return old;
}

size_t coho__map_entry_size(size_t key_len) {
  return sizeof(struct coho__map_entry) + key_len + pointers(4);
}

/* The distance between growing and shrinking keeps a map at the border from doing both in turn. */
static void shrink(struct coho__map *m) {
  if (m->count == 0) {
    free_table(m);
  } else if (m->cap > CAP_MIN && m->count < m->cap / 8) {
    /* Without memory for the smaller table the larger one stays. */
    (void)resize(m, COHO_MAX(m->cap / 4, (size_t)CAP_MIN));
  }
}

void *coho__map_remove(struct coho__map *m, struct coho__view key) {
  if (m->count == 0) return NULL;
  struct coho__map_entry **at = find(m, key, coho__siphash(m->seed, key.data, key.len));
  struct coho__map_entry *e = *at;
  if (e == NULL) return NULL;
  void *value = e->value;
  *at = e->next;
  struct coho__map_entry *last = places(m)[--m->count];
  last->place = e->place;
  places(m)[e->place] = last;
  free_entry(e);
  shrink(m);
  return value;
}

/* Goes from the last place down: what fills the hole of a removed entry was seen before. *it is
   the complement of the place last seen, so that 0 is the start. */
void *coho__map_next(const struct coho__map *m, size_t *it, struct coho__view *key) {
  size_t place = *it == 0 ? m->count : COHO_MIN(~*it, m->count);
  if (place == 0) return NULL;
  place--;
  *it = ~place;
  const struct coho__map_entry *e = places(m)[place];
  if (key != NULL) *key = (struct coho__view){e->key, e->key_len};
  return e->value;
}

void coho__map_check(const struct coho__map *m) {
  COHO_ASSERT((m->buckets == NULL) == (m->cap == 0));
  COHO_ASSERT((m->cap & (m->cap - 1)) == 0 && m->count <= m->cap);
  for (size_t i = 0; i < m->count; i++) {
    const struct coho__map_entry *e = places(m)[i];
    COHO_ASSERT(e->place == i && e->value != NULL);
    COHO_ASSERT(e->hash == coho__siphash(m->seed, e->key, e->key_len));
    COHO_ASSERT(*find(m, (struct coho__view){e->key, e->key_len}, e->hash) == e);
  }
  size_t chained = 0;
  for (size_t i = 0; i < m->cap; i++) {
    for (const struct coho__map_entry *e = m->buckets[i]; e != NULL; e = e->next)
      chained++;
  }
  COHO_ASSERT(chained == m->count);
}
