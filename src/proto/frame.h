/* The header of a frame (RFC 6455 5.2). */
#ifndef COHO_PROTO_FRAME_H
#define COHO_PROTO_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum coho__opcode {
  COHO_OP_CONTINUATION = 0,
  COHO_OP_TEXT = 1,
  COHO_OP_BINARY = 2,
  COHO_OP_CLOSE = 8,
  COHO_OP_PING = 9,
  COHO_OP_PONG = 10
};

enum {
  COHO_FRAME_HEADER_MAX = 14,
  COHO_CONTROL_MAX = 125 /* payload of a control frame (5.5) */
};

struct coho__frame {
  uint64_t len;   /* of the payload */
  uint32_t key;   /* the mask, in memory as on the wire; 0 when there is none */
  uint8_t opcode; /* enum coho__opcode */
  bool fin;
  bool rsv1; /* the message is compressed (RFC 7692 6) */
  bool masked;
};

static inline bool coho__opcode_is_control(uint8_t opcode) { return (opcode & 8) != 0; }

/* What a header may and has to have. */
struct coho__frame_rules {
  bool masked; /* the peer has to mask: it is a client */
  bool rsv1;   /* permessage-deflate was agreed on: the first frame of a message may have RSV1 */
};

/* Reads a header from the start of data. The number of its bytes; 0: more are needed; or the first
   rule it breaks, as soon as the bytes that show it are there: COHO_ERSV, COHO_EOPCODE,
   COHO_ECONTROLFIN, COHO_ECONTROLLEN, COHO_EUNMASKED or COHO_EMASKED, COHO_ELENGTH,
   COHO_ELENGTH63. */
int coho__frame_read(struct coho__frame *f, const uint8_t *data, size_t len,
                     struct coho__frame_rules rules);

/* The size of the header that coho__frame_write() writes. */
size_t coho__frame_header_size(uint64_t len, bool masked);
/* Writes a header, with the length in the fewest bytes, and returns its size. */
size_t coho__frame_write(uint8_t dst[COHO_FRAME_HEADER_MAX], const struct coho__frame *f);

#endif
