#include "topics/claims.h"

#include "base/alloc.h"

#include <coho/error.h>
#include <string.h>

/* ---- times ---------------------------------------------------------------------------------- */

/* A NumericDate (RFC 7519 2) in ms, up to the year 9999. Stays as it is when it is not there. */
static int read_time(const json_t *payload, const char *name, uint64_t *out) {
  static const double most = 253402300799.0;
  const json_t *j = json_object_get(payload, name);
  if (!j) return 0;
  if (!json_is_number(j)) return COHO_ECLAIMS;
  double seconds = json_number_value(j);
  if (!(seconds >= 0 && seconds <= most)) return COHO_ECLAIMS;
  *out = (uint64_t)(seconds * 1000);
  return 0;
}

int coho__claims_times(const json_t *payload, struct coho__token_times *out) {
  *out = (struct coho__token_times){COHO_CLAIMS_NEVER, 0, 0};
  int err = read_time(payload, "exp", &out->expires);
  if (!err) err = read_time(payload, "nbf", &out->not_before);
  return err ? err : read_time(payload, "iat", &out->issued);
}

/* ---- reading -------------------------------------------------------------------------------- */

/* What goes into the block of the claims. */
struct parts {
  struct coho__view subject;
  const json_t *lists[2]; /* by enum coho__action; NULL: empty */
  size_t count, bytes;    /* of patterns */
};

static struct coho__view pattern_at(const json_t *list, size_t i) {
  const json_t *j = json_array_get(list, i);
  return (struct coho__view){json_string_value(j), json_string_length(j)};
}

static int read_list(const json_t *coho, const char *name, enum coho__action action,
                     struct parts *p) {
  const json_t *list = json_object_get(coho, name);
  if (!list) return 0;
  if (!coho__json_strings(list) || json_array_size(list) > COHO_GRANTS_MOST) return COHO_ECLAIMS;
  for (size_t i = 0; i < json_array_size(list); i++) {
    struct coho__view v = pattern_at(list, i);
    if (!coho__pattern_valid(v)) return COHO_ECLAIMS;
    p->bytes += v.len;
  }
  p->lists[action] = list;
  p->count += json_array_size(list);
  return 0;
}

static int read_parts(const json_t *payload, struct parts *p) {
  const json_t *coho = json_object_get(payload, "coho");
  *p = (struct parts){.count = 0};
  if (!coho__json_string(payload, "sub", &p->subject)) return COHO_ECLAIMS;
  if (p->subject.len > COHO_SUBJECT_MOST || (coho && !json_is_object(coho))) return COHO_ECLAIMS;
  int err = read_list(coho, "sub", COHO_MAY_SUBSCRIBE, p);
  return err ? err : read_list(coho, "pub", COHO_MAY_PUBLISH, p);
}

/* Copies bytes to *at, which moves on. */
static struct coho__view put(char **at, struct coho__view v) {
  struct coho__view copy = {*at, v.len};
  if (v.len) memcpy(*at, v.data, v.len);
  *at += v.len;
  return copy;
}

static void fill(struct coho__claims *c, const struct parts *p) {
  struct coho__view *next = c->patterns;
  char *at = (char *)(c->patterns + p->count);
  for (int action = 0; action < 2; action++) {
    c->count[action] = (uint32_t)json_array_size(p->lists[action]);
    for (size_t i = 0; i < c->count[action]; i++)
      *next++ = put(&at, pattern_at(p->lists[action], i));
  }
  c->subject = put(&at, p->subject);
  *at = '\0';
}

int coho__claims_new(const json_t *payload, struct coho__claims **out) {
  struct parts p;
  int err = read_parts(payload, &p);
  if (err) return err;
  size_t size = sizeof(struct coho__claims) + p.count * sizeof(struct coho__view) + p.bytes +
                p.subject.len + 1;
  struct coho__claims *c = (struct coho__claims *)coho__zalloc(size);
  if (!c) return COHO_ENOMEM;
  atomic_init(&c->refs, 1);
  c->expires = c->until = COHO_CLAIMS_NEVER;
  c->size = size;
  fill(c, &p);
  *out = c;
  return 0;
}

struct coho__claims *coho__claims_ref(struct coho__claims *c) {
  if (c) atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
  return c;
}

void coho__claims_unref(struct coho__claims *c) {
  if (c && atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) == 1)
    coho__free(c, c->size);
}

/* ---- what one may --------------------------------------------------------------------------- */

bool coho__claims_may(const struct coho__claims *c, enum coho__action action,
                      struct coho__view topic) {
  const struct coho__view *p = c->patterns + (action == COHO_MAY_PUBLISH ? c->count[0] : 0);
  if (!coho__topic_name_valid(topic)) return false;
  for (uint32_t i = 0; i < c->count[action]; i++)
    if (coho__pattern_matches(p[i], topic)) return true;
  return false;
}

bool coho__claims_may_pattern(const struct coho__claims *c, struct coho__view pattern) {
  if (!coho__pattern_valid(pattern)) return false;
  for (uint32_t i = 0; i < c->count[COHO_MAY_SUBSCRIBE]; i++)
    if (coho__pattern_covers(c->patterns[i], pattern)) return true;
  return false;
}
