#include "io/tls_set.h"

#include "base/alloc.h"
#include "base/random.h"
#include "io/tls_self.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

/* ---- life ----------------------------------------------------------------------------------- */

static void free_set(struct coho__tls_set *s) {
  for (size_t i = 0; i < s->count; i++) {
    SSL_CTX_free(s->pairs[i].context);
    coho__pem_pair_free(&s->pairs[i].pem);
  }
  coho__free(s->pairs, s->count * sizeof *s->pairs);
  coho__map_free(&s->names);
  X509_STORE_free(s->guests.trust);
  sk_X509_NAME_pop_free(s->guests.names, X509_NAME_free);
  X509_STORE_free(s->trust);
  SSL_CTX_free(s->client);
  coho__free(s, sizeof *s);
}

void coho__tls_set_unref(struct coho__tls_set *s) {
  if (!s) return;
  if (atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) == 1) free_set(s);
}

/* ---- reading -------------------------------------------------------------------------------- */

static int share(const struct coho__pem_pair *from, struct coho__pem_pair *to) {
  *to = (struct coho__pem_pair){.chain = X509_chain_up_ref(from->chain)};
  if (!to->chain) return COHO_ENOMEM;
  X509_up_ref(to->leaf = from->leaf);
  EVP_PKEY_up_ref(to->key = from->key);
  return 0;
}

static int self_signed(const struct coho__tls_set *before, struct coho__pem_pair *out) {
  const struct coho__pem_pair *old = before ? &before->pairs[0].pem : NULL;
  if (!old || coho__tls_self_stale(old)) return coho__tls_self_make(out);
  return share(old, out);
}

static int read_pair(struct coho__tls_set *s, struct coho__tls_pair *p,
                     const struct coho__tls_files *files, const struct coho__tls_set *before,
                     const struct coho__why *why) {
  bool self = files->cert == NULL;
  int err = self ? self_signed(before, &p->pem)
                 : coho__pem_read_pair(files->cert, files->key, &p->pem, why);
  const char *file = self ? "memory" : files->cert;
  if (!err) err = coho__tls_context_server(&p->pem, file, &s->guests, &p->context, why);
  return err ? err : coho__tls_names_add(&s->names, p->pem.leaf, p);
}

static int read_pairs(struct coho__tls_set *s, const struct coho__tls_conf *conf,
                      const struct coho__tls_set *before, const struct coho__why *why) {
  int err = 0;
  if (!conf->count) return 0;
  s->pairs = (struct coho__tls_pair *)coho__zalloc(conf->count * sizeof *s->pairs);
  if (!s->pairs) return COHO_ENOMEM;
  s->count = conf->count;
  for (size_t i = 0; !err && i < conf->count; i++)
    err = read_pair(s, &s->pairs[i], &conf->pairs[i], before, why);
  return err;
}

/* A digest of who is let in: a session that was begun under other rules is none of these. */
static bool set_id(struct coho__tls_guests *g) {
  unsigned char one[SHA256_DIGEST_LENGTH];
  EVP_MD_CTX *sum = EVP_MD_CTX_new();
  bool fine = sum && EVP_DigestInit_ex(sum, EVP_sha256(), NULL) == 1 &&
              EVP_DigestUpdate(sum, g->optional ? "o" : "-", 1) == 1;
  STACK_OF(X509_OBJECT) *all = g->trust ? X509_STORE_get0_objects(g->trust) : NULL;
  for (int i = 0; fine && i < sk_X509_OBJECT_num(all); i++) {
    const X509 *x = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(all, i));
    fine =
        X509_digest(x, EVP_sha256(), one, NULL) == 1 && EVP_DigestUpdate(sum, one, sizeof one) == 1;
  }
  fine = fine && EVP_DigestFinal_ex(sum, g->id, NULL) == 1;
  EVP_MD_CTX_free(sum);
  return fine;
}

static int read_guests(struct coho__tls_guests *g, const struct coho__tls_conf *conf,
                       const struct coho__why *why) {
  int err = 0;
  g->optional = (conf->flags & COHO_TLS_CLIENT_OPTIONAL) != 0;
  if (conf->client_ca) err = coho__pem_read_trust(conf->client_ca, &g->trust, &g->names, why);
  return err || set_id(g) ? err : COHO_ENOMEM;
}

int coho__tls_set_read(const struct coho__tls_conf *conf, const struct coho__tls_set *before,
                       struct coho__tls_set **out, const struct coho__why *why) {
  struct coho__tls_set *s = (struct coho__tls_set *)coho__zalloc(sizeof *s);
  uint64_t seed[2];
  if (!s) return COHO_ENOMEM;
  atomic_init(&s->refs, 1);
  coho__random(seed, sizeof seed);
  coho__map_init(&s->names, seed);
  int err = read_guests(&s->guests, conf, why);
  if (!err) err = read_pairs(s, conf, before, why);
  if (!err && conf->ca) err = coho__pem_read_trust(conf->ca, &s->trust, NULL, why);
  ERR_clear_error();
  if (err) free_set(s);
  if (!err) *out = s;
  return err;
}

struct coho__tls_pair *coho__tls_set_find(const struct coho__tls_set *s, const char *host) {
  return (struct coho__tls_pair *)coho__tls_names_find(&s->names, host);
}
