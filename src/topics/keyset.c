#include "topics/keyset.h"

#include "base/alloc.h"
#include "base/log.h"
#include "topics/jwk.h"
#include "topics/slurp.h"

#include <coho/log.h>
#include <string.h>

/* How a source is called in a sentence. */
static const char *name_of(const struct coho__keyset *s) {
  if (s->file) return s->file;
  return s->issuer ? s->issuer : "the keys";
}

/* ---- life ----------------------------------------------------------------------------------- */

static void free_set(struct coho__keyset *s) {
  for (uint32_t i = 0; i < s->count; i++)
    coho__key_free(&s->keys[i]);
  coho__free(s->keys, s->count * sizeof *s->keys);
  coho__free_str(s->issuer);
  coho__free_str(s->file);
  coho__free_str(s->kid);
  coho__free(s, sizeof *s);
}

struct coho__keyset *coho__keyset_ref(struct coho__keyset *s) {
  atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
  return s;
}

void coho__keyset_unref(struct coho__keyset *s) {
  if (s && atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) == 1) free_set(s);
}

/* NULL stays NULL. False: out of memory. */
static bool copy(char **to, const char *from) {
  *to = from ? coho__strdup(from) : NULL;
  return !from == !*to;
}

/* NULL: out of memory. */
static struct coho__keyset *set_new(const coho_key_source *from) {
  struct coho__keyset *s = (struct coho__keyset *)coho__zalloc(sizeof *s);
  if (!s) return NULL;
  atomic_init(&s->refs, 1);
  s->kind = from->kind;
  s->flags = from->flags;
  if (copy(&s->issuer, from->issuer) && copy(&s->file, from->file) && copy(&s->kid, from->kid))
    return s;
  free_set(s);
  return NULL;
}

/* Room for n keys, without algorithm yet. */
static int make_room(struct coho__keyset *s, size_t n) {
  s->keys = (struct coho__key *)coho__zalloc(n * sizeof *s->keys);
  if (!s->keys) return COHO_ENOMEM;
  s->count = (uint32_t)n;
  return 0;
}

/* ---- one key -------------------------------------------------------------------------------- */

static struct coho__view without_line_end(struct coho__view v) {
  if (v.len && v.data[v.len - 1] == '\n') v.len--;
  if (v.len && v.data[v.len - 1] == '\r') v.len--;
  return v;
}

static int read_key(struct coho__keyset *s, struct coho__view text, const struct coho__why *why) {
  const char *wrong = NULL;
  int err = make_room(s, 1);
  if (!err && s->kind == COHO_KEY_PEM) err = coho__key_pem(s->keys, text, &wrong);
  if (!err && s->kind == COHO_KEY_SECRET)
    err = coho__key_secret(s->keys, s->file ? without_line_end(text) : text, &wrong);
  if (!err && s->kid) err = coho__key_name(s->keys, coho__view_of(s->kid));
  return wrong ? coho__why_set(why, err, "%s: %s", name_of(s), wrong) : err;
}

/* ---- JWKS ----------------------------------------------------------------------------------- */

/* The keys of a set as far as they are for us; of the rest the first reason. */
static int read_each(struct coho__keyset *s, const json_t *list, const char **wrong) {
  size_t used = 0;
  int err = 0;
  for (size_t i = 0; i < json_array_size(list) && err != COHO_ENOMEM; i++) {
    const char *objection = NULL;
    err = coho__jwk_read(json_array_get(list, i), !(s->flags & COHO_KEY_PUBLIC), &s->keys[used],
                         &objection);
    if (!err) used++;
    if (!objection) continue;
    if (!*wrong) *wrong = objection;
    coho__log(COHO_LOG_WARN, "key %zu of %s is left out: %s", i + 1, name_of(s), objection);
  }
  if (err == COHO_ENOMEM) return err;
  return used ? 0 : COHO_EKEYS;
}

static int read_list(struct coho__keyset *s, const json_t *list, const struct coho__why *why) {
  const char *wrong = NULL;
  size_t n = json_array_size(list);
  if (!json_is_array(list))
    return coho__why_set(why, COHO_EKEYS, "%s is no JSON Web Key Set: it lacks the array \"keys\"",
                         name_of(s));
  if (n > COHO_KEYS_MOST)
    return coho__why_set(why, COHO_EFULL, "%s holds more than %d keys", name_of(s), COHO_KEYS_MOST);
  if (n == 0) return coho__why_set(why, COHO_EKEYS, "%s holds no key", name_of(s));
  int err = make_room(s, n);
  if (!err) err = read_each(s, list, &wrong);
  if (err != COHO_EKEYS) return err;
  return coho__why_set(why, err, "no key of %s can be used; of the first one, %s", name_of(s),
                       wrong);
}

static int read_jwks(struct coho__keyset *s, struct coho__view text, const struct coho__why *why) {
  json_t *j = coho__json_object(text);
  if (!j) return coho__why_set(why, COHO_EKEYS, "%s is no JSON object", name_of(s));
  int err = read_list(s, json_object_get(j, "keys"), why);
  json_decref(j);
  return err;
}

/* ---- sources -------------------------------------------------------------------------------- */

static int read_text(struct coho__keyset *s, struct coho__view text, const struct coho__why *why) {
  if (text.len > COHO_KEYS_FILE)
    return coho__why_set(why, COHO_EFULL, "%s: more than %d KiB", name_of(s), COHO_KEYS_FILE >> 10);
  return s->kind == COHO_KEY_JWKS ? read_jwks(s, text, why) : read_key(s, text, why);
}

static int read_file(struct coho__keyset *s, const struct coho__why *why) {
  struct coho__slurp file;
  int err = coho__slurp_open(s->file, COHO_KEYS_FILE, &file, why);
  if (err) return err == COHO_EINVAL ? COHO_EKEYS : err;
  err = read_text(s, (struct coho__view){file.data, file.len}, why);
  coho__slurp_free(&file);
  return err;
}

/* NULL: it makes sense. */
static const char *objection(const coho_key_source *from) {
  bool none = from->kind == COHO_KEY_NONE;
  if (from->kind > COHO_KEY_JWKS || (from->flags & ~(uint64_t)COHO_KEY_PUBLIC))
    return "an unknown kind or flag";
  if (from->issuer && (!*from->issuer || strlen(from->issuer) > COHO_KEYS_ISSUER))
    return "an issuer's name has 1 to 2,048 bytes";
  if (from->kid && (none || from->kind == COHO_KEY_JWKS)) return "the keys of a JWKS have names";
  if (from->kid && strlen(from->kid) > COHO_KID_MOST) return "a kid has 255 bytes at most";
  if (none && !from->issuer) return "without key there is an issuer";
  if (none != (!from->file && !from->data)) return "a key comes from a file or from bytes";
  return from->file && from->data ? "a key comes from a file or from bytes, not both" : NULL;
}

int coho__keyset_read(const coho_key_source *from, struct coho__keyset **out,
                      const struct coho__why *why) {
  const char *wrong = objection(from);
  int err = 0;
  if (wrong) return coho__why_set(why, COHO_EOPTION, "%s", wrong);
  struct coho__keyset *s = set_new(from);
  if (!s) return COHO_ENOMEM;
  if (s->file)
    err = read_file(s, why);
  else if (s->kind != COHO_KEY_NONE)
    err = read_text(s, (struct coho__view){(const char *)from->data, from->len}, why);
  if (err) free_set(s);
  if (!err) *out = s;
  return err;
}

int coho__keyset_reread(struct coho__keyset *s, struct coho__keyset **out,
                        const struct coho__why *why) {
  coho_key_source from = {
      .issuer = s->issuer, .kid = s->kid, .file = s->file, .kind = s->kind, .flags = s->flags};
  if (s->file) return coho__keyset_read(&from, out, why);
  *out = coho__keyset_ref(s);
  return 0;
}
