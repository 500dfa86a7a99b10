/* A decompressor for whole messages that refer to no other, twice as fast as zlib unless they are
   short: libdeflate's. Not in every build; then COHO_LIBDEFLATE is not defined. */
#ifndef COHO_PROTO_DEFLATE_LIBDEFLATE_H
#define COHO_PROTO_DEFLATE_LIBDEFLATE_H

#include <stddef.h>
#include <sys/types.h>

/* Compressed bytes of a message: shorter ones are faster in zlib, whose tables are smaller; longer
   ones are not copied, as they are here. */
enum { COHO_LIBDEFLATE_MIN = 512, COHO_LIBDEFLATE_MAX = 48 * 1024 };

struct coho__libdeflate;

struct coho__libdeflate *coho__libdeflate_new(void);    /* NULL: out of memory */
void coho__libdeflate_free(struct coho__libdeflate *d); /* NULL is fine */
/* Decompresses a whole message of at most COHO_LIBDEFLATE_MAX bytes. The bytes written, or COHO_EFULL
   when there are more than cap; COHO_EINFLATE: it is wrong, or of a rare kind that zlib can read. */
ssize_t coho__libdeflate_run(struct coho__libdeflate *d, const void *data, size_t len, void *dst,
                             size_t cap);

#endif
