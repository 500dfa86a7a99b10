/* Option structures that grow: read with the size they had when the caller was compiled. */
#ifndef COHO_BASE_SIZED_H
#define COHO_BASE_SIZED_H

#include <stddef.h>

/* Fills dst from src: what an older, smaller src lacks becomes zero; what a newer, larger one has
   beyond dst must be zero. src NULL is all zero. 0 or COHO_EOPTION. */
int coho__sized_read(void *dst, size_t dst_size, const void *src, size_t src_size);

#endif
