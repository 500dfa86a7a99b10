/*
 * A client of topics, which speaks coho.json.v1 (docs/topics.md) to the URL of a hub and comes back by
 * itself: what is followed goes on where it was, what is published arrives once.
 *
 *   static void heard(coho_follow *f, coho_pos pos, coho_msg m) { ... }
 *   coho_client *c;
 *   coho_client_new(loop, "wss://example.org/t/", NULL, &c);
 *   coho_client_follow(c, "room/tea", &(coho_follow_options){.on_message = heard}, NULL);
 *   coho_client_publish(c, "room/tea", coho_text("hello"), NULL);
 *
 * Every message of a topic comes once and in order, or a gap says how many are missing. Nothing that
 * the server sends is trusted: what is no frame closes the connection with 1007, what nobody asked
 * for and what came before is dropped.
 *
 * A client belongs to its loop's thread. Handlers run there, never inside a call of the program's own
 * but coho_client_free(), and may call everything, that one included. A client is freed before its loop.
 */
#ifndef COHO_CLIENT_H
#define COHO_CLIENT_H

#include <coho/hub.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- trying again -------------------------------------------------------------------------- */

/* Back-off: after the n-th failure in a row a random part (full jitter) of first_ms * 2^(n-1), at most
   of most_ms. Zero is the default of every field. Passed without its size: it never grows. */
typedef struct coho_retry {
  uint32_t first_ms; /* default 1,000, or most_ms if that is less */
  uint32_t most_ms;  /* default 30,000, or first_ms if that is more */
  uint32_t attempts; /* failures in a row after which it gives up; default never */
} coho_retry;

/*
 * For a program with connections of its own (coho_connect), which do not come back by themselves: in
 * on_close, how long to wait before the next attempt, in ms; negative: another one makes no sense.
 * failures in a row, this end included. After 1008, 1012, 1013, 4429, HTTP 429 and 503 it is 5 * first_ms
 * to most_ms, or what Retry-After asks for (at most an hour) and the back-off. No sense make 4401, 4403
 * and HTTP 3xx and 4xx (but 408, 425 and 429): then how->err, or COHO_ECLOSED. r NULL: all
 * defaults. Any thread.
 */
COHO_API int64_t coho_retry_ms(const coho_retry *r, uint32_t failures, const coho_ending *how);

/* ---- clients ------------------------------------------------------------------------------- */

/* Valid until coho_client_free(), and in a handler until it returns. */
typedef struct coho_client coho_client;

enum coho_client_state {
  COHO_CLIENT_CONNECTING = 1,
  COHO_CLIENT_OPEN = 2,
  COHO_CLIENT_WAITING = 3, /* for the next attempt, or for a token */
  COHO_CLIENT_CLOSED = 4   /* for good */
};

enum coho_client_flag {
  /* The token is sent as the first message. Otherwise as subprotocol "bearer.TOKEN", unless it has
     characters that none may have, or more than 4,000. */
  COHO_TOKEN_MESSAGE = 1
};

/* Zero is the default of every field; times are in ms, UINT32_MAX never. */
typedef struct coho_client_options {
  /* enum coho_client_state, but for the first attempt, which begins with coho_client_new(). how: WAITING
     and CLOSED, why the connection or the attempt ended; else NULL. */
  void (*on_state)(coho_client *c, uint32_t state, const coho_ending *how);
  /* The token ends in so many seconds; 0: the server does not take it (4401, HTTP 401). Call
     coho_client_set_token(), now or later; after 0 the client waits for it. NULL: it is CLOSED then. */
  void (*on_token)(coho_client *c, uint32_t seconds);
  void *user;        /* what coho_client_user() returns */
  const char *token; /* to begin with; NULL: none */
  /* Of its connections: TLS, fields, origin, limits, pings. Handlers and user are not used; protocols
     and COHO_STREAM are refused. NULL: all defaults. */
  const coho_options *connection;
  uint64_t max_queue_bytes; /* of memory for what waits to be published; default 4 MiB */
  uint32_t max_queue;       /* messages that wait to be published; default 1,000 */
  uint32_t max_follows;     /* topics and patterns; default 100, as many as hubs let one connection
                               have by default */
  /* From the call to COHO_ETIMEDOUT; default 240,000: the hub knows an idempotency key for 5 minutes, so
     that nothing is published twice. */
  uint32_t publish_timeout_ms;
  uint32_t answer_timeout_ms;   /* for an answer of the server, else it is left; default 30,000 */
  uint32_t flags;               /* enum coho_client_flag */
  coho_retry retry;             /* a connection that lasted for most_ms ends a row of failures */
  uint32_t max_questions;       /* that are not answered yet; default 100 */
  uint32_t question_timeout_ms; /* from the call to COHO_ETIMEDOUT; default 30,000 */
} coho_client_options;

COHO_API int coho_client_new_sized(coho_loop *loop, const char *url, const coho_client_options *opt,
                                   const size_t sizes[2], coho_client **out);
/* A client of the hub at url, where topics hang: "ws://127.0.0.1:8080/t/". Copies all; begins to connect.
   0, COHO_EURL, COHO_EOPTION, COHO_ESTOPPED, COHO_ENOMEM. */
static inline int coho_client_new(coho_loop *loop, const char *url, const coho_client_options *opt,
                                  coho_client **out) {
  const size_t sizes[2] = {sizeof *opt, sizeof *opt->connection};
  return coho_client_new_sized(loop, url, opt, sizes, out);
}
/* Closes the connection with 1000. Publishes and questions that are not answered end with
   COHO_ESTOPPED, inside this call; nothing else is called any more. NULL is fine. */
COHO_API void coho_client_free(coho_client *c);

COHO_API void *coho_client_user(const coho_client *c);
COHO_API uint32_t coho_client_status(const coho_client *c); /* enum coho_client_state */
/* WAITING: ms until the next attempt, UINT32_MAX when it waits for a token; else 0. */
COHO_API uint32_t coho_client_wait_ms(const coho_client *c);
/* WAITING, but not for a token: tries now. The network may have come back. */
COHO_API void coho_client_retry(coho_client *c);
/* From now on; tells the server at once when it is open. NULL: none. At most 8,192 bytes without
   control characters. 0, COHO_EINVAL, COHO_ECLOSED, COHO_ENOMEM. */
COHO_API int coho_client_set_token(coho_client *c, const char *token);

/* Stops and continues what comes from the server, answers included, as coho_pause(); a switch, which holds
   for later connections, too. */
COHO_API void coho_client_pause(coho_client *c);
COHO_API void coho_client_resume(coho_client *c);

/* ---- following ----------------------------------------------------------------------------- */

/* A topic or a pattern that is followed: valid until coho_client_unfollow() or coho_client_free(), and
   in a handler until it returns. */
typedef struct coho_follow coho_follow;

enum coho_presence_event {
  COHO_JOIN = 1,
  COHO_UPDATE = 2, /* who is here came with other information */
  COHO_LEAVE = 3
};

/* Zero is the default of every field. */
typedef struct coho_follow_options {
  void (*on_message)(coho_follow *f, coho_pos pos, coho_msg m);
  /* lost messages are missing, or COHO_LOST_UNKNOWN; what comes next is after pos. */
  void (*on_gap)(coho_follow *f, uint64_t lost, coho_pos pos);
  /* The server follows, from its position on: after each connect. */
  void (*on_start)(coho_follow *f);
  /* The server refuses, or ends what it allowed, since the token allows less than the last one; it
     says why in text, which is for people. COHO_EFULL, COHO_ETOOMANY and COHO_EUNAVAILABLE: it is
     asked again later; else after the next token. */
  void (*on_error)(coho_follow *f, int err, const char *text);
  void *user; /* what coho_follow_user() returns */
  const char
      *since;     /* NULL: what comes from now on; "0": all that is held; or a position, as text */
  const char *as; /* be present as this member; at most 255 bytes; NULL: not */
  const char
      *info; /* what others are told about the member: at most 1 KiB of JSON; NULL: nothing */
  /* Of a companion "NAME/presence", in place of on_message: who comes to NAME and goes, enum
     coho_presence_event. id and info (JSON, NULL for nothing) live until it returns. What is no such
     event is dropped. */
  void (*on_presence)(coho_follow *f, coho_pos pos, uint32_t event, const char *id,
                      const char *info);
} coho_follow_options;

COHO_API int coho_client_follow_sized(coho_client *c, const char *topic,
                                      const coho_follow_options *opt, size_t size,
                                      coho_follow **out);
/* A topic, or the companion of one. With `as` the member is here while it is followed: it enters again
   after each connect, and is only missed when that takes longer than the topic's grace time. Copies
   all; out may be NULL. 0, COHO_EINVAL (a name that none is, as or info), COHO_EPOSITION, COHO_EEXISTS,
   COHO_EFULL, COHO_ECLOSED, COHO_EOPTION, COHO_ENOMEM. */
static inline int coho_client_follow(coho_client *c, const char *topic,
                                     const coho_follow_options *opt, coho_follow **out) {
  return coho_client_follow_sized(c, topic, opt, sizeof *opt, out);
}

/* Zero is the default of every field. */
typedef struct coho_pattern_options {
  /* topic lives until it returns. */
  void (*on_message)(coho_follow *f, const char *topic, coho_pos pos, coho_msg m);
  /* lost messages of topic are missing, or COHO_LOST_UNKNOWN; what comes next of it is after pos.
     topic NULL: of any topic, nobody knows how many, behind on_start of each connect but the first,
     since a pattern has no position to go on from; pos is {0, 0}. */
  void (*on_gap)(coho_follow *f, const char *topic, uint64_t lost, coho_pos pos);
  void (*on_start)(coho_follow *f);                            /* as for topics */
  void (*on_error)(coho_follow *f, int err, const char *text); /* as for topics */
  void *user;                                                  /* what coho_follow_user() returns */
} coho_pattern_options;

COHO_API int coho_client_follow_pattern_sized(coho_client *c, const char *pattern,
                                              const coho_pattern_options *opt, size_t size,
                                              coho_follow **out);
/* All topics whose name matches, from now on: "+" is one segment, "#" as the last the rest, also none.
   Who must miss nothing follows topics. A message that a topic and patterns match comes once for each.
   Results as of coho_client_follow(). */
static inline int coho_client_follow_pattern(coho_client *c, const char *pattern,
                                             const coho_pattern_options *opt, coho_follow **out) {
  return coho_client_follow_pattern_sized(c, pattern, opt, sizeof *opt, out);
}

/* Nothing of it is called any more. NULL is fine. */
COHO_API void coho_client_unfollow(coho_follow *f);
COHO_API coho_follow *coho_client_find(const coho_client *c, const char *topic); /* NULL: none */
COHO_API coho_follow *coho_client_find_pattern(const coho_client *c, const char *pattern);

/* Behind the last message or gap that was delivered, to be given as since another time: stored after
   the message was handled, none is missed. 0; COHO_ENOTFOUND: the server has not told yet, or it is a
   pattern. */
COHO_API int coho_follow_pos(const coho_follow *f, coho_pos *pos);
COHO_API const char *coho_follow_topic(const coho_follow *f); /* or the pattern */
COHO_API void *coho_follow_user(const coho_follow *f);
COHO_API coho_client *coho_follow_client(const coho_follow *f);

/* ---- publishing ---------------------------------------------------------------------------- */

/* Zero is the default of every field. */
typedef struct coho_client_publish_options {
  /* The end of it, exactly once: 0 and where it is, or why not. COHO_ETIMEDOUT and COHO_ESTOPPED: it may
     have been published. */
  void (*done)(void *ctx, int err, coho_pos pos);
  void *ctx;
  const char *key;             /* by which the topic conflates; at most 255 bytes */
  const char *idempotency_key; /* 1 to 255 bytes; default a random one of 128 bits */
} coho_client_publish_options;

COHO_API int coho_client_publish_sized(coho_client *c, const char *topic, coho_msg m,
                                       const coho_client_publish_options *opt, size_t size);
/*
 * Copies the message and sends it, once there is a connection, until it is answered; with an idempotency
 * key, so that it is published once; in order, but what the hub refuses for now (it is full, or
 * that was too much at once) is sent again later. 0, then done is called; or COHO_EFULL, COHO_ETOOBIG
 * (not even with nothing else), COHO_EUTF8, COHO_EINVAL (topic, key), COHO_ECLOSED, COHO_EOPTION,
 * COHO_ENOMEM.
 */
static inline int coho_client_publish(coho_client *c, const char *topic, coho_msg m,
                                      const coho_client_publish_options *opt) {
  return coho_client_publish_sized(c, topic, m, opt, sizeof *opt);
}
COHO_API size_t coho_client_queued(const coho_client *c); /* publishes that are not answered yet */

/* ---- asking -------------------------------------------------------------------------------- */

/*
 * A question waits until there is a connection, and when that breaks before the answer is there it is
 * asked again on the next one. It ends with done, exactly once and never inside the call that asks: 0,
 * COHO_ETIMEDOUT (question_timeout_ms after the call), COHO_ESTOPPED, why the client is CLOSED, or what
 * the hub says, such as COHO_EFORBIDDEN, or COHO_ETOOMANY and COHO_EUNAVAILABLE, after which one may ask
 * again later. What is told before lives until the handler returns.
 */

/* Zero is the default of every field. */
typedef struct coho_client_history_options {
  void (*on_message)(void *ctx, coho_pos pos, coho_msg m); /* oldest first */
  void (*done)(void *ctx, int err, coho_pos pos); /* pos: behind the last; to follow from */
  void *ctx;
  uint64_t limit; /* 1 to 1,000, default 100 */
} coho_client_history_options;

COHO_API int coho_client_history_sized(coho_client *c, const char *topic,
                                       const coho_client_history_options *opt, size_t size);
/* The last messages of a topic that are held, at most limit, and as many as the hub puts into one answer
   (about 1 MiB). All of them, or an error and none. 0, then done is called; or COHO_EINVAL (topic,
   limit), COHO_EFULL, COHO_ECLOSED, COHO_EOPTION, COHO_ENOMEM. */
static inline int coho_client_history(coho_client *c, const char *topic,
                                      const coho_client_history_options *opt) {
  return coho_client_history_sized(c, topic, opt, sizeof *opt);
}

/* Zero is the default of every field. */
typedef struct coho_client_presence_options {
  void (*on_member)(void *ctx, const char *id, const char *info); /* info: JSON, NULL for nothing */
  void (*done)(void *ctx, int err, coho_pos pos); /* pos: of the companion, to follow from */
  void *ctx;
} coho_client_presence_options;

COHO_API int coho_client_presence_sized(coho_client *c, const char *topic,
                                        const coho_client_presence_options *opt, size_t size);
/* Who is here, in order of arrival, asked for in as many requests as it takes. With what the companion
   tells after pos the list is right; who comes or goes meanwhile may be in it or not. After an error it
   ends early; COHO_EUNAVAILABLE also when the hub started again in between. Results as of
   coho_client_history(). */
static inline int coho_client_presence(coho_client *c, const char *topic,
                                       const coho_client_presence_options *opt) {
  return coho_client_presence_sized(c, topic, opt, sizeof *opt);
}

#ifdef __cplusplus
}
#endif

#endif
