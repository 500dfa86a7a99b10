#include "unit/pieces.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

/* Above this length not every cut is tried, but those near the ends and each 61st between. */
enum { ALL_CUTS = 4096, EDGE = 64, STRIDE = 61 };

static void run_once(struct coho__view all, size_t cut, size_t step,
                     void (*run)(struct pieces *p, void *ctx), void *ctx) {
  struct pieces p = {.all = all, .cut = cut, .step = step};
  run(&p, ctx);
  free(p.block);
}

void pieces_each(struct coho__view all, void (*run)(struct pieces *p, void *ctx), void *ctx) {
  run_once(all, all.len, all.len, run, ctx);
  run_once(all, 1, 1, run, ctx);
  for (size_t cut = 1; cut < all.len; cut++) {
    bool near = cut < EDGE || all.len - cut < EDGE;
    if (all.len <= ALL_CUTS || near || cut % STRIDE == 0) run_once(all, cut, all.len, run, ctx);
  }
}

bool pieces_next(struct pieces *p, struct coho__view *piece) {
  free(p->block);
  p->block = NULL;
  if (p->at == p->all.len) return false;
  size_t len = p->at < p->cut ? p->cut : p->step;
  len = COHO_MIN(len, p->all.len - p->at);
  p->block = (char *)malloc(len);
  COHO_ASSERT(p->block != NULL);
  memcpy(p->block, p->all.data + p->at, len);
  p->at += len;
  *piece = (struct coho__view){p->block, len};
  return true;
}

static int feed(struct pieces *p, struct coho__http1 *h, size_t *used) {
  struct coho__view piece;
  int result = 0;
  *used = 0;
  while (result == 0 && pieces_next(p, &piece)) {
    size_t n = SIZE_MAX;
    result = coho__http1_input(h, piece.data, piece.len, &n);
    COHO_ASSERT(result == 0 ? n == piece.len : n <= piece.len);
    *used += n;
  }
  return result;
}

static void run_head(struct pieces *p, void *ctx) {
  const struct head_case *c = (const struct head_case *)ctx;
  struct coho__http1 h;
  size_t used;
  coho__http1_init(&h, c->kind, c->limits);
  int result = feed(p, &h, &used);
  c->check(&h, result, used, c->ctx);
  coho__http1_free(&h);
}

void pieces_head(struct coho__view text, const struct head_case *c) {
  struct head_case copy = *c;
  pieces_each(text, run_head, &copy);
}

struct request_case {
  request_check *check;
  void *ctx;
};

static void run_request(struct pieces *p, void *ctx) {
  struct request_case *c = (struct request_case *)ctx;
  struct coho_request r;
  size_t used;
  coho__request_init(&r, NULL);
  int result = feed(p, &r.head, &used);
  if (result > 0) result = coho__request_parse(&r);
  c->check(&r, result, c->ctx);
  coho__request_free(&r);
}

void pieces_request(struct coho__view text, request_check *check, void *ctx) {
  struct request_case c = {check, ctx};
  pieces_each(text, run_request, &c);
}
