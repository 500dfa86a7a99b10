#include "topics/mount.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/strlist.h"
#include "http/forwarded.h"
#include "hub/hub.h"
#include "topics/access.h"
#include "topics/ask.h"
#include "topics/cors.h"
#include "topics/events.h"
#include "topics/keys.h"
#include "topics/poll.h"
#include "topics/publish.h"
#include "topics/throttle.h"

#include <string.h>

enum {
  MAX_MESSAGE = 64 * 1024,
  MAX_QUEUE = 1024 * 1024,
  RATE_PER_SECOND = 100,
  RATE_BURST = 200,
  HTTP_PER_SECOND = 1000, /* many people may share an address */
  HTTP_BURST = 2000,
  MAX_SUBSCRIPTIONS = 100,
  AUTH_TIMEOUT_MS = 5000,
  HEARTBEAT_MS = 15000,
  POLL_MS = 60000
};

/* ---- paths ----------------------------------------------------------------------------------- */

/* Cuts "/history" off. */
static bool take_history(struct coho__view *name) {
  const struct coho__view end = VIEW("/history");
  if (name->len <= end.len || memcmp(name->data + name->len - end.len, end.data, end.len) != 0)
    return false;
  name->len -= end.len;
  return true;
}

struct coho__path coho__path_read(struct coho__view name) {
  struct coho__path p = {COHO_PLACE_TOPIC, coho__topic_base(name), name};
  if (coho__topic_is_companion(name)) p.place = COHO_PLACE_PRESENCE;
  if (!coho__topic_name_valid(p.topic)) p.place = COHO_PLACE_NONE;
  return p;
}

struct coho__path coho__path_of(const struct coho__mount *m, const coho_request *r) {
  struct coho__view name = coho__view_of(coho_request_path(r));
  size_t prefix = strlen(m->prefix);
  struct coho__path p = {COHO_PLACE_NONE, name, name};
  /* The route matches without the last slash, too. */
  if (name.len < prefix) return p;
  name = (struct coho__view){name.data + prefix, name.len - prefix};
  p = (struct coho__path){COHO_PLACE_ROOT, name, name};
  if (!name.len) return p;
  if (!take_history(&p.topic)) return coho__path_read(name);
  p.follow = p.topic;
  p.place = coho__topic_name_valid(p.topic) ? COHO_PLACE_HISTORY : COHO_PLACE_NONE;
  return p;
}

static bool names(const coho_request *r, const char *name) {
  struct coho__view rest = coho__view_of(coho_request_query_string(r));
  while (rest.data) {
    struct coho__view value = coho__view_split(&rest, '&');
    if (coho__view_eq(coho__view_split(&value, '='), coho__view_of(name))) return true;
  }
  return false;
}

/* NULL: it is absent. What cannot be decoded is wrong: who goes on from somewhere is not to begin
   anywhere else. */
static int read_since(coho_request *r, const char *name, const char **text) {
  *text = coho_request_query(r, name);
  return *text || !names(r, name) ? 0 : COHO_EPOSITION;
}

/* An EventSource comes back to the same URL, whose `since` is older. Some that are no browser's say in
   the query what that says in the field. An empty id is none. */
int coho__since_of(coho_request *r, coho_pos *at, const coho_pos **pos) {
  const char *text = coho_request_header(r, "Last-Event-ID");
  int err = 0;
  *pos = NULL;
  if (!text || !*text) err = read_since(r, "lastEventId", &text);
  if (!err && (!text || !*text)) err = read_since(r, "since", &text);
  if (err || !text) return err;
  err = coho_pos_parse(text, at);
  if (!err) *pos = at;
  return err;
}

/* ---- where requests go ----------------------------------------------------------------------- */

static bool is(const coho_request *r, const char *method) {
  return strcmp(coho_request_method(r), method) == 0;
}

static bool wants_events(coho_request *r) {
  const char *accept = coho_request_header(r, "Accept");
  return accept && strstr(accept, "text/event-stream");
}

static bool wants_poll(coho_request *r) {
  return coho_request_query(r, "since") || coho_request_query(r, "wait");
}

/* docs/topics.md: events when they are asked for; a poll when it says since or wait; else events. */
static void get(struct coho__mount *m, coho_request *r, const struct coho__path *p) {
  bool poll = !wants_events(r) && wants_poll(r);
  bool follow = wants_events(r) || wants_poll(r);
  if (p->place == COHO_PLACE_HISTORY)
    coho__ask_history(m, r, p);
  else if (p->place == COHO_PLACE_PRESENCE && !follow)
    coho__ask_presence(m, r, p);
  else if (poll)
    coho__poll(m, r, p);
  else
    coho__events(m, r, p);
}

/* False: there were too many of its address. Handshakes and what comes by WebSocket have rates of their
   own; what is answered without a look at the hub does not count, as a refusal would cost the same. */
static bool may_ask(const struct coho__mount *m, coho_request *r) {
  char peer[COHO_ADDR_MAX];
  uint64_t now = coho__clock_ms();
  if (!m->requests || coho__forwarded_untold(coho__http_conn_of(r))) return true;
  (void)coho_request_peer(r, peer, sizeof peer);
  if (coho__throttle_take(m->requests, coho__view_of(peer), now)) return true;
  coho__throttle_log(m->requests, peer, now, COHO_ETOOMANY);
  return false;
}

void coho__mount_serve(struct coho__mount *m, coho_request *r) {
  struct coho__path p = coho__path_of(m, r);
  int err = coho__cors(m, r);
  if (err)
    coho__refuse(r, err);
  else if (p.place == COHO_PLACE_NONE)
    coho__refuse(r, COHO_ENAME);
  else if (is(r, "OPTIONS"))
    coho__cors_preflight(r, &p);
  else if (!may_ask(m, r))
    coho__refuse(r, COHO_ETOOMANY);
  else if (is(r, "GET") || is(r, "HEAD"))
    get(m, r, &p);
  else if (is(r, "POST") && p.place == COHO_PLACE_ROOT)
    coho__ask_ticket(m, r);
  else if (is(r, "POST") && p.place == COHO_PLACE_TOPIC)
    coho__post(m, r, &p);
  else
    coho__cors_wrong_method(r, &p);
}

/* ---- life ------------------------------------------------------------------------------------ */

struct coho__mount *coho__mount_ref(struct coho__mount *m) {
  atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
  return m;
}

void coho__mount_unref(struct coho__mount *m) {
  if (!m || atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) > 1) return;
  for (size_t i = 0; i < COHO_COUNT(m->lists); i++)
    coho__strlist_free(m->lists[i]);
  coho__keys_unref(m->opt.keys);
  coho__hub_unref(m->hub);
  coho__free_str(m->prefix);
  coho__free_str(m->cookie);
  coho__free(m, sizeof *m);
}

static void set_default(uint32_t *field, uint32_t value) {
  if (!*field) *field = value;
}

static void set_defaults(coho_topics_options *o) {
  if (!o->max_message) o->max_message = MAX_MESSAGE;
  if (!o->max_queue) {
    uint64_t messages = o->max_message > UINT64_MAX / 4 ? UINT64_MAX : 4 * o->max_message;
    o->max_queue = COHO_MAX(messages, (uint64_t)MAX_QUEUE);
  }
  if (!o->rate.per_second) o->rate = (coho_rate){RATE_PER_SECOND, RATE_BURST};
  if (!o->rate.burst) o->rate.burst = o->rate.per_second;
  if (!o->http_rate.per_second) o->http_rate = (coho_rate){HTTP_PER_SECOND, HTTP_BURST};
  if (!o->http_rate.burst) o->http_rate.burst = o->http_rate.per_second;
  set_default(&o->max_subscriptions, MAX_SUBSCRIPTIONS);
  set_default(&o->auth_timeout_ms, AUTH_TIMEOUT_MS);
  set_default(&o->heartbeat_ms, HEARTBEAT_MS);
  set_default(&o->poll_ms, POLL_MS);
}

static bool patterns_valid(const char *const *list) {
  for (; list && *list; list++)
    if (!coho__pattern_valid(coho__view_of(*list))) return false;
  return true;
}

/* What is open to everybody: without keys, all. */
static const char *const *open_list(const coho_topics_options *o, const char *const *list) {
  static const char *const all[] = {"#", NULL};
  static const char *const none[] = {NULL};
  return list ? list : o->keys ? none : all;
}

static int copy_lists(struct coho__mount *m) {
  const char *const *lists[] = {open_list(&m->opt, m->opt.open_subscribe),
                                open_list(&m->opt, m->opt.open_publish), m->opt.origins};
  int err = 0;
  for (size_t i = 0; i < COHO_COUNT(lists) && !err; i++)
    if (lists[i]) err = coho__strlist_copy(&m->lists[i], lists[i]);
  m->opt.open_subscribe = (const char *const *)m->lists[0];
  m->opt.open_publish = (const char *const *)m->lists[1];
  m->opt.origins = (const char *const *)m->lists[2];
  return err;
}

static int fill(struct coho__mount *m, const char *prefix) {
  int err = copy_lists(m);
  m->opt.keys = coho__keys_ref(m->opt.keys);
  m->prefix = coho__strdup(prefix);
  m->cookie = coho__strdup(m->opt.cookie ? m->opt.cookie : "coho_token");
  return !err && !(m->prefix && m->cookie) ? COHO_ENOMEM : err;
}

int coho__mount_new(coho_hub *hub, const char *prefix, const coho_topics_options *opt,
                    struct coho__mount **out) {
  if (!patterns_valid(opt->open_subscribe) || !patterns_valid(opt->open_publish))
    return COHO_EOPTION;
  struct coho__mount *m = (struct coho__mount *)coho__zalloc(sizeof *m);
  if (!m) return COHO_ENOMEM;
  atomic_init(&m->refs, 1);
  m->hub = coho__hub_ref(hub);
  m->opt = *opt;
  m->opt.conn = NULL;
  set_defaults(&m->opt);
  int err = fill(m, prefix);
  if (!err)
    *out = m;
  else
    coho__mount_unref(m);
  return err;
}
