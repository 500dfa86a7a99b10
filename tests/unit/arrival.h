/* A packed message as it may come: whole, or in pieces, each a block of exactly its size. */
#ifndef COHO_TESTS_UNIT_ARRIVAL_H
#define COHO_TESTS_UNIT_ARRIVAL_H

#include "proto/permessage.h"

enum { ARRIVAL_MOST = 70000 }; /* bytes of a message */

/* Own contexts, and everything that shrinks is compressed. */
extern const coho_deflate arrival_conf;
/* A server's connection that receives with or without context. */
struct coho__permessage *arrival_receiver(struct coho__deflate_pool *pool, bool context);

/* Whole with step 0; else cut at `cut` and then every step bytes, unpacked by cap bytes at most. */
struct arrival {
  size_t cut, step, cap;
};

#define ARRIVAL_WHOLE ((struct arrival){0, 0, 0})

/* The message's length, its bytes at dst, where there is room for ARRIVAL_MOST; or an error. */
ssize_t arrive(struct coho__permessage *p, const void *packed, size_t len, struct arrival way,
               uint8_t *dst);
/* One piece. The bytes it unpacks to, or an error. */
ssize_t arrive_piece(struct coho__permessage *p, const void *packed, size_t len, size_t cap,
                     uint8_t *dst);

#endif
