#include "http/addresses.h"

#include "base/alloc.h"
#include "base/list.h"
#include "base/map.h"
#include "base/random.h"

#include <netinet/in.h>
#include <pthread.h>
#include <string.h>

enum {
  KEY_MOST = 9,
  FORGET_MOST = 2 /* addresses forgotten by each call: more than can come in by one */
};

struct coho__address {
  struct coho__list node; /* in idle while it has no connection */
  struct coho__bucket shakes[COHO_SHAKES];
  uint32_t connections;
  uint8_t key_len;
  char key[KEY_MOST];
};

struct coho__addresses {
  pthread_mutex_t lock; /* of all below */
  struct coho__addresses_limits limits;
  uint64_t now_ms;        /* the latest that a loop told: their clocks differ by a turn */
  struct coho__map map;   /* of struct coho__address by key */
  struct coho__list idle; /* who left first comes first */
  size_t idle_count;
};

struct coho__addresses *coho__addresses_new(const struct coho__addresses_limits *limits) {
  struct coho__addresses *t = (struct coho__addresses *)coho__zalloc(sizeof *t);
  uint64_t seed[2];
  if (!t) return NULL;
  coho__random(seed, sizeof seed);
  pthread_mutex_init(&t->lock, NULL);
  t->limits = *limits;
  coho__map_init(&t->map, seed);
  coho__list_init(&t->idle);
  return t;
}

static void forget(struct coho__addresses *t, struct coho__address *a) {
  COHO_ASSERT(a->connections == 0);
  coho__list_remove(&a->node);
  t->idle_count--;
  coho__map_remove(&t->map, (struct coho__view){a->key, a->key_len});
  coho__free(a, sizeof *a);
}

static struct coho__address *first_idle(struct coho__addresses *t) {
  return coho__list_empty(&t->idle) ? NULL
                                    : COHO_LIST_ENTRY(t->idle.next, struct coho__address, node);
}

void coho__addresses_free(struct coho__addresses *t) {
  if (!t) return;
  struct coho__address *a;
  while ((a = first_idle(t)))
    forget(t, a);
  COHO_ASSERT(t->map.count == 0);
  coho__map_free(&t->map);
  pthread_mutex_destroy(&t->lock);
  coho__free(t, sizeof *t);
}

/* ---- keys ----------------------------------------------------------------------------------- */

/* The family, and what of the address counts. Its length, 0 for what is no IP address. */
static uint8_t key_of(const struct coho__addr *peer, char key[KEY_MOST]) {
  struct sockaddr_in sin;
  struct sockaddr_in6 sin6;
  if (peer->sa.ss_family == AF_INET) {
    memcpy(&sin, &peer->sa, sizeof sin);
    key[0] = 4;
    memcpy(key + 1, &sin.sin_addr, 4);
    return 5;
  }
  if (peer->sa.ss_family != AF_INET6) return 0;
  memcpy(&sin6, &peer->sa, sizeof sin6);
  bool v4 = IN6_IS_ADDR_V4MAPPED(&sin6.sin6_addr);
  key[0] = v4 ? 4 : 6;
  memcpy(key + 1, sin6.sin6_addr.s6_addr + (v4 ? 12 : 0), v4 ? 4 : 8);
  return v4 ? 5 : 9;
}

/* ---- coming and going ----------------------------------------------------------------------- */

static bool has_rate(const struct coho__addresses *t) { return t->limits.shakes.per_second != 0; }

/* Whether it is as if it had never been here. */
static bool is_forgiven(const struct coho__addresses *t, struct coho__address *a) {
  for (size_t i = 0; i < COHO_SHAKES && has_rate(t); i++) {
    coho__bucket_fill(&a->shakes[i], t->limits.shakes, t->now_ms);
    if (!coho__bucket_full(&a->shakes[i], t->limits.shakes)) return false;
  }
  return true;
}

/* Those whose time has come, and those too many. */
static void forget_some(struct coho__addresses *t) {
  for (int i = 0; i < FORGET_MOST; i++) {
    struct coho__address *a = first_idle(t);
    if (!a || (t->idle_count <= COHO_ADDRESSES_IDLE && !is_forgiven(t, a))) return;
    forget(t, a);
  }
}

/* Idle. NULL: out of memory. */
static struct coho__address *add(struct coho__addresses *t, struct coho__view key) {
  struct coho__address *a = (struct coho__address *)coho__zalloc(sizeof *a);
  if (!a) return NULL;
  memcpy(a->key, key.data, key.len);
  a->key_len = (uint8_t)key.len;
  for (size_t i = 0; i < COHO_SHAKES; i++)
    coho__bucket_init(&a->shakes[i], t->limits.shakes, t->now_ms);
  if (coho__map_add(&t->map, key, a)) {
    coho__free(a, sizeof *a);
    return NULL;
  }
  coho__list_append(&t->idle, &a->node);
  t->idle_count++;
  return a;
}

static void lock_at(struct coho__addresses *t, uint64_t now_ms) {
  pthread_mutex_lock(&t->lock);
  t->now_ms = COHO_MAX(t->now_ms, now_ms);
}

void coho__addresses_update(struct coho__addresses *t,
                            const struct coho__addresses_limits *limits) {
  pthread_mutex_lock(&t->lock);
  t->limits = *limits;
  pthread_mutex_unlock(&t->lock);
}

int coho__addresses_enter(struct coho__addresses *t, const struct coho__addr *peer, uint64_t now_ms,
                          struct coho__address **out) {
  char key[KEY_MOST];
  uint8_t len = key_of(peer, key);
  int err = 0;
  *out = NULL;
  if (!len) return 0;
  lock_at(t, now_ms);
  struct coho__address *a =
      (struct coho__address *)coho__map_get(&t->map, (struct coho__view){key, len});
  if (!a) a = add(t, (struct coho__view){key, len});
  if (!a) {
    err = COHO_ENOMEM;
  } else if (t->limits.connections && a->connections >= t->limits.connections) {
    err = COHO_EADDRESSFULL;
  } else {
    if (a->connections++ == 0) {
      coho__list_remove(&a->node);
      t->idle_count--;
    }
    *out = a;
  }
  forget_some(t);
  pthread_mutex_unlock(&t->lock);
  return err;
}

void coho__addresses_leave(struct coho__addresses *t, struct coho__address *a, uint64_t now_ms) {
  if (!a) return;
  lock_at(t, now_ms);
  COHO_ASSERT(a->connections > 0);
  if (--a->connections == 0) {
    coho__list_append(&t->idle, &a->node);
    t->idle_count++;
    if (is_forgiven(t, a)) forget(t, a);
  }
  forget_some(t);
  pthread_mutex_unlock(&t->lock);
}

bool coho__addresses_shake(struct coho__addresses *t, struct coho__address *a,
                           enum coho__shake kind, uint64_t now_ms) {
  if (!a) return true;
  struct coho__bucket *b = &a->shakes[kind];
  lock_at(t, now_ms);
  coho__bucket_fill(b, t->limits.shakes, t->now_ms);
  bool fine = !has_rate(t) || coho__bucket_tokens(b) > 0;
  if (fine && has_rate(t)) coho__bucket_take(b, 1);
  pthread_mutex_unlock(&t->lock);
  return fine;
}

size_t coho__addresses_count(struct coho__addresses *t) {
  pthread_mutex_lock(&t->lock);
  size_t n = t->map.count;
  pthread_mutex_unlock(&t->lock);
  return n;
}
