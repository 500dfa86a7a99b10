/*
 * The bytes of the fuzzer, taken from the front: first what a target wants to decide, then the rest.
 * What goes on to coho is cut into pieces, each a heap block of exactly its size, so that a
 * sanitizer sees every step beyond it.
 */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Defined by each target. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
  const uint8_t *data;
  size_t len;
};

uint8_t input_byte(struct input *in); /* 0 when nothing is left */
/* At most n bytes. */
struct input input_take(struct input *in, size_t n);
/* What comes before this byte, which is dropped; all when it does not come. */
struct input input_until(struct input *in, char end);
/* A terminated copy without its NULs; freed by free(). */
char *input_text(struct input in);
/* A copy in a block of exactly its size, for free(). */
uint8_t *input_copy(struct input in);
static inline struct coho__view input_view(struct input in) {
  return (struct coho__view){(const char *)in.data, in.len};
}

/* The lengths of pieces, in turn, over and over. */
struct cuts {
  uint8_t
      sizes[4]; /* 0: the rest; up to 223: so many; up to 254: 256 times what is above that; 255:
                       an empty piece */
};

struct cuts cuts_read(struct input *in);
extern const struct cuts cuts_none; /* all is one piece */

struct pieces {
  struct input left;
  const struct cuts *cuts;
  unsigned next; /* of the sizes */
  bool empty;    /* the last piece was */
  uint8_t *block;
  size_t len; /* of the block */
};

struct pieces pieces_of(struct input all, const struct cuts *cuts);
/* The next piece in block and len, valid until the next call; false: there is none, and nothing to
   be freed. */
bool pieces_next(struct pieces *p);
/* When it is not to be called up to its end. */
void pieces_end(struct pieces *p);

#endif
