#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "guard.h"

#include "bytes.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct arena {
  uint8_t *base;
  size_t room; /* before the forbidden page */
  size_t used;
} arenas[GUARD_PLACES];

static size_t page_size(void) { return (size_t)sysconf(_SC_PAGESIZE); }

static void arena_free(struct arena *a) {
  if (a->base) munmap(a->base, a->room + page_size());
  *a = (struct arena){NULL, 0, 0};
}

static void arena_reserve(struct arena *a, size_t n) {
  size_t page = page_size();
  if (a->base && n <= a->room) return;
  arena_free(a);
  a->room = (n / page + 1) * page * 2;
  void *base =
      mmap(NULL, a->room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED) abort();
  a->base = (uint8_t *)base;
  if (mprotect(a->base + a->room, page, PROT_NONE)) abort();
}

uint8_t *guard_copy(enum guard_place place, const void *data, size_t n) {
  struct arena *a = &arenas[place];
  arena_reserve(a, n);
  a->used = n;
  uint8_t *at = a->base + a->room - n;
  if (n) memcpy(at, data, n);
  return at;
}

void guard_spoil(enum guard_place place) {
  struct arena *a = &arenas[place];
  if (a->base) memset(a->base + a->room - a->used, 0xdd, a->used);
}

void guard_free(void) {
  for (int i = 0; i < GUARD_PLACES; i++)
    arena_free(&arenas[i]);
}

void *tally_alloc(void *ctx, void *ptr, size_t old_size, size_t new_size) {
  struct tally *t = (struct tally *)ctx;
  void *p = NULL;
  if (new_size)
    p = realloc(ptr, new_size);
  else
    free(ptr);
  if (new_size && !p) return NULL;
  t->now = t->now - (ptr ? old_size : 0) + new_size;
  if (t->now > t->peak) t->peak = t->now;
  return p;
}
