/*
 * What the connections of one thread share for compression: states for messages that refer to no
 * other, and buffers for what was packed and unpacked last. Each is made when it is needed first.
 */
#ifndef COHO_PROTO_DEFLATE_POOL_H
#define COHO_PROTO_DEFLATE_POOL_H

#include "base/view.h"
#include "proto/deflater.h"
#include "proto/inflater.h"

#include <stdbool.h>
#include <stdint.h>

struct coho__deflate_pool;

/* NULL: out of memory. Outlives its connections. */
struct coho__deflate_pool *coho__deflate_pool_new(void);
void coho__deflate_pool_free(struct coho__deflate_pool *pool); /* NULL is fine */
/* What was unpacked last is no longer needed, or what was packed last neither: large buffers are given
   back. The next message does that too. */
void coho__deflate_pool_trim_unpacked(struct coho__deflate_pool *pool);
void coho__deflate_pool_trim(struct coho__deflate_pool *pool);

/* Packs a message of at least one byte, with the connection's own state or with NULL so that it
   refers to no other and goes back 2^window bytes at most. Valid until the next one. False: it does
   not shrink, and the own state was reset; or there is no memory, and it knows nothing of it. */
bool coho__deflate_pool_pack(struct coho__deflate_pool *pool, struct coho__deflater *own,
                             unsigned window, struct coho__view message, struct coho__view *packed);
/* Unpacks a whole message, with the connection's own state or with NULL when it refers to no other.
   Valid until the next one. 0, COHO_EINFLATE, COHO_ETOOBIG (more than max), COHO_ENOMEM. */
int coho__deflate_pool_unpack(struct coho__deflate_pool *pool, struct coho__inflater *own,
                              struct coho__view packed, uint64_t max, struct coho__view *message);
/* A state for one message that comes in pieces. NULL: out of memory. */
struct coho__inflater *coho__deflate_pool_borrow(struct coho__deflate_pool *pool);
void coho__deflate_pool_return(struct coho__deflate_pool *pool, struct coho__inflater *f);

#endif
