/*
 * The same bytes, fed in every way they may arrive: whole, byte by byte, and in two pieces for each
 * place of the cut. Each piece is a heap block of exactly its size, so that a sanitizer sees every
 * step beyond it.
 */
#ifndef COHO_TESTS_UNIT_PIECES_H
#define COHO_TESTS_UNIT_PIECES_H

#include "base/view.h"
#include "proto/request.h"

struct pieces {
  struct coho__view all;
  size_t at;   /* given out so far */
  size_t cut;  /* the first piece ends here */
  size_t step; /* length of the others at most */
  char *block;
};

/* Calls run once for each way; it takes the pieces until there are none, or until it is done. */
void pieces_each(struct coho__view all, void (*run)(struct pieces *p, void *ctx), void *ctx);
/* The next piece, valid until the call after; false at the end. */
bool pieces_next(struct pieces *p, struct coho__view *piece);

/* A head: result is what coho__http1_input() said last, used how many bytes it took. */
struct head_case {
  enum coho__http1_kind kind;
  const struct coho__http1_limits *limits;
  void (*check)(struct coho__http1 *h, int result, size_t used, void *ctx);
  void *ctx;
};
void pieces_head(struct coho__view text, const struct head_case *c);

/* A request that was parsed when its head was complete; result is 0 or the first error. */
typedef void request_check(struct coho_request *r, int result, void *ctx);
void pieces_request(struct coho__view text, request_check *check, void *ctx);

#endif
