/* Base64 (RFC 4648 section 4), with padding. */
#ifndef COHO_BASE_BASE64_H
#define COHO_BASE_BASE64_H

#include <stddef.h>

#define COHO_BASE64_LEN(n) (((n) + 2) / 3 * 4)

/* Writes COHO_BASE64_LEN(len) characters and no terminator. */
void coho__base64_encode(char *dst, const void *data, size_t len);
/* The number of bytes in dst (room for len / 4 * 3), or -1: wrong length, alphabet or padding.
   Pad bits that are not zero are accepted, since the example of RFC 6455 1.3 has some. */
ptrdiff_t coho__base64_decode(void *dst, const char *data, size_t len);

#endif
