/* What somebody meant who typed a word that does not exist. */
#ifndef COHO_CMD_SIMILAR_H
#define COHO_CMD_SIMILAR_H

#include "base/view.h"

struct similar {
  struct coho__view typed;
  const char *best; /* of those offered so far, NULL: none is near */
  size_t distance;  /* changes of a letter, fewer than this many count */
};

/* Short words are near to everything: they allow one change, longer ones two. */
struct similar similar_to(struct coho__view typed);
void similar_offer(struct similar *s, const char *name);

#endif
