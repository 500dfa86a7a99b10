/* One frame as it is put on the wire, as wrong as wanted. */
#ifndef COHO_CMD_CHECK_FRAME_H
#define COHO_CMD_CHECK_FRAME_H

#include "bytes.h"

#include <stdbool.h>

enum opcode {
  OP_CONTINUATION = 0,
  OP_TEXT = 1,
  OP_BINARY = 2,
  OP_CLOSE = 8,
  OP_PING = 9,
  OP_PONG = 10
};
enum frame_length { LENGTH_SHORTEST, LENGTH_16, LENGTH_64 };
enum frame_mask { MASK_AS_RULED, MASK_ALWAYS, MASK_NEVER, MASK_ZERO /* masked, with the key 0 */ };
enum { RSV1 = 4, RSV2 = 2, RSV3 = 1 };

struct frame {
  bool more;       /* FIN is 0 */
  unsigned rsv;    /* RSV1 | RSV2 | RSV3 */
  unsigned opcode; /* 0 to 15 */
  enum frame_length length;
  enum frame_mask mask;
  const void *data;
  size_t len;
  uint64_t claims; /* length in the header when it is not len; 0: it is */
};

/* Appends the bytes of the frame. masked: what this side has to do. */
void frame_put(struct bytes *out, const struct frame *f, bool masked);

#endif
