/*
 * The message that is being received in more than one piece: its bytes so far and what they cost.
 *
 * Besides the payload, which the message limit counts, every fragment costs a constant, and the
 * cost of one message is capped too: an endless run of empty fragments ends, while a message of
 * many small honest ones passes (RFC 6455 10.4 asks for both limits).
 */
#ifndef COHO_PROTO_ASSEMBLE_H
#define COHO_PROTO_ASSEMBLE_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

enum { COHO_FRAGMENT_COST = 64 }; /* about what the kernel and we spend on a fragment, in bytes */

struct coho__assembly {
  struct coho__buf bytes;
  uint64_t received; /* payload announced by the headers so far */
  uint64_t cost;
  uint32_t fragments;
};

void coho__assembly_init(struct coho__assembly *a);
void coho__assembly_free(struct coho__assembly *a);
/* A data frame of len bytes begins. 0, COHO_ETOOBIG, COHO_EFRAGMENTS. */
int coho__assembly_frame(struct coho__assembly *a, uint64_t len, uint64_t max_message,
                         uint32_t max_fragments);
/* Keeps a piece. 0, COHO_ENOMEM, COHO_EMEMORY: the message would become large while memory is tight. */
int coho__assembly_append(struct coho__assembly *a, const void *data, size_t len,
                          uint64_t max_message);
/* The message is over. */
void coho__assembly_reset(struct coho__assembly *a);

#endif
