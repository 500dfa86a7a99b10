#include "io/tls.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/sized.h"
#include "io/tls_set.h"

#include <openssl/err.h>
#include <string.h>

enum { PAIRS_MOST = 1024, NAME_MOST = 255 };

static const uint64_t FLAGS =
    COHO_TLS_SELF_SIGNED | COHO_TLS_INSECURE | COHO_TLS_CLIENT_OPTIONAL | COHO_TLS_ANY_NAME;

/* ---- options -------------------------------------------------------------------------------- */

/* NULL: they fit together. */
static const char *objection(const coho_tls_options *o) {
  bool self = (o->flags & COHO_TLS_SELF_SIGNED) != 0;
  if (o->flags & ~FLAGS) return "an unknown flag";
  if (!o->cert != !o->key) return "a certificate needs its key, and a key its certificate";
  if (o->cert && self) return "a certificate from a file, or one that signs itself, not both";
  if (o->pairs && o->pairs->cert && !o->cert && !self) return "further pairs, but no first one";
  if (o->client_ca && !o->cert && !self)
    return "client_ca is for servers, which need a certificate";
  if ((o->flags & COHO_TLS_CLIENT_OPTIONAL) && !o->client_ca)
    return "COHO_TLS_CLIENT_OPTIONAL needs client_ca";
  if (o->name && (!*o->name || strlen(o->name) > NAME_MOST)) return "name is no host name";
  for (const coho_tls_pair *p = o->pairs; p && p->cert; p++) {
    if (!p->key) return "a certificate needs its key";
    if (p - o->pairs >= PAIRS_MOST) return "too many pairs";
  }
  return NULL;
}

/* NULL stays NULL. False: out of memory. */
static bool copy(char **to, const char *from) {
  *to = from ? coho__strdup(from) : NULL;
  return !from == !*to;
}

static size_t count_pairs(const coho_tls_options *o) {
  size_t n = o->cert || (o->flags & COHO_TLS_SELF_SIGNED) ? 1 : 0;
  for (const coho_tls_pair *p = o->pairs; p && p->cert; p++)
    n++;
  return n;
}

/* The first stays empty when it is self-signed. */
static int copy_pairs(struct coho__tls_conf *c, const coho_tls_options *o) {
  size_t n = count_pairs(o);
  if (!n) return 0;
  c->pairs = (struct coho__tls_files *)coho__zalloc(n * sizeof *c->pairs);
  if (!c->pairs) return COHO_ENOMEM;
  c->count = n;
  bool fine = copy(&c->pairs[0].cert, o->cert) && copy(&c->pairs[0].key, o->key);
  for (size_t i = 1; fine && i < n; i++)
    fine = copy(&c->pairs[i].cert, o->pairs[i - 1].cert) &&
           copy(&c->pairs[i].key, o->pairs[i - 1].key);
  return fine ? 0 : COHO_ENOMEM;
}

static int copy_options(struct coho__tls_conf *c, const coho_tls_options *o) {
  c->flags = o->flags;
  int err = copy_pairs(c, o);
  bool fine = copy(&c->client_ca, o->client_ca) && copy(&c->ca, o->ca) && copy(&c->name, o->name);
  return err || fine ? err : COHO_ENOMEM;
}

static void free_conf(struct coho__tls_conf *c) {
  for (size_t i = 0; i < c->count; i++) {
    coho__free_str(c->pairs[i].cert);
    coho__free_str(c->pairs[i].key);
  }
  coho__free(c->pairs, c->count * sizeof *c->pairs);
  coho__free_str(c->client_ca);
  coho__free_str(c->ca);
  coho__free_str(c->name);
}

/* ---- life ----------------------------------------------------------------------------------- */

static void init(coho_tls *t) {
  atomic_init(&t->refs, 1);
  pthread_mutex_init(&t->reading, NULL);
  pthread_mutex_init(&t->lock, NULL);
  coho__tls_tickets_init(&t->tickets);
  coho__tls_sessions_init(&t->sessions);
}

static void free_tls(coho_tls *t) {
  coho__tls_set_unref(t->set);
  coho__tls_sessions_free(&t->sessions);
  coho__tls_tickets_free(&t->tickets);
  pthread_mutex_destroy(&t->lock);
  pthread_mutex_destroy(&t->reading);
  free_conf(&t->conf);
  coho__free(t, sizeof *t);
}

coho_tls *coho__tls_ref(coho_tls *t) {
  if (t) atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
  return t;
}

void coho__tls_unref(coho_tls *t) {
  if (t && atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) == 1) free_tls(t);
}

/* What went wrong in words, when nobody found better ones. */
static int tell(const struct coho__why *why, int err) {
  if (err && why->buf && why->cap && !*why->buf)
    return coho__why_set(why, err, "%s", coho_strerror(err));
  return err;
}

int coho_tls_new_sized(const coho_tls_options *opt, size_t size, coho_tls **out, char *why,
                       size_t cap) {
  const struct coho__why sentence = {why, cap};
  coho_tls_options set;
  *out = NULL;
  if (why && cap) *why = '\0';
  int err = coho__sized_read(&set, sizeof set, opt, size);
  const char *wrong = err ? NULL : objection(&set);
  if (wrong) return coho__why_set(&sentence, COHO_EOPTION, "%s", wrong);
  if (err) return tell(&sentence, err);
  coho_tls *t = (coho_tls *)coho__zalloc(sizeof *t);
  if (!t) return tell(&sentence, COHO_ENOMEM);
  ERR_clear_error();
  init(t);
  err = copy_options(&t->conf, &set);
  if (!err) err = coho__tls_set_read(&t->conf, NULL, &t->set, &sentence);
  if (err) coho__tls_unref(t);
  if (!err) *out = t;
  return tell(&sentence, err);
}

void coho_tls_free(coho_tls *t) { coho__tls_unref(t); }

bool coho__tls_serves(const coho_tls *t) { return t && t->conf.count; }

/* ---- reading again -------------------------------------------------------------------------- */

/* Sessions of the old trust go with it: nobody has the new one and resumes one of those. */
static struct coho__tls_set *exchange(coho_tls *t, struct coho__tls_set *s) {
  pthread_mutex_lock(&t->lock);
  struct coho__tls_set *old = t->set;
  t->set = s;
  coho__tls_sessions_forget(&t->sessions);
  pthread_mutex_unlock(&t->lock);
  return old;
}

int coho_tls_reload(coho_tls *t, char *why, size_t cap) {
  const struct coho__why sentence = {why, cap};
  struct coho__tls_set *fresh;
  if (why && cap) *why = '\0';
  ERR_clear_error();
  pthread_mutex_lock(&t->reading); /* so t->set does not go away either */
  int err = coho__tls_set_read(&t->conf, t->set, &fresh, &sentence);
  struct coho__tls_set *old = err ? NULL : exchange(t, fresh);
  pthread_mutex_unlock(&t->reading);
  coho__tls_set_unref(old);
  return tell(&sentence, err);
}

struct coho__tls_set *coho__tls_current(coho_tls *t) {
  pthread_mutex_lock(&t->lock);
  struct coho__tls_set *s = t->set;
  atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
  pthread_mutex_unlock(&t->lock);
  return s;
}

/* ---- clients -------------------------------------------------------------------------------- */

SSL_CTX *coho__tls_client_context(coho_tls *t, struct coho__tls_set *s) {
  pthread_mutex_lock(&t->lock);
  if (!s->client) {
    const struct coho__pem_pair *pair = s->count ? &s->pairs[0].pem : NULL;
    s->client = coho__tls_context_client(pair, s->trust, (t->conf.flags & COHO_TLS_INSECURE) != 0);
  }
  SSL_CTX *context = s->client;
  pthread_mutex_unlock(&t->lock);
  return context;
}

/* That of the process lasts for ever, and takes nothing of the allocator, which may change. */
static coho_tls ours;
static struct coho__tls_set ours_read;

static void make_default(void) {
  init(&ours);
  atomic_init(&ours_read.refs, 1);
  ours.set = &ours_read;
}

coho_tls *coho__tls_default(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, make_default);
  return coho__tls_ref(&ours);
}
