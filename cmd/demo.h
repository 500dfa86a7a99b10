/*
 * What `coho serve --demo` serves besides the pages: /echo, the open topics of /t/, and those of /live/,
 * which the server publishes. docs/endpoints.md describes them.
 */
#ifndef COHO_CMD_DEMO_H
#define COHO_CMD_DEMO_H

#include "topics.h"

#include <coho/hub.h>
#include <jansson.h>

struct demo_options {
  coho_server *server;
  const struct topics_common *common; /* what all endpoints share: Origins, limits */
  uint64_t max_message;               /* of /echo; 0: the library's default */
};

/* Adds the routes, and timers on the server's first loop. 0 or an error. */
int demo_start(const struct demo_options *opt);
/* Other options for who comes from now on. 0 or an error. */
int demo_update(const struct demo_options *opt);
/* After the server has stopped. */
void demo_stop(void);
coho_hub *demo_hub(void); /* of /t/ */

int demo_echo_start(const struct demo_options *opt);
int demo_echo_update(const struct demo_options *opt);
/* Options of their topics, before any is used; then the topics. */
int demo_stocks_rules(coho_hub *hub);
int demo_stocks_start(const struct demo_options *opt, coho_hub *hub);
void demo_stocks_stop(void);
int demo_stats_rules(coho_hub *hub);
int demo_stats_start(const struct demo_options *opt, coho_hub *hub);
void demo_stats_stop(void);

/* Publishes an object as text and releases it. */
void demo_publish_json(coho_hub *hub, const char *topic, json_t *object);

#endif
