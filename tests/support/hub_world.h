/* A hub on one loop, for tests with followers; one at a time. */
#ifndef TESTS_SUPPORT_HUB_WORLD_H
#define TESTS_SUPPORT_HUB_WORLD_H

#include "support/follower.h"

struct hub_world {
  coho_loop *loop;
  coho_hub *hub;
  struct follower f, g; /* of this hub, subscribed nowhere yet */
};

void hub_world_open(struct hub_world *w, const coho_hub_options *opt);
/* With these options for every topic. */
void hub_world_open_topics(struct hub_world *w, const coho_topic_options *opt);
void hub_world_close(struct hub_world *w);
void hub_world_settle(struct hub_world *w);            /* delivers what is to be delivered now */
void hub_world_wait(struct hub_world *w, uint32_t ms); /* turns for so long */
/* As if so much time had passed: the hub looks after all that it has. */
void hub_world_pass(struct hub_world *w, uint64_t ms);
coho_pos hub_world_position(struct hub_world *w, const char *topic);
coho_hub_stats hub_world_stats(struct hub_world *w);

#endif
