/* Frames of RFC 6455, as a client writes and reads them. */
#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H

#include <stdbool.h>
#include <stddef.h>

enum { WIRE_HEADER = 14 }; /* the longest */

enum wire_first {
  WIRE_TEXT = 0x81,
  WIRE_BINARY = 0x82,
  WIRE_PING = 0x89,
  WIRE_PONG = 0x8a,
  WIRE_PACKED = 0x40
};

/* A header without key; returns its size. */
size_t wire_header(char *dst, unsigned first, size_t len, bool masked);
/* A whole frame, header and payload; returns its size. Masked with a key that is always the same. */
size_t wire_put(char *dst, unsigned first, const char *payload, size_t len, bool masked);

struct wire_frame {
  unsigned first; /* its first byte */
  const char *payload;
  size_t len;
  size_t size; /* with its header */
};
/* The frame at the front, of a server; false: it is not complete. */
bool wire_read(struct wire_frame *f, const char *data, size_t len);

/* What came of a frame that is not complete, of one connection. */
struct wire_rest {
  char *data;
  size_t len, cap;
};
/* fn for each frame that data completes. */
void wire_take(struct wire_rest *rest, const char *data, size_t len,
               void (*fn)(void *ctx, const struct wire_frame *f), void *ctx);

#endif
