#include "support/hub_world.h"
#include "support/hubs.h"

#include "support/alloc_fail.h"

#include "base/clock.h"
#include "hub/hub.h"
#include "io/loop.h"

void hub_world_open(struct hub_world *w, const coho_hub_options *opt) {
  w->loop = coho_loop_new();
  w->hub = coho_hub_new(opt);
  assert_non_null(w->loop);
  assert_non_null(w->hub);
  follower_init(&w->f, w->hub, w->loop);
  follower_init(&w->g, w->hub, w->loop);
}

void hub_world_open_topics(struct hub_world *w, const coho_topic_options *opt) {
  hub_world_open(w, NULL);
  assert_int_equal(coho_hub_configure(w->hub, "#", opt), 0);
}

void hub_world_close(struct hub_world *w) {
  coho__hub_check(w->hub);
  follower_end(&w->f);
  follower_end(&w->g);
  coho__hub_check(w->hub);
  coho_hub_free(w->hub);
  coho_loop_free(w->loop);
  alloc_assert_none_live();
}

void hub_world_settle(struct hub_world *w) { loop_settle(w->loop); }

void hub_world_wait(struct hub_world *w, uint32_t ms) {
  uint64_t end = coho__loop_time(w->loop) + ms;
  while (coho__loop_time(w->loop) <= end)
    assert_true(coho_loop_turn(w->loop, 2) >= 0);
}

static bool at_work(const coho_hub *hub) { return hub->upkeep.inhabited || hub->upkeep.topics; }

void hub_world_pass(struct hub_world *w, uint64_t ms) {
  do {
    coho__hub_lock(w->hub);
    coho__hub_sweep(w->hub, coho__clock_ms() + ms);
    coho__hub_unlock(w->hub);
    if (w->hub->upkeep.posted) assert_true(coho_loop_turn(w->loop, 0) >= 0);
  } while (at_work(w->hub));
  coho__hub_check(w->hub);
}

coho_pos hub_world_position(struct hub_world *w, const char *topic) {
  coho_pos pos;
  assert_int_equal(coho_hub_position(w->hub, topic, &pos), 0);
  return pos;
}

coho_hub_stats hub_world_stats(struct hub_world *w) {
  coho_hub_stats st;
  coho_hub_get_stats(w->hub, &st);
  return st;
}
