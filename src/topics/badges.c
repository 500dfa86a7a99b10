#include "topics/badges.h"

#include "base/alloc.h"
#include "base/check.h"

int coho__badges_init(struct coho__badges *b, coho_request *r, size_t size) {
  *b = (struct coho__badges){.as = coho__view_of(coho_request_query(r, "as")),
                             .info = coho__view_of(coho_request_query(r, "info"))};
  if (!size || !b->as.data) return 0;
  b->list = (struct coho__badge *)coho__zalloc(size * sizeof *b->list);
  if (!b->list) return COHO_ENOMEM;
  b->size = size;
  return 0;
}

int coho__badges_enter(struct coho__badges *b, const struct coho__mount *m,
                       const struct coho__who *who, struct coho__view topic) {
  if (!b->list) return 0;
  COHO_ASSERT(b->count < b->size);
  int err = coho__badge_enter(&b->list[b->count], m, who, topic, b->as, b->info);
  if (!err) b->count++;
  return err;
}

void coho__badges_leave(struct coho__badges *b) {
  while (b->count)
    coho__badge_leave(&b->list[--b->count]);
  coho__free(b->list, b->size * sizeof *b->list);
  *b = (struct coho__badges){.list = NULL};
}
