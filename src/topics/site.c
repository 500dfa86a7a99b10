#include "topics/site.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/sized.h"
#include "topics/access.h"
#include "topics/cors.h"
#include "topics/session.h"
#include "topics/throttle.h"
#include "topics/tickets.h"
#include "ws/serve.h"

#include <stdio.h>
#include <string.h>

enum { PREFIX_MOST = 255, PATTERN_MOST = PREFIX_MOST + 2 };

struct coho__site {
  pthread_mutex_t lock;      /* of now */
  struct coho__mount *now;   /* NULL: it was never complete */
  _Atomic uint64_t max_body; /* of a request */
  /* Made when they are needed first; changed one at a time. */
  struct coho__tickets *tickets;
  struct coho__throttle *guesses, *requests;
};

/* ---- requests -------------------------------------------------------------------------------- */

struct coho__mount *coho__site_mount(struct coho__site *site) {
  pthread_mutex_lock(&site->lock);
  struct coho__mount *m = coho__mount_ref(site->now);
  pthread_mutex_unlock(&site->lock);
  return m;
}

static void serve(coho_request *r, void *ctx) {
  struct coho__mount *m = coho__site_mount((struct coho__site *)ctx);
  coho__mount_serve(m, r);
  coho__mount_unref(m);
}

static int refuse(coho_request *r, int err, void *ctx) {
  struct coho__mount *m = coho__site_mount((struct coho__site *)ctx);
  int failed = coho__refuse_early(m, r, err);
  coho__mount_unref(m);
  return failed;
}

/* ---- another mount --------------------------------------------------------------------------- */

/* UINT32_MAX: any number. */
static bool limits_requests(const struct coho__mount *m) {
  return m->opt.http_rate.per_second != UINT32_MAX;
}

static struct coho__bucket_rate requests_of(const struct coho__mount *m) {
  return (struct coho__bucket_rate){m->opt.http_rate.per_second, m->opt.http_rate.burst};
}

/* What it needs of the site. Nothing changes for the mount that holds now. */
static int equip(struct coho__site *site, struct coho__mount *m) {
  const struct coho__bucket_rate guesses = {COHO_GUESSES_MOST, COHO_GUESSES_MOST};
  bool keys = m->opt.keys != NULL, requests = limits_requests(m);
  if (keys && !site->tickets) site->tickets = coho__tickets_new();
  if (keys && !site->guesses) site->guesses = coho__throttle_new(guesses, COHO_GUESSES_S);
  if (requests && !site->requests) site->requests = coho__throttle_new(requests_of(m), 1);
  if (keys && !(site->tickets && site->guesses)) return COHO_ENOMEM;
  if (requests && !site->requests) return COHO_ENOMEM;
  m->tickets = keys ? site->tickets : NULL;
  m->guesses = keys ? site->guesses : NULL;
  m->requests = requests ? site->requests : NULL;
  return 0;
}

/* Takes m over. */
static void put(struct coho__site *site, struct coho__mount *m) {
  if (m->requests) coho__throttle_retune(m->requests, requests_of(m));
  atomic_store_explicit(&site->max_body, m->opt.max_message, memory_order_relaxed);
  pthread_mutex_lock(&site->lock);
  struct coho__mount *before = site->now;
  site->now = m;
  pthread_mutex_unlock(&site->lock);
  coho__mount_unref(before);
}

/* ---- life ------------------------------------------------------------------------------------ */

static void free_site(void *ctx) {
  struct coho__site *site = (struct coho__site *)ctx;
  coho__mount_unref(site->now);
  coho__tickets_free(site->tickets);
  coho__throttle_free(site->guesses);
  coho__throttle_free(site->requests);
  pthread_mutex_destroy(&site->lock);
  coho__free(site, sizeof *site);
}

static bool prefix_valid(const char *prefix) {
  size_t len = prefix ? strlen(prefix) : 0;
  return len && len <= PREFIX_MOST && prefix[0] == '/' && prefix[len - 1] == '/' &&
         !strpbrk(prefix, ":*%?#");
}

/* The server's from then on, also on an error. */
static int add_route(coho_server *s, const char *pattern, struct coho__site *site) {
  char any[] = "*";
  struct coho__route route = {.kind = COHO_ROUTE_HTTP,
                              .method = any,
                              .serve = serve,
                              .refuse = refuse,
                              .max_body = &site->max_body,
                              .ctx = site,
                              .free_ctx = free_site};
  int err = atomic_load(&s->started) ? COHO_EINVAL : coho__routes_add(&s->routes, pattern, &route);
  if (err) free_site(site);
  return err;
}

static int read_options(coho_topics_options *o, coho_options *conn, const coho_topics_options *opt,
                        const size_t sizes[2]) {
  int err = coho__sized_read(o, sizeof *o, opt, sizes[0]);
  if (!err) err = coho__sized_read(conn, sizeof *conn, o->conn, sizes[1]);
  return err;
}

int coho_route_topics_sized(coho_server *s, const char *prefix, coho_hub *hub,
                            const coho_topics_options *opt, const size_t sizes[2]) {
  coho_topics_options o;
  coho_options conn;
  struct coho__mount *m;
  char pattern[PATTERN_MOST];
  if (!s || !hub || !prefix_valid(prefix)) return COHO_EINVAL;
  int err = read_options(&o, &conn, opt, sizes);
  if (!err) err = coho__mount_new(hub, prefix, &o, &m);
  if (err) return err;
  struct coho__site *site = (struct coho__site *)coho__zalloc(sizeof *site);
  if (!site) {
    coho__mount_unref(m);
    return COHO_ENOMEM;
  }
  pthread_mutex_init(&site->lock, NULL);
  err = equip(site, m);
  put(site, m);
  if (err) {
    free_site(site);
    return err;
  }
  (void)snprintf(pattern, sizeof pattern, "%s*", prefix);
  err = add_route(s, pattern, site);
  return err ? err : coho__session_route(s, pattern, site, &conn);
}

/* One at a time. */
static int update(coho_server *s, const char *prefix, const coho_topics_options *o,
                  const coho_options *conn) {
  char pattern[PATTERN_MOST];
  struct coho__mount *m = NULL;
  (void)snprintf(pattern, sizeof pattern, "%s*", prefix);
  const struct coho__route *route = coho__routes_get(&s->routes, pattern, serve);
  if (!route) return COHO_ENOTFOUND;
  struct coho__site *site = (struct coho__site *)route->ctx;
  int err = coho__mount_new(site->now->hub, prefix, o, &m);
  if (!err) err = equip(site, m);
  if (!err) err = coho__session_update(s, pattern, site, m, conn);
  if (err)
    coho__mount_unref(m);
  else
    put(site, m);
  return err;
}

int coho_route_topics_update_sized(coho_server *s, const char *prefix,
                                   const coho_topics_options *opt, const size_t sizes[2]) {
  coho_topics_options o;
  coho_options conn;
  if (!s || !prefix_valid(prefix)) return COHO_EINVAL;
  int err = read_options(&o, &conn, opt, sizes);
  if (err) return err;
  pthread_mutex_lock(&s->lock);
  err = update(s, prefix, &o, &conn);
  pthread_mutex_unlock(&s->lock);
  return err;
}
