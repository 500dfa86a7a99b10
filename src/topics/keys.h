/*
 * coho_keys of keys.h for the rest of coho: shared by loops, by reference. The sets it holds are a
 * ring, which does not change; a new one takes its place as a whole.
 */
#ifndef COHO_TOPICS_KEYS_H
#define COHO_TOPICS_KEYS_H

#include "topics/keyset.h"

#include <pthread.h>
#include <stdbool.h>

enum { COHO_KEYS_SOURCES = 64 };

struct coho__key_ring {
  _Atomic uint32_t refs;
  uint32_t count;
  struct coho__keyset *sets[COHO_KEYS_SOURCES];
};

struct coho_keys {
  _Atomic uint32_t refs;
  bool needs_expiry;
  uint64_t leeway_ms;
  char **audiences;         /* NULL: any */
  pthread_mutex_t changing; /* one change at a time */
  pthread_mutex_t lock;     /* over the rest */
  struct coho__key_ring *ring;
  void (*on_unknown)(void *ctx, const char *issuer);
  void *ctx;
};

coho_keys *coho__keys_ref(coho_keys *k); /* any thread; NULL gives NULL */
void coho__keys_unref(coho_keys *k);     /* any thread; NULL is fine */
/* The present ring, with a reference. */
struct coho__key_ring *coho__keys_current(coho_keys *k);
void coho__key_ring_unref(struct coho__key_ring *r); /* NULL is fine */
/* Tells whom it concerns that a token of this issuer, NULL for none, fits no key. */
void coho__keys_unknown(coho_keys *k, const char *issuer);

#endif
