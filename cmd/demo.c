#include "demo.h"

#include <stdlib.h>
#include <string.h>

static coho_hub *hub;

int demo_start(const struct demo_options *opt) {
  hub = coho_hub_new(NULL);
  if (!hub) return COHO_ENOMEM;
  int err = demo_echo_start(opt);
  if (!err) err = demo_chat_start(opt, hub);
  if (!err) err = demo_stocks_start(opt, hub);
  if (!err) err = demo_stats_start(opt, hub);
  return err;
}

void demo_stop(void) {
  demo_stats_stop();
  demo_stocks_stop();
  demo_chat_stop();
  coho_hub_free(hub);
  hub = NULL;
}

coho_hub *demo_hub(void) { return hub; }

static char *to_text(json_t *object) {
  char *text = object ? json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(10)) : NULL;
  json_decref(object);
  return text;
}

void demo_send_json(coho_conn *c, json_t *object) {
  char *text = to_text(object);
  if (!text || coho_send(c, coho_text(text)) < 0) coho_close(c, 1011, "cannot send");
  free(text);
}

void demo_publish_json(coho_hub *h, const char *topic, json_t *object) {
  char *text = to_text(object);
  if (text) coho_publish(h, topic, coho_text(text));
  free(text);
}
