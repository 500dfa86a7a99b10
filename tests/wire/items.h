/* Words of a script that stand for bytes: hex, quoted text and frames. */
#ifndef WIRE_ITEMS_H
#define WIRE_ITEMS_H

#include "bytes.h"
#include "packing.h"
#include "tokens.h"

/* Who speaks: what mask a frame has unless it says otherwise. */
struct speaker {
  bool masks;    /* clients do */
  bool engine;   /* masks with the words of its randomness, in order; a peer always with the same */
  size_t frames; /* of the engine, so far */
  struct packer packer; /* of the peer */
};

struct marks {
  size_t *at;
  size_t count;
};

void marks_add(struct marks *m, size_t at);

/* Appends what the rest of the line means. marks may be NULL. False: *why. */
bool items_build(struct tokens *t, struct speaker *who, struct bytes *out, struct marks *marks,
                 const char **why);
/* Appends hex and quoted text only: a payload. */
bool items_payload(struct tokens *t, struct bytes *out, const char **why);
/* "text" or "binary"; enum coho_type, 0 for neither. */
uint32_t items_type(struct tokens *t);

#endif
