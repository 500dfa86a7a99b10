/* SHA-1 (FIPS 180-4), for Sec-WebSocket-Accept only: no secret and no collision matters there
   (RFC 6455 10.8). Our own, so that libcoho-core needs no library. */
#ifndef COHO_BASE_SHA1_H
#define COHO_BASE_SHA1_H

#include <stddef.h>
#include <stdint.h>

void coho__sha1(const void *data, size_t len, uint8_t digest[20]);

#endif
