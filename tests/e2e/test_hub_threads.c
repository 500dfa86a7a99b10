/*
 * Publishers on four threads, subscribers on three loops that come, go, stall and resume: each sees one
 * message after the other, or a gap with the true number. The thread sanitizer looks.
 */
#include "support/alloc_fail.h"
#include "support/dice.h"
#include "support/follower.h"
#include "support/hubs.h"

#include "hub/hub.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PUBLISHERS = 4, LOOPS = 3, FOLLOWERS = 4, TOPICS = 5, EACH = 1500 };

static const char *const names[TOPICS] = {"oldest", "newest", "block", "conflate", "none"};
static const coho_topic_options options[TOPICS] = {
    {.history_count = 50},
    {.history_count = 50, .slow = COHO_SLOW_DROP_NEWEST},
    {.history_count = 50, .slow = COHO_SLOW_BLOCK, .block_ms = UINT32_MAX},
    {.slow = COHO_SLOW_CONFLATE, .interval_ms = 1},
    {.history_count = 50, .flags = COHO_NO_HISTORY},
};

static coho_hub *hub;
static _Atomic unsigned publishing;

/* Not of cmocka, whose failures belong to its own thread. */
#define CHECK(cond)                                                        \
  do {                                                                     \
    if (!(cond)) {                                                         \
      (void)fprintf(stderr, "%s:%d: not %s\n", __FILE__, __LINE__, #cond); \
      abort();                                                             \
    }                                                                      \
  } while (0)

/* ---- publishers ------------------------------------------------------------------------------ */

static void publish_one(unsigned who, unsigned n) {
  char text[32], key[2] = {(char)('a' + n % 7), '\0'};
  coho_publish_options opt = {.key = key};
  for (unsigned t = 0; t < TOPICS; t++) {
    coho_pos pos;
    int err;
    snprintf(text, sizeof text, "%u %u", who, n);
    while ((err = coho_publish_with(hub, names[t], coho_text(text), &opt, &pos)) == COHO_EFULL)
      sched_yield();
    CHECK(err == 0 && pos.offset > 0);
  }
}

static void *publish(void *arg) {
  unsigned who = *(const unsigned *)arg;
  for (unsigned n = 1; n <= EACH; n++)
    publish_one(who, n);
  publishing--;
  return NULL;
}

/* ---- subscribers ----------------------------------------------------------------------------- */

struct view {
  bool active;
  coho_pos last;             /* it has all up to here, or was told that it has not */
  unsigned from[PUBLISHERS]; /* the last number of each */
};

struct member {
  struct follower f;
  struct view views[TOPICS], by_pattern[TOPICS];
  bool pattern;
};

struct side {
  coho_loop *loop;
  struct dice dice;
  struct member members[FOLLOWERS];
};

static struct member *member_of(struct follower *f) {
  return COHO_CONTAINER_OF(f, struct member, f);
}

static unsigned topic_of(const char *name) {
  unsigned t = 0;
  while (strcmp(names[t], name) != 0)
    t++;
  return t;
}

static struct view *view_of(struct follower *f, const char *topic, const char *pattern) {
  struct member *m = member_of(f);
  struct view *v = pattern ? m->by_pattern : m->views;
  return &v[topic_of(topic)];
}

static bool conflates(const char *topic) { return strcmp(topic, "conflate") == 0; }

static void on_taken(struct follower *f, const struct coho__delivery *d) {
  struct view *v = view_of(f, d->topic, d->pattern);
  coho_pos pos = d->message->pos;
  char text[32];
  CHECK(v->active && pos.epoch == v->last.epoch);
  if (conflates(d->topic))
    CHECK(pos.offset > v->last.offset);
  else
    CHECK(pos.offset == v->last.offset + 1);
  v->last = pos;
  snprintf(text, sizeof text, "%.*s", (int)d->message->msg.len, d->message->msg.data);
  char *end;
  unsigned long who = strtoul(text, &end, 10), n = strtoul(end, NULL, 10);
  CHECK(who < PUBLISHERS && n > v->from[who]);
  v->from[who] = (unsigned)n;
}

static void on_missed(struct follower *f, const char *topic, const char *pattern, uint64_t lost,
                      coho_pos pos) {
  struct view *v = view_of(f, topic, pattern);
  CHECK(v->active && pos.epoch == v->last.epoch && strcmp(topic, "block") != 0);
  CHECK(lost > 0 && lost != COHO_LOST_UNKNOWN);
  if (!conflates(topic)) CHECK(pos.offset == v->last.offset + lost);
  v->last = pos;
}

static void come(struct member *m, unsigned t, bool again) {
  struct view *v = &m->views[t];
  const coho_pos *since = again && v->last.epoch ? &v->last : NULL;
  if (v->active) return;
  struct coho__view name = coho__view_of(names[t]);
  CHECK(coho__sink_subscribe(hub, &m->f.sink, name, since, &m->f.start) == 0);
  CHECK(m->f.start.lost != COHO_LOST_UNKNOWN || conflates(names[t]));
  if (since && !conflates(names[t]))
    CHECK(m->f.start.pos.offset == since->offset + m->f.start.lost);
  v->active = true;
  v->last = m->f.start.pos;
  coho__sink_ready(&m->f.sink);
}

static void go(struct member *m, unsigned t) {
  if (m->views[t].active) CHECK(follower_leave(&m->f, names[t]) == 0);
  m->views[t].active = false;
}

static void turn_pattern(struct member *m) {
  m->pattern = !m->pattern;
  struct coho__view text = {"#", 1};
  if (!m->pattern) {
    CHECK(coho__sink_unsubscribe_pattern(hub, &m->f.sink, text) == 0);
    return;
  }
  CHECK(coho__sink_subscribe_pattern(hub, &m->f.sink, text) == 0);
  /* From where, only the first message tells. */
  memset(m->by_pattern, 0, sizeof m->by_pattern);
}

/* By pattern nobody says where it starts: a view of it is whatever the first message says. */
static void on_taken_first(struct follower *f, const struct coho__delivery *d) {
  struct view *v = view_of(f, d->topic, d->pattern);
  if (d->pattern && !v->active) {
    v->active = true;
    v->last = (coho_pos){d->message->pos.epoch, d->message->pos.offset - 1};
  }
  on_taken(f, d);
}

static void on_missed_first(struct follower *f, const char *topic, const char *pattern,
                            uint64_t lost, coho_pos pos) {
  struct view *v = view_of(f, topic, pattern);
  if (pattern && !v->active) {
    v->active = true;
    v->last = (coho_pos){pos.epoch, pos.offset - lost};
  }
  on_missed(f, topic, pattern, lost, pos);
}

static void act(struct side *s) {
  struct member *m = &s->members[dice(&s->dice, FOLLOWERS)];
  unsigned t = dice(&s->dice, TOPICS);
  switch (dice(&s->dice, 8)) {
  case 0: go(m, t); break;
  case 1: come(m, t, false); break;
  case 2:
  case 3: come(m, t, true); break;
  case 4: turn_pattern(m); break;
  default: follower_take(&m->f, dice(&s->dice, 2) ? FOLLOWER_ANY : dice(&s->dice, 30));
  }
}

static bool all_seen(const struct member *m) {
  for (unsigned t = 0; t < TOPICS; t++) {
    coho_pos end;
    CHECK(coho_hub_position(hub, names[t], &end) == 0);
    if (m->views[t].active && m->views[t].last.offset < end.offset) return false;
    if (m->by_pattern[t].active && m->pattern && m->by_pattern[t].last.offset < end.offset)
      return false;
  }
  return true;
}

static void *subscribe(void *arg) {
  struct side *s = (struct side *)arg;
  while (publishing) {
    act(s);
    if (dice(&s->dice, 2)) CHECK(coho_loop_turn(s->loop, 0) >= 0);
    /* Who stalls holds up a topic that blocks. */
    for (int i = 0; i < FOLLOWERS && dice(&s->dice, 4) == 0; i++)
      follower_take(&s->members[i].f, FOLLOWER_ANY);
  }
  for (int i = 0; i < FOLLOWERS; i++) {
    struct member *m = &s->members[i];
    follower_take(&m->f, FOLLOWER_ANY);
    while (!all_seen(m))
      CHECK(coho_loop_turn(s->loop, 5) >= 0);
    follower_end(&m->f);
  }
  return NULL;
}

static struct side sides[LOOPS];

static void open_side(unsigned i) {
  struct side *s = &sides[i];
  memset(s, 0, sizeof *s);
  s->dice.state = i;
  s->loop = coho_loop_new();
  for (int k = 0; k < FOLLOWERS; k++) {
    follower_init(&s->members[k].f, hub, s->loop);
    s->members[k].f.taken = on_taken_first;
    s->members[k].f.missed = on_missed_first;
  }
}

static void test_runs_and_gaps_on_all_threads(void **state) {
  (void)state;
  pthread_t publishers[PUBLISHERS], subscribers[LOOPS];
  static unsigned numbers[PUBLISHERS];
  hub = coho_hub_new(NULL);
  for (unsigned t = 0; t < TOPICS; t++)
    assert_int_equal(coho_hub_configure(hub, names[t], &options[t]), 0);
  publishing = PUBLISHERS;
  for (unsigned i = 0; i < LOOPS; i++)
    open_side(i);
  for (unsigned i = 0; i < LOOPS; i++)
    assert_int_equal(pthread_create(&subscribers[i], NULL, subscribe, &sides[i]), 0);
  for (unsigned i = 0; i < PUBLISHERS; i++) {
    numbers[i] = i;
    assert_int_equal(pthread_create(&publishers[i], NULL, publish, &numbers[i]), 0);
  }
  while (publishing) {
    coho_hub_stats st;
    coho_hub_get_stats(hub, &st);
    sched_yield();
  }
  for (unsigned i = 0; i < PUBLISHERS; i++)
    pthread_join(publishers[i], NULL);
  for (unsigned i = 0; i < LOOPS; i++)
    pthread_join(subscribers[i], NULL);
  coho__hub_check(hub);
  for (unsigned t = 0; t < TOPICS; t++) {
    coho_pos end;
    assert_int_equal(coho_hub_position(hub, names[t], &end), 0);
    assert_int_equal(end.offset, PUBLISHERS * EACH);
    assert_int_equal(coho_hub_subscribers(hub, names[t]), 0);
  }
  for (unsigned i = 0; i < LOOPS; i++)
    coho_loop_free(sides[i].loop);
  coho_hub_free(hub);
  alloc_assert_none_live();
}

/* ---- presence and looking -------------------------------------------------------------------- */

static void look(void *ctx, coho_pos pos, coho_msg m) {
  (void)ctx;
  CHECK(pos.offset > 0 && m.len > 0);
}

static void look_at_topic(void *ctx, const coho_topic_info *info) {
  (void)ctx;
  CHECK(info->name[0] && info->messages <= info->pos.offset);
}

static void *pester(void *arg) {
  char id[16];
  for (unsigned n = 0; n < 300; n++) {
    snprintf(id, sizeof id, "%u", n % 10);
    CHECK(coho_presence_enter(hub, "a", id, "{}") == 0);
    CHECK(coho_publish(hub, "a", coho_text("x")) == 0);
    (void)coho_hub_history(hub, "a", 10, look, NULL, NULL);
    (void)coho_presence_list(hub, "a", NULL, NULL, NULL);
    coho_hub_topics(hub, look_at_topic, NULL);
    CHECK(coho_presence_leave(hub, "a", id) == 0);
  }
  publishing--;
  return arg;
}

static void test_looking_from_all_threads(void **state) {
  (void)state;
  pthread_t threads[PUBLISHERS];
  struct follower f;
  coho_loop *loop = coho_loop_new();
  hub = hub_with(NULL, &(coho_topic_options){.grace_ms = 1});
  follower_init(&f, hub, loop);
  assert_int_equal(follower_follow(&f, "a/presence", NULL), 0);
  assert_int_equal(follower_follow_pattern(&f, "#"), 0);
  publishing = PUBLISHERS;
  for (unsigned i = 0; i < PUBLISHERS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, pester, NULL), 0);
  while (publishing)
    assert_true(coho_loop_turn(loop, 1) >= 0);
  for (unsigned i = 0; i < PUBLISHERS; i++)
    pthread_join(threads[i], NULL);
  loop_settle(loop);
  assert_true(f.messages + f.lost > PUBLISHERS * 300);
  follower_end(&f);
  coho_loop_free(loop);
  coho_hub_free(hub);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_runs_and_gaps_on_all_threads),
      cmocka_unit_test(test_looking_from_all_threads),
  };
  alloc_fail_at(0);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  alloc_assert_none_live();
  return failed;
}
