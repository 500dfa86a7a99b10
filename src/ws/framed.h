/*
 * A whole message framed once for all who get it: plain, and compressed once for each set of
 * parameters that their connections agreed on (RFC 7692). As servers send it: clients mask each
 * frame anew. Any thread may ask for a frame; one that no other uses any more frees it.
 */
#ifndef COHO_WS_FRAMED_H
#define COHO_WS_FRAMED_H

#include "base/chunk.h"
#include "proto/permessage.h"

#include <coho/coho.h>

struct coho__framed;

/* A copy of m, which is whole. NULL: out of memory. */
struct coho__framed *coho__framed_new(const coho_msg *m);
/* The same over a frame of coho__framed_plain(), of which it takes a reference; m->data points into it. */
struct coho__framed *coho__framed_over(struct coho__chunk *plain, const coho_msg *m);
/* The plain frame alone, of a whole message, which ends it. NULL: out of memory. */
struct coho__chunk *coho__framed_plain(const coho_msg *m);
void coho__framed_free(struct coho__framed *f); /* NULL is fine */
/* The message, valid as long as f. */
const coho_msg *coho__framed_msg(const struct coho__framed *f);
size_t coho__framed_size(const struct coho__framed *f); /* bytes, of the plain frame */

/* The frame for a connection with this compression (NULL: none) that leaves messages below min_size
   as they are. NULL: its context is its own, so it has to compress for itself. Valid as long as f. */
struct coho__chunk *coho__framed_chunk(struct coho__framed *f, struct coho__permessage *p,
                                       size_t min_size);

#endif
