/* A decompressor: raw DEFLATE of messages that come in any pieces (RFC 7692 7.2.2), each of which may
   refer to those before it. */
#ifndef COHO_PROTO_INFLATER_H
#define COHO_PROTO_INFLATER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct coho__inflater;

/* window: bits, 8 to 15, of what messages may refer to. NULL: out of memory. */
struct coho__inflater *coho__inflater_new(unsigned window);
void coho__inflater_free(struct coho__inflater *f); /* NULL is fine */
/* The memory that it takes, in bytes. */
size_t coho__inflater_size(unsigned window);
/* Reads from *data, *len, which it moves over what it used, and writes to dst. The bytes written:
   fewer than cap, which is not 0, when nothing is left to write for now, and then all input is used.
   COHO_EINFLATE, COHO_ENOMEM: then only reset and free are left. */
ssize_t coho__inflater_run(struct coho__inflater *f, const uint8_t **data, size_t *len, void *dst,
                           size_t cap);
/* The message ends where all input was used. 0; COHO_EINFLATE: inside a block, or there was no input
   at all; COHO_ENOMEM. */
int coho__inflater_end(struct coho__inflater *f);
/* The next message refers to nothing before it. */
void coho__inflater_reset(struct coho__inflater *f);

#endif
