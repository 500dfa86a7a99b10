#include "demo.h"

#include <stdlib.h>

/* What visitors say, and what the server says: nobody else can publish there. */
static coho_hub *said, *live;

static const char *const nobody[] = {NULL};

static coho_topics_options options_of(const struct demo_options *opt, const char *const *publish) {
  coho_topics_options o = topics_options_of(opt->common);
  o.open_publish = publish;
  return o;
}

static int mount(const struct demo_options *opt, const char *prefix, coho_hub *hub,
                 const char *const *publish) {
  const coho_topics_options o = options_of(opt, publish);
  return coho_route_topics(opt->server, prefix, hub, &o);
}

int demo_update(const struct demo_options *opt) {
  const coho_topics_options said_options = options_of(opt, NULL);
  const coho_topics_options live_options = options_of(opt, nobody);
  int err = coho_route_topics_update(opt->server, "/t/", &said_options);
  if (!err) err = coho_route_topics_update(opt->server, "/live/", &live_options);
  return err ? err : demo_echo_update(opt);
}

/* Who is typing is of no interest later; a chat notices soon that somebody has left. */
static int said_rules(coho_hub *hub) {
  coho_topic_options typing = {.flags = COHO_NO_HISTORY}, room = {.grace_ms = 5000};
  int err = coho_hub_configure(hub, "chat/+/typing", &typing);
  return err ? err : coho_hub_configure(hub, "chat/+", &room);
}

int demo_start(const struct demo_options *opt) {
  said = coho_hub_new(NULL);
  live = coho_hub_new(NULL);
  int err = said && live ? 0 : COHO_ENOMEM;
  if (!err) err = said_rules(said);
  if (!err) err = demo_stocks_rules(live);
  if (!err) err = demo_stats_rules(live);
  if (!err) err = mount(opt, "/t/", said, NULL);
  if (!err) err = mount(opt, "/live/", live, nobody);
  if (!err) err = demo_echo_start(opt);
  if (!err) err = demo_stocks_start(opt, live);
  if (!err) err = demo_stats_start(opt, live);
  return err;
}

void demo_stop(void) {
  demo_stats_stop();
  demo_stocks_stop();
  coho_hub_free(said);
  coho_hub_free(live);
  said = live = NULL;
}

coho_hub *demo_hub(void) { return said; }

void demo_publish_json(coho_hub *hub, const char *topic, json_t *object) {
  char *text = object ? json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(10)) : NULL;
  json_decref(object);
  if (text) (void)coho_publish(hub, topic, coho_text(text));
  free(text);
}
