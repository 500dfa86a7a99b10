/*
 * coho: looking into a server that runs: its connections one by one, and the frames of one of them.
 *
 * Nobody waits for anybody: questions go to the loops as letters, and are answered in small steps
 * between what the loops do anyway. A connection that nobody asks about pays with 16 bytes, and with
 * some 80 more once a message came or went.
 */
#ifndef COHO_INSPECT_H
#define COHO_INSPECT_H

#include <coho/coho.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- connections --------------------------------------------------------------------------- */

enum coho_conn_flag {
  COHO_CONN_PAUSED = 1,  /* by coho_pause() */
  COHO_CONN_CHOKED = 2,  /* not read, since the peer does not read what it is sent */
  COHO_CONN_SLOWED = 4,  /* not read, since it sends faster than it may */
  COHO_CONN_BLOCKED = 8, /* the socket takes no more at the moment */
  COHO_CONN_CLOSING = 16 /* a Close frame was sent */
};

/* A connection as it is at one moment. Strings are never NULL. The structure grows. */
typedef struct coho_conn_info {
  coho_id id;
  const char *peer;       /* as of coho_conn_peer() */
  const char *route;      /* the pattern, such as "/chat/:room" */
  const char *target;     /* of its request, without secrets; "" unless kept (COHO_KEEP_TARGETS) */
  const char *protocol;   /* the subprotocol, "" for none */
  const char *extensions; /* as of coho_conn_extensions() */
  const char *tls;        /* "TLSv1.3 TLS_AES_128_GCM_SHA256"; "" without TLS */
  const char *topics;     /* that it follows, with a space between them; "" for none */
  uint64_t age_ms;        /* in steps of 64 */
  uint64_t quiet_ms;      /* since a message came or went, or since it opened; modulo 49 days */
  uint64_t queued;        /* bytes that wait for the peer */
  uint64_t messages_in;
  uint64_t messages_out;
  uint64_t bytes_in; /* payload of the messages */
  uint64_t bytes_out;
  uint64_t wire_in; /* their frames, compressed, headers included, before TLS */
  uint64_t wire_out;
  uint64_t drops; /* messages that were meant for it and given up */
  double rtt_ms;  /* of the last ping that was answered; NaN: none was yet */
  double rtt_smooth_ms;
  uint64_t flags; /* enum coho_conn_flag */
} coho_conn_info;

enum coho_conn_order {
  COHO_BY_AGE, /* the default: who came first, first */
  COHO_BY_QUIET,
  COHO_BY_RTT, /* the smooth one; unknown ones last */
  COHO_BY_QUEUED,
  COHO_BY_DROPS,
  COHO_BY_MESSAGES_IN,
  COHO_BY_MESSAGES_OUT,
  COHO_BY_BYTES_IN,
  COHO_BY_BYTES_OUT
};

enum coho_conn_ask {
  COHO_ASK_ASCENDING = 1, /* the smallest first */
  /* Send a ping to those in the list whose queue is empty, so that the next answer knows their
     round trip: those that talk are not pinged otherwise. */
  COHO_ASK_PING = 2
};

/* Which connections, and how many. Zero is the default of every field. */
typedef struct coho_conn_filter {
  coho_loop *loop;   /* where done() is called; NULL: on the caller's loop when it is one of the
                        server's, else on the server's first. It has to outlive the call. */
  const char *match; /* only those whose peer, route, target, subprotocol or topics have this in
                        them; NULL: all. Copied. */
  coho_id id;        /* only this one; 0: all */
  uint32_t order;    /* enum coho_conn_order, the largest first */
  uint32_t limit;    /* default 1,000, at most 100,000 */
  uint32_t flags;    /* enum coho_conn_ask */
  uint32_t with;     /* enum coho_conn_flag: only those that have one of these; 0: all */
} coho_conn_filter;

typedef struct coho_conn_list {
  const coho_conn_info *conns; /* by coho_conn_list_at() */
  size_t count;
  size_t matched;  /* that fit the filter; more than count: there was no room for all */
  size_t total;    /* that are open */
  int err;         /* 0, or some are missing: COHO_ENOMEM; COHO_ESTALE, a loop ended meanwhile */
  uint32_t failed; /* of how many loops */
} coho_conn_list;

/* NULL past the end. */
COHO_API const coho_conn_info *coho_conn_list_at(const coho_conn_list *l, size_t index);

/*
 * Asks for the WebSocket connections of a server. done() is called once, later, with a list that is
 * valid until it returns; not at all when its loop is freed before. filter may be NULL. 0,
 * COHO_EINVAL, COHO_EOPTION, COHO_ENOMEM. Any thread.
 */
typedef void (*coho_conns_fn)(void *ctx, const coho_conn_list *list);
COHO_API int coho_server_connections_sized(coho_server *s, const coho_conn_filter *filter,
                                           size_t size, coho_conns_fn done, void *ctx);
static inline int coho_server_connections(coho_server *s, const coho_conn_filter *filter,
                                          coho_conns_fn done, void *ctx) {
  return coho_server_connections_sized(s, filter, sizeof *filter, done, ctx);
}

/* ---- how connections ended ----------------------------------------------------------------- */

/* WebSocket connections that ended with this code, as in coho_ending: 1000 to 1015 and 4400 to 4431 each,
   of the rest all of 3000 to 3999, all of 4000 to 4999, and all others together. Any thread. */
COHO_API uint64_t coho_server_ended_with_code(coho_server *s, uint32_t code);
/* With this err of coho_ending, 0: as they should. Any thread. */
COHO_API uint64_t coho_server_ended_with_error(coho_server *s, int err);

/* ---- the frames of one connection ---------------------------------------------------------- */

enum coho_tapped_flag {
  COHO_TAPPED_OUT = 1,    /* to the peer */
  COHO_TAPPED_FIN = 2,    /* RFC 6455 5.2 */
  COHO_TAPPED_RSV1 = 4,   /* begins a compressed message (RFC 7692 6) */
  COHO_TAPPED_MESSAGE = 8 /* no frame: what a compressed message is, before its frames when it goes
                             out, behind them when it came */
};

typedef struct coho_tapped {
  uint64_t time_us; /* since 1970 */
  uint64_t len;     /* of the payload */
  uint64_t lost;    /* that came or went just before and had no room */
  const char *data; /* its first bytes, unmasked */
  uint32_t data_len;
  uint16_t opcode; /* RFC 6455 5.2 */
  uint16_t flags;  /* enum coho_tapped_flag */
} coho_tapped;

/* Follows the frames of a connection. */
typedef struct coho_tap coho_tap;

typedef struct coho_tap_options {
  coho_loop *loop; /* where the handlers are called; required */
  /* Frames since the last call, in order; valid until it returns. */
  void (*on_frames)(void *ctx, const coho_tapped *frames, size_t count);
  /* The connection ended; `lost` more frames had no room. Last, and the tap is gone when it returns.
     Not after coho_tap_stop(). May be NULL. */
  void (*on_end)(void *ctx, uint64_t lost);
  void *ctx;
  uint32_t max_payload; /* bytes kept of each; default 256, at most 64 KiB */
  uint32_t max_waiting; /* frames that wait for on_frames; default 1,024, at most 65,536, and
                           16 MiB of payload */
} coho_tap_options;

/* 0 and *out, valid until on_end was called, it is stopped or its loop is freed; COHO_ESTALE, COHO_EFULL (a
   mailbox), COHO_EINVAL, COHO_EOPTION, COHO_ENOMEM. Any thread. */
COHO_API int coho_tap_start_sized(coho_id id, const coho_tap_options *opt, size_t size,
                                  coho_tap **out);
static inline int coho_tap_start(coho_id id, const coho_tap_options *opt, coho_tap **out) {
  return coho_tap_start_sized(id, opt, sizeof *opt, out);
}
/* No handler is called from now on. On the thread of its loop. NULL is fine. */
COHO_API void coho_tap_stop(coho_tap *t);

#ifdef __cplusplus
}
#endif

#endif
