/* A server with a mount of topics at /t/, and raw peers of it. */
#ifndef TESTS_E2E_MOUNTED_H
#define TESTS_E2E_MOUNTED_H

#include "support/raw.h"

#include <coho/topics.h>
#include <jansson.h>

#define JSON "Sec-WebSocket-Protocol: coho.json.v1\r\n"

struct mounted {
  struct world w;
  coho_hub *hub;
  struct raw a, b;
};
extern struct mounted mounted;

/* Either may be NULL; a is connected. */
void mounted_open(const coho_topics_options *opt, const coho_topic_options *topic);
/* The same, and a speaks coho.json.v1. */
void mounted_open_json(const coho_topics_options *opt, const coho_topic_options *topic);
void mounted_finish(void);

void mounted_publish(const char *topic, const char *text);
void mounted_say(struct raw *r, const char *text);
/* The next frame is text that says this; a Close with this code. */
void mounted_expect(struct raw *r, const char *text);
void mounted_expect_close(struct raw *r, unsigned code);
/* The next frame as an object. */
json_t *mounted_next(struct raw *r);
const char *mounted_text(const json_t *j, const char *name);
/* Asks, and the answer is of this op; its `code`, too, when it is an error. */
json_t *mounted_ask(struct raw *r, const char *request, const char *op, const char *code);
void mounted_check(struct raw *r, const char *request, const char *op, const char *code);

/* The answer to a handshake, and the value of a field of the last one, or NULL. */
const char *mounted_upgrade(struct raw *r, const char *target, const char *fields);
const char *mounted_field(const char *name);

/* Options of a topic that blocks; a subscriber of "r" that does not read, until it takes nothing more; all
   that it got until "after". */
extern const coho_topic_options mounted_blocking;
void mounted_hold_up(struct raw *slow);
void mounted_read_on(struct raw *r);

#endif
