#include "base/alloc.h"

#include "base/budget.h"

#include <coho/core.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static void *system_alloc(void *ctx, void *ptr, size_t old_size, size_t new_size) {
  (void)ctx;
  (void)old_size;
  if (new_size != 0) return realloc(ptr, new_size);
  free(ptr);
  return NULL;
}

static coho_alloc_fn alloc_fn = system_alloc;
static void *alloc_ctx;

void coho_set_allocator(coho_alloc_fn fn, void *ctx) {
  alloc_fn = fn != NULL ? fn : system_alloc;
  alloc_ctx = ctx;
}

/* Size 0 means "free" to the allocator, so nothing is asked for by that size. */
static size_t real_size(size_t n) { return n != 0 ? n : 1; }

/* All of it goes through here, counted. What is to grow asks first, and what shrinks is given back when
   it has: so a failure only ever takes from the count, which is never refused. */
static void *resize(void *p, size_t old_size, size_t new_size) {
  bool grows = new_size > old_size;
  if (grows && !coho__memory_count(old_size, new_size)) return NULL;
  void *q = alloc_fn(alloc_ctx, p, old_size, new_size);
  bool failed = q == NULL && new_size != 0;
  if (grows && failed) (void)coho__memory_count(new_size - old_size, 0);
  if (!grows && !failed) (void)coho__memory_count(old_size, new_size);
  return q;
}

void *coho__alloc(size_t n) { return resize(NULL, 0, real_size(n)); }

void *coho__zalloc(size_t n) {
  void *p = coho__alloc(n);
  if (p != NULL) memset(p, 0, n);
  return p;
}

void *coho__realloc(void *p, size_t old_size, size_t new_size) {
  if (p == NULL) return coho__alloc(new_size);
  return resize(p, real_size(old_size), real_size(new_size));
}

void coho__free(void *p, size_t n) {
  if (p != NULL) (void)resize(p, real_size(n), 0);
}

static char *copy(const char *s, size_t len) {
  char *p = (char *)coho__alloc(len + 1);
  if (p == NULL) return NULL;
  memcpy(p, s, len);
  p[len] = '\0';
  return p;
}

char *coho__strdup(const char *s) { return copy(s, strlen(s)); }

char *coho__strndup(const char *s, size_t n) {
  const char *end = (const char *)memchr(s, '\0', n);
  return copy(s, end != NULL ? (size_t)(end - s) : n);
}

void coho__free_str(char *s) {
  if (s != NULL) coho__free(s, strlen(s) + 1);
}
