/*
 * permessage-deflate of one connection, once it is agreed on (RFC 7692 7.2): packs whole messages
 * and unpacks received ones, in one go or piece by piece. A direction without context takeover
 * borrows the thread's shared state while a message is under way and owns nothing else; a state of
 * its own is made with its first message.
 */
#ifndef COHO_PROTO_PERMESSAGE_H
#define COHO_PROTO_PERMESSAGE_H

#include "base/view.h"
#include "proto/deflate_pool.h"
#include "proto/deflate_terms.h"

#include <stdint.h>
#include <sys/types.h>

struct coho__permessage;

/* terms->own bytes have been taken from the budget of contexts, and are given back by the free. NULL:
   out of memory, nothing given back. */
struct coho__permessage *coho__permessage_new(struct coho__deflate_pool *pool, coho_role role,
                                              const struct coho__deflate_terms *terms,
                                              const coho_deflate *conf);
void coho__permessage_free(struct coho__permessage *p); /* NULL is fine */
const struct coho__deflate_terms *coho__permessage_terms(const struct coho__permessage *p);

/* ---- sending ------------------------------------------------------------------------------- */

/* A whole message as it goes on the wire, valid until the pool packs the next. False: to be sent as it
   is (too small by conf, it would not shrink, or memory is tight), and the context knows nothing of
   it. */
bool coho__permessage_pack(struct coho__permessage *p, const void *data, size_t len,
                           struct coho__view *packed);
/* What was packed last is not sent after all: the next message refers to nothing before it. */
void coho__permessage_forget(struct coho__permessage *p);
enum { COHO_SHARE_KEYS = 8 }; /* keys are 1 to 8 */
/* Messages packed for two connections with the same key are the same bytes, so one does for both; 0:
   its context is its own. Never 0 without context takeover. */
unsigned coho__permessage_share_key(const struct coho__permessage *p);

/* ---- receiving ----------------------------------------------------------------------------- */

/*
 * Either whole messages or pieces: who unpacks some messages of a connection in one way and some in the
 * other gets different errors for the same malformed bytes, depending on how they were cut. Whole
 * messages are faster, and while one arrives it holds its bytes and nothing else; a message in pieces
 * holds a state of 40 KiB from its first byte to its last.
 */

/* A whole message, not after a coho__permessage_input() without its end. The result is valid until the
   pool unpacks the next. 0, COHO_EINFLATE, COHO_ETOOBIG (more than max; found out while unpacking),
   COHO_ENOMEM. */
int coho__permessage_unpack(struct coho__permessage *p, const void *data, size_t len, uint64_t max,
                            struct coho__view *message);
/* Unpacks from *data, *len, which it moves over what it used, into dst. The bytes written: fewer than
   cap, which is not 0, when nothing is left to write for now, and then all of the input is used.
   COHO_EINFLATE, COHO_ENOMEM. */
ssize_t coho__permessage_input(struct coho__permessage *p, const uint8_t **data, size_t *len,
                               void *dst, size_t cap);
/* The last byte of the message has been given to coho__permessage_input(), which wrote less than
   there was room. 0; COHO_EINFLATE: the data ends inside a block, or there was none; COHO_ENOMEM.
   After an error of any of the three the connection cannot go on. */
int coho__permessage_end(struct coho__permessage *p);

#endif
