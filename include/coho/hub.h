/*
 * Topics: what is published to a name reaches all who subscribed it, on every loop of the process,
 * and those who come back later, since a topic keeps a history and every message has a position.
 *
 *   coho_hub *hub = coho_hub_new(NULL);
 *   coho_subscribe(hub, conn, "room/tea");
 *   coho_publish(hub, "room/tea", coho_text("hello"));
 *
 * Order: the messages of a topic are numbered one after the other, and each subscriber gets them in
 * that order. Nothing is lost in silence: a subscriber that missed some is told how many (a gap), or
 * closed. Between topics there is no order.
 *
 * A slow subscriber costs no queue of its own: it gets what the history still holds once it can take
 * more. What happens when that is not enough is the policy of the topic.
 */
#ifndef COHO_HUB_H
#define COHO_HUB_H

#include <coho/coho.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct coho_hub coho_hub;

/* ---- positions ----------------------------------------------------------------------------- */

/*
 * Behind a message of a topic: its number, from 1, in one life of the topic's history. A topic that
 * was forgotten, or belongs to another process, has another epoch. As text "EPOCH.OFFSET". This
 * structure never changes.
 */
typedef struct coho_pos {
  uint64_t epoch;  /* 0: no position; with offset 0: before all that is held */
  uint64_t offset; /* 0: before the first message */
} coho_pos;

#define COHO_POS_MAX 40
/* "k3f9.42" into buf (at least COHO_POS_MAX bytes); returns buf. */
COHO_API const char *coho_pos_text(coho_pos pos, char *buf, size_t cap);
/* Reads what coho_pos_text() wrote, or "0", all that is held. 0 or COHO_EPOSITION. */
COHO_API int coho_pos_parse(const char *text, coho_pos *pos);

#define COHO_LOST_UNKNOWN UINT64_MAX /* messages are missing, nobody knows how many */

/* ---- hubs ---------------------------------------------------------------------------------- */

/* What happens to a subscriber that cannot take more, while the topic goes on. */
enum coho_slow {
  /* It goes on with the oldest message that the history still holds; what it missed is a gap. */
  COHO_SLOW_DROP_OLDEST = 0,
  /* It gets nothing until it can take more, then what comes from there on; between is a gap. */
  COHO_SLOW_DROP_NEWEST = 1,
  /* For everybody: of each key only the latest message, at most every interval_ms. What a slow one
     misses beyond that is a gap. */
  COHO_SLOW_CONFLATE = 2,
  COHO_SLOW_DISCONNECT = 3, /* it is closed with 1013 */
  /* The topic takes no more messages (COHO_EFULL) until all subscribers can. One that holds it up
     for longer than block_ms is closed with 1013. */
  COHO_SLOW_BLOCK = 4
};

enum coho_topic_flag {
  COHO_NO_HISTORY = 1 /* messages are kept only for subscribers that have not got them yet */
};

/*
 * Zero is the default of every field; times are in ms, UINT32_MAX never.
 *
 * A message takes from history_bytes its payload, some 200 bytes, and its key twice; one that does not
 * fit into them alone is COHO_ETOOBIG. By default one of 1 MiB does.
 *
 * The history is all that lies between those who publish and the loops of subscribers, which costs them
 * nothing. So what is published in one go, and is more than history_count or history_bytes hold, is a
 * gap for everybody, also for those who keep up: raise both above the largest burst, or take
 * COHO_SLOW_BLOCK.
 */
typedef struct coho_topic_options {
  uint64_t history_bytes;   /* memory the history may take; default 2 MiB */
  uint32_t history_count;   /* messages; with COHO_SLOW_CONFLATE keys; default 1,000 */
  uint32_t history_age_ms;  /* default an hour; the epoch lives as long again after the last one */
  uint32_t slow;            /* enum coho_slow */
  uint32_t interval_ms;     /* COHO_SLOW_CONFLATE: within it a value reaches all that keep up, so
                               that one follows another after 7/8 of it; default 100 */
  uint32_t block_ms;        /* COHO_SLOW_BLOCK; default 10,000 */
  uint32_t grace_ms;        /* presence: from the last sign to the leave; default 10,000 */
  uint32_t max_subscribers; /* more: COHO_EFULL; default any number */
  uint32_t flags;           /* enum coho_topic_flag */
} coho_topic_options;

typedef struct coho_hub_options {
  /* A connection missed messages: lost of them, or COHO_LOST_UNKNOWN; what it gets next comes after
     pos. On its loop; the place for a marker of the program's own. NULL: it is closed with 4408. */
  void (*on_gap)(coho_conn *c, const char *topic, uint64_t lost, coho_pos pos);
  uint64_t max_bytes;         /* of all histories together, the topic longest without publish gives
                               way; default 256 MiB */
  uint32_t max_topics;        /* for one more the topic longest without use gives way that has no
                               subscriber and no member, as if it had never been; all have: COHO_EFULL;
                               default 10,000 */
  uint32_t max_subscriptions; /* of one connection, more: COHO_EFULL; default any number */
} coho_hub_options;

COHO_API coho_hub *coho_hub_new_sized(const coho_hub_options *opt, size_t size);
/* NULL: out of memory, or an option is wrong. opt may be NULL. */
static inline coho_hub *coho_hub_new(const coho_hub_options *opt) {
  return coho_hub_new_sized(opt, sizeof *opt);
}
/* After every connection that subscribed is gone. NULL is fine. */
COHO_API void coho_hub_free(coho_hub *hub);

COHO_API int coho_hub_configure_sized(coho_hub *hub, const char *pattern,
                                      const coho_topic_options *opt, size_t size);
/* Options of all topics that this pattern matches and no earlier one. Before the first topic is used.
   0, COHO_EINVAL (pattern), COHO_EOPTION, COHO_EBUSY, COHO_ENOMEM. */
static inline int coho_hub_configure(coho_hub *hub, const char *pattern,
                                     const coho_topic_options *opt) {
  return coho_hub_configure_sized(hub, pattern, opt, sizeof *opt);
}

/* ---- subscribing: on the loop of the connection -------------------------------------------- */

/*
 * What is published to topic is sent to c, as it is, from now on. A name is 1 to 255 bytes and never
 * a pattern, since it may come from a stranger: "+" and "#" stand for themselves. Ends by itself with
 * the connection, before on_error and on_close. 0, COHO_EEXISTS when subscribed already, COHO_EINVAL
 * (name), COHO_ECLOSED, COHO_EFULL (a limit), COHO_ENOMEM.
 */
COHO_API int coho_subscribe(coho_hub *hub, coho_conn *c, const char *topic);

/* Where a subscription starts. It may grow at its end. */
typedef struct coho_start {
  coho_pos pos;  /* what comes first is the message after it */
  uint64_t lost; /* messages missing between what was asked for and pos, or COHO_LOST_UNKNOWN */
} coho_start;

COHO_API int coho_subscribe_from_sized(coho_hub *hub, coho_conn *c, const char *topic,
                                       coho_pos since, coho_start *start, size_t size);
/* The same, with what came after since: exactly the missing messages, or, when not all of them are
   held, a gap (start->lost) and all that are. {0, 0}: all that is held. start may be NULL; then a gap is
   told by on_gap. */
static inline int coho_subscribe_from(coho_hub *hub, coho_conn *c, const char *topic,
                                      coho_pos since, coho_start *start) {
  return coho_subscribe_from_sized(hub, c, topic, since, start, sizeof *start);
}
COHO_API int coho_unsubscribe(coho_hub *hub, coho_conn *c, const char *topic); /* COHO_ENOTFOUND */

/* All topics whose name matches, from now on: segments are separated by "/", "+" is one of them, "#" as
   the last the rest, also none. A message that several subscriptions match comes once for each.
   Results as of coho_subscribe(); COHO_EFULL also when there are 1,000 others on the loop. */
COHO_API int coho_subscribe_pattern(coho_hub *hub, coho_conn *c, const char *pattern);
COHO_API int coho_unsubscribe_pattern(coho_hub *hub, coho_conn *c, const char *pattern);

/* ---- watching: on the loop that watches ---------------------------------------------------- */

/* What a program of its own gets, on the loop that watches; it never falls behind. */
typedef struct coho_watch_options {
  void (*on_message)(void *ctx, const char *topic, coho_pos pos, coho_msg m);
  void (*on_gap)(void *ctx, const char *topic, uint64_t lost, coho_pos pos); /* may be NULL */
  void *ctx;
  const coho_pos *since; /* NULL: from now on; not of a pattern */
} coho_watch_options;

typedef struct coho_watcher coho_watcher;

COHO_API int coho_watch_sized(coho_hub *hub, coho_loop *loop, const char *topic,
                              const coho_watch_options *opt, size_t size, coho_watcher **out);
/* Messages of a topic to the program itself. A gap at the start is told by on_gap, after this returned,
   as are messages. Ended before its loop is freed. 0, COHO_EINVAL, COHO_EOPTION, COHO_EFULL,
   COHO_ENOMEM: then *out is NULL. */
static inline int coho_watch(coho_hub *hub, coho_loop *loop, const char *topic,
                             const coho_watch_options *opt, coho_watcher **out) {
  return coho_watch_sized(hub, loop, topic, opt, sizeof *opt, out);
}
COHO_API int coho_watch_pattern_sized(coho_hub *hub, coho_loop *loop, const char *pattern,
                                      const coho_watch_options *opt, size_t size,
                                      coho_watcher **out);
static inline int coho_watch_pattern(coho_hub *hub, coho_loop *loop, const char *pattern,
                                     const coho_watch_options *opt, coho_watcher **out) {
  return coho_watch_pattern_sized(hub, loop, pattern, opt, sizeof *opt, out);
}
COHO_API void coho_unwatch(coho_watcher *w); /* also inside its handlers; NULL is fine */

/* ---- publishing: any thread ---------------------------------------------------------------- */

/* To all subscribers, and to the history. Whole messages only. 0, COHO_EFULL (too many topics, or a
   subscriber of a topic with COHO_SLOW_BLOCK holds it up), COHO_ETOOBIG (larger than the history may
   be, with what it takes besides), COHO_EINVAL, COHO_ENOMEM. */
COHO_API int coho_publish(coho_hub *hub, const char *topic, coho_msg m);

typedef struct coho_publish_options {
  const char *key; /* by which the topic conflates; at most 255 bytes; default "" */
  /* The same key on the same topic within 5 minutes publishes nothing and gives the position of the
     first time, unless the topic was forgotten meanwhile. At most 255 bytes. NULL: none. */
  const char *idempotency_key;
} coho_publish_options;

COHO_API int coho_publish_with_sized(coho_hub *hub, const char *topic, coho_msg m,
                                     const coho_publish_options *opt, coho_pos *pos, size_t size);
/* The same; *pos (which may be NULL) is the message's position. Also COHO_EOPTION. */
static inline int coho_publish_with(coho_hub *hub, const char *topic, coho_msg m,
                                    const coho_publish_options *opt, coho_pos *pos) {
  return coho_publish_with_sized(hub, topic, m, opt, pos, sizeof *opt);
}

/* ---- looking: any thread ------------------------------------------------------------------- */

/* Of exact subscriptions. */
COHO_API size_t coho_hub_subscribers(coho_hub *hub, const char *topic);
/* Behind the last message. 0; COHO_ENOTFOUND: there is no such topic now. */
COHO_API int coho_hub_position(coho_hub *hub, const char *topic, coho_pos *pos);
/* fn for each of the last `limit` messages that are held, oldest first; m lives until fn returns.
   *pos as of coho_hub_position() (pos may be NULL). 0, COHO_ENOTFOUND, COHO_EINVAL, COHO_ENOMEM. */
COHO_API int coho_hub_history(coho_hub *hub, const char *topic, size_t limit,
                              void (*fn)(void *ctx, coho_pos pos, coho_msg m), void *ctx,
                              coho_pos *pos);

/* ---- presence: any thread ------------------------------------------------------------------ */

/*
 * Who is here: ids of 1 to 255 bytes, each with some information, JSON of at most 1 KiB that nests no
 * deeper than 8 (NULL: null). An id that entered twice is one member; it leaves when it has left as
 * often, after the topic's grace time. What happens is published to the topic's companion
 * "TOPIC/presence", which can be subscribed like any other:
 * {"event":"join","id":"ann","info":{}}, the same with "update" when it entered again with other
 * information, and {"event":"leave","id":"ann"}.
 * 0, COHO_EINVAL, COHO_EFULL, COHO_ENOMEM; leaving: COHO_ENOTFOUND.
 */
COHO_API int coho_presence_enter(coho_hub *hub, const char *topic, const char *id,
                                 const char *info);
COHO_API int coho_presence_leave(coho_hub *hub, const char *topic, const char *id);
/*
 * fn for each member in order of arrival; id and info live until fn returns. They are taken from the topic
 * in small steps, and fn may call everything. So a list is right for *pos (may be NULL), which is of the
 * companion, together with what is published there after it: who comes or goes while fn is called may
 * be in it or not, and is told there. Returns how many; fn NULL: only that.
 */
COHO_API size_t coho_presence_list(coho_hub *hub, const char *topic,
                                   void (*fn)(void *ctx, const char *id, const char *info),
                                   void *ctx, coho_pos *pos);

/* ---- figures: any thread ------------------------------------------------------------------- */

typedef struct coho_hub_stats {
  uint64_t topics;        /* now */
  uint64_t subscriptions; /* now, patterns included */
  uint64_t messages;      /* held now */
  uint64_t bytes;         /* of memory that histories take now */
  uint64_t members;       /* present now */
  uint64_t published;     /* since the start */
  uint64_t repeated;      /* publishes whose idempotency key was known */
  uint64_t refused;       /* publishes, as COHO_EFULL */
  uint64_t dropped;       /* messages that a slow subscriber did not get, as far as known */
  uint64_t gaps;          /* told */
  uint64_t forgotten;     /* topics that were published to and gave way to others */
} coho_hub_stats;
COHO_API void coho_hub_get_stats_sized(coho_hub *hub, coho_hub_stats *out, size_t size);
static inline void coho_hub_get_stats(coho_hub *hub, coho_hub_stats *out) {
  coho_hub_get_stats_sized(hub, out, sizeof *out);
}

/* A topic, for lists of them. It may grow at its end. */
typedef struct coho_topic_info {
  const char *name;
  coho_pos pos;
  uint64_t subscribers;
  uint64_t messages; /* held */
  uint64_t bytes;    /* of memory for them */
  uint64_t dropped;
  uint64_t members;
} coho_topic_info;
/* fn for each topic; what it is given lives until it returns, and it calls nothing of this hub. */
COHO_API void coho_hub_topics(coho_hub *hub, void (*fn)(void *ctx, const coho_topic_info *info),
                              void *ctx);

#ifdef __cplusplus
}
#endif

#endif
