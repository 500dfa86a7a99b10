#include "topics.h"

#include "base/check.h"
#include "base/view.h"
#include "hub/pattern.h"

#include <stdio.h>
#include <string.h>

enum { PATH_MOST = 255, WHY = 512 };

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
     .usual = "1M",
     .min = 1,
     .text = "memory for them (1M)"},
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
        c, r->pattern, "this is no name of a topic, nor a pattern such as news/# or room/+: '%s'",
        r->pattern);
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

/* ---- serving -------------------------------------------------------------------------------- */

static coho_hub *hub;
static struct auth auth;

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

static int mount(const struct topics_options *t, coho_server *s, const coho_options *base) {
  const struct auth_options *a = &t->auth;
  const coho_topics_options o = {.keys = auth.keys,
                                 .open_subscribe = t->closed ? a->open_subscribe.items : NULL,
                                 .open_publish = t->closed ? a->open_publish.items : NULL,
                                 .cookie = a->cookie,
                                 .origins = base->origins,
                                 .conn = base,
                                 .max_queue = base->max_queue,
                                 .rate = base->rate_messages};
  int err = coho_route_topics(s, t->path, hub, &o);
  if (err) fprintf(stderr, "coho serve: topics at %s: %s\n", t->path, coho_strerror(err));
  return err;
}

int topics_start(const struct topics_options *t, coho_server *s, const coho_options *base) {
  int err = make_hub(t);
  if (!err) err = make_keys(t);
  return err ? err : mount(t, s, base);
}

void topics_stop(void) {
  auth_stop(&auth);
  coho_hub_free(hub);
  hub = NULL;
}

void topics_reload(void) { auth_reload(&auth); }

bool topics_have_keys(void) { return auth.keys != NULL; }

coho_hub *topics_hub(void) { return hub; }
