#include "topics/mount.h"

#include "base/alloc.h"
#include "base/sized.h"
#include "base/strlist.h"
#include "hub/hub.h"
#include "topics/ask.h"
#include "topics/cors.h"
#include "topics/events.h"
#include "topics/keys.h"
#include "topics/poll.h"
#include "topics/publish.h"
#include "topics/session.h"
#include "topics/throttle.h"
#include "topics/tickets.h"
#include "ws/serve.h"

#include <stdio.h>
#include <string.h>

enum {
  MAX_MESSAGE = 64 * 1024,
  MAX_QUEUE = 1024 * 1024,
  RATE_PER_SECOND = 100,
  RATE_BURST = 200,
  MAX_SUBSCRIPTIONS = 100,
  AUTH_TIMEOUT_MS = 5000,
  HEARTBEAT_MS = 15000,
  POLL_MS = 60000,
  PREFIX_MOST = 255
};

/* ---- paths ----------------------------------------------------------------------------------- */

/* Cuts "/history" or "/presence" off. */
static bool take_end(struct coho__view *name, struct coho__view end) {
  if (name->len <= end.len || memcmp(name->data + name->len - end.len, end.data, end.len) != 0)
    return false;
  name->len -= end.len;
  return true;
}

struct coho__path coho__path_read(struct coho__view name) {
  struct coho__path p = {COHO_PLACE_TOPIC, name, name};
  if (take_end(&p.topic, VIEW("/presence"))) p.place = COHO_PLACE_PRESENCE;
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
  if (!take_end(&p.topic, VIEW("/history"))) return coho__path_read(name);
  p.follow = p.topic;
  p.place = coho__topic_name_valid(p.topic) ? COHO_PLACE_HISTORY : COHO_PLACE_NONE;
  return p;
}

/* Also when it cannot be decoded: who goes on from somewhere is not to begin anywhere else. */
static bool names_since(const coho_request *r) {
  struct coho__view rest = coho__view_of(coho_request_query_string(r));
  while (rest.data) {
    struct coho__view value = coho__view_split(&rest, '&');
    if (coho__view_eq(coho__view_split(&value, '='), VIEW("since"))) return true;
  }
  return false;
}

int coho__since_of(coho_request *r, coho_pos *at, const coho_pos **pos) {
  const char *text = coho_request_header(r, "Last-Event-ID");
  /* An EventSource comes back to the same URL, whose `since` is older. */
  if (!text) text = coho_request_query(r, "since");
  *pos = NULL;
  if (!text) return names_since(r) ? COHO_EPOSITION : 0;
  int err = coho_pos_parse(text, at);
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

static void serve(coho_request *r, void *ctx) {
  struct coho__mount *m = (struct coho__mount *)ctx;
  struct coho__path p = coho__path_of(m, r);
  int err = coho__cors(m, r);
  if (err)
    coho__refuse(r, err);
  else if (p.place == COHO_PLACE_NONE)
    coho__refuse(r, COHO_ENAME);
  else if (is(r, "OPTIONS"))
    coho__cors_preflight(r, &p);
  else if (is(r, "GET") || is(r, "HEAD"))
    get(m, r, &p);
  else if (is(r, "POST") && p.place == COHO_PLACE_ROOT)
    coho__ask_ticket(m, r);
  else if (is(r, "POST") && p.place == COHO_PLACE_TOPIC)
    coho__post(m, r, &p);
  else
    coho__cors_wrong_method(r, &p);
}

static void too_big(coho_request *r, void *ctx) {
  int err = coho__cors((struct coho__mount *)ctx, r);
  coho__refuse(r, err ? err : COHO_ETOOBIG);
}

/* ---- life ------------------------------------------------------------------------------------ */

static void free_mount(void *ctx) {
  struct coho__mount *m = (struct coho__mount *)ctx;
  for (size_t i = 0; i < COHO_COUNT(m->lists); i++)
    coho__strlist_free(m->lists[i]);
  coho__keys_unref(m->opt.keys);
  coho__hub_unref(m->hub);
  coho__tickets_free(m->tickets);
  coho__throttle_free(m->throttle);
  coho__free_str(m->prefix);
  coho__free_str(m->cookie);
  coho__free(m, sizeof *m);
}

static void set_default(uint32_t *field, uint32_t value) {
  if (!*field) *field = value;
}

static void set_defaults(coho_topics_options *o) {
  if (!o->max_message) o->max_message = MAX_MESSAGE;
  if (!o->max_queue) o->max_queue = MAX_QUEUE;
  if (!o->rate.per_second) o->rate = (coho_rate){RATE_PER_SECOND, RATE_BURST};
  if (!o->rate.burst) o->rate.burst = o->rate.per_second;
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
  if (m->opt.keys) {
    m->tickets = coho__tickets_new();
    m->throttle = coho__throttle_new();
  }
  bool whole = m->prefix && m->cookie && (!m->opt.keys || (m->tickets && m->throttle));
  return err ? err : whole ? 0 : COHO_ENOMEM;
}

static int new_mount(coho_hub *hub, const char *prefix, const coho_topics_options *opt,
                     struct coho__mount **out) {
  struct coho__mount *m = (struct coho__mount *)coho__zalloc(sizeof *m);
  if (!m) return COHO_ENOMEM;
  m->hub = coho__hub_ref(hub);
  m->opt = *opt;
  set_defaults(&m->opt);
  int err = fill(m, prefix);
  if (!err)
    *out = m;
  else
    free_mount(m);
  return err;
}

static bool prefix_valid(const char *prefix) {
  size_t len = prefix ? strlen(prefix) : 0;
  return len && len <= PREFIX_MOST && prefix[0] == '/' && prefix[len - 1] == '/' &&
         !strpbrk(prefix, ":*%?#");
}

static int add_route(coho_server *s, struct coho__mount *m) {
  char any[] = "*", pattern[PREFIX_MOST + 2];
  (void)snprintf(pattern, sizeof pattern, "%s*", m->prefix);
  struct coho__route route = {.kind = COHO_ROUTE_HTTP,
                              .method = any,
                              .serve = serve,
                              .too_big = too_big,
                              .max_body = m->opt.max_message,
                              .ctx = m,
                              .free_ctx = free_mount};
  return atomic_load(&s->started) ? COHO_EINVAL : coho__routes_add(&s->routes, pattern, &route);
}

int coho_route_topics_sized(coho_server *s, const char *prefix, coho_hub *hub,
                            const coho_topics_options *opt, const size_t sizes[2]) {
  coho_topics_options o;
  coho_options conn;
  struct coho__mount *m;
  if (!s || !hub || !prefix_valid(prefix)) return COHO_EINVAL;
  int err = coho__sized_read(&o, sizeof o, opt, sizes[0]);
  if (!err) err = coho__sized_read(&conn, sizeof conn, o.conn, sizes[1]);
  if (err) return err;
  o.conn = &conn;
  if (!patterns_valid(o.open_subscribe) || !patterns_valid(o.open_publish)) return COHO_EOPTION;
  err = new_mount(hub, prefix, &o, &m);
  if (err) return err;
  err = add_route(s, m); /* the server's from then on */
  if (err) {
    free_mount(m);
    return err;
  }
  err = coho__session_route(s, m);
  m->opt.conn = NULL; /* the route has a copy */
  return err;
}
