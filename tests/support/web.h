/*
 * A hub on the web, and its HTTP clients over sockets. In what comes the epoch of all positions is written
 * as "E", so that tests compare all bytes; in what goes web_pos() writes it.
 */
#ifndef TESTS_SUPPORT_WEB_H
#define TESTS_SUPPORT_WEB_H

#include "support/raw.h"

#include <coho/topics.h>

struct web {
  struct world w;
  coho_hub *hub;
  uint64_t epoch;
};

/* A hub at /t/, listening, on the world's loop unless so has threads. All may be NULL. */
void web_open(struct web *web, const coho_topics_options *mount, const coho_topic_options *topic);
void web_open_with(struct web *web, const coho_topics_options *mount,
                   const coho_topic_options *topic, const coho_server_options *so);
void web_close(struct web *web);
void web_publish(struct web *web, const char *topic, const char *text);
/* "k3f9.OFFSET", in one of several buffers that take turns. */
const char *web_pos(const struct web *web, unsigned offset);

/* Keys that verify what web_token() makes; freed by coho_keys_free(). */
coho_keys *web_keys(void);
/* "Authorization: Bearer TOKEN\r\n" with these claims, in one of several buffers that take turns. */
const char *web_token(const char *claims);

struct web_client {
  struct web *web;
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
/* The next answer, whole: its status. Its body is c->body, terminated. */
int web_answer(struct web_client *c);
/* The value of a field of the head; NULL: there is none. */
const char *web_field(const struct web_client *c, const char *name);
/* The next block of a stream, without its empty line; NULL: the stream has ended. */
const char *web_event(struct web_client *c);
/* Asks and checks: the status, and the body unless it is NULL. */
void web_check(struct web_client *c, int status, const char *body);

#endif
