/*
 * A server with a mount of topics at /t/, and two raw peers of it. Tests write the epoch of positions as
 * "E", and JSON with ' instead of ".
 */
#ifndef TESTS_E2E_MOUNTED_H
#define TESTS_E2E_MOUNTED_H

#include "support/follower.h"
#include "support/raw.h"

#include <coho/topics.h>

#define JSON "Sec-WebSocket-Protocol: coho.json.v1\r\n"

struct mounted {
  struct world w;
  coho_hub *hub;
  uint64_t epoch;
  struct raw a, b;
};
extern struct mounted mounted;

/* Either may be NULL. */
void mounted_open(const coho_topics_options *opt, const coho_topic_options *topic);
/* The same, and a speaks coho.json.v1. */
void mounted_open_json(const coho_topics_options *opt, const coho_topic_options *topic);
void mounted_finish(void);
int mounted_teardown(void **state); /* finishes, if it is open */

/* Asks for a handshake on a connection of its own: the answer, and the value of one of its fields or NULL. */
const char *mounted_upgrade(struct raw *r, const char *target, const char *fields);
const char *mounted_field(const char *name);
/* The same, and the answer is 101. */
void mounted_join(struct raw *r, const char *target, const char *fields);

void mounted_publish(const char *topic, const char *text);
void mounted_say(struct raw *r, const char *text);
/* The next frame is text: all of it; its beginning. */
void mounted_expect(struct raw *r, const char *text);
void mounted_expect_begin(struct raw *r, const char *text);
/* The next frame is a Close with this code. */
void mounted_expect_close(struct raw *r, unsigned code);
/* Asks: the answer; the error with this code. */
void mounted_ask(struct raw *r, const char *request, const char *answer);
void mounted_refused(struct raw *r, const char *request, const char *code);

/* A subscriber of "r" that does not read, until the topic takes nothing more; all that it got until "after". */
void mounted_open_blocked(struct raw *slow);
void mounted_read_on(struct raw *r);

#endif
