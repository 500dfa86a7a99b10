#include "base/pool.h"

#include "base/alloc.h"
#include "base/check.h"

#include <stdbool.h>
#include <string.h>

enum {
#ifdef COHO_HARD
  SHIFT_MOST = 1,
#else
  SHIFT_MOST = 16,
#endif
  CAP_MIN = 4
};

/* Elements of a segment. */
static uint32_t places(const struct coho__pool *p) { return (uint32_t)1 << p->shift; }

/* The last number that fits belongs to the last of these. */
static uint32_t segments_most(const struct coho__pool *p) { return UINT32_MAX >> p->shift; }

/* Neighbours are counted from 1, as are elements: 0 is none. A free element begins with the next. */
struct coho__pool_segment {
  char *data; /* NULL: none here, and only next counts */
  uint32_t used;
  uint32_t free;       /* the first free element */
  uint32_t prev, next; /* in the chain of room, or next alone in that of vacant */
};

void coho__pool_init(struct coho__pool *p, size_t size, unsigned shift) {
  shift = COHO_MIN(shift, (unsigned)SHIFT_MOST);
  COHO_ASSERT(size >= sizeof(uint32_t) && size <= SIZE_MAX >> shift);
  *p = (struct coho__pool){.size = size, .shift = shift};
}

static size_t segment_size(const struct coho__pool *p) { return p->size * places(p); }

void coho__pool_free(struct coho__pool *p) {
  for (uint32_t i = 0; i < p->cap; i++)
    coho__free(p->segments[i].data, segment_size(p));
  coho__free(p->segments, p->cap * sizeof *p->segments);
  coho__pool_init(p, p->size, p->shift);
}

static struct coho__pool_segment *segment(const struct coho__pool *p, uint32_t number) {
  return &p->segments[number - 1];
}

static char *element(const struct coho__pool *p, const struct coho__pool_segment *s, uint32_t i) {
  return s->data + (i - 1) * p->size;
}

static uint32_t next_free(const struct coho__pool *p, const struct coho__pool_segment *s,
                          uint32_t i) {
  uint32_t next;
  memcpy(&next, element(p, s, i), sizeof next);
  return next;
}

static void put_free(const struct coho__pool *p, struct coho__pool_segment *s, uint32_t i) {
  memcpy(element(p, s, i), &s->free, sizeof s->free);
  s->free = i;
}

/* ---- segments -------------------------------------------------------------------------------- */

static void link_room(struct coho__pool *p, uint32_t number) {
  struct coho__pool_segment *s = segment(p, number);
  s->prev = 0;
  s->next = p->room;
  if (s->next) segment(p, s->next)->prev = number;
  p->room = number;
}

static void unlink_room(struct coho__pool *p, uint32_t number) {
  const struct coho__pool_segment *s = segment(p, number);
  if (s->next) segment(p, s->next)->prev = s->prev;
  if (s->prev)
    segment(p, s->prev)->next = s->next;
  else
    p->room = s->next;
}

static void link_vacant(struct coho__pool *p, uint32_t number) {
  *segment(p, number) = (struct coho__pool_segment){.next = p->vacant};
  p->vacant = number;
}

/* More places for segments; the elements do not move. */
static bool grow(struct coho__pool *p) {
  uint32_t cap = segments_most(p);
  if (p->cap < cap / 2) cap = COHO_MAX(2 * p->cap, (uint32_t)CAP_MIN);
  if (cap == p->cap) return false;
  struct coho__pool_segment *more = (struct coho__pool_segment *)coho__realloc(
      p->segments, p->cap * sizeof *more, cap * sizeof *more);
  if (!more) return false;
  p->segments = more;
  uint32_t old = p->cap;
  p->cap = cap;
  for (uint32_t i = cap; i > old; i--)
    link_vacant(p, i);
  return true;
}

static bool add_segment(struct coho__pool *p) {
  if (!p->vacant && !grow(p)) return false;
  char *data = (char *)coho__alloc(segment_size(p));
  if (!data) return false;
  uint32_t number = p->vacant;
  struct coho__pool_segment *s = segment(p, number);
  p->vacant = s->next;
  *s = (struct coho__pool_segment){.data = data};
  for (uint32_t i = places(p); i > 0; i--)
    put_free(p, s, i);
  link_room(p, number);
  return true;
}

static void remove_segment(struct coho__pool *p, uint32_t number) {
  unlink_room(p, number);
  coho__free(segment(p, number)->data, segment_size(p));
  link_vacant(p, number);
  if (p->used) return;
  coho__free(p->segments, p->cap * sizeof *p->segments);
  coho__pool_init(p, p->size, p->shift);
}

/* ---- elements -------------------------------------------------------------------------------- */

void *coho__pool_add(struct coho__pool *p, uint32_t *number) {
  if (!p->room && !add_segment(p)) return NULL;
  uint32_t in = p->room;
  struct coho__pool_segment *s = segment(p, in);
  uint32_t i = s->free;
  s->free = next_free(p, s, i);
  s->used++;
  p->used++;
  if (!s->free) unlink_room(p, in);
  *number = ((in - 1) << p->shift) + i;
  return memset(element(p, s, i), 0, p->size);
}

/* The segment of an element that is there, and its place in it. */
static uint32_t locate(const struct coho__pool *p, uint32_t number, uint32_t *i) {
  uint32_t in = ((number - 1) >> p->shift) + 1;
  COHO_ASSERT(number != COHO_POOL_NONE && in <= p->cap && segment(p, in)->data);
  *i = ((number - 1) & (places(p) - 1)) + 1;
  return in;
}

void coho__pool_remove(struct coho__pool *p, uint32_t number) {
  uint32_t i, in = locate(p, number, &i);
  struct coho__pool_segment *s = segment(p, in);
  if (!s->free) link_room(p, in);
  put_free(p, s, i);
  p->used--;
  if (--s->used == 0) remove_segment(p, in);
}

void *coho__pool_at(const struct coho__pool *p, uint32_t number) {
  uint32_t i, in = locate(p, number, &i);
  return element(p, segment(p, in), i);
}

/* ---- invariants ------------------------------------------------------------------------------ */

static uint32_t count_free(const struct coho__pool *p, const struct coho__pool_segment *s) {
  uint32_t n = 0;
  for (uint32_t i = s->free; i; i = next_free(p, s, i))
    COHO_ASSERT(i <= places(p) && ++n <= places(p));
  return n;
}

/* How many segments have a free place, as the chain says. */
static uint32_t check_room(const struct coho__pool *p) {
  uint32_t n = 0, prev = 0;
  for (uint32_t i = p->room; i; i = segment(p, i)->next) {
    const struct coho__pool_segment *s = segment(p, i);
    COHO_ASSERT(i <= p->cap && s->data && s->free && s->prev == prev);
    prev = i;
    COHO_ASSERT(++n <= p->cap);
  }
  return n;
}

static uint32_t check_vacant(const struct coho__pool *p) {
  uint32_t n = 0;
  for (uint32_t i = p->vacant; i; i = segment(p, i)->next)
    COHO_ASSERT(i <= p->cap && !segment(p, i)->data && ++n <= p->cap);
  return n;
}

void coho__pool_check(const struct coho__pool *p) {
  size_t used = 0;
  uint32_t room = 0, vacant = 0;
  for (uint32_t i = 1; i <= p->cap; i++) {
    const struct coho__pool_segment *s = segment(p, i);
    vacant += !s->data;
    if (!s->data) continue;
    COHO_ASSERT(s->used > 0 && s->used + count_free(p, s) == places(p));
    used += s->used;
    room += s->free != 0;
  }
  COHO_ASSERT(used == p->used && (p->segments == NULL) == (p->cap == 0));
  COHO_ASSERT(room == check_room(p) && vacant == check_vacant(p));
}
