/* Base64url without padding (RFC 7515 2), which has one form for each run of bytes. */
#ifndef COHO_TOPICS_BASE64URL_H
#define COHO_TOPICS_BASE64URL_H

#include "base/view.h"

/* Bytes that so many characters hold. */
#define COHO_BASE64URL_BYTES(chars) ((chars) / 4 * 3 + (chars) % 4 * 3 / 4)

/* The number of bytes in dst (room for COHO_BASE64URL_BYTES(v.len)), or -1: another character,
   padding, a length that none has, or bits behind the last byte. */
ptrdiff_t coho__base64url_decode(void *dst, struct coho__view v);

#endif
