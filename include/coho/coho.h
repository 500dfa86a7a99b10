/*
 * coho: WebSocket servers and clients (RFC 6455) on an event loop.
 *
 *   static void echo(coho_conn *c, coho_msg m) { coho_send(c, m); }
 *   coho_serve("ws://:9001", &(coho_options){.on_message = echo});
 *
 * Threads: a loop belongs to the thread that runs it, and a connection to its loop. Functions
 * marked "any thread" may be called from everywhere; all others only from handlers, or while the
 * loop does not run. Handlers run on the loop's thread, never inside a call of the program's own,
 * and may call everything, also coho_close() and coho_server_stop(). Host names are looked up on
 * threads of the library's own, at most 8 in the process: they start when a name is asked for, end
 * when none is, block all signals, and may outlive the loop that asked.
 *
 * Memory: what a handler is given lives until it returns; what is passed to a function is copied
 * or written before it returns.
 */
#ifndef COHO_COHO_H
#define COHO_COHO_H

#include <coho/core.h>
#include <coho/log.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct coho_loop coho_loop;
typedef struct coho_timer coho_timer;
typedef struct coho_server coho_server;
typedef struct coho_tls coho_tls; /* certificates and trust: tls.h */

/* A WebSocket connection: valid from on_open (a client's from coho_connect) until on_close returns. */
typedef struct coho_conn coho_conn;

/* Names a connection for ever: a stale one gives COHO_ESTALE, never another connection. 0: none. */
typedef uint64_t coho_id;

/* ---- options and handlers ------------------------------------------------------------------ */

/* How a connection ended. */
typedef struct coho_ending {
  int err;             /* 0: closing handshake complete (RFC 6455 7.1.4); else what happened */
  uint32_t code;       /* of the peer's Close; 1005 it had none, 1006 none came (RFC 6455 7.1.5) */
  uint32_t status;     /* client: the HTTP status of a refused handshake, 0 when there was none */
  uint32_t reason_len; /* bytes, without terminator */
  const char *reason;  /* of the peer's Close, terminated, UTF-8, "" for none. Not for end users. */
  const char
      *detail; /* of a failed connect or handshake: a sentence with host, port or status; "" */
  uint64_t retry_after_ms; /* client: Retry-After of a refused handshake, 0 when there was none */
} coho_ending;

/* A token bucket: so many in a second, of which a burst may come at once. */
typedef struct coho_rate {
  uint32_t per_second; /* 0: no limit */
  uint32_t burst;      /* default per_second */
} coho_rate;

/*
 * What a WebSocket connection does and may. Zero is the default of every field; times are in ms, 0
 * their default, UINT32_MAX never; sizes are in bytes. Copied by the function it is passed to, with
 * its strings and lists; NULL is all defaults.
 * Set fields by name: the structure grows.
 */
typedef struct coho_options {
  /* Server, before the answer to a handshake that is correct: choose a subprotocol, add fields, set
     the connection's pointer, or refuse with coho_reply(). May be NULL. */
  void (*on_upgrade)(coho_request *r);
  void (*on_open)(coho_conn *c);
  /* A whole message; with COHO_STREAM its parts as they come, all but the last with COHO_MORE. */
  void (*on_message)(coho_conn *c, coho_msg m);
  /* The queue fell to low_mark after a send had returned COHO_QUEUED or COHO_EFULL: once for each
     time it had been above. */
  void (*on_drain)(coho_conn *c);
  void (*on_ping)(coho_conn *c, coho_msg m); /* its pong is on the way already */
  void (*on_pong)(coho_conn *c, coho_msg m);
  void (*on_error)(coho_conn *c, int err); /* before on_close, when its err is not 0 */
  /* Exactly once for each connection that on_open saw or coho_connect() made, and last. */
  void (*on_close)(coho_conn *c, const coho_ending *how);

  void *user; /* what coho_conn_user() returns at first */

  const char *const *protocols; /* subprotocols, best first, ended by NULL (RFC 6455 1.9) */
  const char *const *origins;   /* server: allowed Origins such as "https://a.example", or "*" for
                                   all, ended by NULL; default: only the request's own host */
  const char *const *headers;   /* client: further fields "Name: value", ended by NULL */
  const char *origin;           /* client: the Origin to send */
  /* client: whom to trust for wss://, and who we are; NULL: the system's trust. coho_serve: the
     certificate of wss://. Kept alive by the connections. */
  coho_tls *tls;

  uint64_t max_message; /* payload of a message; default 1 MiB; more closes with 1009 */
  uint64_t max_frame;   /* payload of a frame; default max_message */
  uint64_t max_queue;   /* bytes waiting to be sent; default 4 * max_message, at least
                           1 MiB; more: COHO_EFULL */
  uint64_t low_mark;    /* on_drain comes at or below; default a quarter of max_queue */

  uint32_t flags;              /* enum coho_flag of core.h */
  uint32_t threads;            /* coho_serve: loops, each on its own thread; default 1 */
  uint32_t connect_timeout_ms; /* client: name, connection and handshake; default 15,000 */
  uint32_t message_timeout_ms; /* first to last byte of a message; default 120,000 */
  uint32_t ping_interval_ms;   /* silence before a ping is sent; default 20,000 */
  uint32_t pong_timeout_ms;    /* silence after it before the peer counts as gone; 10,000 */
  uint32_t close_timeout_ms;   /* for the peer's answer to a Close; default 5,000 */
  uint32_t write_timeout_ms;   /* without progress of a queue that is not empty; default 30,000 */
  uint32_t max_fragments;      /* of one message; more closes with 1008. Default: as many as cost at
                                  most 4 * max_message and 64 KiB, at 64 bytes and its payload each */
  uint32_t idle_timeout_ms;    /* without a message in either direction, whatever pings say: closed
                                  with 1000; stands still while paused; default: never */

  coho_deflate deflate; /* compression: core.h */

  /* What a peer may send. Above a rate the connection is not read until there is room again, or
     closed with 1008 (COHO_RATE_CLOSE; what came while it was paused is only slowed down). Off by
     default. */
  coho_rate rate_messages;
  coho_rate rate_frames; /* control frames and fragments included */
  coho_rate rate_bytes;  /* as on the wire, headers included, before decompression */
} coho_options;

/* ---- programs in one call ------------------------------------------------------------------ */

COHO_API int coho_serve_sized(const char *url, const coho_options *opt, size_t size);
/* Serves WebSocket connections on url, such as "ws://:9001" (all addresses, IPv6 and IPv4) or
   "ws://127.0.0.1:9001/chat" (only this path). Blocks until coho_stop(), SIGINT or SIGTERM, then
   closes all connections with 1001. 0, or why it could not start. */
static inline int coho_serve(const char *url, const coho_options *opt) {
  return coho_serve_sized(url, opt, sizeof *opt);
}

COHO_API int coho_dial_sized(const char *url, const coho_options *opt, size_t size);
/* Connects to url and runs until the connection is closed. 0, or why it failed (on_close has told
   already). SIGINT and SIGTERM close with 1001. */
static inline int coho_dial(const char *url, const coho_options *opt) {
  return coho_dial_sized(url, opt, sizeof *opt);
}

/* Ends every coho_serve() and coho_dial() of the process gracefully. Any thread, signal-safe. */
COHO_API void coho_stop(void);

/* ---- connections --------------------------------------------------------------------------- */

enum coho_sent {
  COHO_SENT = 0,  /* taken; nothing waits for the peer */
  COHO_QUEUED = 1 /* taken; bytes wait for the peer to read, on_drain will come */
};

/* COHO_SENT, COHO_QUEUED, or nothing was taken: COHO_EFULL (wait for on_drain), COHO_ECLOSED,
   COHO_ETOOBIG (would not even fit an empty queue), COHO_EBUSY (another type inside a message sent
   in parts), COHO_EINVAL (unknown type or flag), COHO_ENOMEM. Text has to be UTF-8. */
COHO_API int coho_send(coho_conn *c, coho_msg m);
/* The same from any thread, whole messages only. COHO_QUEUED, or COHO_ESTALE, COHO_EFULL (the loop's
   mailbox is full), COHO_ETOOBIG, COHO_EINVAL, COHO_ENOMEM. Order is kept among calls of one thread.
   If the connection's queue turns out to be full, it is closed with 1013. A client's waits until
   it is open, after what on_open sends. What reaches a connection that closes is dropped. */
COHO_API int coho_send_id(coho_id id, coho_msg m);
/* A ping with at most 125 bytes (RFC 6455 5.5.2). 0, COHO_ECLOSED, COHO_EFULL, COHO_EINVAL,
   COHO_ENOMEM. */
COHO_API int coho_ping(coho_conn *c, const void *data, size_t len);
/* Starts the closing handshake; what was sent before still goes out. code as in coho_ws_close(), 0
   for none; reason at most 123 bytes of UTF-8, or NULL. 0, COHO_ECLOSED, COHO_EINVAL; COHO_ENOMEM:
   it ends without. */
COHO_API int coho_close(coho_conn *c, int code, const char *reason);
/* The same from any thread. 0, COHO_ESTALE, COHO_EFULL, COHO_ENOMEM, COHO_EINVAL. 1010, which only
   a client may send, does nothing on a server. */
COHO_API int coho_close_id(coho_id id, int code, const char *reason);
/* Drops the connection without a closing handshake; on_close follows at the end of this turn, with
   COHO_ESTOPPED and 1006. */
COHO_API void coho_abort(coho_conn *c);

/* Stops and continues delivery of messages; the peer then feels TCP's back-pressure. A switch, not a
   count. The peer's deadlines stand still meanwhile; closing ends a pause. */
COHO_API void coho_pause(coho_conn *c);
COHO_API void coho_resume(coho_conn *c);

COHO_API coho_id coho_conn_id(const coho_conn *c);
COHO_API void *coho_conn_user(const coho_conn *c);
COHO_API void coho_conn_set_user(coho_conn *c, void *user);
COHO_API coho_loop *coho_conn_loop(const coho_conn *c);
COHO_API size_t coho_conn_queued(const coho_conn *c); /* bytes waiting to be sent */
/* The subprotocol both agreed on, "" for none. Valid as long as the connection. */
COHO_API const char *coho_conn_protocol(const coho_conn *c);
/* The extension both agreed on, such as "permessage-deflate; server_no_context_takeover", into buf
   (at least COHO_EXTENSIONS_MAX bytes), "" for none; returns buf. */
COHO_API const char *coho_conn_extensions(const coho_conn *c, char *buf, size_t cap);
/* "127.0.0.1:4711" or "[::1]:4711" into buf (at least COHO_ADDR_MAX bytes), without port when a proxy
   did not tell it; "unix" of a unix socket; returns buf. */
COHO_API const char *coho_conn_peer(const coho_conn *c, char *buf, size_t cap);
/* The handshake's request; only inside a server's on_open, NULL elsewhere. */
COHO_API coho_request *coho_conn_request(const coho_conn *c);

#define COHO_ADDR_MAX       128
#define COHO_EXTENSIONS_MAX 160

/* ---- clients ------------------------------------------------------------------------------- */

COHO_API int coho_connect_sized(coho_loop *loop, const char *url, const coho_options *opt,
                                size_t size, coho_conn **out);
/* Begins a connection to url, such as "wss://example.com/chat", or "ws+unix:/run/my.sock:/chat" by a unix
   socket. 0 and *out (which may be NULL), then on_open and on_close, or only
   on_close; or an error at once (COHO_EURL, COHO_EOPTION, COHO_EINVAL, COHO_ENOMEM), then no handler
   runs. */
static inline int coho_connect(coho_loop *loop, const char *url, const coho_options *opt,
                               coho_conn **out) {
  return coho_connect_sized(loop, url, opt, sizeof *opt, out);
}

/* ---- servers ------------------------------------------------------------------------------- */

/* Zero is the default of every field, as in coho_options. */
typedef struct coho_server_options {
  coho_loop *loop; /* serve on this loop, run by the program; NULL: own loops */
  /* For each answered request and each finished connection: a line without line end, or what it is
     made of (log.h), valid until the function returns. Called on the loops' threads. NULL: none. */
  void (*access_log)(void *ctx, const char *line);
  void (*access)(void *ctx, const coho_access *a);
  void *access_log_ctx; /* of both */
  /* Further fields "Name: value" of every file and asset that is served, such as a
     Content-Security-Policy, ended by NULL; at most 8 KiB. */
  const char *const *headers;
  coho_tls *tls; /* of its wss:// listeners; kept alive by the server */
  /*
   * What stands in front: networks such as "10.0.0.0/8" or "2001:db8::/32", addresses, and "unix" for
   * whoever comes by a unix socket; ended by NULL.
   *
   * Behind proxy_protocol every connection has to begin with a PROXY header of version 1 or 2, and one
   * from elsewhere is closed; so it is at all TCP listeners once there is a list, and at unix
   * sockets when "unix" is in it. Of trusted_proxies, X-Forwarded-For is believed: the right-most
   * address in it that is none of them. The client that is found either way is the peer for limits,
   * logs, coho_conn_peer() and coho_request_peer(); a trusted proxy itself is not limited by address.
   * No other field of a proxy is read.
   */
  const char *const *proxy_protocol;
  const char *const *trusted_proxies;
  uint64_t flags;                /* enum coho_flag of core.h: COHO_KEEP_TARGETS */
  uint64_t max_body;             /* of a request to an HTTP handler; default 64 KiB */
  uint64_t max_reply_queue;      /* bytes of a reply in parts that wait to be sent; default 1 MiB */
  uint32_t threads;              /* own loops, each on its own thread; default 1, at most 256 */
  uint32_t max_connections;      /* over all threads; default as many as file descriptors allow */
  uint32_t max_head;             /* bytes of a request head, all of which its target or one field
                                    may be; default 16 KiB, at most 64 KiB - 1 */
  uint32_t max_fields;           /* header fields of a request; default 64, at most 256 */
  uint32_t head_timeout_ms;      /* from accept, or the first byte, to the whole head; 10,000 */
  uint32_t body_timeout_ms;      /* for a request body; default 30,000 */
  uint32_t keepalive_timeout_ms; /* silence between two requests; default 15,000 */
  uint32_t write_timeout_ms;     /* a reply that makes no progress; default 10,000 */
  uint32_t drain_timeout_ms;     /* graceful stop: then connections are cut; default 5,000 */
  /* Graceful stop: connections are closed, and deferred requests told, one after the other over this
     time; drain_timeout_ms begins with its end. Default 0. */
  uint32_t drain_spread_ms;
  uint32_t drain_code;       /* with this code, such as 1012: a restart; default 1001 */
  uint32_t backlog;          /* of listen(2); default 4,096 */
  uint32_t tls_timeout_ms;   /* from accept to the end of the TLS handshake; default 5,000 */
  uint32_t proxy_timeout_ms; /* from accept to the end of the PROXY header; default 3,000 */
  uint32_t unix_mode;        /* of the files of unix sockets; default 0660 */
  /* Per peer address, an IPv6 address by its first 64 bits; off by default. */
  uint32_t max_per_address; /* connections; more are answered 503 */
  coho_rate address_rate;   /* WebSocket handshakes, more are answered 429; and, counted apart, TLS
                               handshakes, more are not begun */
} coho_server_options;

COHO_API coho_server *coho_server_new_sized(const coho_server_options *opt, size_t size);
/* NULL when out of memory or an option is wrong. opt may be NULL. Freed by coho_server_free(). */
static inline coho_server *coho_server_new(const coho_server_options *opt) {
  return coho_server_new_sized(opt, sizeof *opt);
}

COHO_API int coho_server_update_sized(coho_server *s, const coho_server_options *opt, size_t size);
/* Other limits and times: all fields max_..., drain_... and ..._timeout_ms, and address_rate; the other
   fields do not count. Connections and requests take them as they come, and nobody is cut for a lower
   limit; who connected while addresses were not limited is not counted. Any thread. 0, COHO_EOPTION,
   COHO_ENOMEM: nothing has changed. */
static inline int coho_server_update(coho_server *s, const coho_server_options *opt) {
  return coho_server_update_sized(s, opt, sizeof *opt);
}

/*
 * Routes, before the server runs. A pattern is a path whose segments are literal, ":name" (one
 * segment), or a last "*" (the rest, also empty). The most specific route wins: literal before
 * :name before *, segment by segment. COHO_EEXISTS when a route is there, COHO_EINVAL for a bad
 * pattern. An HTTP and a WebSocket route may share a pattern: the Upgrade field decides.
 */
COHO_API int coho_route_ws_sized(coho_server *s, const char *pattern, const coho_options *opt,
                                 size_t size);
static inline int coho_route_ws(coho_server *s, const char *pattern, const coho_options *opt) {
  return coho_route_ws_sized(s, pattern, opt, sizeof *opt);
}

COHO_API int coho_route_ws_update_sized(coho_server *s, const char *pattern,
                                        const coho_options *opt, size_t size);
/* Other options, all of them, for the handshakes that come from now on at a route that is there, as it was
   written; connections that are open go on with theirs. Any thread. 0, COHO_ENOTFOUND, COHO_EINVAL,
   COHO_EOPTION, COHO_ENOMEM: nothing has changed. */
static inline int coho_route_ws_update(coho_server *s, const char *pattern,
                                       const coho_options *opt) {
  return coho_route_ws_update_sized(s, pattern, opt, sizeof *opt);
}

/* fn answers before it returns, by coho_reply() or in parts, or defers its answer. method: "GET" serves
   HEAD too; "*" is any. OPTIONS that no route serves is answered with 204 and Allow. */
typedef void (*coho_http_fn)(coho_request *r, void *user);
COHO_API int coho_route_http(coho_server *s, const char *method, const char *pattern,
                             coho_http_fn fn, void *user);
/* Files below dir for paths below prefix: GET and HEAD, ranges, conditions; index.html for a
   folder. No dot files, nothing outside dir, no listing. dir is opened now: COHO_ENOENT. */
COHO_API int coho_route_static(coho_server *s, const char *prefix, const char *dir);

/* A file inside the program. What it points to lives as long as the server; set fields by name. */
typedef struct coho_asset {
  const char *path; /* "/index.html" */
  const char *type; /* media type, at most 255 bytes */
  const char *etag; /* with its quotes, at most 79 bytes, not weak */
  const unsigned char *data;
  size_t len;
  const unsigned char *gzip; /* the same compressed, for clients that take it; NULL: none */
  size_t gzip_len;
} coho_asset;

COHO_API int coho_route_assets_sized(coho_server *s, const char *prefix, const coho_asset *assets,
                                     size_t count, size_t size);
/* The same from memory: count assets, sorted by path (strcmp). COHO_EINVAL also when they are not,
   or when a field of one cannot be sent. */
static inline int coho_route_assets(coho_server *s, const char *prefix, const coho_asset *assets,
                                    size_t count) {
  return coho_route_assets_sized(s, prefix, assets, count, sizeof *assets);
}

COHO_API int coho_reply_asset_sized(coho_request *r, const coho_asset *asset, size_t size);
/* In the handler of an HTTP route for GET: answers with a file of the program as coho_route_assets()
   does, with conditions, ranges and compression. Its path does not count. 0; COHO_EINVAL (a field that
   cannot be sent), COHO_EOPTION: there is no answer yet; COHO_EBUSY: there is one. */
static inline int coho_reply_asset(coho_request *r, const coho_asset *asset) {
  return coho_reply_asset_sized(r, asset, sizeof *asset);
}

/* Opens a listener: "ws://127.0.0.1:8080", "ws://[::1]:0", "ws://:80", or wss:// when the server has a
   certificate. Port 0 takes a free one. "ws+unix:/run/my.sock" is a unix socket: its file is removed at
   the end; one that is left of a server that is gone is replaced. Before or after
   coho_server_start(). */
COHO_API int coho_server_listen(coho_server *s, const char *url);
/* The same with a socket that listens already, such as one of systemd: TCP or a unix stream. scheme is
   "ws" or "wss". The server closes it; on failure, but for COHO_ESTOPPED, it stays the caller's.
   COHO_EINVAL: it is no such socket. */
COHO_API int coho_server_listen_fd(coho_server *s, int fd, const char *scheme);
/* The URL of a listener with its real port, such as "ws://127.0.0.1:40123/"; NULL past the end.
   Valid as long as the server. Not while another thread opens one. */
COHO_API const char *coho_server_url(const coho_server *s, size_t index);

/* Starts to accept: on the given loop, or on own threads. 0, COHO_EBUSY (started before),
   COHO_ESTOPPED (stopped before), COHO_ENOMEM, COHO_ESYSTEM. */
COHO_API int coho_server_start(coho_server *s);
/* coho_server_start(), then blocks until the server has stopped: own loops only, else COHO_EINVAL.
   Signals are the program's: coho_loop_signal() on one of its loops, then coho_server_stop(). */
COHO_API int coho_server_run(coho_server *s);
/* Graceful stop: listeners close, connections get drain_code, after drain_timeout_ms they are cut. Any
   thread. A server on a given loop is stopped when coho_server_stopped() says so: let the loop turn
   until then; coho_loop_run() returns by itself when nothing else keeps it. */
COHO_API void coho_server_stop(coho_server *s);
COHO_API int coho_server_stopped(const coho_server *s); /* any thread */
/* Frees a server that has stopped or never ran; on a given loop cuts what is left. NULL is fine. */
COHO_API void coho_server_free(coho_server *s);
/* Turns the access log of a server that has one off and on again. Connections that opened while it was
   off have no line. Any thread. */
COHO_API void coho_server_log_access(coho_server *s, int on);
/* One of its loops, NULL past the end. */
COHO_API coho_loop *coho_server_loop(const coho_server *s, size_t index);

/* Sums since the start. Any thread. */
typedef struct coho_stats {
  uint64_t connections;       /* WebSocket connections open now */
  uint64_t connections_total; /* accepted so far */
  uint64_t sockets;           /* connections open now, HTTP included */
  uint64_t requests_total;    /* HTTP requests answered, handshakes included */
  uint64_t messages_in;
  uint64_t messages_out;
  uint64_t bytes_in; /* payload */
  uint64_t bytes_out;
} coho_stats;
COHO_API void coho_server_stats_sized(coho_server *s, coho_stats *out, size_t size);
static inline void coho_server_stats(coho_server *s, coho_stats *out) {
  coho_server_stats_sized(s, out, sizeof *out);
}
/* The longest that one of its loops was busy in one turn since the last call, ns. Any thread. */
COHO_API uint64_t coho_server_lag(coho_server *s);

/* What a handler of a request may do besides reading it (core.h). */
COHO_API void *coho_request_user(const coho_request *r); /* options.user of a WebSocket route */
COHO_API void coho_request_set_user(coho_request *r, void *user); /* of the connection to come */
/* on_upgrade: answer this subprotocol, which has to be offered (RFC 6455 4.2.2), or NULL for none.
   0, COHO_ENOPROTOCOL. */
COHO_API int coho_request_choose(coho_request *r, const char *protocol);
COHO_API coho_bytes coho_request_body(const coho_request *r);
COHO_API const char *coho_request_peer(const coho_request *r, char *buf, size_t cap);
/* A field of the answer, the 101 included. COHO_EINVAL for what is no token or has a control
   character, or for a field that coho sets itself. */
COHO_API int coho_reply_header(coho_request *r, const char *name, const char *value);
/* The answer: status 200 to 599, media type (NULL without body; at most 255 bytes), body. In
   on_upgrade it refuses the handshake. 0; COHO_EINVAL, COHO_ENOMEM: nothing was sent, another reply
   may follow; COHO_EBUSY: there is one; or why the connection ended. */
COHO_API int coho_reply(coho_request *r, int status, const char *type, const void *body,
                        size_t len);

/*
 * A reply whose end is not known yet: chunked in HTTP/1.1 (RFC 9112 7.1), ended by the end of the
 * connection in 1.0. To HEAD the head is all of it, and its parts go nowhere. Not in on_upgrade. A
 * handler that begins a reply ends it before it returns, unless it defers.
 */

/* Its head: status 200 to 599 but one without body, media type or NULL. As coho_reply(). */
COHO_API int coho_reply_begin(coho_request *r, int status, const char *type);
/* More of the body; written at the end of this turn, so small parts are not small writes. COHO_SENT,
   COHO_QUEUED, or nothing was taken: COHO_EFULL (the server's max_reply_queue; on_drain will come),
   COHO_ETOOBIG (would not even fit an empty queue), COHO_ECLOSED, COHO_EBUSY (not begun, or ended),
   COHO_EINVAL, COHO_ENOMEM. */
COHO_API int coho_reply_part(coho_request *r, const void *data, size_t len);
/* 0, COHO_ECLOSED, COHO_EBUSY, COHO_EINVAL, COHO_ENOMEM (it has not ended). */
COHO_API int coho_reply_end(coho_request *r);
COHO_API size_t coho_reply_queued(const coho_request *r); /* bytes waiting to be sent */

/*
 * A handler that answers later. Its request, with all strings and the body, stays valid after it
 * returned, until coho_reply() or coho_reply_end() has returned 0: then nothing more is called, and the
 * request is gone with the handler that was running. Otherwise on_gone comes, once and last, when
 * there is nobody to answer any more: the peer left (it shut down one direction, too, or its HEAD has
 * its head), did not read for write_timeout_ms, or the server stopped. All on the request's loop, none
 * inside a call of the program's own. How long a request waits is up to the program.
 */
typedef struct coho_late {
  /* Room again after coho_reply_part() had said COHO_QUEUED or COHO_EFULL: what waits fell to a
     quarter of max_reply_queue or less. May be NULL. */
  void (*on_drain)(coho_request *r, void *ctx);
  /* The server stops: end the reply soon, else it is cut after drain_timeout_ms. May be NULL. */
  void (*on_stop)(coho_request *r, void *ctx);
  void (*on_gone)(coho_request *r, void *ctx);
  void *ctx;
} coho_late;

COHO_API int coho_request_defer_sized(coho_request *r, const coho_late *late, size_t size);
/* Inside the handler of an HTTP route, before or after the reply began. late is copied. 0; COHO_EBUSY
   (deferred before, or answered), COHO_ECLOSED, COHO_EINVAL (no on_gone, or on_upgrade), COHO_EOPTION,
   COHO_ENOMEM. */
static inline int coho_request_defer(coho_request *r, const coho_late *late) {
  return coho_request_defer_sized(r, late, sizeof *late);
}
/* Gives back the header fields and the body of a deferred request, for one that waits for long: what
   is left of it is method, path, query and parameters. Strings that were got from it before are not
   valid any more. */
COHO_API void coho_request_forget(coho_request *r);
COHO_API coho_loop *coho_request_loop(const coho_request *r); /* NULL: of no server */

/* ---- loops --------------------------------------------------------------------------------- */

COHO_API coho_loop *coho_loop_new(void); /* NULL: out of memory or file descriptors */
/* Ends connections without closing handshake (on_close comes). Not inside a handler. NULL is fine. */
COHO_API void coho_loop_free(coho_loop *loop);
/* Runs until coho_loop_stop(), or until nothing is left that could happen. 0 or an error. */
COHO_API int coho_loop_run(coho_loop *loop);
/* One turn; waits at most this long, -1 for ever, 0 not at all. 1 when something is left. */
COHO_API int coho_loop_turn(coho_loop *loop, int timeout_ms);
COHO_API void coho_loop_stop(coho_loop *loop); /* any thread */
/* Runs fn(arg) once, on the loop's thread; what has not run when the loop is freed runs inside
   coho_loop_free(), and only what is posted from there on gives COHO_ESTALE. 0, COHO_EFULL,
   COHO_ENOMEM. Any thread, but the loop has to outlive the call. */
COHO_API int coho_loop_post(coho_loop *loop, void (*fn)(void *arg), void *arg);
/* For a loop inside another: becomes readable when coho_loop_turn(loop, 0) has something to do. */
COHO_API int coho_loop_fd(const coho_loop *loop);
/* How long coho_loop_turn() may be left uncalled, in ms; -1 for ever. */
COHO_API int coho_loop_timeout(const coho_loop *loop);
COHO_API uint64_t coho_loop_now_ms(const coho_loop *loop); /* monotonic, as of this turn */

/* fn(arg) runs after_ms from now (rounded up, 4 ms steps), then every repeat_ms if that is not 0. A
   timer is freed before its loop. */
COHO_API coho_timer *coho_timer_new(coho_loop *loop, void (*fn)(void *arg), void *arg);
COHO_API void coho_timer_start(coho_timer *t, uint32_t after_ms, uint32_t repeat_ms);
COHO_API void coho_timer_stop(coho_timer *t);
COHO_API void coho_timer_free(coho_timer *t); /* NULL is fine; also inside its own fn */

/* fn(arg, signo) runs on the loop's thread for each signal; at most one loop per signal: 0,
   COHO_EEXISTS, COHO_EINVAL, COHO_ENOMEM. fn NULL gives the signal back: 0, COHO_ENOTFOUND. Waiting
   for signals alone does not keep coho_loop_run() running. */
COHO_API int coho_loop_signal(coho_loop *loop, int signo, void (*fn)(void *arg, int signo),
                              void *arg);

#ifdef __cplusplus
}
#endif

#endif
