#include "topics/token.h"

#include "topics/jws.h"
#include "topics/keys.h"

#include <string.h>

/* A token without "kid", or with one that many keys have, costs this many verifications at most. */
enum { TRIES_MOST = 8 };

/* ---- keys ----------------------------------------------------------------------------------- */

/* Whose keys a token may be verified with. */
struct choice {
  const struct coho__key_ring *ring;
  struct coho__view issuer; /* "iss"; NULL data: none */
  bool any;                 /* no issuer is configured */
};

static bool is_chosen(const struct choice *c, const struct coho__keyset *s) {
  if (c->any) return true;
  if (!s->issuer || !c->issuer.data) return !s->issuer && !c->issuer.data;
  return coho__view_eq(coho__view_of(s->issuer), c->issuer);
}

/* The first set of the issuer; NULL: it is not configured. */
static const struct coho__keyset *choose(struct choice *c) {
  c->any = true;
  for (uint32_t i = 0; i < c->ring->count; i++)
    if (c->ring->sets[i]->issuer) c->any = false;
  for (uint32_t i = 0; i < c->ring->count; i++)
    if (is_chosen(c, c->ring->sets[i])) return c->ring->sets[i];
  return NULL;
}

static bool has_name(const struct coho__key *k, const struct coho__jws *j) {
  struct coho__view kid = {j->kid, j->kid_len};
  return k->kid && coho__view_eq(coho__view_of(k->kid), kid);
}

/* How many keys were tried, and what came of it. */
struct outcome {
  int err; /* COHO_ETOKENKEY: there was none */
  unsigned tries;
};

/* Tries the keys of a set: those that have the name of the token's, or those without one; for a token
   that names none, all. */
static void try_set(const struct coho__keyset *s, const struct coho__jws *j, bool named,
                    struct outcome *o) {
  const struct coho__view signature = {j->signature, j->signature_len};
  for (uint32_t i = 0; i < s->count && o->tries < TRIES_MOST; i++) {
    const struct coho__key *k = &s->keys[i];
    bool fits = named ? has_name(k, j) : !j->has_kid || !k->kid;
    if (!fits || k->alg != j->alg) continue;
    o->tries++;
    o->err = coho__key_verify(k, j->text, signature);
    if (o->err != COHO_ESIGNATURE) return;
  }
}

static void try_all(const struct choice *c, const struct coho__jws *j, bool named,
                    struct outcome *o) {
  bool open = true;
  for (uint32_t i = 0; open && i < c->ring->count; i++) {
    if (is_chosen(c, c->ring->sets[i])) try_set(c->ring->sets[i], j, named, o);
    open = o->err == COHO_ETOKENKEY || o->err == COHO_ESIGNATURE;
  }
}

/* A token that names a key fits one that has this name, or else one that has none. */
static int verify_with(const struct choice *c, const struct coho__jws *j) {
  struct outcome o = {COHO_ETOKENKEY, 0};
  if (j->has_kid) try_all(c, j, true, &o);
  if (o.err != COHO_ETOKENKEY) return o.err;
  try_all(c, j, false, &o);
  return j->has_kid && o.err == COHO_ESIGNATURE ? COHO_ETOKENKEY : o.err;
}

static int verify_signature(coho_keys *keys, const struct coho__jws *j) {
  struct choice c = {.any = false};
  if (!coho__json_string(j->payload, "iss", &c.issuer)) return COHO_ETOKEN;
  struct coho__key_ring *ring = coho__keys_current(keys);
  c.ring = ring;
  const struct coho__keyset *whose = choose(&c);
  int err = whose ? verify_with(&c, j) : COHO_EISSUER;
  if (err == COHO_ETOKENKEY) coho__keys_unknown(keys, whose->issuer);
  coho__key_ring_unref(ring);
  return err;
}

/* ---- claims --------------------------------------------------------------------------------- */

static int check_times(const coho_keys *keys, const struct coho__token_times *t, uint64_t now) {
  uint64_t late = now + keys->leeway_ms;
  if (t->expires == COHO_CLAIMS_NEVER && keys->needs_expiry) return COHO_ECLAIMS;
  if (t->expires != COHO_CLAIMS_NEVER && now >= t->expires + keys->leeway_ms) return COHO_EEXPIRED;
  return late < t->not_before || late < t->issued ? COHO_ENOTYET : 0;
}

/* "aud" is a string, or several (RFC 7519 4.1.3). */
static int check_audience(const coho_keys *keys, const json_t *payload) {
  const json_t *aud = json_object_get(payload, "aud");
  if (aud && !json_is_string(aud) && !coho__json_strings(aud)) return COHO_ECLAIMS;
  if (!keys->audiences) return 0;
  for (char **each = keys->audiences; *each; each++) {
    struct coho__view one = coho__view_of(*each), only;
    if (json_is_array(aud) && coho__json_has(aud, one)) return 0;
    if (coho__json_string(payload, "aud", &only) && only.data && coho__view_eq(only, one)) return 0;
  }
  return COHO_EAUDIENCE;
}

/* So that its bearer can be told from others who have no name either. */
static void mark_nameless(struct coho__claims *c, struct coho__view token) {
  const void *text = token.data;
  if (!c->subject.len) (void)SHA256((const unsigned char *)text, token.len, c->token);
}

static int read_claims(const coho_keys *keys, const json_t *payload, uint64_t now,
                       struct coho__claims **out) {
  struct coho__token_times times;
  int err = coho__claims_times(payload, &times);
  if (!err) err = check_times(keys, &times, now);
  if (!err) err = check_audience(keys, payload);
  if (!err) err = coho__claims_new(payload, out);
  if (err || times.expires == COHO_CLAIMS_NEVER) return err;
  (*out)->expires = times.expires;
  (*out)->until = times.expires + keys->leeway_ms;
  return 0;
}

int coho__token_verify(coho_keys *keys, struct coho__view token, uint64_t now,
                       struct coho__claims **out) {
  struct coho__jws j;
  int err = coho__jws_read(token, &j);
  if (!err) err = verify_signature(keys, &j);
  if (!err) err = read_claims(keys, j.payload, now, out);
  if (!err) mark_nameless(*out, token);
  coho__jws_free(&j);
  return err;
}
