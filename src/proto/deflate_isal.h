/* A compressor for messages that refer to no other, two to four times as fast as zlib: ISA-L's. Not in
   every build; then COHO_ISAL is not defined. */
#ifndef COHO_PROTO_DEFLATE_ISAL_H
#define COHO_PROTO_DEFLATE_ISAL_H

#include <stddef.h>

struct coho__isal;

struct coho__isal *coho__isal_new(void); /* NULL: out of memory */
void coho__isal_free(struct coho__isal *s);
/* As coho__deflater_run(), with references of 2^window bytes at most, window being 8 to 15. */
size_t coho__isal_run(struct coho__isal *s, unsigned window, const void *data, size_t len,
                      void *dst);

#endif
