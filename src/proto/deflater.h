/* A compressor: raw DEFLATE of whole messages (RFC 7692 7.2.1), each of which may refer to those
   before it. */
#ifndef COHO_PROTO_DEFLATER_H
#define COHO_PROTO_DEFLATER_H

#include <stddef.h>

struct coho__deflater;

/* No reference goes back further than 2^window bytes, 8 to 15; memory and level are zlib's, 1 to 9. NULL: out of memory. */
struct coho__deflater *coho__deflater_new(unsigned window, unsigned memory, unsigned level);
void coho__deflater_free(struct coho__deflater *d); /* NULL is fine */
/* The memory that it takes, in bytes. */
size_t coho__deflater_size(unsigned window, unsigned memory);
/* Compresses a message of at least one byte to dst, where there is room for len + COHO_DEFLATE_TAIL,
   without the tail. The length, which is less than len; 0: it does not shrink, and the next message
   refers to nothing before it. */
size_t coho__deflater_run(struct coho__deflater *d, const void *data, size_t len, void *dst);
/* The next message refers to nothing before it. */
void coho__deflater_reset(struct coho__deflater *d);

#endif
