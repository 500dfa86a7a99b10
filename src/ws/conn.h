/*
 * A WebSocket connection of either role: a stream, an engine, and what is on its way between them.
 *
 * Life: CONNECTING (clients), OPEN (closing handshake included), LINGERING (on_close ran, the rest
 * is written and the peer's end awaited), then it is buried. conn.c holds life and closing,
 * conn_read.c input and events, conn_write.c output, conn_post.c what other threads may do.
 *
 * Handlers run between coho__conn_enter() and coho__conn_leave(), but for on_error and on_close of a
 * connection that is cut: what the connection sends meanwhile collects in the loop's cork and leaves
 * in one write. In the stream's order there are always first pending->out, then the cork.
 *
 * Small while idle: what only a connection in the middle of something needs hangs off `pending`.
 */
#ifndef COHO_WS_CONN_H
#define COHO_WS_CONN_H

#include "base/buf.h"
#include "base/outq.h"
#include "io/stream.h"
#include "proto/engine.h"
#include "ws/conn_rate.h"
#include "ws/conn_table.h"
#include "ws/framed.h"
#include "ws/options.h"
#include "ws/rtt.h"

enum coho__conn_state {
  COHO_CONN_CONNECTING,
  COHO_CONN_OPEN,
  COHO_CONN_LINGERING,
  COHO_CONN_BURIED /* freed at the end of the turn */
};

/* Why no events are delivered. */
enum coho__conn_stop {
  COHO_STOP_PAUSED = 1, /* coho_pause() */
  COHO_STOP_CHOKED = 2, /* too much waits for the peer */
  COHO_STOP_DOOMED = 4, /* ends with this turn */
  COHO_STOP_ENDED = 8,  /* on_close ran or runs */
  COHO_STOP_RATED = 16  /* the peer sends faster than it may */
};

/* What is done with the transport after the end. */
enum coho__linger {
  COHO_LINGER_CLOSE, /* write what is left, close (server, RFC 6455 7.1.1) */
  COHO_LINGER_AWAIT, /* write what is left, await the peer's end (client, 7.1.1) */
  COHO_LINGER_DRAIN, /* write the Close, half-close, drain: the peer shall see the code */
  COHO_LINGER_RESET  /* nothing more to say */
};

struct coho__pending {
  struct coho__outq out;  /* waits for the socket, or for the end of the turn */
  struct coho__outq held; /* whole frames that wait for a message sent in parts to end */
  struct coho__buf in;    /* input not delivered yet, from in_at on */
  size_t in_at;
  uint64_t progress_ms; /* when the socket took something last, or when it blocked */
};

/* What only some open connections have: a line in the access log, a subprotocol of the program's, an
   address whose connections are counted. */
struct coho__note {
  char *target;                  /* NULL: nobody wants to know */
  char *protocol;                /* NULL: it is one of the options' */
  struct coho__address *address; /* NULL: not counted */
  uint64_t opened_ms;
  uint64_t sent;
};

struct coho__client;

struct coho_conn {
  struct coho__engine engine;
  struct coho__wheel_timer timer;
  struct coho__task task; /* at the end of this turn: see coho__conn_soon() */
  struct coho__home *home;
  struct coho__options *opt;
  struct coho__stream *stream; /* NULL before a client is connected */
  void *user;
  const char *protocol;
  struct coho__pending *pending; /* NULL while nothing is */
  struct coho__conn_rate *rate;  /* NULL: the peer may send as fast as it likes */
  union {
    struct coho__client *client; /* while CONNECTING */
    struct coho__note *note;     /* later; may be NULL */
  } more;
  uint32_t slot;
  uint32_t attached;   /* what the layer above hangs on it, see coho__attached_ops; 0: nothing */
  uint32_t lag_ms;     /* time spent paused: the engine's clock is behind by this */
  uint32_t stopped_ms; /* when the present pause began; LINGERING: bytes drained */
  uint32_t talked_ms;  /* when the last message came or went */
  uint32_t opened;     /* when, in steps of COHO_CONN_AGE_MS: 32 bits last for 8 years */
  struct coho__rtts rtts;
  int16_t doom;        /* the err it ends with, once DOOMED or broken */
  uint8_t state;       /* enum coho__conn_state */
  uint8_t stop;        /* enum coho__conn_stop, or'ed */
  uint8_t linger;      /* enum coho__linger */
  bool blocked : 1;    /* the socket took less than it was given; an event will come */
  bool broken : 1;     /* a write failed */
  bool want_drain : 1; /* on_drain is owed */
  bool want_room : 1;  /* the layer above is to be told when its queue is short again */
  bool retime : 1;     /* the timer has to be set anew */
  bool was_busy : 1;   /* when the timer was set last: inside a received message */
  bool flushed : 1;    /* LINGERING: nothing is left to write */
};

enum { COHO_CONN_AGE_MS = 64 };

static inline coho_loop *coho__conn_loop(const coho_conn *c) { return c->home->loop; }

/* The program and the engine may still say something. */
static inline bool coho__conn_alive(const coho_conn *c) {
  return c->state == COHO_CONN_OPEN && !c->broken &&
         !(c->stop & (COHO_STOP_DOOMED | COHO_STOP_ENDED));
}

static inline bool coho__conn_corked(const coho_conn *c) { return c->home->table->corked == c; }

/* ---- life: conn.c --------------------------------------------------------------------------- */

/* CONNECTING, with an id; takes a reference to opt. NULL: out of memory. */
coho_conn *coho__conn_new(struct coho__home *home, struct coho__options *opt);
/* Before anybody saw it: as if it had never been. */
void coho__conn_unmake(coho_conn *c);

/* Compression as agreed on, before it opens; takes over what the terms hold, in any case. 0 or
   COHO_ENOMEM. */
int coho__conn_deflate(coho_conn *c, struct coho__deflate_terms *terms);

struct coho__conn_start {
  struct coho__stream *stream;
  struct coho__view head; /* bytes to send first: a server's 101 */
  struct coho__view rest; /* bytes that came behind the peer's head */
  const char *protocol;
  coho_request *request;   /* server */
  struct coho__note *note; /* the connection's from now on; may be NULL */
};
/* OPEN: on_open, then the frames in rest. */
void coho__conn_open(coho_conn *c, const struct coho__conn_start *start);

/* on_error and on_close; the transport follows as c->linger says. */
void coho__conn_end(coho_conn *c, const coho_ending *how);
/* Ends it with err at the end of this turn, without closing handshake. */
void coho__conn_doom(coho_conn *c, int err);
/* Ends it now; the caller is no handler. */
void coho__conn_cut(coho_conn *c, int err);
/* A write failed: what the peer sent before is still read, at the end of this turn. */
void coho__conn_break(coho_conn *c, int err);
/* Flushes, ticks or ends the connection at the end of this turn, whatever is due. */
void coho__conn_soon(coho_conn *c);
/* The transport's next step after the end, and what happens when it takes too long. */
void coho__conn_linger(coho_conn *c);
void coho__conn_linger_timeout(coho_conn *c);
void coho__note_free(struct coho__note *n); /* NULL is fine */

/* So many messages that were meant for it were given up. */
void coho__conn_dropped(coho_conn *c, uint64_t n);

/* ---- time: conn_time.c ---------------------------------------------------------------------- */

void coho__conn_time_init(coho_conn *c);
/* Sets the timer anew, after c->retime says so. Between enter and leave; may bring events about. */
void coho__conn_retime(coho_conn *c);
/* A message came or went. */
static inline void coho__conn_talked(coho_conn *c) {
  c->talked_ms = (uint32_t)coho__loop_time(c->home->loop);
}
/* The engine's clock stands still while no events are delivered. */
void coho__conn_stop(coho_conn *c, enum coho__conn_stop why);
void coho__conn_go(coho_conn *c, enum coho__conn_stop why);

/* ---- input: conn_read.c --------------------------------------------------------------------- */

void coho__conn_on_event(struct coho__stream *s, unsigned events);
/* Handlers may run from now on; what the connection sends is corked. */
void coho__conn_enter(coho_conn *c);
/* Writes what was corked, and does what became due. */
void coho__conn_leave(coho_conn *c);
/* Delivers what was kept and all events the engine has. Between enter and leave. */
void coho__conn_deliver(coho_conn *c);
/* Keeps bytes to be delivered before what the socket gives. 0, COHO_ENOMEM, COHO_EMEMORY. */
int coho__conn_keep(coho_conn *c, const void *data, size_t len);
/* So many bytes of the peer are there, for its rate. */
void coho__conn_count_input(coho_conn *c, size_t n);
/* After a broken write: all the peer sent, then the end. */
void coho__conn_read_rest(coho_conn *c);

/* ---- output: conn_write.c ------------------------------------------------------------------- */

/* The queue and so on; made when there is none. NULL: out of memory. */
struct coho__pending *coho__conn_pending(coho_conn *c);
/* Gives it back when nothing is in it. */
void coho__conn_settle(coho_conn *c);
static inline size_t coho__conn_waiting(const coho_conn *c) {
  return c->pending ? c->pending->out.bytes : 0;
}
/* Writes the queue and, when c is corked, the cork; what the socket does not take waits. */
void coho__conn_flush(coho_conn *c);
/* The socket takes bytes again. Between enter and leave. */
void coho__conn_drained(coho_conn *c);
/* A whole message from elsewhere (another thread): waits for the connection to open, and for a message
   in parts to end. 0, COHO_ECLOSED, COHO_EFULL, COHO_ETOOBIG, COHO_ENOMEM. */
int coho__conn_insert(coho_conn *c, const coho_msg *m);
/* The same for one that many get. */
int coho__conn_insert_framed(coho_conn *c, struct coho__framed *framed);
/* Whether it may be given more without letting its queue grow long; if not, the layer above is told when
   it may. */
bool coho__conn_room(coho_conn *c);
/* Whether it may go now: sends what waited so. */
void coho__conn_release(coho_conn *c);
/* Closes a connection whose queue cannot take what others send to it: 1013 when it is full, 1009
   when even an empty one could not (err COHO_ETOOBIG). */
void coho__conn_overflow(coho_conn *c, int err);

#endif
