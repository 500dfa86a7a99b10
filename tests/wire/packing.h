/* Words of a script that compress a payload of the peer (RFC 7692 7.2.1). */
#ifndef WIRE_PACKING_H
#define WIRE_PACKING_H

#include "bytes.h"
#include "support/zip.h"
#include "tokens.h"

/* What becomes of a payload before it is one. */
struct packing {
  unsigned window; /* bits; 0: it is not compressed */
  unsigned memory; /* zlib's memLevel */
  bool follows;    /* it may refer to the messages before it */
  bool fixed;      /* by fixed codes alone, one for each byte: it grows */
  size_t part, of; /* this one, of so many parts of the compressed form; of is 0 for all of it */
};

/* The peer's own state: NULL before it compressed something, and what came of that last. */
struct packer {
  struct zip *zip;
  struct bytes last;
};

/* 1: it was one of them, 0: it was none, -1: a wrong one. */
int packing_word(struct packing *p, const struct token *token);
/* Compresses the payload, or takes a further part of what was compressed last. */
void packing_apply(struct packer *peer, const struct packing *p, struct bytes *payload);
void packer_free(struct packer *peer);

#endif
