/* A whole file in memory. */
#ifndef COHO_TOPICS_SLURP_H
#define COHO_TOPICS_SLURP_H

#include "io/tls_why.h"

#include <stddef.h>

struct coho__slurp {
  char *data;
  size_t len, size; /* of the contents, of the block */
};

/* A regular file of at most most bytes. 0; COHO_ENOENT and the like, COHO_EFULL, COHO_EINVAL (no
   regular file), COHO_ENOMEM, with a sentence. */
int coho__slurp_open(const char *file, size_t most, struct coho__slurp *out,
                     const struct coho__why *why);
void coho__slurp_free(struct coho__slurp *s); /* wiped: it may be a secret */

#endif
