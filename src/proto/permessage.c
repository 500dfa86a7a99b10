#include "proto/permessage.h"

#include "base/alloc.h"
#include "base/budget.h"
#include "base/check.h"

#include <coho/error.h>

struct coho__permessage {
  struct coho__deflate_pool *pool;
  struct coho__deflater *deflater; /* its own; made with the first message */
  struct coho__inflater *inflater; /* its own, or borrowed while a message comes in pieces */
  struct coho__deflate_terms terms;
  uint32_t min_size;
  uint8_t window, memory, level; /* of what is sent */
  uint8_t peer_window;           /* of what is received, with a context of its own */
};

struct coho__permessage *coho__permessage_new(struct coho__deflate_pool *pool, coho_role role,
                                              const struct coho__deflate_terms *terms,
                                              const coho_deflate *conf) {
  struct coho__permessage *p = (struct coho__permessage *)coho__alloc(sizeof *p);
  if (!p) return NULL;
  *p = (struct coho__permessage){.pool = pool,
                                 .terms = *terms,
                                 .min_size = conf->min_size,
                                 .window = coho__deflate_terms_window(terms, role, conf),
                                 .memory = (uint8_t)conf->memory,
                                 .level = (uint8_t)conf->level};
  p->peer_window = role == COHO_SERVER ? terms->client_window : terms->server_window;
  return p;
}

void coho__permessage_free(struct coho__permessage *p) {
  if (!p) return;
  coho__deflater_free(p->deflater);
  if (p->terms.own_receives)
    coho__inflater_free(p->inflater);
  else if (p->inflater)
    coho__deflate_pool_return(p->pool, p->inflater);
  coho__deflate_terms_drop(&p->terms);
  coho__free(p, sizeof *p);
}

const struct coho__deflate_terms *coho__permessage_terms(const struct coho__permessage *p) {
  return &p->terms;
}

/* ---- sending ------------------------------------------------------------------------------- */

/* A context that is agreed on need not be used. */
static bool need_deflater(struct coho__permessage *p) {
  if (!p->deflater && coho__memory_spare(coho__deflater_size(p->window, p->memory)))
    p->deflater = coho__deflater_new(p->window, p->memory, p->level);
  return p->deflater != NULL;
}

bool coho__permessage_pack(struct coho__permessage *p, const void *data, size_t len,
                           struct coho__view *packed) {
  if (len < p->min_size || (p->terms.own_sends && !need_deflater(p))) return false;
  struct coho__view message = {(const char *)data, len};
  return coho__deflate_pool_pack(p->pool, p->deflater, p->window, message, packed);
}

void coho__permessage_forget(struct coho__permessage *p) {
  if (p->deflater) coho__deflater_reset(p->deflater);
}

unsigned coho__permessage_share_key(const struct coho__permessage *p) {
  enum { BELOW_ALL = 7 }; /* windows are 8 to 15 */
  return p->terms.own_sends ? 0U : p->window - (unsigned)BELOW_ALL;
}

/* ---- receiving ----------------------------------------------------------------------------- */

static int need_inflater(struct coho__permessage *p) {
  if (p->inflater) return 0;
  bool own = p->terms.own_receives;
  if (own && !coho__memory_spare(coho__inflater_size(p->peer_window))) return COHO_EMEMORY;
  p->inflater = own ? coho__inflater_new(p->peer_window) : coho__deflate_pool_borrow(p->pool);
  return p->inflater ? 0 : COHO_ENOMEM;
}

int coho__permessage_unpack(struct coho__permessage *p, const void *data, size_t len, uint64_t max,
                            struct coho__view *message) {
  struct coho__view packed = {(const char *)data, len};
  COHO_ASSERT(p->terms.own_receives || !p->inflater);
  int err = p->terms.own_receives ? need_inflater(p) : 0;
  return err ? err : coho__deflate_pool_unpack(p->pool, p->inflater, packed, max, message);
}

ssize_t coho__permessage_input(struct coho__permessage *p, const uint8_t **data, size_t *len,
                               void *dst, size_t cap) {
  int err = need_inflater(p);
  /* It is not needed for this message, and the next whole one may be far off. */
  coho__deflate_pool_trim_unpacked(p->pool);
  return err ? err : coho__inflater_run(p->inflater, data, len, dst, cap);
}

int coho__permessage_end(struct coho__permessage *p) {
  if (!p->inflater) return COHO_EINFLATE;
  int err = coho__inflater_end(p->inflater);
  if (p->terms.own_receives) return err;
  coho__deflate_pool_return(p->pool, p->inflater);
  p->inflater = NULL;
  return err;
}
