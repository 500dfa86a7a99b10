/*
 * A WebSocket endpoint of either side on a wire. It sends whatever it is told to, and holds the
 * other side to the rules: masking, shortest lengths, reserved bits, control frames, the order of
 * fragments, close codes, UTF-8, compressed payload in the agreed window. One thread at a time.
 */
#ifndef COHO_CMD_CHECK_PEER_H
#define COHO_CMD_CHECK_PEER_H

#include "frame.h"
#include "squeeze.h"
#include "terms.h"
#include "wire.h"

enum side { SIDE_CLIENT, SIDE_SERVER };

enum event_kind {
  EVENT_MESSAGE, /* whole, decompressed */
  EVENT_PING,
  EVENT_PONG,
  EVENT_CLOSE,
  EVENT_END,     /* the other side closed TCP */
  EVENT_RESET,   /* the connection broke */
  EVENT_SILENCE, /* nothing until the deadline */
  EVENT_WRONG    /* the other side broke a rule: why */
};

struct event {
  enum event_kind kind;
  unsigned opcode;        /* of a message: OP_TEXT, OP_BINARY */
  const uint8_t *data;    /* of a message or control frame; the reason of a Close */
  size_t len;             /* valid until the next event */
  unsigned code;          /* of a Close, 0: none */
  bool compressed;        /* the message was */
  size_t frames;          /* of the message */
  const char *why, *rule; /* a phrase and the section, of EVENT_WRONG */
};

enum {
  PEER_MESSAGE_MAX = 32 * 1024 * 1024, /* twice the largest that is sent */
  PEER_FRAMES_MAX = 4 * 1024 * 1024    /* of a connection: more than all echoes in small pieces */
};

struct peer {
  struct wire wire;
  enum side side; /* ours */
  struct terms terms;
  struct squeeze *squeeze; /* NULL: no compression agreed */
  size_t chop;             /* for all that is sent, 0: whole */
  struct bytes message;    /* fragments so far, as they came */
  struct bytes unpacked;
  struct bytes control;
  unsigned message_opcode; /* 0: none is open */
  bool message_packed;
  size_t message_frames;
  bool close_seen;  /* of the other side */
  size_t frames;    /* received */
  uint32_t key;     /* mask of the last one */
  size_t same_keys; /* frames with the key of the one before */
  char why[160];
};

void peer_init(struct peer *p, enum side side);         /* with no wire */
void peer_agree(struct peer *p, const struct terms *t); /* after the handshake */
void peer_free(struct peer *p);

enum wire_status peer_send(struct peer *p, const struct frame *f, uint64_t deadline);
enum wire_status peer_send_bytes(struct peer *p, const void *data, size_t len, uint64_t deadline);
/* The next thing that happens. After END, RESET and WRONG there is nothing more. */
struct event peer_next(struct peer *p, uint64_t deadline);

#endif
