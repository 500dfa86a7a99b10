/*
 * Whatever happens: what a subscriber gets of a topic is a run of consecutive offsets, or carries a gap
 * with the true number; of a topic that conflates it gets the last value of each key, in order; and
 * nothing after it unsubscribed.
 *
 * Many short lives of a hub with random topics, policies, subscribers, publishes, refusals and expiry,
 * some with fewer topics than there are names, on one to three loops that turn in any order, against a
 * model that only remembers what was published.
 * COHO_SEED=n repeats one life.
 */
#include "support/alloc_fail.h"
#include "support/dice.h"
#include "support/follower.h"

#include "base/clock.h"
#include "hub/hub.h"
#include "hub/leaf.h"
#include "io/mailbox.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
  LOOPS = 3,
  TOPICS = 6,
  PATTERNS = 4,
  VIEWS = TOPICS * (1 + PATTERNS),
  FOLLOWERS = 6,
  KEYS = 4,
  STEPS = 400,
  LIVES = 800,
  MOST = 8192 /* messages of a topic in a life */
};

static const char *const topic_names[TOPICS] = {"a", "b", "c", "c/x", "c/y", "d/e/f"};
static const char *const patterns[PATTERNS] = {"#", "c/+", "c/#", "+"};
static const bool matches[PATTERNS][TOPICS] = {
    {true, true, true, true, true, true},
    {false, false, false, true, true, false},
    {false, false, true, true, true, false},
    {true, true, true, false, false, false},
};

/* ---- the model ------------------------------------------------------------------------------- */

struct sent {
  uint32_t serial;
  uint8_t key;
};

struct topic {
  coho_topic_options opt;
  uint64_t epoch; /* 0: none that is known */
  uint64_t last;
  uint32_t life;
  struct sent sent[MOST]; /* by offset */
};

/* A topic as one subscription of a follower shows it. */
struct view {
  bool active;
  uint32_t life;       /* of the topic */
  uint64_t next;       /* nothing before comes */
  uint64_t start;      /* what it was at first */
  uint64_t keys[KEYS]; /* conflating: the last offset it got */
  uint64_t lost;       /* conflating: in gaps */
  coho_pos back;       /* where it was when it ended; {0, 0}: nowhere */
};

struct member {
  struct follower f;
  uint32_t loop;
  bool patterns[PATTERNS];
  struct view views[VIEWS];
};

static struct {
  uint64_t seed;
  unsigned step;
  bool going;
  struct dice dice;
  uint32_t loop_count;
  uint32_t depth; /* inside callbacks */
  coho_loop *loops[LOOPS];
  coho_hub *hub;
  bool crowded; /* it may not have all topics at a time */
  uint32_t serial;
  struct topic topics[TOPICS];
  struct member members[FOLLOWERS];
} m;

static uint32_t roll(uint32_t below) { return dice(&m.dice, below); }

static struct view *view_at(struct member *me, uint32_t pattern, uint32_t topic) {
  return &me->views[pattern * TOPICS + topic]; /* pattern PATTERNS: by the topic */
}

static bool conflates(const struct topic *t) { return t->opt.slow == COHO_SLOW_CONFLATE; }

static uint32_t topic_index(const char *name) {
  for (uint32_t i = 0; i < TOPICS; i++)
    if (strcmp(topic_names[i], name) == 0) return i;
  fail_msg("no such topic: %s", name);
  return 0;
}

static uint32_t pattern_index(const char *text) {
  for (uint32_t i = 0; text && i < PATTERNS; i++)
    if (strcmp(patterns[i], text) == 0) return i;
  assert_null(text);
  return PATTERNS;
}

/* ---- what a follower is told ----------------------------------------------------------------- */

static void do_something(uint32_t loop, const struct member *not_this);

static struct member *member_of(struct follower *f) {
  return COHO_CONTAINER_OF(f, struct member, f);
}

/* A pattern follows a topic from one life of it to the next. */
static void check_epoch(const struct topic *t, struct view *v, coho_pos pos) {
  assert_true(v->active);
  assert_true(pos.epoch == t->epoch);
  if (v->life == t->life) return;
  v->life = t->life;
  v->next = v->start = 1;
  memset(v->keys, 0, sizeof v->keys);
}

static void on_taken(struct follower *f, const struct coho__delivery *d) {
  struct member *me = member_of(f);
  uint32_t topic = topic_index(d->topic);
  struct topic *t = &m.topics[topic];
  struct view *v = view_at(me, pattern_index(d->pattern), topic);
  coho_pos pos = d->message->pos;
  char text[16];
  check_epoch(t, v, pos);
  assert_true(pos.offset >= 1 && pos.offset <= t->last);
  if (conflates(t))
    assert_true(pos.offset >= v->next);
  else
    assert_int_equal(pos.offset, v->next);
  const struct sent *s = &t->sent[pos.offset];
  snprintf(text, sizeof text, "%u", s->serial);
  assert_int_equal(d->message->msg.len, strlen(text));
  assert_memory_equal(d->message->msg.data, text, strlen(text));
  v->next = pos.offset + 1;
  v->keys[s->key] = pos.offset;
  if (roll(8) == 0) do_something(me->loop, me);
}

static void on_missed(struct follower *f, const char *name, const char *pattern, uint64_t lost,
                      coho_pos pos) {
  struct member *me = member_of(f);
  uint32_t topic = topic_index(name);
  const struct topic *t = &m.topics[topic];
  struct view *v = view_at(me, pattern_index(pattern), topic);
  check_epoch(t, v, pos);
  assert_true(t->opt.slow != COHO_SLOW_BLOCK);
  assert_true(lost > 0 && lost != COHO_LOST_UNKNOWN);
  assert_true(pos.offset + 1 >= v->next && pos.offset <= t->last);
  if (conflates(t))
    v->lost += lost;
  else
    assert_int_equal(lost, pos.offset + 1 - v->next);
  v->next = pos.offset + 1;
  if (roll(4) == 0) do_something(me->loop, me);
}

/* ---- what is done ---------------------------------------------------------------------------- */

/* The epoch may be one that there was before, where there are few of them. */
static void begin_life(struct topic *t, uint64_t epoch) {
  t->epoch = epoch;
  t->last = 0;
  t->life++;
}

static void publish(void) {
  uint32_t topic = roll(TOPICS);
  struct topic *t = &m.topics[topic];
  char text[16], key[2] = {(char)('a' + roll(KEYS)), '\0'};
  if (t->last + 1 >= MOST) return;
  snprintf(text, sizeof text, "%u", m.serial);
  coho_publish_options opt = {.key = key};
  coho_pos pos = {0, 0};
  /* The loops are not inside this call, so what is told comes later. */
  int err = coho_publish_with(m.hub, topic_names[topic], coho_text(text), &opt, &pos);
  if (err == COHO_EFULL) {
    assert_true(t->opt.slow == COHO_SLOW_BLOCK || m.crowded);
    return;
  }
  assert_int_equal(err, 0);
  if (pos.epoch != t->epoch || (pos.offset == 1 && t->last)) {
    assert_int_equal(pos.offset, 1);
#ifndef COHO_HARD
    assert_true(pos.epoch != t->epoch || !t->last);
#endif
    for (uint32_t i = 0; i < FOLLOWERS && t->epoch; i++)
      assert_false(view_at(&m.members[i], PATTERNS, topic)->active);
    begin_life(t, pos.epoch);
  }
  assert_int_equal(pos.offset, t->last + 1);
  t->last = pos.offset;
  t->sent[t->last] = (struct sent){m.serial++, (uint8_t)(key[0] - 'a')};
}

/* What the hub says now; a topic that was never published to has a position too. */
static void learn(uint32_t topic) {
  coho_pos pos;
  struct topic *t = &m.topics[topic];
  if (coho_hub_position(m.hub, topic_names[topic], &pos) ||
      (pos.epoch == t->epoch && pos.offset == t->last))
    return;
  assert_int_equal(pos.offset, 0);
  begin_life(t, pos.epoch);
}

static void check_start(const struct topic *t, const coho_pos *since, coho_start start) {
  assert_true(start.pos.epoch == t->epoch && start.pos.offset <= t->last);
  if (!since) {
    assert_int_equal(start.lost, 0);
    assert_int_equal(start.pos.offset, t->last);
  } else if (since->epoch == t->epoch && since->offset <= t->last) {
    if (!conflates(t)) assert_int_equal(start.lost, start.pos.offset - since->offset);
  } else if (since->epoch || since->offset) {
    assert_true(start.lost == COHO_LOST_UNKNOWN);
  } else {
    assert_int_equal(start.lost, 0);
  }
}

static void begin_view(struct view *v, const struct topic *t, uint64_t next) {
  *v = (struct view){.active = true, .life = t->life, .next = next, .start = next};
}

static void follow(struct member *me) {
  uint32_t topic = roll(TOPICS), how = roll(4);
  struct view *v = view_at(me, PATTERNS, topic);
  const coho_pos *since = how == 0 ? NULL : &(coho_pos){0, 0};
  coho_pos back = v->back;
  if (how > 1) since = &back;
  struct coho__view name = coho__view_of(topic_names[topic]);
  int err = coho__sink_subscribe(m.hub, &me->f.sink, name, since, &me->f.start);
  if (v->active) {
    assert_int_equal(err, COHO_EEXISTS);
    return;
  }
  if (err == COHO_EFULL && m.crowded) return;
  assert_int_equal(err, 0);
  learn(topic);
  check_start(&m.topics[topic], since, me->f.start);
  begin_view(v, &m.topics[topic], me->f.start.pos.offset + 1);
  coho__sink_ready(&me->f.sink);
}

static void end_view(struct view *v, const struct topic *t) {
  if (v->active && v->life == t->life) v->back = (coho_pos){t->epoch, v->next - 1};
  v->active = false;
}

static void leave(struct member *me) {
  uint32_t topic = roll(TOPICS);
  struct view *v = view_at(me, PATTERNS, topic);
  int err = coho__sink_unsubscribe(m.hub, &me->f.sink, coho__view_of(topic_names[topic]));
  assert_int_equal(err, v->active ? 0 : COHO_ENOTFOUND);
  end_view(v, &m.topics[topic]);
}

static void follow_pattern(struct member *me) {
  uint32_t i = roll(PATTERNS);
  int err = follower_follow_pattern(&me->f, patterns[i]);
  assert_int_equal(err, me->patterns[i] ? COHO_EEXISTS : 0);
  if (err) return;
  me->patterns[i] = true;
  for (uint32_t k = 0; k < TOPICS; k++) {
    if (!matches[i][k]) continue;
    learn(k);
    begin_view(view_at(me, i, k), &m.topics[k], m.topics[k].last + 1);
  }
}

static void leave_pattern(struct member *me) {
  uint32_t i = roll(PATTERNS);
  struct coho__view text = coho__view_of(patterns[i]);
  int err = coho__sink_unsubscribe_pattern(m.hub, &me->f.sink, text);
  assert_int_equal(err, me->patterns[i] ? 0 : COHO_ENOTFOUND);
  me->patterns[i] = false;
  for (uint32_t k = 0; k < TOPICS; k++)
    end_view(view_at(me, i, k), &m.topics[k]);
}

static void take(struct member *me) {
  uint32_t n = roll(4) == 0 ? FOLLOWER_ANY : roll(20);
  follower_take(&me->f, n);
}

static void come_back(struct member *me) {
  follower_end(&me->f);
  for (uint32_t i = 0; i < VIEWS; i++)
    end_view(&me->views[i], &m.topics[i % TOPICS]);
  memset(me->patterns, 0, sizeof me->patterns);
  me->loop = m.depth ? me->loop : roll(m.loop_count);
  follower_init(&me->f, m.hub, m.loops[me->loop]);
  me->f.taken = on_taken;
  me->f.missed = on_missed;
  me->f.room = roll(10);
}

/* What only patterns keep. */
static void drop_idle(struct coho__part *p, uint64_t now_ms) {
  for (struct coho__list *n = p->leaves.next, *next; n != &p->leaves; n = next) {
    next = n->next;
    if (roll(2)) coho__leaf_drop_if_idle(COHO_LIST_ENTRY(n, struct coho__leaf, in_part), now_ms);
  }
}

/* What is old goes, as if it had become so. */
static void expire(void) {
  uint64_t now = coho__clock_ms() + roll(200000);
  coho__hub_lock(m.hub);
  for (uint32_t i = 0; i < m.loop_count; i++) {
    struct coho__part *p = m.hub->parts[m.loops[i]->index];
    if (p) drop_idle(p, now);
  }
  coho__hub_sweep(m.hub, now);
  coho__hub_unlock(m.hub);
}

static void act(struct member *me) {
  static void (*const acts[])(struct member *) = {
      follow, follow, take, take, take, leave, follow_pattern, leave_pattern, come_back};
  /* Who is closed comes back, and nothing else. */
  if (me->f.closed && roll(2))
    come_back(me);
  else if (!me->f.closed)
    acts[roll(COHO_COUNT(acts))](me);
}

/* Inside a callback on this loop: anything, but to whom the call is. */
static void do_something(uint32_t loop, const struct member *not_this) {
  if (m.depth) return;
  m.depth++;
  struct member *other = &m.members[roll(FOLLOWERS)];
  if (roll(2))
    publish();
  else if (other != not_this && other->loop == loop)
    act(other);
  m.depth--;
}

static void step(void) {
  switch (roll(8)) {
  case 0:
  case 1:
  case 2: act(&m.members[roll(FOLLOWERS)]); break;
  case 3:
    if (roll(6) == 0) expire();
    break;
  case 4:
  case 5: assert_true(coho_loop_turn(m.loops[roll(m.loop_count)], 0) >= 0); break;
  default:
    for (uint32_t n = 1 + roll(4); n; n--)
      publish();
  }
}

/* ---- the end --------------------------------------------------------------------------------- */

static uint64_t held_keys[KEYS];

static void note_key(void *ctx, coho_pos pos, coho_msg msg) {
  const struct topic *t = (const struct topic *)ctx;
  (void)msg;
  held_keys[t->sent[pos.offset].key] = pos.offset;
}

static void check_view(uint32_t topic, const struct view *v) {
  struct topic *t = &m.topics[topic];
  if (!v->active || v->life != t->life) return;
  if (!conflates(t)) {
    assert_int_equal(v->next, t->last + 1);
    return;
  }
  memset(held_keys, 0, sizeof held_keys);
  (void)coho_hub_history(m.hub, topic_names[topic], SIZE_MAX, note_key, t, NULL);
  for (int k = 0; k < KEYS; k++)
    if (held_keys[k] >= v->start) assert_int_equal(v->keys[k], held_keys[k]);
}

static bool all_seen(void) {
  for (uint32_t i = 0; i < FOLLOWERS; i++)
    for (uint32_t k = 0; k < VIEWS; k++) {
      const struct view *v = &m.members[i].views[k];
      const struct topic *t = &m.topics[k % TOPICS];
      bool behind = v->active && v->life == t->life && v->next <= t->last;
      if (behind && !m.members[i].f.closed) return false;
    }
  return true;
}

/* Everybody takes all there is, and then has all there is. */
static void finish(void) {
  for (uint32_t i = 0; i < FOLLOWERS; i++)
    if (!m.members[i].f.closed) follower_take(&m.members[i].f, FOLLOWER_ANY);
  for (int quiet = 0, turns = 0; quiet < 3; turns++) {
    for (uint32_t i = 0; i < m.loop_count; i++)
      assert_true(coho_loop_turn(m.loops[i], quiet) >= 0);
    for (uint32_t i = 0; i < FOLLOWERS; i++)
      if (!m.members[i].f.closed && m.members[i].f.refused) take(&m.members[i]);
    quiet = all_seen() ? quiet + 1 : turns > 20000 ? 3 : 0;
  }
  for (uint32_t i = 0; i < FOLLOWERS; i++)
    for (uint32_t k = 0; k < VIEWS && !m.members[i].f.closed; k++)
      check_view(k % TOPICS, &m.members[i].views[k]);
}

/* ---- lives ----------------------------------------------------------------------------------- */

static void configure(void) {
  static const uint32_t counts[] = {1, 2, 5, 20, 200};
  coho_hub_options o = {0};
  m.crowded = roll(3) == 0;
  if (m.crowded) o.max_topics = 1 + roll(TOPICS - 1);
  m.hub = coho_hub_new(&o);
  for (uint32_t i = 0; i < TOPICS; i++) {
    coho_topic_options *opt = &m.topics[i].opt;
    *opt = (coho_topic_options){.slow = roll(5), .history_count = counts[roll(5)]};
    opt->interval_ms = 1;
    opt->history_age_ms = roll(3) ? 60000 : 0;
    if (roll(4) == 0) opt->history_bytes = 400 + roll(1000);
    if (roll(4) == 0) opt->flags = COHO_NO_HISTORY;
    assert_int_equal(coho_hub_configure(m.hub, topic_names[i], opt), 0);
    m.topics[i].epoch = m.topics[i].last = 0;
    m.topics[i].life = 0;
  }
}

static void live(uint64_t seed) {
  m.seed = seed;
  m.going = true;
  m.dice = (struct dice){seed};
  m.serial = 1;
  m.depth = 0;
  m.loop_count = 1 + roll(LOOPS);
  for (uint32_t i = 0; i < m.loop_count; i++)
    m.loops[i] = coho_loop_new();
  configure();
  for (uint32_t i = 0; i < FOLLOWERS; i++) {
    struct member *me = &m.members[i];
    memset(me, 0, sizeof *me);
    follower_init(&me->f, m.hub, m.loops[0]);
    come_back(me);
  }
  for (m.step = 0; m.step < STEPS; m.step++) {
    step();
    coho__hub_check(m.hub);
  }
  m.depth = 1; /* nobody starts anything new */
  finish();
  coho__hub_check(m.hub);
  for (uint32_t i = 0; i < FOLLOWERS; i++)
    follower_end(&m.members[i].f);
  coho_hub_free(m.hub);
  for (uint32_t i = 0; i < m.loop_count; i++)
    coho_loop_free(m.loops[i]);
  alloc_assert_none_live();
  m.going = false;
}

static char seed_text[64];
static size_t seed_len;

static int tell_seed(void **state) {
  (void)state;
  if (m.going) printf("COHO_SEED=%llu, step %u\n", (unsigned long long)m.seed, m.step);
  return 0;
}

/* An assertion in the library: what may be called in a signal handler is little. */
static void on_abort(int sig) {
  if (write(STDERR_FILENO, seed_text, seed_len) < 0) return;
  (void)signal(sig, SIG_DFL);
}

static void live_of(uint64_t seed) {
  seed_len =
      (size_t)snprintf(seed_text, sizeof seed_text, "COHO_SEED=%llu\n", (unsigned long long)seed);
  live(seed);
}

static void test_every_view_is_a_run_or_has_a_gap(void **state) {
  (void)state;
  const char *one = getenv("COHO_SEED");
  if (one) {
    live_of(strtoull(one, NULL, 10));
    return;
  }
  for (uint64_t seed = 1; seed <= LIVES; seed++)
    live_of(seed);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(test_every_view_is_a_run_or_has_a_gap, tell_seed),
  };
  (void)signal(SIGABRT, on_abort);
  alloc_fail_at(0);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return failed;
}
