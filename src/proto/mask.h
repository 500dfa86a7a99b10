/* The masking of payloads (RFC 6455 5.3). */
#ifndef COHO_PROTO_MASK_H
#define COHO_PROTO_MASK_H

#include <stddef.h>
#include <stdint.h>

/* Masks or unmasks in place. key is in memory as on the wire; returns it rotated, so that the next
   piece of the same payload goes on where this one ended. */
uint32_t coho__mask(void *data, size_t len, uint32_t key);

#endif
