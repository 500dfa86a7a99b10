/* Messages to compress: the same from the same dice, of every kind that a compressor treats its own
   way; and the reference that says what their compressed form means. */
#ifndef COHO_TESTS_UNIT_PACKABLE_H
#define COHO_TESTS_UNIT_PACKABLE_H

#include "support/dice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum packable {
  PACKABLE_JSON,   /* records with few names and words */
  PACKABLE_LETTER, /* random ones out of few letters */
  PACKABLE_RUNS,   /* of random bytes and lengths */
  PACKABLE_FAR,    /* random bytes that come again from up to 40,000 bytes before */
  PACKABLE_NOISE,  /* random bytes: does not shrink */
  PACKABLE_KINDS
};

void packable_fill(struct dice *d, enum packable kind, uint8_t *dst, size_t len);

/* zlib's inflate with exactly this window, which forgets what is further back. */
struct reference;
struct reference *reference_new(unsigned window);
void reference_free(struct reference *r);
void reference_reset(struct reference *r);
/* Whether packed is a message without its tail that means these bytes. */
bool reference_means(struct reference *r, const void *packed, size_t packed_len, const void *data,
                     size_t len);

#endif
