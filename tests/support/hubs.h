/* A hub whose topics all have these options. */
#ifndef TESTS_SUPPORT_HUBS_H
#define TESTS_SUPPORT_HUBS_H

#include <coho/hub.h>

/* Both may be NULL. */
static inline coho_hub *hub_with(const coho_hub_options *opt, const coho_topic_options *topic) {
  coho_hub *hub = coho_hub_new(opt);
  if (!hub || !topic || !coho_hub_configure(hub, "#", topic)) return hub;
  coho_hub_free(hub);
  return NULL;
}

#endif
