/*
 * coho: the protocol engine. It does no I/O and reads no clock: bytes are lent to it, events are
 * pulled out of it, and what it has to say waits in a buffer until it was written.
 *
 *   coho_ws *ws = coho_ws_new(COHO_SERVER, NULL);
 *   read bytes            coho_ws_input(ws, bytes, n)
 *   for each event        coho_ws_next(ws)
 *   write what is there   coho_ws_output(ws), then coho_ws_sent(ws, n)
 *   tell the time         coho_ws_tick(ws, now_ms)
 *
 * An engine belongs to one thread at a time. Engines share nothing but the allocator.
 */
#ifndef COHO_CORE_H
#define COHO_CORE_H

#include <coho/error.h>
#include <coho/version.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- messages ------------------------------------------------------------------------------ */

enum coho_type {
  COHO_TEXT = 1,  /* payload is UTF-8 (RFC 6455 5.6) */
  COHO_BINARY = 2 /* payload is any bytes */
};

enum coho_msg_flag {
  COHO_MORE = 1, /* further parts of this message follow; the part without it is the last */
  /* As an argument of a send: not compressed, whatever was agreed on. For what mixes a secret with
     text of strangers, whose length would tell (RFC 7692 8), and for what is compressed already. */
  COHO_PLAIN = 2
};

/*
 * A message, or with COHO_MORE a part of one. As an argument of a send: borrowed until the call
 * returns. As a result: valid until the handler returns, or until the next coho_ws_next().
 */
typedef struct coho_msg {
  const char *data; /* not terminated; may be NULL when len is 0 */
  size_t len;       /* bytes */
  uint32_t type;    /* enum coho_type; 0 sends as COHO_BINARY */
  uint32_t flags;   /* enum coho_msg_flag */
} coho_msg;

/* A text message of a terminated string, which has to be UTF-8 and is not checked here. */
static inline coho_msg coho_text(const char *s) {
  coho_msg m;
  m.data = s;
  m.len = strlen(s);
  m.type = COHO_TEXT;
  m.flags = 0;
  return m;
}

static inline coho_msg coho_text_n(const char *data, size_t len) {
  coho_msg m;
  m.data = data;
  m.len = len;
  m.type = COHO_TEXT;
  m.flags = 0;
  return m;
}

static inline coho_msg coho_binary(const void *data, size_t len) {
  coho_msg m;
  memcpy(&m.data, &data, sizeof m.data); /* a cast that C and C++ both like */
  m.len = len;
  m.type = COHO_BINARY;
  m.flags = 0;
  return m;
}

/* ---- the request of a handshake ------------------------------------------------------------ */

/*
 * The HTTP request, seen from the server. Valid while a handler that was given it runs; all
 * strings are terminated and live as long. Names of header fields compare without case.
 */
typedef struct coho_request coho_request;

COHO_API const char *coho_request_method(const coho_request *r);
/* The path, percent-decoded once, always begins with '/'; never NULL. The routes of coho.h answer a
   path that has an encoded slash (%2F) with 404. */
COHO_API const char *coho_request_path(const coho_request *r);
/* The query as sent, without '?'; "" when there is none. */
COHO_API const char *coho_request_query_string(const coho_request *r);
/* One parameter of the query, decoded ('+' is a space); NULL when absent or not decodable, and, as of
   the next two, when out of memory. */
COHO_API const char *coho_request_query(coho_request *r, const char *name);
/* A cookie's value as sent (RFC 6265 4.2); NULL when absent. */
COHO_API const char *coho_request_cookie(coho_request *r, const char *name);
/* The subprotocol the client offers at this place of its list; NULL past the end (RFC 6455 11.3.4). */
COHO_API const char *coho_request_offer(coho_request *r, size_t index);
/* A header field; NULL when absent. Of a repeated field the first line. */
COHO_API const char *coho_request_header(const coho_request *r, const char *name);
/* What stood in the path where the route's pattern has ":name"; NULL when it has none. */
COHO_API const char *coho_request_param(const coho_request *r, const char *name);
/* The subprotocol chosen so far, "" for none. */
COHO_API const char *coho_request_protocol(const coho_request *r);

/* ---- the engine ---------------------------------------------------------------------------- */

typedef enum coho_role { COHO_SERVER = 1, COHO_CLIENT = 2 } coho_role;

/* Flags of all option structures, this engine's and those of coho.h: one space of bits. */
enum coho_flag {
  /* Deliver messages in parts as they arrive; max_message still counts. */
  COHO_STREAM = 1,
  /* Server: refuse clients none of whose subprotocols is ours (400); client: fail when the server
     chooses none. */
  COHO_PROTOCOL_REQUIRED = 2,
  /* coho_serve, coho_dial: leave SIGINT and SIGTERM alone. */
  COHO_NO_SIGNALS = 4,
  /* coho.h: keep reading from a peer that does not read what it is sent. */
  COHO_NO_AUTO_PAUSE = 8,
  /* Server: refuse handshakes without Origin, that is, all but browsers. */
  COHO_ORIGIN_REQUIRED = 16,
  /* coho.h, client: do not wait until other attempts to the same address are through, against RFC
     6455 4.1; for load generators. */
  COHO_CONNECT_TOGETHER = 32,
  /* coho.h: a peer above one of the rates is closed with 1008; without it, it is read more slowly. */
  COHO_RATE_CLOSE = 64,
  /* coho.h, coho_server_options: connections keep the target of their request for inspect.h, at its
     length and some 50 bytes each; with an access log they do anyway. */
  COHO_KEEP_TARGETS = 128
};

/* ---- compression (RFC 7692) ---------------------------------------------------------------- */

enum coho_deflate_mode {
  /* The default: no context is kept between messages, in either direction, so that an idle
     connection costs no memory and a message's length tells nothing about those before it. */
  COHO_DEFLATE_SHARED = 1,
  /* A context of its own for each connection: half the bytes for messages that are alike, at the
     price of 4 * 2^window + 512 * 2^memory bytes and 2^peer_window more. */
  COHO_DEFLATE_OWN = 2,
  COHO_DEFLATE_OFF = 3 /* permessage-deflate is neither offered nor accepted */
};

/*
 * How permessage-deflate is negotiated and used. Zero is the default of every field. Whole messages
 * are compressed; those that are sent in parts (COHO_MORE) are not. Contexts count against
 * coho_set_context_limit(): beyond it new connections get COHO_DEFLATE_SHARED, but for a client with
 * COHO_DEFLATE_OWN whose server insists on a context for what it sends.
 */
typedef struct coho_deflate {
  uint32_t mode;        /* enum coho_deflate_mode; default COHO_DEFLATE_SHARED */
  uint32_t window;      /* bits, 9 to 15, of what is sent; default 15, OWN: 12. A peer may ask for
                           less, 8 included. */
  uint32_t peer_window; /* bits, 8 to 15, asked of what is received; default 15, OWN: 12 on a
                           server, which only a peer that allows it can be held to */
  uint32_t memory;      /* OWN: zlib's memLevel, 1 to 9; default 5 */
  uint32_t level;       /* OWN: zlib's level, 1 to 9; default 6. SHARED has one speed: fast. */
  uint32_t min_size;    /* bytes; smaller messages are sent as they are; default 256, 1: all */
} coho_deflate;

typedef enum coho_event_type {
  COHO_REQUEST = 1, /* server: a handshake came; accepted by the next coho_ws_next() unless
                       coho_ws_reject() is called before; e->request */
  COHO_OPEN = 2,    /* the handshake is complete, both sides may send */
  COHO_MESSAGE = 3, /* e->msg */
  COHO_PING = 4,    /* e->msg; answered already, or, while much output waits, later together with
                       those that follow (RFC 6455 5.5.3) */
  COHO_PONG = 5,    /* e->msg */
  COHO_ERROR = 6,   /* e->err; what the peer is told is in the output; COHO_CLOSE follows */
  COHO_CLOSE = 7    /* last event: e->code and e->msg (the reason) of the peer's Close frame, 1005
                       when it had none, 1006 when none came (RFC 6455 7.1.5) */
} coho_event_type;

typedef struct coho_event {
  uint32_t type; /* coho_event_type */
  int err;       /* COHO_ERROR, COHO_CLOSE: why, 0 when the peer's Close came */
  coho_msg msg;
  coho_request *request;
  uint32_t code;   /* COHO_CLOSE */
  uint32_t status; /* COHO_ERROR in a client's handshake: the HTTP status, 0 when there was none */
} coho_event;

/* What engines of one thread share for COHO_DEFLATE_SHARED, about 0.5 MiB once it is used. Freed after
   them. NULL: out of memory. A message that was compressed is valid until the next call to any of
   them. */
typedef struct coho_deflate_pool coho_deflate_pool;
COHO_API coho_deflate_pool *coho_deflate_pool_new(void);
COHO_API void coho_deflate_pool_free(coho_deflate_pool *pool); /* NULL is fine */

/* Zero is the default of every field. The structure may grow: set it by designated names. */
typedef struct coho_ws_options {
  uint64_t max_message;          /* bytes of payload; default 1 MiB; more closes with 1009 */
  uint64_t max_frame;            /* bytes of payload; default max_message */
  size_t max_output;             /* bytes that may wait in the output, at least 64 KiB; default
                                    4 * max_message */
  uint32_t flags;                /* COHO_STREAM, COHO_PROTOCOL_REQUIRED, COHO_ORIGIN_REQUIRED */
  uint32_t handshake_timeout_ms; /* default 10,000 */
  uint32_t message_timeout_ms;   /* from first to last byte of a message; default 120,000 */
  uint32_t ping_interval_ms;     /* silence before a ping; default 20,000; UINT32_MAX: never */
  uint32_t pong_timeout_ms;      /* silence after the ping; default 10,000 */
  uint32_t close_timeout_ms;     /* for the peer's Close; default 5,000 */
  coho_deflate deflate;
  coho_deflate_pool *deflate_pool; /* NULL: one of its own */
  const char *const *protocols;    /* subprotocols, best first, ended by NULL; copied */
  const char *const *origins;      /* server: as in coho_options of coho.h; copied */
  const char *const *headers;      /* client: further fields "Name: value", ended by NULL; copied */
  const char *url;                 /* client: what to ask for; required; copied. Of the answer at
                                    most 16 KiB, 64 fields and 8 interim answers are read. */
  const char *origin;              /* client: Origin to send, NULL for none; copied */
  /* Fills buf with unpredictable bytes (masks, RFC 6455 5.3). Default: getrandom(2), buffered per
     thread; where the kernel refuses it the process ends, since masks must not be guessed. */
  void (*random)(void *ctx, void *buf, size_t len);
  void *random_ctx;
} coho_ws_options;

typedef struct coho_ws coho_ws;

/* The output not yet sent. Valid until the next call on the engine. */
typedef struct coho_bytes {
  const char *data;
  size_t len;
} coho_bytes;

COHO_API coho_ws *coho_ws_new_sized(coho_role role, const coho_ws_options *opt, size_t size);
/* A new engine before its handshake; a client's request is in the output at once. NULL when out of
   memory or when an option is wrong. Freed by coho_ws_free(). opt is copied and may be NULL for a
   server. */
static inline coho_ws *coho_ws_new(coho_role role, const coho_ws_options *opt) {
  return coho_ws_new_sized(role, opt, sizeof *opt);
}
COHO_API void coho_ws_free(coho_ws *ws); /* NULL is fine */

/* Lends received bytes until coho_ws_next() returned NULL; payloads are unmasked in place. Bytes
   that came before the engine was drained may not be followed by more: COHO_EBUSY. */
COHO_API int coho_ws_input(coho_ws *ws, void *data, size_t len);
/* Tells that no byte will follow (the peer's FIN). Events may result; input that is not drained yet
   is dropped. */
COHO_API void coho_ws_eof(coho_ws *ws);
/* The next event, or NULL. Valid until the next call of coho_ws_next() or coho_ws_free(). */
COHO_API const coho_event *coho_ws_next(coho_ws *ws);

/* What to write to the peer. Call coho_ws_sent() for what the transport took. */
COHO_API coho_bytes coho_ws_output(const coho_ws *ws);
COHO_API void coho_ws_sent(coho_ws *ws, size_t n);
/* 1 when the transport is to be closed once the output was written: the handshake failed or both
   Close frames were exchanged (a client gives the server 2 s to close first, RFC 6455 7.1.1). */
COHO_API int coho_ws_finished(const coho_ws *ws);

/* The subprotocol both agreed on, "" for none or before COHO_OPEN. Lives as long as ws. */
COHO_API const char *coho_ws_protocol(const coho_ws *ws);
/* The extension both agreed on, such as "permessage-deflate; server_no_context_takeover", "" for
   none or before COHO_OPEN. Lives as long as ws. */
COHO_API const char *coho_ws_extensions(const coho_ws *ws);

/* Answers a COHO_REQUEST before the next coho_ws_next(). protocol: one the client offers, or NULL.
   0, COHO_EBUSY (no request waits), COHO_ENOPROTOCOL (not offered), COHO_ENOMEM. */
COHO_API int coho_ws_accept(coho_ws *ws, const char *protocol);
/* Refuses with an HTTP status, 400 to 599. 0, COHO_EBUSY (no request waits), COHO_EINVAL. */
COHO_API int coho_ws_reject(coho_ws *ws, int status);
/* A field of the answer, before either: the 101 or a refusal, such as the WWW-Authenticate that a 401
   needs. 0, COHO_EBUSY (no request waits), COHO_EINVAL (no token, a control character, or a field
   that coho sets itself), COHO_EFULL (16 KiB), COHO_ENOMEM. */
COHO_API int coho_ws_reply_header(coho_ws *ws, const char *name, const char *value);

/* 0, or nothing was sent: COHO_ECLOSED (not open), COHO_EFULL (max_output), COHO_EBUSY (inside a
   message that is sent in parts, the type changes), COHO_EINVAL (unknown type or flag),
   COHO_ENOMEM. That text is UTF-8 is the caller's to get right. */
COHO_API int coho_ws_send(coho_ws *ws, coho_msg m);
/* At most 125 bytes. 0, COHO_ECLOSED, COHO_EFULL, COHO_EINVAL, COHO_ENOMEM. */
COHO_API int coho_ws_ping(coho_ws *ws, const void *data, size_t len);
COHO_API int coho_ws_pong(coho_ws *ws, const void *data, size_t len);
/* Starts the closing handshake. code: 1000 to 1014 as RFC 6455 7.4 allows, 3000 to 4999, or 0 for a
   Close without code. reason: at most 123 bytes of UTF-8, or NULL. 0, COHO_ECLOSED, COHO_EINVAL,
   COHO_ENOMEM. */
COHO_API int coho_ws_close(coho_ws *ws, int code, const char *reason);

/* Tells the time: any clock that never goes back, in ms. Returns when to call again at the latest,
   UINT64_MAX for never. May put a ping into the output or bring events about. Deadlines start with
   the first call that sees their cause, so call it also after each input. */
COHO_API uint64_t coho_ws_tick(coho_ws *ws, uint64_t now_ms);

/* ---- memory -------------------------------------------------------------------------------- */

/*
 * One function for all of coho's memory. new_size 0 frees and returns NULL; ptr NULL allocates;
 * else resizes. Returns NULL when it cannot, and ptr stays as it is. Must be thread-safe.
 */
typedef void *(*coho_alloc_fn)(void *ctx, void *ptr, size_t old_size, size_t new_size);

/* Process-wide; call before anything else of coho, or while nothing of coho is alive. NULL: malloc. */
COHO_API void coho_set_allocator(coho_alloc_fn fn, void *ctx);

/*
 * The most memory that coho takes in this process, in bytes, buffers and structures of all
 * connections together, and an estimate of OpenSSL's own. 0, the default: half of what the machine,
 * or the control group, has, once there is a loop; without a loop no limit. UINT64_MAX: no limit.
 * From 7/8 of it on, new connections are answered 503, and connections that need more than a few
 * KiB are closed with 1013 (COHO_EMEMORY); at the limit nothing is allocated. Any thread.
 */
COHO_API void coho_set_memory_limit(uint64_t bytes);
COHO_API uint64_t coho_memory_used(void); /* bytes; any thread */
/* The most bytes that contexts of compression take in this process; 0, the default: 128 MiB. Those
   of connections that are open already stay. Any thread. */
COHO_API void coho_set_context_limit(uint64_t bytes);
COHO_API uint64_t coho_contexts_used(void); /* bytes; any thread */

#ifdef __cplusplus
}
#endif

#endif
