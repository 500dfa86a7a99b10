#include "topics/keys.h"

#include "base/alloc.h"
#include "base/sized.h"
#include "base/strlist.h"

#include <string.h>

enum { LEEWAY_MS = 30000, LEEWAY_MOST = 3600000 };

/* ---- rings ---------------------------------------------------------------------------------- */

static struct coho__key_ring *ring_new(void) {
  struct coho__key_ring *r = (struct coho__key_ring *)coho__zalloc(sizeof *r);
  if (r) atomic_init(&r->refs, 1);
  return r;
}

void coho__key_ring_unref(struct coho__key_ring *r) {
  if (!r || atomic_fetch_sub_explicit(&r->refs, 1, memory_order_acq_rel) != 1) return;
  for (uint32_t i = 0; i < r->count; i++)
    coho__keyset_unref(r->sets[i]);
  coho__free(r, sizeof *r);
}

struct coho__key_ring *coho__keys_current(coho_keys *k) {
  pthread_mutex_lock(&k->lock);
  struct coho__key_ring *r = k->ring;
  atomic_fetch_add_explicit(&r->refs, 1, memory_order_relaxed);
  pthread_mutex_unlock(&k->lock);
  return r;
}

static void exchange(coho_keys *k, struct coho__key_ring *fresh) {
  pthread_mutex_lock(&k->lock);
  struct coho__key_ring *old = k->ring;
  k->ring = fresh;
  pthread_mutex_unlock(&k->lock);
  coho__key_ring_unref(old);
}

/* ---- life ----------------------------------------------------------------------------------- */

static void free_keys(coho_keys *k) {
  coho__key_ring_unref(k->ring);
  coho__strlist_free(k->audiences);
  pthread_mutex_destroy(&k->lock);
  pthread_mutex_destroy(&k->changing);
  coho__free(k, sizeof *k);
}

coho_keys *coho__keys_ref(coho_keys *k) {
  if (k) atomic_fetch_add_explicit(&k->refs, 1, memory_order_relaxed);
  return k;
}

void coho__keys_unref(coho_keys *k) {
  if (k && atomic_fetch_sub_explicit(&k->refs, 1, memory_order_acq_rel) == 1) free_keys(k);
}

static uint64_t leeway_of(const coho_keys_options *o) {
  if (o->leeway_ms == COHO_KEYS_EXACT) return 0;
  return o->leeway_ms ? o->leeway_ms : LEEWAY_MS;
}

int coho_keys_new_sized(const coho_keys_options *opt, size_t size, coho_keys **out) {
  coho_keys_options o;
  *out = NULL;
  int err = coho__sized_read(&o, sizeof o, opt, size);
  if (err) return err;
  if ((o.flags & ~(uint64_t)COHO_KEYS_NO_EXPIRY) || leeway_of(&o) > LEEWAY_MOST)
    return COHO_EOPTION;
  coho_keys *k = (coho_keys *)coho__zalloc(sizeof *k);
  if (!k) return COHO_ENOMEM;
  atomic_init(&k->refs, 1);
  pthread_mutex_init(&k->changing, NULL);
  pthread_mutex_init(&k->lock, NULL);
  k->needs_expiry = !(o.flags & COHO_KEYS_NO_EXPIRY);
  k->leeway_ms = leeway_of(&o);
  k->ring = ring_new();
  err = k->ring ? coho__strlist_copy(&k->audiences, o.audiences) : COHO_ENOMEM;
  if (err) free_keys(k);
  if (!err) *out = k;
  return err;
}

void coho_keys_free(coho_keys *k) { coho__keys_unref(k); }

/* ---- changes -------------------------------------------------------------------------------- */

static bool same_issuer(const struct coho__keyset *a, const struct coho__keyset *b) {
  if (!a->issuer || !b->issuer) return !a->issuer && !b->issuer;
  return !strcmp(a->issuer, b->issuer);
}

/* A ring with s, whose reference it takes, behind the others, or instead of those of its issuer.
   Nobody else changes the ring meanwhile. */
static int put(coho_keys *k, struct coho__keyset *s, bool instead) {
  const struct coho__key_ring *old = k->ring;
  struct coho__key_ring *fresh = ring_new();
  int err = fresh ? 0 : COHO_ENOMEM;
  for (uint32_t i = 0; !err && i < old->count; i++)
    if (!instead || !same_issuer(old->sets[i], s))
      fresh->sets[fresh->count++] = coho__keyset_ref(old->sets[i]);
  if (!err && fresh->count == COHO_KEYS_SOURCES) err = COHO_EFULL;
  if (err) {
    coho__key_ring_unref(fresh);
    coho__keyset_unref(s);
    return err;
  }
  fresh->sets[fresh->count++] = s;
  exchange(k, fresh);
  return 0;
}

/* What went wrong in words, when nobody found better ones. */
static int tell(const struct coho__why *why, int err) {
  if (err && why->buf && why->cap && !*why->buf)
    return coho__why_set(why, err, "%s", coho_strerror(err));
  return err;
}

static int take(coho_keys *k, const coho_key_source *source, size_t size, bool instead,
                const struct coho__why *why) {
  coho_key_source from;
  struct coho__keyset *s = NULL;
  int err = coho__sized_read(&from, sizeof from, source, size);
  if (!err) err = coho__keyset_read(&from, &s, why);
  if (err) return tell(why, err);
  pthread_mutex_lock(&k->changing);
  err = put(k, s, instead);
  pthread_mutex_unlock(&k->changing);
  return tell(why, err);
}

int coho_keys_add_sized(coho_keys *k, const coho_key_source *source, size_t size, char *why,
                        size_t cap) {
  const struct coho__why sentence = {why, cap};
  if (why && cap) *why = '\0';
  return take(k, source, size, false, &sentence);
}

int coho_keys_replace_sized(coho_keys *k, const coho_key_source *source, size_t size, char *why,
                            size_t cap) {
  const struct coho__why sentence = {why, cap};
  if (why && cap) *why = '\0';
  return take(k, source, size, true, &sentence);
}

int coho_keys_reload(coho_keys *k, char *why, size_t cap) {
  const struct coho__why sentence = {why, cap};
  int err = 0;
  if (why && cap) *why = '\0';
  struct coho__key_ring *fresh = ring_new();
  if (!fresh) return tell(&sentence, COHO_ENOMEM);
  pthread_mutex_lock(&k->changing);
  for (uint32_t i = 0; !err && i < k->ring->count; i++) {
    err = coho__keyset_reread(k->ring->sets[i], &fresh->sets[i], &sentence);
    if (!err) fresh->count++;
  }
  if (err)
    coho__key_ring_unref(fresh);
  else
    exchange(k, fresh);
  pthread_mutex_unlock(&k->changing);
  return tell(&sentence, err);
}

/* ---- unknown keys --------------------------------------------------------------------------- */

void coho_keys_on_unknown(coho_keys *k, void (*fn)(void *ctx, const char *issuer), void *ctx) {
  pthread_mutex_lock(&k->lock);
  k->on_unknown = fn;
  k->ctx = ctx;
  pthread_mutex_unlock(&k->lock);
}

void coho__keys_unknown(coho_keys *k, const char *issuer) {
  pthread_mutex_lock(&k->lock);
  if (k->on_unknown) k->on_unknown(k->ctx, issuer ? issuer : "");
  pthread_mutex_unlock(&k->lock);
}
