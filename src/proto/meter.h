/*
 * What one connection counted, and who looks at its frames. It hangs off the engine and is made with
 * the first frame of a message, so that a connection without messages has none. Without memory for it
 * nothing is counted, and nothing else happens.
 */
#ifndef COHO_PROTO_METER_H
#define COHO_PROTO_METER_H

#include "proto/frame.h"

/* Looks at frames; embedded in its owner. */
struct coho__watch {
  struct coho__watch *next, **link; /* link: what points here */
  /* A frame begins to arrive; its payload follows in pieces, unmasked, in order. Bytes may come a
     second time when they could not be used at once; `left` still follow then. */
  void (*arrives)(struct coho__watch *w, const struct coho__frame *f);
  void (*piece)(struct coho__watch *w, const void *data, size_t n, uint64_t left);
  /* A frame goes out. */
  void (*sent)(struct coho__watch *w, const struct coho__frame *f, const void *payload);
  /* A compressed message, or a part of it, as it was before it was sent, or became when it came. f
     has its length and opcode. */
  void (*message)(struct coho__watch *w, const struct coho__frame *f, const void *data, bool out);
  void (*gone)(struct coho__watch *w); /* the connection ended; taken away already */
};

struct coho__meter {
  uint64_t messages_in, messages_out;
  uint64_t payload_in, payload_out; /* of messages, not compressed */
  uint64_t wire_in, wire_out;       /* of their frames, headers included */
  uint64_t drops;                   /* messages that it should have got and did not */
  struct coho__watch *watches;
};

struct coho__meter *coho__meter_new(void); /* NULL: out of memory */
/* Tells those who watch. NULL is fine. */
void coho__meter_free(struct coho__meter *m);

void coho__meter_watch(struct coho__meter *m, struct coho__watch *w);
void coho__meter_unwatch(struct coho__watch *w);

/* The rest tells the watches, of which there mostly are none, and counts bytes on the wire. A watch
   may take itself away meanwhile. */

void coho__meter_arrives(struct coho__meter *m, const struct coho__frame *f);
void coho__meter_piece(struct coho__meter *m, uint8_t opcode, const void *data, size_t n,
                       uint64_t left);
void coho__meter_sent(struct coho__meter *m, const struct coho__frame *f, const void *payload);
void coho__meter_message(struct coho__meter *m, const struct coho__frame *f, const void *data,
                         bool out);

#endif
