/*
 * The engine of an open connection: frames in, events and frames out (RFC 6455 5 to 7). No I/O, no
 * clock. It is embedded in the connection by value and small while idle; what only a connection in
 * the middle of something needs hangs off `busy`.
 *
 * Output goes to a buffer lent with every call, so that the caller decides where it collects.
 */
#ifndef COHO_PROTO_ENGINE_H
#define COHO_PROTO_ENGINE_H

#include "base/buf.h"
#include "base/utf8.h"
#include "proto/frame.h"
#include "proto/keepalive.h"
#include "proto/meter.h"
#include "proto/permessage.h"

#include <coho/core.h>
#include <stdbool.h>

/* Output that a Close of ours may need; pings of the keepalive leave it free. */
enum { COHO_ENGINE_CLOSE_ROOM = COHO_FRAME_HEADER_MAX + COHO_CONTROL_MAX };

enum { COHO_ENGINE_STAMP = 8 }; /* bytes in a ping of the keepalive, when there is a stamp */

/* Shared by all connections of a route; outlives them. All set but random, no defaults here. */
struct coho__engine_conf {
  uint64_t max_message;
  uint64_t max_frame;
  uint32_t max_fragments;
  uint32_t message_timeout_ms; /* all times: UINT32_MAX for never */
  uint32_t ping_interval_ms;
  uint32_t pong_timeout_ms;
  uint32_t close_timeout_ms;
  uint8_t role;                                     /* coho_role */
  bool stream;                                      /* COHO_STREAM */
  bool metered;                                     /* count what messages come and go */
  void (*random)(void *ctx, void *buf, size_t len); /* NULL: coho__random() */
  void *random_ctx;
  /* What a ping of the keepalive carries; NULL: nothing. */
  void (*stamp)(uint8_t bytes[COHO_ENGINE_STAMP]);
};

struct coho__busy; /* half a header, a message in parts, half a control frame, a pong that waits */

struct coho__engine {
  const struct coho__engine_conf *conf;
  struct coho__busy *busy;             /* NULL while idle */
  struct coho__permessage *permessage; /* compression; NULL: not agreed on. Set by the owner before
                                          the first input, freed with the engine. */
  struct coho__meter *meter;           /* NULL before the first message */
  uint8_t *in, *in_end;                /* lent input */
  uint64_t left;                       /* payload of the present frame still to come */
  uint32_t key;                        /* its mask, rotated to the next byte */
  struct coho__keepalive keepalive;    /* while closing: since when */
  int16_t err;                         /* why it failed, 0 */
  uint8_t opcode;                      /* of the present frame */
  uint8_t message;                     /* opcode of the message being received, 0 for none */
  uint8_t sending;                     /* opcode of the message being sent in parts, 0 for none */
  coho__utf8 utf8;                     /* of the message being received */
  uint8_t state;                       /* private to engine.c */
  bool in_frame;                       /* the header of the present frame is known */
  bool fin;                            /* of the present frame */
  bool packed;                         /* the message being received is compressed */
  bool close_sent, close_received;
  bool blocked;    /* set by the owner while output cannot drain: pongs are coalesced */
  uint32_t frames; /* headers received so far, for the owner, who may set it back */
};

/* The meter, made when there is none. NULL: it does not count, or out of memory. */
struct coho__meter *coho__engine_meter(struct coho__engine *e);

/* Unpredictable bytes for masks and the key of a handshake. */
void coho__engine_random(const struct coho__engine_conf *conf, void *buf, size_t len);

void coho__engine_init(struct coho__engine *e, const struct coho__engine_conf *conf);
void coho__engine_free(struct coho__engine *e);

/* Lends bytes until coho__engine_next() returned false. Payloads are unmasked in place. */
void coho__engine_input(struct coho__engine *e, void *data, size_t len);
/* The next event into *ev: COHO_MESSAGE, COHO_PING, COHO_PONG, COHO_ERROR, COHO_CLOSE (as in
   core.h; after it, never another). Replies are appended to out. Views in *ev live until the next
   call. False: all input is used up. */
bool coho__engine_next(struct coho__engine *e, struct coho__buf *out, coho_event *ev);
/* Lent input that coho__engine_next() has not used yet. */
static inline size_t coho__engine_unread(const struct coho__engine *e) {
  return (size_t)(e->in_end - e->in);
}
/* What was received decompresses to more than was delivered: coho__engine_next() has more to give, also
   when no input is left. */
bool coho__engine_has_more(const struct coho__engine *e);
/* The peer's FIN (err 0), or a transport that broke: COHO_ERROR and COHO_CLOSE with 1006 follow,
   unless a Close came before. */
void coho__engine_eof(struct coho__engine *e, int err);
/* The owner's limits are broken, not ours: the peer is told the code of err; COHO_ERROR and COHO_CLOSE
   follow, input is over. Not after COHO_CLOSE. */
void coho__engine_fail(struct coho__engine *e, struct coho__buf *out, int err);

/* 0 when a data message may be sent now; COHO_ECLOSED; COHO_EINVAL (type, flags); COHO_EBUSY inside a
   message sent in parts that m does not continue. */
int coho__engine_may_send(const struct coho__engine *e, const coho_msg *m);
/* The same message as it goes on the wire: compressed, with a flag that only the next two functions
   know, when that was agreed on, makes it smaller, and memory is not tight; then it is valid until the
   next message is compressed on this thread. */
void coho__engine_pack(struct coho__engine *e, const coho_msg *m, coho_msg *wire);
/* What was packed last is not sent after all. */
void coho__engine_forget(struct coho__engine *e);
/* Appends a frame. 0, or as above, or COHO_EFULL, COHO_ENOMEM of out: then nothing changed. */
int coho__engine_send(struct coho__engine *e, struct coho__buf *out, coho_msg m);
/* Appends only the header of the frame that coho__engine_send() would write: the caller sends the
   payload itself. Servers only, since clients mask. */
int coho__engine_send_header(struct coho__engine *e, struct coho__buf *out, const coho_msg *m);
/* Ping or pong; at most 125 bytes. 0, COHO_EINVAL, COHO_ECLOSED, COHO_EFULL, COHO_ENOMEM. */
int coho__engine_ping(struct coho__engine *e, struct coho__buf *out, const void *data, size_t len);
int coho__engine_pong(struct coho__engine *e, struct coho__buf *out, const void *data, size_t len);
/* Starts the closing handshake. code 0: none. 0, COHO_EINVAL, COHO_ECLOSED, COHO_EFULL,
   COHO_ENOMEM. */
int coho__engine_close(struct coho__engine *e, struct coho__buf *out, int code, const char *reason);
/* Output drains again: clears `blocked` and sends the pong that waited. 0 or an error of out. */
int coho__engine_unblock(struct coho__engine *e, struct coho__buf *out);

/*
 * Keepalive and deadlines. Returns when to call again at the latest, UINT64_MAX for never; pings
 * are appended to out. Afterwards coho__engine_next() may have an event. Call it also after an
 * input that left the engine inside a message or closing, since it learns of both only then.
 */
uint64_t coho__engine_tick(struct coho__engine *e, struct coho__buf *out, uint64_t now_ms);

bool coho__engine_open(const struct coho__engine *e);  /* data may be sent */
bool coho__engine_ended(const struct coho__engine *e); /* COHO_CLOSE was delivered */
bool coho__engine_clean(const struct coho__engine *e); /* both Close frames were exchanged */
bool coho__engine_idle(const struct coho__engine *e);  /* not inside a received message */

#endif
