#include "topics/tickets.h"

#include "base/alloc.h"
#include "base/list.h"
#include "base/map.h"
#include "base/random.h"
#include "topics/secret.h"

#include <coho/error.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <string.h>

enum {
  TICKET_BYTES = 32,
  OWNER_MOST = 1 + COHO_SUBJECT_MOST,
  FORGET_MOST = 4, /* expired tickets freed by each call: more than can come in by one */
  /* A token may grant a lot: what all tickets together may hold of claims. */
  CLAIMS_BYTES_MOST = 32 * 1024 * 1024
};

/* Who has tickets. */
struct owner {
  uint32_t tickets; /* more than 0 */
  uint32_t key_len;
  char key[];
};

struct ticket {
  struct coho__list node; /* in the order in which they were given, so in that of their end */
  struct coho__claims *claims;
  struct owner *owner;
  uint64_t due_ms;
  unsigned char hash[SHA256_DIGEST_LENGTH];
};

struct coho__tickets {
  pthread_mutex_t lock;    /* of all below */
  struct coho__map map;    /* of struct ticket by hash */
  struct coho__map owners; /* of struct owner by key */
  struct coho__list list;
  size_t bytes;    /* of claims */
  uint64_t now_ms; /* the latest that was told: clocks of loops differ by a turn */
};

struct coho__tickets *coho__tickets_new(void) {
  struct coho__tickets *t = (struct coho__tickets *)coho__zalloc(sizeof *t);
  uint64_t seed[2];
  if (!t) return NULL;
  coho__random(seed, sizeof seed);
  pthread_mutex_init(&t->lock, NULL);
  coho__map_init(&t->map, seed);
  coho__map_init(&t->owners, seed);
  coho__list_init(&t->list);
  return t;
}

static struct coho__view key_of(const struct ticket *ticket) {
  const void *hash = ticket->hash;
  return (struct coho__view){(const char *)hash, sizeof ticket->hash};
}

/* ---- owners ---------------------------------------------------------------------------------- */

/* The subject, or the hash of the token; what is which the first byte says. */
static struct coho__view owner_key(const struct coho__claims *claims, char key[OWNER_MOST]) {
  struct coho__view s = claims->subject;
  COHO_ASSERT(s.len < OWNER_MOST);
  key[0] = s.len ? 's' : 't';
  if (s.len)
    memcpy(key + 1, s.data, s.len);
  else
    memcpy(key + 1, claims->token, sizeof claims->token);
  return (struct coho__view){key, 1 + (s.len ? s.len : sizeof claims->token)};
}

/* One who has no ticket yet. */
static int add_owner(struct coho__tickets *t, struct coho__view key, struct owner **out) {
  struct owner *o = (struct owner *)coho__zalloc(sizeof *o + key.len);
  if (!o) return COHO_ENOMEM;
  memcpy(o->key, key.data, key.len);
  o->key_len = (uint32_t)key.len;
  int err = coho__map_add(&t->owners, (struct coho__view){o->key, key.len}, o);
  if (err)
    coho__free(o, sizeof *o + key.len);
  else
    *out = o;
  return err;
}

/* One ticket more. 0, COHO_ETOOMANY, COHO_ENOMEM. */
static int charge(struct coho__tickets *t, const struct coho__claims *claims, struct owner **out) {
  char bytes[OWNER_MOST];
  struct coho__view key = owner_key(claims, bytes);
  *out = (struct owner *)coho__map_get(&t->owners, key);
  if (*out && (*out)->tickets >= COHO_TICKETS_EACH) return COHO_ETOOMANY;
  int err = *out ? 0 : add_owner(t, key, out);
  if (!err) (*out)->tickets++;
  return err;
}

/* One less. */
static void release(struct coho__tickets *t, struct owner *o) {
  if (--o->tickets) return;
  (void)coho__map_remove(&t->owners, (struct coho__view){o->key, o->key_len});
  coho__free(o, sizeof *o + o->key_len);
}

/* ---- tickets --------------------------------------------------------------------------------- */

/* The claims remain, with their reference. */
static struct coho__claims *take_out(struct coho__tickets *t, struct ticket *ticket) {
  struct coho__claims *claims = ticket->claims;
  (void)coho__map_remove(&t->map, key_of(ticket));
  coho__list_remove(&ticket->node);
  release(t, ticket->owner);
  t->bytes -= claims->size;
  coho__free(ticket, sizeof *ticket);
  return claims;
}

static struct ticket *oldest(const struct coho__tickets *t) {
  return coho__list_empty(&t->list) ? NULL : COHO_LIST_ENTRY(t->list.next, struct ticket, node);
}

void coho__tickets_free(struct coho__tickets *t) {
  struct ticket *first;
  if (!t) return;
  while ((first = oldest(t)))
    coho__claims_unref(take_out(t, first));
  coho__map_free(&t->map);
  coho__map_free(&t->owners);
  pthread_mutex_destroy(&t->lock);
  coho__free(t, sizeof *t);
}

static void lock_at(struct coho__tickets *t, uint64_t now_ms) {
  pthread_mutex_lock(&t->lock);
  t->now_ms = COHO_MAX(t->now_ms, now_ms);
  for (int i = 0; i < FORGET_MOST; i++) {
    struct ticket *first = oldest(t);
    if (!first || first->due_ms > t->now_ms) return;
    coho__claims_unref(take_out(t, first));
  }
}

/* Base64url of 32 bytes (RFC 4648 5). */
static void write_text(char text[COHO_TICKET_TEXT], const unsigned char bytes[TICKET_BYTES]) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  uint32_t bits = 0;
  unsigned held = 0;
  size_t n = 0;
  for (size_t i = 0; i < TICKET_BYTES; i++) {
    bits = bits << 8 | bytes[i];
    for (held += 8; held >= 6; held -= 6)
      text[n++] = digits[bits >> (held - 6) & 63];
  }
  text[n++] = digits[bits << (6 - held) & 63];
  text[n] = '\0';
}

/* Of the text: what is compared is a hash that nobody chooses, so that the time it takes tells nothing
   about any ticket. */
static void hash_text(struct ticket *ticket, struct coho__view text) {
  const void *data = text.data;
  (void)SHA256((const unsigned char *)data, text.len, ticket->hash);
}

static int add(struct coho__tickets *t, struct ticket *ticket) {
  if (t->map.count >= COHO_TICKETS_MOST || ticket->claims->size > CLAIMS_BYTES_MOST - t->bytes)
    return COHO_EFULL;
  int err = charge(t, ticket->claims, &ticket->owner);
  if (err) return err;
  err = coho__map_add(&t->map, key_of(ticket), ticket);
  if (err) {
    release(t, ticket->owner);
    return err;
  }
  ticket->due_ms = t->now_ms + COHO_TICKET_MS;
  coho__list_append(&t->list, &ticket->node);
  t->bytes += ticket->claims->size;
  return 0;
}

int coho__tickets_give(struct coho__tickets *t, struct coho__claims *claims, uint64_t now_ms,
                       char text[COHO_TICKET_TEXT]) {
  unsigned char bytes[TICKET_BYTES];
  struct ticket *ticket = (struct ticket *)coho__zalloc(sizeof *ticket);
  if (!ticket) return COHO_ENOMEM;
  coho__random(bytes, sizeof bytes);
  write_text(text, bytes);
  coho__wipe(bytes, sizeof bytes);
  hash_text(ticket, (struct coho__view){text, COHO_TICKET_TEXT - 1});
  ticket->claims = claims;
  lock_at(t, now_ms);
  int err = add(t, ticket);
  if (!err) (void)coho__claims_ref(claims);
  pthread_mutex_unlock(&t->lock);
  if (!err) return 0;
  coho__free(ticket, sizeof *ticket);
  coho__wipe(text, COHO_TICKET_TEXT);
  return err;
}

struct coho__claims *coho__tickets_take(struct coho__tickets *t, struct coho__view text,
                                        uint64_t now_ms) {
  struct ticket wanted;
  struct coho__claims *claims = NULL;
  if (text.len != COHO_TICKET_TEXT - 1) return NULL;
  hash_text(&wanted, text);
  lock_at(t, now_ms);
  struct ticket *found = (struct ticket *)coho__map_get(&t->map, key_of(&wanted));
  bool late = found && found->due_ms <= t->now_ms;
  if (found) claims = take_out(t, found);
  pthread_mutex_unlock(&t->lock);
  if (!late) return claims;
  coho__claims_unref(claims);
  return NULL;
}
