#include "topics/throttle.h"

#include "base/alloc.h"
#include "base/ip.h"
#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "base/random.h"

#include <coho/error.h>
#include <coho/log.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>

enum {
  KEY_MOST = 9,
  FORGET_MOST = 2, /* addresses forgotten by each call: more than can come in by one */
  LINES_PER_SECOND = 10,
  LINES_BURST = 50
};

static const struct coho__bucket_rate lines = {LINES_PER_SECOND, LINES_BURST};

struct address {
  struct coho__list node;
  struct coho__bucket bucket;
  uint8_t key_len;
  char key[KEY_MOST];
};

struct coho__throttle {
  uint32_t slow;        /* so many seconds are one of the buckets */
  pthread_mutex_t lock; /* of all below */
  struct coho__bucket_rate rate;
  uint64_t now_ms;        /* the latest that was told: clocks of loops differ by a turn */
  struct coho__map map;   /* of struct address by key */
  struct coho__list list; /* who did it last comes last */
  struct coho__bucket log;
  uint64_t untold; /* lines left out */
};

struct coho__throttle *coho__throttle_new(struct coho__bucket_rate rate, uint32_t seconds) {
  struct coho__throttle *t = (struct coho__throttle *)coho__zalloc(sizeof *t);
  uint64_t seed[2];
  if (!t) return NULL;
  t->rate = rate;
  t->slow = seconds;
  coho__random(seed, sizeof seed);
  pthread_mutex_init(&t->lock, NULL);
  coho__map_init(&t->map, seed);
  coho__list_init(&t->list);
  coho__bucket_init(&t->log, lines, 0);
  return t;
}

void coho__throttle_retune(struct coho__throttle *t, struct coho__bucket_rate rate) {
  pthread_mutex_lock(&t->lock);
  t->rate = rate;
  pthread_mutex_unlock(&t->lock);
}

static void forget(struct coho__throttle *t, struct address *a) {
  coho__list_remove(&a->node);
  (void)coho__map_remove(&t->map, (struct coho__view){a->key, a->key_len});
  coho__free(a, sizeof *a);
}

static struct address *first_of(const struct coho__throttle *t) {
  return coho__list_empty(&t->list) ? NULL : COHO_LIST_ENTRY(t->list.next, struct address, node);
}

void coho__throttle_free(struct coho__throttle *t) {
  struct address *a;
  if (!t) return;
  while ((a = first_of(t)))
    forget(t, a);
  coho__map_free(&t->map);
  pthread_mutex_destroy(&t->lock);
  coho__free(t, sizeof *t);
}

/* Its length; 0 of what is no IP address: a unix socket is no one in particular. */
static uint8_t key_of(struct coho__view peer, char key[KEY_MOST]) {
  struct coho__ip ip;
  uint16_t port;
  if (!coho__ip_parse_node(&ip, &port, peer)) return 0;
  bool v4 = coho__ip_is_v4(&ip);
  uint8_t len = v4 ? 4 : 8;
  key[0] = v4 ? 4 : 6;
  memcpy(key + 1, ip.bytes + (v4 ? 12 : 0), len);
  return (uint8_t)(len + 1);
}

static uint64_t slow(const struct coho__throttle *t) { return t->now_ms / t->slow; }

/* Those who are as if they had never been here, and those too many. */
static void forget_some(struct coho__throttle *t) {
  for (int i = 0; i < FORGET_MOST; i++) {
    struct address *a = first_of(t);
    if (!a) return;
    coho__bucket_fill(&a->bucket, t->rate, slow(t));
    bool forgiven = coho__bucket_full(&a->bucket, t->rate);
    if (!forgiven && t->map.count <= COHO_THROTTLE_ADDRESSES) return;
    forget(t, a);
  }
}

static void lock_at(struct coho__throttle *t, uint64_t now_ms) {
  pthread_mutex_lock(&t->lock);
  t->now_ms = COHO_MAX(t->now_ms, now_ms);
}

bool coho__throttle_open(struct coho__throttle *t, struct coho__view peer, uint64_t now_ms) {
  char key[KEY_MOST];
  struct coho__view v = {key, key_of(peer, key)};
  bool open = true;
  if (!v.len) return true;
  lock_at(t, now_ms);
  struct address *a = (struct address *)coho__map_get(&t->map, v);
  if (a) {
    coho__bucket_fill(&a->bucket, t->rate, slow(t));
    open = coho__bucket_tokens(&a->bucket) > 0;
  }
  pthread_mutex_unlock(&t->lock);
  return open;
}

/* NULL: out of memory. */
static struct address *add(struct coho__throttle *t, struct coho__view key) {
  struct address *a = (struct address *)coho__zalloc(sizeof *a);
  if (!a) return NULL;
  memcpy(a->key, key.data, key.len);
  a->key_len = (uint8_t)key.len;
  coho__bucket_init(&a->bucket, t->rate, slow(t));
  coho__list_init(&a->node);
  if (!coho__map_add(&t->map, key, a)) return a;
  coho__free(a, sizeof *a);
  return NULL;
}

bool coho__throttle_take(struct coho__throttle *t, struct coho__view peer, uint64_t now_ms) {
  char key[KEY_MOST];
  struct coho__view v = {key, key_of(peer, key)};
  bool open = true;
  if (!v.len) return true;
  lock_at(t, now_ms);
  struct address *a = (struct address *)coho__map_get(&t->map, v);
  if (!a) a = add(t, v);
  if (a) {
    coho__bucket_fill(&a->bucket, t->rate, slow(t));
    open = coho__bucket_tokens(&a->bucket) > 0;
    if (open) coho__bucket_take(&a->bucket, 1);
    coho__list_remove(&a->node);
    coho__list_append(&t->list, &a->node);
  }
  forget_some(t);
  pthread_mutex_unlock(&t->lock);
  return open;
}

bool coho__throttle_tells(struct coho__throttle *t, uint64_t now_ms, uint64_t *untold) {
  lock_at(t, now_ms);
  coho__bucket_fill(&t->log, lines, t->now_ms);
  bool tells = coho__bucket_tokens(&t->log) > 0;
  if (tells) {
    coho__bucket_take(&t->log, 1);
    *untold = t->untold;
    t->untold = 0;
  } else {
    t->untold++;
  }
  pthread_mutex_unlock(&t->lock);
  return tells;
}

void coho__throttle_log(struct coho__throttle *t, const char *peer, uint64_t now_ms, int err) {
  uint64_t untold;
  if (!coho__log_wants(COHO_LOG_INFO)) return;
  if (!coho__throttle_tells(t, now_ms, &untold)) return;
  if (untold)
    coho__log(COHO_LOG_INFO, "%s %s: %s; %" PRIu64 " more were refused since the last line", peer,
              coho_errname(err), coho_strerror(err), untold);
  else
    coho__log(COHO_LOG_INFO, "%s %s: %s", peer, coho_errname(err), coho_strerror(err));
}
