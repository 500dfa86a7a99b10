/* What engine.c, which receives, and engine_send.c share. */
#ifndef COHO_PROTO_ENGINE_PARTS_H
#define COHO_PROTO_ENGINE_PARTS_H

#include "base/view.h"
#include "proto/assemble.h"
#include "proto/engine.h"

enum coho__engine_state {
  COHO_ENGINE_OPEN,   /* frames are read; with close_sent only a Close is of interest */
  COHO_ENGINE_FAILED, /* COHO_ERROR is due */
  COHO_ENGINE_DYING,  /* COHO_CLOSE is due, not clean */
  COHO_ENGINE_ENDED   /* COHO_CLOSE was delivered; input is discarded */
};

struct coho__busy {
  struct coho__assembly assembly;
  uint32_t message_since; /* ms, low 32 bits; once message_timed */
  uint32_t flood;         /* pings since the output is blocked */
  bool message_timed;
  bool delivered;    /* the event just given views assembly.bytes */
  bool unpacking;    /* a compressed message is being received in pieces */
  bool more;         /* the present piece decompresses to more than was taken */
  size_t clear;      /* bytes at the front of the input that are unmasked already */
  uint64_t unpacked; /* bytes that the message decompressed to so far */
  bool pong_waits;   /* until output drains */
  uint8_t pong_len;
  uint8_t header_len; /* bytes of a header cut by the input */
  uint8_t control_len;
  uint8_t header[COHO_FRAME_HEADER_MAX];
  uint8_t control[COHO_CONTROL_MAX]; /* payload of a control frame cut by the input */
  uint8_t pong[COHO_CONTROL_MAX];
};

int coho__engine_append_control(struct coho__engine *e, struct coho__buf *out, uint8_t opcode,
                                const void *data, size_t len);
/* A ping of the keepalive. */
int coho__engine_append_keepalive(struct coho__engine *e, struct coho__buf *out);
/* code 0: without body. */
int coho__engine_append_close(struct coho__engine *e, struct coho__buf *out, unsigned code,
                              struct coho__view reason);

#endif
