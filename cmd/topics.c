#include "topics.h"

#include "logger.h"

#include "base/check.h"
#include "base/view.h"
#include "hub/pattern.h"

#include <stdio.h>
#include <string.h>

enum {
  PATH_MOST = 255,
  WHY = 512,
  MESSAGE_USUAL = 64 * 1024,
  HISTORY_USUAL = 2 * 1024 * 1024, /* of topics without a rule */
  MESSAGE_MORE = 1024, /* what the hub keeps beside the bytes of a message, keys included */
  LOOK_MS = 20         /* between two looks whether keys are there */
};

#define MS_MOST (UINT32_MAX - 1)

/* clang-format off */
const struct option topics_rule_parts[] = {
    {.name = "pattern",
     .kind = OPTION_STRING,
     .offset = offsetof(struct topics_rule, pattern),
     .value = "PATTERN",
     .required = true,
     .text = "the name of a topic, or a pattern: + is one segment, # as the last one the rest"},
    {.name = "slow",
     .kind = OPTION_STRING,
     .offset = offsetof(struct topics_rule, slow),
     .value = "POLICY",
     .words = "drop-oldest drop-newest conflate disconnect block",
     .usual = "drop-oldest",
     .text = "what happens to who is slower than the topic: drop-oldest (the default: the oldest "
             "messages are missing), drop-newest (what comes until there is room again), conflate (of "
             "each key only the latest, for everybody), disconnect, or block (publishers wait)"},
    {.name = "interval",
     .kind = OPTION_SECONDS,
     .offset = offsetof(struct topics_rule, interval),
     .value = "SECONDS",
     .usual = "0.1",
     .min = 1,
     .max = MS_MOST,
     .text = "conflate: the latest at most once in this time (0.1)"},
    {.name = "block",
     .kind = OPTION_SECONDS,
     .offset = offsetof(struct topics_rule, block),
     .value = "SECONDS",
     .usual = "10",
     .min = 1,
     .max = MS_MOST,
     .text = "block: who holds the topic up for longer is closed (10)"},
    {.name = "history-count",
     .kind = OPTION_NUMBER,
     .offset = offsetof(struct topics_rule, history_count),
     .value = "N",
     .usual = "1000",
     .min = 1,
     .max = UINT32_MAX,
     .text = "messages that are kept, with conflate keys (1,000)"},
    {.name = "history-bytes",
     .kind = OPTION_SIZE,
     .offset = offsetof(struct topics_rule, history_bytes),
     .value = "BYTES",
     .usual = "2M",
     .min = 1,
     .text = "memory for them (2M)"},
    {.name = "history-age",
     .kind = OPTION_SECONDS,
     .offset = offsetof(struct topics_rule, history_age),
     .value = "SECONDS",
     .usual = "3600",
     .min = 1,
     .max = MS_MOST,
     .text = "how long they are kept (an hour)"},
    {.name = "no-history",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct topics_rule, no_history),
     .text = "keep messages only for followers that have not got them yet"},
    {.name = "grace",
     .kind = OPTION_SECONDS,
     .offset = offsetof(struct topics_rule, grace),
     .value = "SECONDS",
     .usual = "10",
     .min = 1,
     .max = MS_MOST,
     .text = "who is gone for so long is present no more (10)"},
    {.name = "max-subscribers",
     .kind = OPTION_NUMBER,
     .offset = offsetof(struct topics_rule, max_subscribers),
     .value = "N",
     .min = 1,
     .max = UINT32_MAX,
     .text = "more are refused; any number without it"},
    {.name = NULL}};
/* clang-format on */

static const struct topics_rule *rule_at(const struct topics_options *t, size_t i) {
  return (const struct topics_rule *)t->rules.items + i;
}

/* By enum coho_slow. */
static const char *const policies[] = {"drop-oldest", "drop-newest", "conflate", "disconnect",
                                       "block"};

static size_t policy_of(const struct topics_rule *r) {
  size_t i = 0;
  while (i < COHO_COUNT(policies) && strcmp(policies[i], r->slow) != 0)
    i++;
  return i;
}

/* ---- what is wrong -------------------------------------------------------------------------- */

static int check_rule(const struct command *c, const struct topics_rule *r) {
  int status = 0;
  if (policy_of(r) == COHO_COUNT(policies))
    status |= usage_error_about(
        c, r->slow, "slow is drop-oldest, drop-newest, conflate, disconnect or block, not '%s'",
        r->slow);
  if (r->pattern && !coho__pattern_valid(coho__view_of(r->pattern)))
    status |= usage_error_about(
        c, r->pattern,
        "pattern takes the name of a topic, or one such as news/# or room/+, not '%s'", r->pattern);
  return status;
}

static int check_path(const struct command *c, const char *path) {
  size_t len = strlen(path);
  bool fine = len && len <= PATH_MOST && path[0] == '/' && path[len - 1] == '/' &&
              !strpbrk(path, ":*%?#") && !strstr(path, "//");
  if (fine) return 0;
  return usage_error_about(
      c, path, "--topics-path takes a path that begins and ends with '/', such as /t/, not '%s'",
      path);
}

int topics_check(const struct command *c, struct topics_options *t, const void *has_rules,
                 const void *has_auth, bool demo) {
  int status = check_path(c, t->path);
  t->closed = has_auth != NULL;
  t->on = t->asked || has_rules || has_auth;
  for (size_t i = 0; i < t->rules.count; i++)
    status |= check_rule(c, rule_at(t, i));
  if (has_auth) status |= auth_check(c, &t->auth, has_auth);
  if (!t->on && strcmp(t->path, "/t/") != 0)
    status |= usage_error_about(c, t->path, "--topics-path needs --topics");
  if (t->on && demo)
    status |= usage_error(c, "--demo has topics of its own, which are open to everybody; leave out "
                             "--demo, or --topics and what the file says in topics and auth");
  return status;
}

/* ---- room for messages ---------------------------------------------------------------------- */

static int check_history(const struct command *c, const struct topics_options *t, size_t i) {
  const struct topics_rule *r = rule_at(t, i);
  if (r->history_bytes >= t->max_message + MESSAGE_MORE) return 0;
  return usage_error_about(c, r,
                           "history-bytes of %s keeps no message of --topics-max-message: it takes "
                           "%llu bytes at least",
                           r->pattern ? r->pattern : "this rule",
                           (unsigned long long)t->max_message + MESSAGE_MORE);
}

int topics_check_room(const struct command *c, const struct topics_options *t, uint64_t max_queue) {
  bool rest = true;
  int status = 0;
  if (t->max_message <= MESSAGE_USUAL) return 0;
  for (size_t i = 0; i < t->rules.count; i++) {
    const char *pattern = rule_at(t, i)->pattern;
    status |= check_history(c, t, i);
    rest = rest && !(pattern && !strcmp(pattern, "#"));
  }
  if (rest && t->max_message + MESSAGE_MORE > HISTORY_USUAL)
    status |= usage_error(c,
                          "--topics-max-message needs a rule of topics, {pattern: '#', "
                          "history-bytes: %llu} or more: without one a topic keeps 2M",
                          (unsigned long long)t->max_message + MESSAGE_MORE);
  if (max_queue && max_queue < t->max_message + MESSAGE_MORE)
    status |= usage_error(c,
                          "--topics-max-message is more than --limit queue lets wait for one peer: "
                          "that takes %llu bytes at least",
                          (unsigned long long)t->max_message + MESSAGE_MORE);
  return status;
}

/* ---- serving -------------------------------------------------------------------------------- */

static coho_hub *hub;
static struct auth auth;
static const struct topics_options *now; /* NULL: its keys are none of auth */
static const char *path;                 /* does not change */

coho_topics_options topics_options_of(const struct topics_common *common) {
  const coho_options *conn = common->conn;
  return (coho_topics_options){.origins = conn->origins,
                               .conn = conn,
                               .max_message = common->max_message,
                               .max_queue = conn->max_queue,
                               .rate = conn->rate_messages,
                               .http_rate = common->http_rate};
}

static int configure(const struct topics_rule *r) {
  const coho_topic_options o = {.history_bytes = r->history_bytes,
                                .history_count = (uint32_t)r->history_count,
                                .history_age_ms = (uint32_t)r->history_age,
                                .slow = (uint32_t)policy_of(r),
                                .interval_ms = (uint32_t)r->interval,
                                .block_ms = (uint32_t)r->block,
                                .grace_ms = (uint32_t)r->grace,
                                .max_subscribers = (uint32_t)r->max_subscribers,
                                .flags = r->no_history ? COHO_NO_HISTORY : 0};
  int err = coho_hub_configure(hub, r->pattern, &o);
  if (err) fprintf(stderr, "coho serve: topics, %s: %s\n", r->pattern, coho_strerror(err));
  return err;
}

static int make_hub(const struct topics_options *t) {
  int err = 0;
  hub = coho_hub_new(NULL);
  if (!hub) {
    fputs("coho serve: topics: out of memory\n", stderr);
    return COHO_ENOMEM;
  }
  for (size_t i = 0; i < t->rules.count && !err; i++)
    err = configure(rule_at(t, i));
  return err;
}

static int make_keys(const struct topics_options *t) {
  char why[WHY];
  int err = t->closed ? auth_start(&t->auth, &auth, why, sizeof why) : 0;
  if (err) fprintf(stderr, "coho serve: auth: %s\n", why);
  return err;
}

static coho_topics_options options_of(const struct topics_options *t,
                                      const struct topics_common *common) {
  static const char *const none[] = {NULL};
  const struct auth_options *a = &t->auth;
  coho_topics_options o = topics_options_of(common);
  o.cookie = a->cookie;
  if (!t->closed) return o;
  o.keys = auth.keys;
  o.open_subscribe = a->open_subscribe.items ? a->open_subscribe.items : none;
  o.open_publish = a->open_publish.items ? a->open_publish.items : none;
  return o;
}

int topics_start(const struct topics_options *t, coho_server *s,
                 const struct topics_common *common) {
  int err = make_hub(t);
  if (!err) err = make_keys(t);
  if (err) return err;
  const coho_topics_options o = options_of(t, common);
  err = coho_route_topics(s, t->path, hub, &o);
  if (err) fprintf(stderr, "coho serve: topics at %s: %s\n", t->path, coho_strerror(err));
  now = t;
  path = t->path;
  return err;
}

/* ---- other options -------------------------------------------------------------------------- */

/* Keys that are being fetched, to take the place of those of auth. */
static struct {
  struct auth auth;
  coho_timer *timer; /* NULL: there are none */
  const struct topics_options *options;
  struct topics_common common;
  coho_options conn;
  coho_server *server;
} coming;

static void forget_coming(void) {
  auth_stop(&coming.auth);
  coho_timer_free(coming.timer);
  coming.timer = NULL;
}

static int update(const struct topics_options *t, coho_server *s,
                  const struct topics_common *common) {
  const coho_topics_options o = options_of(t, common);
  return coho_route_topics_update(s, path, &o);
}

/* fresh takes the place of auth; it is empty afterwards. */
static int exchange(const struct topics_options *t, coho_server *s,
                    const struct topics_common *common, struct auth *fresh) {
  struct auth before = auth;
  auth = *fresh;
  int err = update(t, s, common);
  if (err) {
    *fresh = auth;
    auth = before;
  } else {
    *fresh = before;
    now = t;
  }
  auth_stop(fresh);
  return err;
}

static void tell_exchange(int err) {
  char line[128];
  (void)snprintf(line, sizeof line, "coho: the keys of tokens %s%s",
                 err ? "stay as they were: " : "were read again", err ? coho_strerror(err) : "");
  logger_line(line);
}

static void look(void *arg) {
  (void)arg;
  if (!auth_ready(&coming.auth)) return;
  tell_exchange(exchange(coming.options, coming.server, &coming.common, &coming.auth));
  forget_coming();
}

/* Keeps what it needs, and looks from time to time: nobody waits meanwhile. */
static int await_keys(const struct topics_options *t, coho_server *s,
                      const struct topics_common *common) {
  coming.timer = coho_timer_new(coho_server_loop(s, 0), look, NULL);
  if (!coming.timer) return COHO_ENOMEM;
  coming.options = t;
  coming.server = s;
  coming.conn = *common->conn;
  coming.common = *common;
  coming.common.conn = &coming.conn;
  coho_timer_start(coming.timer, LOOK_MS, LOOK_MS);
  return 0;
}

static void renew_keys(const struct topics_options *t, coho_server *s,
                       const struct topics_common *common) {
  char why[WHY], line[WHY + 64];
  int err = auth_begin(&t->auth, &coming.auth, why, sizeof why);
  if (!err && !auth_ready(&coming.auth))
    err = await_keys(t, s, common);
  else if (!err)
    tell_exchange(exchange(t, s, common, &coming.auth));
  if (!err) return;
  if (!*why) (void)snprintf(why, sizeof why, "%s", coho_strerror(err));
  (void)snprintf(line, sizeof line, "coho: the keys of tokens stay as they were: %s", why);
  logger_line(line);
  forget_coming();
}

void topics_settle(void) {
  forget_coming();
  now = NULL;
}

int topics_update(const struct topics_options *t, coho_server *s,
                  const struct topics_common *common) {
  struct auth none = {NULL, NULL};
  bool same = now && now->closed && t->closed && auth_same(&now->auth, &t->auth);
  topics_settle();
  if (!t->closed) return exchange(t, s, common, &none);
  int err = update(t, s, common);
  if (err) return err;
  if (same) {
    now = t;
    auth_reload(&auth);
  } else {
    renew_keys(t, s, common);
  }
  return 0;
}

void topics_stop(void) {
  auth_stop(&auth);
  coho_hub_free(hub);
  hub = NULL;
  now = NULL;
}

coho_hub *topics_hub(void) { return hub; }
