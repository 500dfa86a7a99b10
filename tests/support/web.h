/*
 * A hub on the web, and its HTTP clients over sockets. Tests write the epoch of positions as "E", and
 * JSON with ' instead of "; they compare all bytes.
 */
#ifndef TESTS_SUPPORT_WEB_H
#define TESTS_SUPPORT_WEB_H

#include "support/follower.h"
#include "support/raw.h"

#include <coho/topics.h>

struct web {
  struct world w;
  coho_hub *hub;
  uint64_t epoch;
  struct web_client *clients; /* that are connected */
};

/* A hub at /t/, listening, on the world's loop unless so has threads. All may be NULL. */
void web_open(struct web *web, const coho_topics_options *mount, const coho_topic_options *topic);
void web_open_with(struct web *web, const coho_topics_options *mount,
                   const coho_topic_options *topic, const coho_server_options *so);
/* The same with this hub, which becomes the web's. */
void web_open_hub(struct web *web, coho_hub *hub, const coho_topics_options *mount,
                  const coho_server_options *so);
/* With keys that verify what web_token() makes; these patterns need no token, NULL: all do. */
void web_open_guarded(struct web *web, const char *const *open_subscribe);
/* Its clients go first. */
void web_close(struct web *web);
/* The server was told to stop, and has: no connection lingers. Stops the clock (clock.h). */
void web_until_stopped(struct web *web);
/* Closes the web that was opened last, if it is not, and lets the clock go: a teardown. */
int web_teardown(void **state);

void web_publish(struct web *web, const char *topic, const char *text);
size_t web_subscribers(const struct web *web, const char *topic);
size_t web_members(const struct web *web, const char *topic);
/* "k3f9.OFFSET", in one of several buffers that take turns. */
const char *web_pos(const struct web *web, unsigned offset);

/* "Authorization: Bearer TOKEN\r\n" with these claims, in one of several buffers that take turns. */
const char *web_token(const char *claims);

struct web_client {
  struct web *web; /* NULL: not connected */
  struct web_client *next;
  struct raw raw;
  char in[1 << 16]; /* received and not looked at: from in_at to in_len */
  size_t in_at, in_len;
  char head[8192]; /* of the latest answer */
  char body[1 << 21];
  size_t len;   /* of body */
  size_t at;    /* how much of it web_event() has given */
  bool chunked; /* more may come */
  bool last;    /* and it was the end */
  bool bare;    /* up to the end of the connection */
};

/* Those that are not connected connect to the web that was opened last when they first send. */
void web_connect(struct web_client *c, struct web *web);
void web_connect_narrow(struct web_client *c, struct web *web);
void web_part(struct web_client *c);
/* Sends a request as it is, with printf's means. */
void web_send(struct web_client *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* GET with these further fields, "Name: value\r\n" each. */
void web_get(struct web_client *c, const char *fields, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void web_post(struct web_client *c, const char *target, const char *fields, const void *body,
              size_t len);
/* The head of the next answer: its status. */
int web_begin(struct web_client *c);
/* The next answer, whole: its status. Its body is c->body, terminated, that of JSON without its line end. */
int web_answer(struct web_client *c);
/* The value of a field of the head; NULL: there is none. */
const char *web_field(const struct web_client *c, const char *name);
/* The next block of a stream, without its empty line; NULL: the stream has ended. */
const char *web_event(struct web_client *c);

/* ---- what must be so ------------------------------------------------------------------------- */

/* The next answer: the status, and the body unless it is NULL. */
void web_check(struct web_client *c, int status, const char *body);
/* Its body begins with this, ends with this, has this. */
void web_begins(const struct web_client *c, const char *text);
void web_ends(const struct web_client *c, const char *text);
void web_has(const struct web_client *c, const char *text);
/* A field of the head; NULL: there is none. */
void web_check_field(const struct web_client *c, const char *name, const char *value);
/* An answer of a topic has these: JSON, not to be stored. */
void web_check_json(const struct web_client *c);
/* GETs it, and web_check()s. */
void web_ask(struct web_client *c, const char *target, int status, const char *body);
/* GETs it with these fields, and is refused with JSON that has this code. */
void web_refused(struct web_client *c, const char *fields, const char *target, int status,
                 const char *code);
#define WEB_ERROR(code, text) "{'error':{'code':'" code "','text':'" text "'}}"

/* A stream: its head, and a first block that has a time to wait and this position; NULL: none. */
void web_stream(struct web_client *c, const char *target, const char *pos);
/* With Last-Event-ID. */
void web_stream_from(struct web_client *c, const char *id, const char *target, const char *pos);
/* What comes next of it. */
void web_expect(struct web_client *c, const char *block);
void web_expect_start(struct web_client *c, const char *pos);
#define WEB_SSE "Accept: text/event-stream\r\n"

#endif
