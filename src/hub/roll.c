#include "hub/roll.h"

#include "base/alloc.h"
#include "base/check.h"

#include <coho/error.h>

enum { PLACES_MIN = 4, HOLES_MORE = 16 };

void coho__roll_free(struct coho__roll *r) {
  coho__free(r->places, r->cap * sizeof *r->places);
  *r = (struct coho__roll){.count = 0};
}

/* ---- places ---------------------------------------------------------------------------------- */

static size_t holes(const struct coho__roll *r) { return r->used - r->count; }

static void close_holes(struct coho__roll *r) {
  size_t n = 0;
  for (size_t i = 0; i < r->used; i++)
    if (r->places[i].who) r->places[n++] = r->places[i];
  r->used = n;
}

static int resize(struct coho__roll *r, size_t cap) {
  size_t size = sizeof *r->places;
  struct coho__roll_place *places =
      (struct coho__roll_place *)coho__realloc(r->places, r->cap * size, cap * size);
  if (!places) return COHO_ENOMEM;
  r->places = places;
  r->cap = cap;
  return 0;
}

/* Closing holes is as cheap as growing once they are a quarter of the places. */
static int make_room(struct coho__roll *r) {
  if (r->used < r->cap) return 0;
  if (r->cap && holes(r) >= r->cap / 4) {
    close_holes(r);
    return 0;
  }
  if (r->cap > SIZE_MAX / 2 / sizeof *r->places) return COHO_ENOMEM;
  return resize(r, r->cap ? 2 * r->cap : PLACES_MIN);
}

static void shrink(struct coho__roll *r) {
  if (!r->count) {
    coho__roll_free(r);
  } else if (r->cap > PLACES_MIN && r->used < r->cap / 4) {
    /* Without memory for fewer the many stay. */
    (void)resize(r, r->cap / 2);
  }
}

/* The first place above this number; used: none. */
static size_t above(const struct coho__roll *r, uint64_t number) {
  size_t low = 0, high = r->used;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (r->places[middle].number <= number)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* ---- who is in it ---------------------------------------------------------------------------- */

int coho__roll_add(struct coho__roll *r, uint64_t number, struct coho__member *who) {
  COHO_ASSERT(who && number && (!r->used || r->places[r->used - 1].number < number));
  int err = make_room(r);
  if (err) return err;
  r->places[r->used++] = (struct coho__roll_place){number, who};
  r->count++;
  return 0;
}

void coho__roll_remove(struct coho__roll *r, uint64_t number) {
  size_t i = above(r, number - 1);
  COHO_ASSERT(i < r->used && r->places[i].number == number && r->places[i].who);
  r->places[i].who = NULL;
  r->count--;
  while (r->used && !r->places[r->used - 1].who)
    r->used--;
  if (holes(r) > r->used / 2 + HOLES_MORE) close_holes(r);
  shrink(r);
}

size_t coho__roll_after(const struct coho__roll *r, uint64_t number, struct coho__member **out,
                        size_t max) {
  size_t n = 0;
  for (size_t i = above(r, number); i < r->used && n < max; i++)
    if (r->places[i].who) out[n++] = r->places[i].who;
  return n;
}

void coho__roll_check(const struct coho__roll *r) {
  size_t count = 0;
  COHO_ASSERT(r->used <= r->cap && (r->places == NULL) == (r->cap == 0));
  for (size_t i = 0; i < r->used; i++) {
    COHO_ASSERT(i == 0 || r->places[i - 1].number < r->places[i].number);
    count += r->places[i].who != NULL;
  }
  COHO_ASSERT(count == r->count && holes(r) <= r->used / 2 + HOLES_MORE);
  COHO_ASSERT(r->used == 0 || r->places[r->used - 1].who);
}
