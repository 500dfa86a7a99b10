/*
 * What `coho serve --demo` serves besides the pages: /echo, /chat, /stocks, /stats. Each is plain
 * WebSocket that any client can use; docs/endpoints.md describes the messages.
 */
#ifndef COHO_CMD_DEMO_H
#define COHO_CMD_DEMO_H

#include <coho/hub.h>
#include <jansson.h>

struct demo_options {
  coho_server *server;
  const coho_options *base; /* what all endpoints share: Origins */
  uint64_t max_message;     /* of /echo; 0: the library's default */
};

/* Adds the routes, and timers on the server's first loop. 0 or an error. */
int demo_start(const struct demo_options *opt);
/* After the server has stopped. */
void demo_stop(void);
coho_hub *demo_hub(void); /* of its topics */

int demo_echo_start(const struct demo_options *opt);
int demo_chat_start(const struct demo_options *opt, coho_hub *hub);
void demo_chat_stop(void);
int demo_stocks_start(const struct demo_options *opt, coho_hub *hub);
void demo_stocks_stop(void);
int demo_stats_start(const struct demo_options *opt, coho_hub *hub);
void demo_stats_stop(void);

/* Sends or publishes an object as text and releases it. An object that could not be made or sent
   closes the connection with 1011: better no conversation than half of one. */
void demo_send_json(coho_conn *c, json_t *object);
void demo_publish_json(coho_hub *h, const char *topic, json_t *object);

#endif
