#include "support/input.h"

#include "support/claim.h"

#include <string.h>

uint8_t input_byte(struct input *in) {
  if (in->len == 0) return 0;
  in->len--;
  return *in->data++;
}

struct input input_take(struct input *in, size_t n) {
  struct input front = {in->data, n < in->len ? n : in->len};
  if (front.len) in->data += front.len; /* NULL is not to be added to */
  in->len -= front.len;
  return front;
}

struct input input_until(struct input *in, char end) {
  const void *at = in->len ? memchr(in->data, end, in->len) : NULL;
  struct input front = input_take(in, at ? (size_t)((const uint8_t *)at - in->data) : in->len);
  (void)input_byte(in);
  return front;
}

uint8_t *input_copy(struct input in) {
  uint8_t *copy = (uint8_t *)malloc(in.len ? in.len : 1);
  CLAIM(copy != NULL);
  if (in.len) memcpy(copy, in.data, in.len);
  return copy;
}

char *input_text(struct input in) {
  char *text = (char *)malloc(in.len + 1);
  size_t len = 0;
  CLAIM(text != NULL);
  for (size_t i = 0; i < in.len; i++)
    if (in.data[i]) text[len++] = (char)in.data[i];
  text[len] = '\0';
  /* Again, so that the block ends with the text. */
  char *exact = (char *)realloc(text, len + 1);
  return exact ? exact : text;
}

/* ---- pieces -------------------------------------------------------------------------------- */

enum { PLAIN_MOST = 223, EMPTY = 255, WIDE = 256 };

const struct cuts cuts_none = {{0, 0, 0, 0}};

struct cuts cuts_read(struct input *in) {
  struct cuts cuts;
  for (size_t i = 0; i < sizeof cuts.sizes; i++)
    cuts.sizes[i] = input_byte(in);
  return cuts;
}

struct pieces pieces_of(struct input all, const struct cuts *cuts) {
  return (struct pieces){.left = all, .cuts = cuts};
}

/* After an empty piece comes one that is not. */
static size_t next_len(struct pieces *p) {
  uint8_t size = p->cuts->sizes[p->next++ % sizeof p->cuts->sizes];
  if (size == EMPTY) return p->empty ? 1 : 0;
  if (size == 0) return p->left.len;
  return size > PLAIN_MOST ? (size_t)(size - PLAIN_MOST) * WIDE : size;
}

bool pieces_next(struct pieces *p) {
  pieces_end(p);
  if (p->left.len == 0) return false;
  struct input piece = input_take(&p->left, next_len(p));
  p->empty = piece.len == 0;
  p->block = input_copy(piece);
  p->len = piece.len;
  return true;
}

void pieces_end(struct pieces *p) {
  free(p->block);
  p->block = NULL;
  p->len = 0;
}
