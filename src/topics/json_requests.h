/* The requests of coho.json.v1, and the session that they are about. */
#ifndef COHO_TOPICS_JSON_REQUESTS_H
#define COHO_TOPICS_JSON_REQUESTS_H

#include "hub/sink.h"
#include "topics/badge.h"
#include "topics/frames.h"
#include "topics/seat.h"

enum { COHO_JSON_KEEP = 4096 /* bytes of a buffer that stay from one answer to the next */ };

/* A topic that the session is present in. */
struct coho__json_badge {
  struct coho__json_badge *next;
  struct coho__badge badge;
};

struct coho__json_session {
  struct coho__seat seat;
  struct coho__sink sink;
  struct coho__buf out; /* the frame being written */
  struct coho__json_badge *badges;
  uint32_t errors;
};

/* Does what a frame asks for, and answers. */
void coho__json_request(struct coho__json_session *s, const json_t *object);

/* The answer to a `pub`. */
void coho__json_published(struct coho__seat *seat, const json_t *id, const char *topic, int err,
                          coho_pos pos);

/* Sends what is in out, when err is 0. Results as of a sink's functions. */
int coho__json_send(struct coho__json_session *s, int err);
/* The same for an answer: who does not read them is closed. */
void coho__json_answer(struct coho__json_session *s, int err);
/* text: which member is wrong, and how; NULL: the error says all. */
void coho__json_fail(struct coho__json_session *s, const json_t *id, const char *topic,
                     const char *pattern, int err, const char *text);
/* Takes a badge off the list and leaves. */
void coho__json_leave(struct coho__json_session *s, struct coho__json_badge **link);

#endif
