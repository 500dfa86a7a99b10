#include "ws/serve.h"

#include "base/alloc.h"
#include "base/log.h"
#include "http/serve_files.h"
#include "io/tls.h"
#include "ws/stats.h"

#include <signal.h>
#include <string.h>

/* ---- life ----------------------------------------------------------------------------------- */

static size_t server_size(uint32_t loops) {
  return sizeof(coho_server) + loops * sizeof(struct coho__serve_loop);
}

static void free_server(coho_server *s) {
  coho__listeners_free(s);
  for (uint32_t i = 0; i < s->loop_count && s->own_loops; i++)
    coho_loop_free(s->loops[i].loop);
  coho__routes_free(&s->routes);
  coho__admission_free(&s->admission);
  coho__cidrs_free(&s->proxies);
  coho__cidrs_free(&s->trusted);
  coho__buf_release(&s->http_conf.file_fields);
  coho__tls_unref(s->opt.tls);
  pthread_mutex_destroy(&s->lock);
  coho__free(s, server_size(s->loop_count));
}

void coho__server_unref(coho_server *s) {
  if (atomic_fetch_sub(&s->refs, 1) == 1) free_server(s);
}

void coho__server_conf(const coho_server_options *o, struct coho__http_conf *conf) {
  /* One line or value may take all of the head: who raises the limit has one that is long. */
  conf->limits = (struct coho__http1_limits){.line = (uint16_t)o->max_head,
                                             .head = (uint16_t)o->max_head,
                                             .value = (uint16_t)o->max_head,
                                             .fields = (uint16_t)o->max_fields};
  conf->max_body = o->max_body;
  conf->max_reply_queue = o->max_reply_queue;
  conf->head_timeout_ms = o->head_timeout_ms;
  conf->body_timeout_ms = o->body_timeout_ms;
  conf->keepalive_timeout_ms = o->keepalive_timeout_ms;
  conf->write_timeout_ms = o->write_timeout_ms;
}

static int configure(coho_server *s) {
  const coho_server_options *o = &s->opt;
  const struct coho__addresses_limits limits = {
      .connections = o->max_per_address,
      .shakes = {o->address_rate.per_second, o->address_rate.burst}};
  coho__admission_init(&s->admission, o->max_connections);
  coho__routes_init(&s->routes);
  s->http_conf = (struct coho__http_conf){.routes = &s->routes,
                                          .admission = &s->admission,
                                          .access_log = o->access_log,
                                          .access = o->access,
                                          .access_log_ctx = o->access_log_ctx};
  coho__server_conf(o, &s->http_conf);
  int err = coho__files_fields(o->headers, &s->http_conf.file_fields);
  if (!err) err = coho__admission_limit(&s->admission, &limits);
  if (!err) err = coho__cidrs_read(&s->proxies, o->proxy_protocol);
  if (!err) err = coho__cidrs_read(&s->trusted, o->trusted_proxies);
  if (!coho__cidrs_empty(&s->trusted)) s->admission.trusted = &s->trusted;
  s->opt.headers = NULL; /* the program's, which need not live */
  s->opt.proxy_protocol = s->opt.trusted_proxies = NULL;
  s->fresh = s->opt;
  return err;
}

static bool make_loops(coho_server *s, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    coho_loop *loop = s->own_loops ? coho_loop_new() : s->opt.loop;
    if (!loop) return false;
    bool fine = coho__conn_table_of(loop) != NULL;
    if (fine) {
      s->loop_count++;
      coho__serve_loop_init(&s->loops[i], s, loop);
      continue;
    }
    if (s->own_loops) coho_loop_free(loop);
    return false;
  }
  return true;
}

coho_server *coho_server_new_sized(const coho_server_options *opt, size_t size) {
  coho_server_options set;
  if (coho__server_options_read(&set, opt, size)) return NULL;
  uint32_t count = set.threads;
  coho_server *s = (coho_server *)coho__zalloc(server_size(count));
  if (!s) return NULL;
  s->opt = set;
  (void)coho__tls_ref(set.tls);
  s->own_loops = !set.loop;
  atomic_init(&s->refs, 1);
  coho__list_init(&s->listeners);
  pthread_mutex_init(&s->lock, NULL);
  if (configure(s) == 0 && make_loops(s, count)) return s;
  uint32_t made = s->loop_count;
  s->loop_count = count; /* the size it was allocated with */
  for (uint32_t i = 0; i < made && s->own_loops; i++)
    coho_loop_free(s->loops[i].loop);
  s->own_loops = false;
  coho__server_unref(s);
  return NULL;
}

/* ---- threads -------------------------------------------------------------------------------- */

static void run_loop(struct coho__serve_loop *sl) {
  int err = 0;
  coho__serve_loop_enter(sl);
  /* A program may stop its loops; a server ends by coho_server_stop() only. */
  while (!err && sl->state != COHO_SERVE_DONE)
    err = coho_loop_run(sl->loop);
  if (err) {
    coho__log(COHO_LOG_ERROR, "a loop of the server failed: %s", coho_strerror(err));
    coho__serve_loop_leave(sl);
  }
  coho__serve_loop_enter(NULL);
}

static void *run_thread(void *arg) {
  struct coho__serve_loop *sl = (struct coho__serve_loop *)arg;
  coho_server *s = sl->server;
  run_loop(sl);
  coho__server_unref(s);
  return NULL;
}

static int spawn(struct coho__serve_loop *sl) {
  coho_server *s = sl->server;
  atomic_fetch_add(&s->refs, 1);
  pthread_mutex_lock(&s->lock);
  bool fine = pthread_create(&sl->thread, NULL, run_thread, sl) == 0;
  sl->threaded = fine;
  pthread_mutex_unlock(&s->lock);
  if (fine) return 0;
  atomic_fetch_sub(&s->refs, 1);
  return COHO_ESYSTEM;
}

/* Each thread is joined once. */
static bool claim_thread(coho_server *s, struct coho__serve_loop *sl) {
  pthread_mutex_lock(&s->lock);
  bool mine = sl->threaded;
  sl->threaded = false;
  pthread_mutex_unlock(&s->lock);
  return mine;
}

/* Waits for the threads; on one of them, lets them end by themselves. */
static void join(coho_server *s) {
  bool inside = coho__serve_loop_here(s) != NULL;
  for (uint32_t i = 0; i < s->loop_count; i++) {
    if (!claim_thread(s, &s->loops[i])) continue;
    if (inside)
      pthread_detach(s->loops[i].thread);
    else
      pthread_join(s->loops[i].thread, NULL);
  }
}

/* Threads for the loops from the first on. Those without one are ended here. */
static int spawn_all(coho_server *s, uint32_t first) {
  int err = 0;
  for (uint32_t i = first; i < s->loop_count; i++) {
    if (!err) err = spawn(&s->loops[i]);
    if (err) coho__serve_loop_leave(&s->loops[i]);
  }
  return err;
}

static int start_loops(coho_server *s) {
  if (atomic_load(&s->stopping)) return COHO_ESTOPPED;
  if (atomic_exchange(&s->started, true)) return COHO_EBUSY;
  int err = 0;
  for (uint32_t i = 0; !err && i < s->loop_count; i++)
    err = coho__serve_loop_start(&s->loops[i]);
  if (!err) return 0;
  for (uint32_t i = 0; i < s->loop_count; i++)
    coho__serve_loop_leave(&s->loops[i]);
  return err;
}

int coho_server_start(coho_server *s) {
  int err = start_loops(s);
  if (err || !s->own_loops) return err;
  err = spawn_all(s, 0);
  if (err) coho_server_stop(s);
  return err;
}

int coho_server_run(coho_server *s) {
  if (!s->own_loops) return COHO_EINVAL;
  int err = start_loops(s);
  if (err) return err == COHO_ESTOPPED ? 0 : err;
  atomic_fetch_add(&s->refs, 1); /* a handler may free it */
  err = spawn_all(s, 1);
  if (err) coho_server_stop(s);
  run_loop(&s->loops[0]);
  join(s);
  coho__server_unref(s);
  return err;
}

void coho_server_stop(coho_server *s) {
  atomic_store(&s->stopping, true);
  coho__stop_ring();
}

int coho_server_stopped(const coho_server *s) {
  if (!atomic_load(&s->started)) return atomic_load(&s->stopping);
  return atomic_load(&s->undone) == 0;
}

void coho_server_free(coho_server *s) {
  if (!s) return;
  atomic_store(&s->stopping, true);
  atomic_store(&s->cutting, true);
  if (!s->own_loops) {
    struct coho__serve_loop *sl = &s->loops[0];
    if (sl->state == COHO_SERVE_NEW)
      coho__serve_loop_leave(sl);
    else
      coho__serve_loop_cut(sl);
  } else if (atomic_load(&s->started)) {
    coho__stop_ring();
    join(s);
  }
  coho__server_unref(s);
}

/* ---- other options -------------------------------------------------------------------------- */

/* Sockets, loops and who is told are as they were made. */
static void take_limits(coho_server_options *to, const coho_server_options *from) {
  to->max_body = from->max_body;
  to->max_reply_queue = from->max_reply_queue;
  to->max_connections = from->max_connections;
  to->max_head = from->max_head;
  to->max_fields = from->max_fields;
  to->head_timeout_ms = from->head_timeout_ms;
  to->body_timeout_ms = from->body_timeout_ms;
  to->keepalive_timeout_ms = from->keepalive_timeout_ms;
  to->write_timeout_ms = from->write_timeout_ms;
  to->drain_timeout_ms = from->drain_timeout_ms;
  to->drain_spread_ms = from->drain_spread_ms;
  to->drain_code = from->drain_code;
  to->tls_timeout_ms = from->tls_timeout_ms;
  to->proxy_timeout_ms = from->proxy_timeout_ms;
  to->max_per_address = from->max_per_address;
  to->address_rate = from->address_rate;
}

int coho_server_update_sized(coho_server *s, const coho_server_options *opt, size_t size) {
  coho_server_options set;
  int err = coho__server_options_read(&set, opt, size);
  if (err) return err;
  const struct coho__addresses_limits limits = {
      .connections = set.max_per_address,
      .shakes = {set.address_rate.per_second, set.address_rate.burst}};
  pthread_mutex_lock(&s->lock);
  err = coho__admission_update(&s->admission, set.max_connections, &limits);
  if (!err) {
    take_limits(&s->fresh, &set);
    atomic_fetch_add(&s->version, 1);
  }
  pthread_mutex_unlock(&s->lock);
  if (!err) coho__stop_ring();
  return err;
}

/* ---- routes --------------------------------------------------------------------------------- */

int coho_route_ws_update_sized(coho_server *s, const char *pattern, const coho_options *opt,
                               size_t size) {
  struct coho__options *options;
  if (!pattern) return COHO_EINVAL;
  int err = coho__options_new(COHO_SERVER, opt, size, &options);
  if (err) return err;
  err = coho__upgrade_update(&s->routes, pattern, options);
  coho__options_unref(options);
  return err;
}

int coho_route_ws_sized(coho_server *s, const char *pattern, const coho_options *opt, size_t size) {
  struct coho__options *options;
  if (!pattern || atomic_load(&s->started)) return COHO_EINVAL;
  int err = coho__options_new(COHO_SERVER, opt, size, &options);
  if (err) return err;
  err = coho__upgrade_route(&s->routes, pattern, options);
  coho__options_unref(options);
  return err;
}

struct http_handler {
  coho_http_fn fn;
  void *user;
};

static void serve_http(coho_request *r, void *ctx) {
  const struct http_handler *h = (const struct http_handler *)ctx;
  h->fn(r, h->user);
}

static void free_handler(void *ctx) { coho__free(ctx, sizeof(struct http_handler)); }

int coho_route_http(coho_server *s, const char *method, const char *pattern, coho_http_fn fn,
                    void *user) {
  if (!method || !pattern || !fn || atomic_load(&s->started)) return COHO_EINVAL;
  struct http_handler *h = (struct http_handler *)coho__alloc(sizeof *h);
  char *own_method = coho__strdup(method);
  int err = COHO_ENOMEM;
  if (h && own_method) {
    *h = (struct http_handler){fn, user};
    struct coho__route route = {.kind = COHO_ROUTE_HTTP,
                                .method = own_method,
                                .serve = serve_http,
                                .ctx = h,
                                .free_ctx = free_handler};
    err = coho__routes_add(&s->routes, pattern, &route);
  }
  coho__free_str(own_method);
  if (err) coho__free(h, sizeof *h);
  return err;
}

int coho_route_static(coho_server *s, const char *prefix, const char *dir) {
  if (!prefix || !dir || atomic_load(&s->started)) return COHO_EINVAL;
  return coho__files_route_dir(&s->routes, prefix, dir);
}

int coho_route_assets_sized(coho_server *s, const char *prefix, const coho_asset *assets,
                            size_t count, size_t size) {
  if (!prefix || (count && !assets) || atomic_load(&s->started)) return COHO_EINVAL;
  return coho__files_route_assets(&s->routes, prefix, assets, count, size);
}

int coho_reply_asset_sized(coho_request *r, const coho_asset *asset, size_t size) {
  return r && r->owner ? coho__files_reply_asset(r, asset, size) : COHO_EINVAL;
}

/* ---- looking at it -------------------------------------------------------------------------- */

void coho_server_log_access(coho_server *s, int on) {
  for (uint32_t i = 0; s && i < s->loop_count; i++)
    atomic_store_explicit(&s->loops[i].conf.access_off, !on, memory_order_relaxed);
}

coho_loop *coho_server_loop(const coho_server *s, size_t index) {
  return index < s->loop_count ? s->loops[index].loop : NULL;
}

void coho_server_stats_sized(coho_server *s, coho_stats *out, size_t size) {
  coho_stats sum = {0};
  for (uint32_t i = 0; i < s->loop_count; i++)
    coho__stats_add(&sum, &s->loops[i].counters);
  memset(out, 0, size);
  memcpy(out, &sum, COHO_MIN(size, sizeof sum));
}

uint64_t coho_server_lag(coho_server *s) {
  uint64_t longest = 0;
  for (uint32_t i = 0; i < s->loop_count; i++) {
    if (!s->loops[i].loop) continue;
    uint64_t busy = atomic_exchange_explicit(&s->loops[i].loop->busy_ns, 0, memory_order_relaxed);
    longest = COHO_MAX(longest, busy);
  }
  return longest;
}

/* ---- in one call ---------------------------------------------------------------------------- */

/* A URL without path means all paths. */
static int route_of_url(coho_server *s, const char *url, struct coho__options *opt) {
  struct coho__url parsed;
  const char *why;
  int err = coho__url_parse(&parsed, url, COHO_URL_LISTEN_ANY, &why);
  if (err) return err;
  bool all = strcmp(parsed.target, "/") == 0;
  err = coho__upgrade_route(&s->routes, all ? "/*" : parsed.target, opt);
  coho__url_free(&parsed);
  return err;
}

/* The first signal asks everything in the process to stop, the second does not wait for it. */
static void on_signal(void *arg, int signo) {
  coho_server *s = (coho_server *)arg;
  (void)signo;
  if (atomic_load(&s->stopping)) atomic_store(&s->cutting, true);
  coho_stop();
}

/* A signal that a loop has already leads to coho_stop() there, which ends this server, too. */
static int catch_signals(coho_server *s) {
  static const int signals[] = {SIGINT, SIGTERM};
  int err = 0;
  for (size_t i = 0; !err && i < COHO_COUNT(signals); i++) {
    err = coho_loop_signal(s->loops[0].loop, signals[i], on_signal, s);
    if (err == COHO_EEXISTS) err = 0;
  }
  return err;
}

static int serve_on(coho_server *s, const char *url, struct coho__options *opt) {
  int err = route_of_url(s, url, opt);
  if (!err) err = coho_server_listen(s, url);
  if (!err && !(opt->set.flags & COHO_NO_SIGNALS)) err = catch_signals(s);
  return err ? err : coho_server_run(s);
}

int coho_serve_sized(const char *url, const coho_options *opt, size_t size) {
  struct coho__options *options;
  unsigned stops = coho__stop_count(); /* later ones mean us */
  if (!url) return COHO_EURL;
  int err = coho__options_new(COHO_SERVER, opt, size, &options);
  if (err) return err;
  coho_server_options so = {.threads = options->set.threads, .tls = options->set.tls};
  coho_server *s = coho_server_new(&so);
  if (s) {
    s->obeys_stop = true;
    s->stop_count = stops;
    err = serve_on(s, url, options);
    coho_server_free(s);
  }
  coho__options_unref(options);
  return s ? err : COHO_ENOMEM;
}
