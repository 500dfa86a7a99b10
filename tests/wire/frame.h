/* Frames for scripts (RFC 6455 5.2): any combination of header fields, right or wrong. */
#ifndef WIRE_FRAME_H
#define WIRE_FRAME_H

#include "bytes.h"

#include <stdbool.h>

enum frame_width { WIDTH_SHORTEST, WIDTH_16 = 126, WIDTH_64 = 127 };

struct frame {
  uint8_t first; /* FIN, RSV and opcode */
  bool masked;
  uint8_t key[4];
  enum frame_width width;
  bool announced; /* the header tells `length` whatever the payload is */
  uint64_t length;
};

/* Appends the frame; returns the offset of its payload. */
size_t frame_add(struct bytes *out, const struct frame *f, const struct bytes *payload);

/* What the engine under test is given for random bytes: a nonce, then one word per mask. */
struct randomness {
  size_t drawn;
};
void randomness_fill(void *ctx, void *buf, size_t len);
/* The mask of a client's frame number n, the first being 0. */
void randomness_mask(size_t n, uint8_t key[4]);

/* The nonce as a client sends it, and its answer (RFC 6455 1.3). */
#define SAMPLE_KEY_FIELD    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
#define SAMPLE_ACCEPT_FIELD "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

#endif
