#include "base/chunk.h"

#include "base/alloc.h"
#include "base/check.h"

#include <stdatomic.h>
#include <stdint.h>

struct coho__chunk *coho__chunk_new(size_t cap) {
  if (cap > SIZE_MAX - sizeof(struct coho__chunk)) return NULL;
  struct coho__chunk *c = (struct coho__chunk *)coho__alloc(sizeof *c + cap);
  if (c == NULL) return NULL;
  atomic_init(&c->refs, 1);
  c->len = 0;
  c->cap = cap;
  return c;
}

struct coho__chunk *coho__chunk_ref(struct coho__chunk *c) {
  atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
  return c;
}

void coho__chunk_unref(struct coho__chunk *c) {
  if (c == NULL) return;
  /* Release: our reads are over before another thread frees. Acquire: theirs before we free. */
  size_t refs = atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel);
  COHO_ASSERT(refs > 0);
  if (refs == 1) coho__free(c, sizeof *c + c->cap);
}
