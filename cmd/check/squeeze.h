/* permessage-deflate for one connection: compresses, and decompresses with exactly the window and
   the context that were agreed, so that what goes beyond is an error. */
#ifndef COHO_CMD_CHECK_SQUEEZE_H
#define COHO_CMD_CHECK_SQUEEZE_H

#include "bytes.h"

#include <stdbool.h>

struct squeeze_side {
  int bits;         /* 8 to 15 */
  bool no_takeover; /* every message starts with an empty window */
};

struct squeeze; /* holds both directions */

struct squeeze *squeeze_new(struct squeeze_side out, struct squeeze_side in);
void squeeze_free(struct squeeze *s); /* NULL is fine */

/* Appends the payload of a compressed message. */
void squeeze_pack(struct squeeze *s, const void *data, size_t len, struct bytes *out);
/* Appends the message. False: it cannot be one, *why says so as a phrase. */
bool squeeze_unpack(struct squeeze *s, const void *data, size_t len, struct bytes *out,
                    const char **why);

#endif
