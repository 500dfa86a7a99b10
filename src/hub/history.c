#include "hub/history.h"

#include "base/alloc.h"
#include "base/check.h"

#include <coho/error.h>
#include <string.h>

/* A replaced message leaves a hole, so that the others stay where they are. */
enum { PLACES_MIN = 4, HOLES_MORE = 16 };

static struct coho__history_place *at(const struct coho__history *h, size_t i) {
  return &h->places[(h->head + i) & (h->cap - 1)];
}

static size_t holes(const struct coho__history *h) { return h->used - h->count; }

static struct coho__view key_of(const struct coho__message *m) {
  return (struct coho__view){m->key, m->key_len};
}

void coho__history_init(struct coho__history *h, bool conflates, const uint64_t seed[2]) {
  *h = (struct coho__history){.conflates = conflates};
  coho__map_init(&h->keys, seed);
}

static void free_places(struct coho__history *h) {
  coho__free(h->places, h->cap * sizeof *h->places);
  h->places = NULL;
  h->cap = h->head = h->used = 0;
}

void coho__history_free(struct coho__history *h) {
  for (size_t i = 0; i < h->used; i++)
    coho__message_unref(at(h, i)->message);
  free_places(h);
  coho__map_free(&h->keys);
  h->count = 0;
  h->bytes = 0;
}

/* ---- places ---------------------------------------------------------------------------------- */

static void close_holes(struct coho__history *h) {
  size_t n = 0;
  for (size_t i = 0; i < h->used; i++)
    if (at(h, i)->message) *at(h, n++) = *at(h, i);
  h->used = n;
}

static int resize(struct coho__history *h, size_t cap) {
  struct coho__history_place *places =
      (struct coho__history_place *)coho__alloc(cap * sizeof *places);
  if (!places) return COHO_ENOMEM;
  size_t used = h->used;
  for (size_t i = 0; i < used; i++)
    places[i] = *at(h, i);
  free_places(h);
  h->places = places;
  h->cap = cap;
  h->used = used;
  return 0;
}

/* Room for one more. Closing holes is as cheap as growing once they are a quarter of the places. */
static int make_room(struct coho__history *h) {
  if (h->used < h->cap) return 0;
  if (h->cap && holes(h) >= h->cap / 4) {
    close_holes(h);
    return 0;
  }
  if (h->cap > SIZE_MAX / 2 / sizeof *h->places) return COHO_ENOMEM;
  return resize(h, h->cap ? 2 * h->cap : PLACES_MIN);
}

/* After messages have gone: no hole at either end, nor too many of them; no places for nothing. */
static void tidy(struct coho__history *h) {
  for (; h->used && !at(h, 0)->message; h->used--)
    h->head = (h->head + 1) & (h->cap - 1);
  if (holes(h) > h->used / 2 + HOLES_MORE) close_holes(h);
}

static void shrink(struct coho__history *h) {
  if (!h->used) {
    free_places(h);
  } else if (h->cap > PLACES_MIN && h->used < h->cap / 4) {
    /* Without memory for fewer the many stay. */
    (void)resize(h, h->cap / 2);
  }
}

/* The first place from this offset on; used: none. */
static size_t find(const struct coho__history *h, uint64_t offset) {
  size_t low = 0, high = h->used;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (at(h, middle)->offset < offset)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* ---- messages -------------------------------------------------------------------------------- */

/* Not from the keys. */
static void empty(struct coho__history *h, struct coho__history_place *p) {
  struct coho__message *m = p->message;
  p->message = NULL;
  h->count--;
  h->bytes -= coho__message_size(m);
  coho__message_unref(m);
}

/* m counts for its key from now on, and the one before is no more. */
static int conflate(struct coho__history *h, struct coho__message *m) {
  const struct coho__message *old =
      (const struct coho__message *)coho__map_replace(&h->keys, key_of(m), m);
  if (!old) return coho__map_add(&h->keys, key_of(m), m);
  struct coho__history_place *p = at(h, find(h, old->pos.offset));
  COHO_ASSERT(p->message == old);
  empty(h, p);
  tidy(h);
  return 0;
}

int coho__history_add(struct coho__history *h, struct coho__message *m) {
  COHO_ASSERT(!h->used || at(h, h->used - 1)->offset < m->pos.offset);
  int err = make_room(h);
  if (!err && h->conflates) err = conflate(h, m);
  if (err) {
    shrink(h);
    return err;
  }
  *at(h, h->used++) = (struct coho__history_place){m->pos.offset, coho__message_ref(m)};
  h->count++;
  h->bytes += coho__message_size(m);
  return 0;
}

struct coho__message *coho__history_first(const struct coho__history *h) {
  return h->count ? at(h, 0)->message : NULL;
}

void coho__history_drop_first(struct coho__history *h) {
  COHO_ASSERT(h->count);
  struct coho__history_place *p = at(h, 0);
  if (h->conflates) (void)coho__map_remove(&h->keys, key_of(p->message));
  empty(h, p);
  tidy(h);
  shrink(h);
}

/* ---- looking --------------------------------------------------------------------------------- */

size_t coho__history_from(const struct coho__history *h, uint64_t offset,
                          struct coho__message **out, size_t max) {
  size_t n = 0;
  for (size_t i = find(h, offset); i < h->used && n < max; i++)
    if (at(h, i)->message) out[n++] = at(h, i)->message;
  return n;
}

size_t coho__history_between(const struct coho__history *h, uint64_t from, uint64_t to) {
  if (from >= to) return 0;
  size_t first = find(h, from), end = find(h, to);
  if (!holes(h)) return end - first;
  size_t n = 0;
  for (size_t i = first; i < end; i++)
    n += at(h, i)->message != NULL;
  return n;
}

size_t coho__history_last(const struct coho__history *h, struct coho__message **out, size_t n) {
  n = COHO_MIN(n, h->count);
  size_t left = n;
  for (size_t i = h->used; left; i--)
    if (at(h, i - 1)->message) out[--left] = at(h, i - 1)->message;
  return n;
}

/* ---- invariants ------------------------------------------------------------------------------ */

static void check_message(const struct coho__history *h, const struct coho__history_place *p) {
  COHO_ASSERT(p->message->pos.offset == p->offset);
  if (h->conflates) COHO_ASSERT(coho__map_get(&h->keys, key_of(p->message)) == p->message);
}

void coho__history_check(const struct coho__history *h) {
  size_t count = 0;
  uint64_t bytes = 0;
  COHO_ASSERT((h->cap & (h->cap - 1)) == 0 && h->used <= h->cap && h->head <= h->cap);
  COHO_ASSERT((h->places == NULL) == (h->cap == 0));
  for (size_t i = 0; i < h->used; i++) {
    const struct coho__history_place *p = at(h, i);
    COHO_ASSERT(i == 0 || at(h, i - 1)->offset < p->offset);
    if (!p->message) continue;
    check_message(h, p);
    count++;
    bytes += coho__message_size(p->message);
  }
  COHO_ASSERT(count == h->count && bytes == h->bytes);
  COHO_ASSERT(h->used == 0 || (at(h, 0)->message && at(h, h->used - 1)->message));
  COHO_ASSERT(holes(h) <= h->used / 2 + HOLES_MORE && (h->conflates || holes(h) == 0));
  COHO_ASSERT(h->keys.count == (h->conflates ? count : 0));
  coho__map_check(&h->keys);
}
