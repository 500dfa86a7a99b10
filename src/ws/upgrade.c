#include "ws/upgrade.h"

#include "base/alloc.h"
#include "base/log.h"
#include "proto/deflate_terms.h"
#include "proto/upgrade_server.h"
#include "ws/conn.h"

#include <pthread.h>
#include <string.h>

enum { ANSWER_MOST = 64 * 1024 };

/* What has to be there before the point of no return. */
struct acceptance {
  coho_conn *conn;
  struct coho__note *note; /* may be NULL */
  struct coho__buf answer;
};

static void log_refusal(coho_request *r) {
  char peer[COHO_ADDR_MAX];
  if (!coho__log_wants(COHO_LOG_INFO)) return;
  coho__log(COHO_LOG_INFO, "%s %s: %s", coho_request_peer(r, peer, sizeof peer),
            coho_errname(COHO_EREFUSED), coho_strerror(COHO_EREFUSED));
}

/* Cheap and unauthenticated checks first, the program's own last. False: there is a reply, or the
   connection is gone. */
static bool admit(coho_request *r, const coho_options *set) {
  bool required = (set->flags & COHO_PROTOCOL_REQUIRED) != 0;
  int err = coho__upgrade_check(r);
  if (!err) err = coho__upgrade_origin(r, set->origins, (set->flags & COHO_ORIGIN_REQUIRED) != 0);
  /* Without a list of its own the program chooses in on_upgrade. */
  if (!err) err = coho__upgrade_choose(r, set->protocols, required && set->protocols);
  if (err) {
    coho__http_refuse(r, err);
    return false;
  }
  coho_request_set_user(r, set->user);
  if (set->on_upgrade) set->on_upgrade(r);
  if (coho__http_replied(r)) {
    log_refusal(r);
    return false;
  }
  if (required && !*r->protocol) coho__http_refuse(r, COHO_ENOPROTOCOL);
  return !coho__http_replied(r);
}

static bool is_listed(const char *const *list, const char *protocol) {
  for (; list && *list; list++)
    if (strcmp(*list, protocol) == 0) return true;
  return false;
}

static int make_note(struct acceptance *a, const struct coho__host *host, const coho_request *r) {
  const struct coho__http *h = &host->http;
  const coho_options *set = &a->conn->opt->set;
  bool wanted = coho__http_logs(h) || host->home.keeps_targets;
  bool own = *r->protocol && !is_listed(set->protocols, r->protocol);
  struct coho__address *address = coho__http_address(r);
  if (!wanted && !own && !address) return 0;
  a->note = (struct coho__note *)coho__zalloc(sizeof *a->note);
  if (!a->note) return COHO_ENOMEM;
  a->note->opened_ms = coho__loop_time(h->loop);
  a->note->address = address;
  struct coho__view target = coho__http1_target(&r->head);
  if (wanted) a->note->target = coho__strndup(target.data, target.len);
  if (own) a->note->protocol = coho__strdup(r->protocol);
  bool whole = (!wanted || a->note->target) && (!own || a->note->protocol);
  return whole ? 0 : COHO_ENOMEM;
}

/* Agrees on compression, and answers. */
static int answer(struct acceptance *a, const coho_request *r) {
  struct coho__deflate_terms terms;
  char extensions[COHO_DEFLATE_TEXT];
  int err = coho__deflate_accept(&r->head, &a->conn->opt->set.deflate, &terms);
  if (err) return err;
  (void)coho__deflate_answer(&terms, extensions);
  err = coho__conn_deflate(a->conn, &terms);
  return err ? err : coho__upgrade_accept(r, extensions, coho__http_fields(r), &a->answer);
}

static int prepare(struct acceptance *a, struct coho__host *host, struct coho__options *opt,
                   const coho_request *r) {
  *a = (struct acceptance){.answer = COHO_BUF(ANSWER_MOST)};
  a->conn = coho__conn_new(&host->home, opt);
  int err = a->conn ? answer(a, r) : COHO_ENOMEM;
  return err ? err : make_note(a, host, r);
}

static void undo(struct acceptance *a) {
  coho__note_free(a->note);
  if (a->conn) coho__conn_unmake(a->conn);
  coho__buf_release(&a->answer);
}

/* The list's own string lives as long as the connection, the request's does not. */
static const char *lasting_protocol(const struct acceptance *a, const coho_request *r) {
  if (a->note && a->note->protocol) return a->note->protocol;
  for (const char *const *p = a->conn->opt->set.protocols; p && *p; p++)
    if (strcmp(*p, r->protocol) == 0) return *p;
  return "";
}

static void open_conn(struct acceptance *a, coho_request *r) {
  struct coho__view rest = {NULL, 0};
  struct coho__conn_start start = {.head = {a->answer.data, a->answer.len},
                                   .protocol = lasting_protocol(a, r),
                                   .request = r,
                                   .note = a->note};
  void *user = coho_request_user(r);
  start.stream = coho__http_take(r, &rest);
  if (!start.stream) {
    undo(a);
    return;
  }
  start.rest = rest;
  coho_conn_set_user(a->conn, user);
  coho__conn_open(a->conn, &start);
  coho__buf_release(&a->answer);
}

static void serve_with(coho_request *r, struct coho__options *opt) {
  struct coho__host *host = COHO_CONTAINER_OF(coho__http_of(r), struct coho__host, http);
  struct acceptance a;
  if (!admit(r, &opt->set)) return;
  int err = prepare(&a, host, opt, r);
  if (err) {
    undo(&a);
    coho__http_refuse(r, err);
    return;
  }
  open_conn(&a, r);
}

/* ---- the route ------------------------------------------------------------------------------- */

/* What the handshakes of a route begin with: replaced as a whole, while each goes on with its own. */
struct entrance {
  pthread_mutex_t lock;
  struct coho__options *opt;
};

static struct coho__options *options_now(struct entrance *e) {
  pthread_mutex_lock(&e->lock);
  struct coho__options *opt = coho__options_ref(e->opt);
  pthread_mutex_unlock(&e->lock);
  return opt;
}

static void serve(coho_request *r, void *ctx) {
  struct coho__options *opt = options_now((struct entrance *)ctx);
  serve_with(r, opt);
  coho__options_unref(opt);
}

static void free_entrance(void *ctx) {
  struct entrance *e = (struct entrance *)ctx;
  coho__options_unref(e->opt);
  pthread_mutex_destroy(&e->lock);
  coho__free(e, sizeof *e);
}

/* The pattern is what it is told to belong to. */
static int name_route(struct coho__options *opt, const char *pattern) {
  if (!opt->route) opt->route = coho__strdup(pattern);
  return opt->route ? 0 : COHO_ENOMEM;
}

int coho__upgrade_route(struct coho__routes *routes, const char *pattern,
                        struct coho__options *opt) {
  struct entrance *e = (struct entrance *)coho__zalloc(sizeof *e);
  if (!e) return COHO_ENOMEM;
  pthread_mutex_init(&e->lock, NULL);
  e->opt = coho__options_ref(opt);
  struct coho__route route = {
      .kind = COHO_ROUTE_WS, .serve = serve, .ctx = e, .free_ctx = free_entrance};
  int err = name_route(opt, pattern);
  if (!err) err = coho__routes_add(routes, pattern, &route);
  if (err) free_entrance(e);
  return err;
}

int coho__upgrade_update(struct coho__routes *routes, const char *pattern,
                         struct coho__options *opt) {
  const struct coho__route *route = coho__routes_get(routes, pattern, serve);
  int err = route ? name_route(opt, pattern) : COHO_ENOTFOUND;
  if (err) return err;
  struct entrance *e = (struct entrance *)route->ctx;
  pthread_mutex_lock(&e->lock);
  struct coho__options *before = e->opt;
  e->opt = coho__options_ref(opt);
  pthread_mutex_unlock(&e->lock);
  coho__options_unref(before);
  return 0;
}

int coho_request_choose(coho_request *r, const char *protocol) {
  if (!protocol) {
    r->protocol = "";
    return 0;
  }
  const char *offer;
  for (size_t i = 0; (offer = coho_request_offer(r, i)); i++) {
    if (strcmp(offer, protocol) != 0) continue;
    r->protocol = offer;
    return 0;
  }
  return COHO_ENOPROTOCOL;
}
