/* What proves that a server has read the client's key (RFC 6455 4.2.2, 5). */
#ifndef COHO_PROTO_ACCEPT_KEY_H
#define COHO_PROTO_ACCEPT_KEY_H

#include "base/view.h"

enum { COHO_KEY_LEN = 24, COHO_ACCEPT_LEN = 28 }; /* base64 of 16 bytes, and of 20 */

/* base64(SHA-1(key + GUID)) with a terminator. key has COHO_KEY_LEN characters. */
void coho__accept_key(struct coho__view key, char accept[COHO_ACCEPT_LEN + 1]);

#endif
