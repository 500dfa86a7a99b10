#include "hub/receipts.h"

#include "base/alloc.h"
#include "base/check.h"

#include <coho/error.h>
#include <string.h>

struct receipt {
  struct coho__list node;
  uint64_t at_ms;
  coho_pos pos;
  size_t key_len;
  char key[];
};

static struct receipt *of_node(struct coho__list *node) {
  return COHO_LIST_ENTRY(node, struct receipt, node);
}

static size_t own_size(size_t key_len) { return sizeof(struct receipt) + key_len; }

static size_t size_of(size_t key_len) { return own_size(key_len) + coho__map_entry_size(key_len); }

static struct coho__view key_of(const struct receipt *e) {
  return (struct coho__view){e->key, e->key_len};
}

void coho__receipts_init(struct coho__receipts *r, const uint64_t seed[2]) {
  coho__map_init(&r->map, seed);
  coho__list_init(&r->oldest);
  r->bytes = 0;
}

void coho__receipts_free(struct coho__receipts *r) {
  for (struct coho__list *node; (node = coho__list_pop(&r->oldest)) != NULL;)
    coho__free(of_node(node), own_size(of_node(node)->key_len));
  coho__map_free(&r->map);
  r->bytes = 0;
}

/* There is one. */
static void drop_oldest(struct coho__receipts *r) {
  struct receipt *e = of_node(r->oldest.next);
  coho__list_remove(&e->node);
  (void)coho__map_remove(&r->map, key_of(e));
  r->bytes -= size_of(e->key_len);
  coho__free(e, own_size(e->key_len));
}

uint64_t coho__receipts_next(const struct coho__receipts *r) {
  if (coho__list_empty(&r->oldest)) return UINT64_MAX;
  return of_node(r->oldest.next)->at_ms + COHO_RECEIPTS_AGE_MS;
}

size_t coho__receipts_expire_some(struct coho__receipts *r, uint64_t now_ms, size_t most) {
  size_t n = 0;
  for (; n < most && !coho__list_empty(&r->oldest) && coho__receipts_next(r) <= now_ms; n++)
    drop_oldest(r);
  return n;
}

void coho__receipts_expire(struct coho__receipts *r, uint64_t now_ms) {
  (void)coho__receipts_expire_some(r, now_ms, SIZE_MAX);
}

void coho__receipts_shrink(struct coho__receipts *r, uint64_t bytes) {
  uint64_t before = r->bytes;
  while (before - r->bytes < bytes && r->map.count > COHO_RECEIPTS_LEAST)
    drop_oldest(r);
}

bool coho__receipts_find(struct coho__receipts *r, struct coho__view key, uint64_t now_ms,
                         coho_pos *pos) {
  coho__receipts_expire(r, now_ms);
  const struct receipt *e = (const struct receipt *)coho__map_get(&r->map, key);
  if (!e) return false;
  *pos = e->pos;
  return true;
}

int coho__receipts_add(struct coho__receipts *r, struct coho__view key, uint64_t now_ms,
                       coho_pos pos) {
  coho__receipts_expire(r, now_ms);
  struct receipt *e = (struct receipt *)coho__alloc(own_size(key.len));
  if (!e) return COHO_ENOMEM;
  *e = (struct receipt){.at_ms = now_ms, .pos = pos, .key_len = key.len};
  if (key.len) memcpy(e->key, key.data, key.len);
  int err = coho__map_add(&r->map, key, e);
  COHO_ASSERT(err != COHO_EEXISTS);
  if (err) {
    coho__free(e, own_size(key.len));
    return err;
  }
  coho__list_append(&r->oldest, &e->node);
  r->bytes += size_of(key.len);
  if (r->map.count > COHO_RECEIPTS_MOST) drop_oldest(r);
  return 0;
}

void coho__receipts_check(const struct coho__receipts *r) {
  size_t n = 0;
  uint64_t bytes = 0, before = 0;
  for (struct coho__list *node = r->oldest.next; node != &r->oldest; node = node->next) {
    const struct receipt *e = of_node(node);
    COHO_ASSERT(coho__map_get(&r->map, key_of(e)) == e);
    COHO_ASSERT(e->at_ms >= before);
    before = e->at_ms;
    bytes += size_of(e->key_len);
    n++;
  }
  COHO_ASSERT(n == r->map.count && n <= COHO_RECEIPTS_MOST && bytes == r->bytes);
  coho__map_check(&r->map);
}
