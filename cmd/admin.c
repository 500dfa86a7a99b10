#define _GNU_SOURCE
#include "admin.h"

#include "admin_feed.h"
#include "pages.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/random.h"
#include "proto/host.h"
#include "proto/url.h"

#include <coho/tls.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
  TOKEN_LEAST = 16,
  TOKEN_MOST = 256,
  SESSIONS = 32, /* signed in at a time: the oldest goes */
  SESSION_BYTES = 16,
  SESSION_LEN = 2 * SESSION_BYTES,
  FAILURES_MOST = 5, /* wrong tokens in a second, then signing in waits */
  METRICS_MOST = 1024 * 1024
};

#define COOKIE "coho_admin"

static coho_server *server;
static bool with_token, secure_listener;
static char token[TOKEN_MOST + 1];
static char name[256]; /* of the host in the URL */

/* All requests come on one thread. */
static char sessions[SESSIONS][SESSION_LEN + 1];
static size_t next_session;
static uint64_t failures_second;
static unsigned failures;

static const char *const page_headers[] = {
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy: no-referrer", NULL};

/* ---- who may -------------------------------------------------------------------------------- */

static bool same(const char *a, const char *b, size_t len) { return CRYPTO_memcmp(a, b, len) == 0; }

static bool token_fits(const char *text, size_t len) {
  return len == strlen(token) && same(text, token, len);
}

static bool session_fits(const char *cookie) {
  bool found = false;
  if (!cookie || strlen(cookie) != SESSION_LEN) return false;
  for (size_t i = 0; i < SESSIONS; i++)
    found |= *sessions[i] && same(cookie, sessions[i], SESSION_LEN);
  return found;
}

static bool bearer_fits(const char *field) {
  struct coho__view v = coho__view_of(field);
  if (!coho__view_take_nocase(&v, VIEW("Bearer "))) return false;
  v = coho__view_trim(v);
  return token_fits(v.data, v.len);
}

static bool signed_in(coho_request *r) {
  return !with_token || bearer_fits(coho_request_header(r, "Authorization")) ||
         session_fits(coho_request_cookie(r, COOKIE));
}

/* A name that somebody pointed to this address is none of ours. */
static bool host_fits(const coho_request *r) {
  struct coho__host host;
  if (!coho__host_parse(coho__view_of(coho_request_header(r, "Host")), &host)) return false;
  return host.ipv6 || coho__host_is_ipv4(host.name) ||
         coho__view_eq_nocase(host.name, VIEW("localhost")) ||
         (*name && coho__view_eq_nocase(host.name, coho__view_of(name)));
}

static bool origin_fits(const coho_request *r) {
  struct coho__view origin = coho__view_of(coho_request_header(r, "Origin"));
  struct coho__view host = coho__view_of(coho_request_header(r, "Host"));
  if (!origin.data) return true;
  bool scheme =
      coho__view_take_nocase(&origin, secure_listener ? VIEW("https://") : VIEW("http://"));
  return scheme && coho__view_eq_nocase(origin, host);
}

static void no_store(coho_request *r) {
  coho_reply_header(r, "Cache-Control", "no-store");
  coho_reply_header(r, "X-Content-Type-Options", "nosniff");
}

static void say(coho_request *r, int status, const char *text) {
  no_store(r);
  coho_reply(r, status, "text/plain; charset=utf-8", text, strlen(text));
}

/* False: it was refused. */
static bool from_here(coho_request *r) {
  if (!host_fits(r))
    say(r, 421, "this name is not served here\n");
  else if (!origin_fits(r))
    say(r, 403, "not for pages of other sites\n");
  else
    return true;
  return false;
}

static bool admitted(coho_request *r) {
  if (!from_here(r)) return false;
  if (signed_in(r)) return true;
  coho_reply_header(r, "WWW-Authenticate", "Bearer");
  say(r, 401, "the token of --admin-token, please\n");
  return false;
}

/* ---- signing in ----------------------------------------------------------------------------- */

static void make_session(char text[SESSION_LEN + 1]) {
  static const char digits[] = "0123456789abcdef";
  unsigned char bytes[SESSION_BYTES];
  coho__random(bytes, sizeof bytes);
  for (size_t i = 0; i < sizeof bytes; i++) {
    text[2 * i] = digits[bytes[i] >> 4];
    text[2 * i + 1] = digits[bytes[i] & 15];
  }
  text[SESSION_LEN] = '\0';
}

static void set_cookie(coho_request *r, const char *value, const char *more) {
  char field[256];
  (void)snprintf(field, sizeof field, COOKIE "=%s; Path=/; HttpOnly; SameSite=Strict%s%s", value,
                 secure_listener ? "; Secure" : "", more);
  coho_reply_header(r, "Set-Cookie", field);
}

/* Guessing is slow. */
static bool too_many_failures(void) {
  uint64_t second = coho__clock_ns() / 1000000000U;
  if (second != failures_second) failures = 0;
  failures_second = second;
  return failures >= FAILURES_MOST;
}

static void get_session(coho_request *r, void *user) {
  (void)user;
  if (!from_here(r)) return;
  const char *text = signed_in(r) ? "{\"signed_in\":true}\n" : "{\"signed_in\":false}\n";
  no_store(r);
  coho_reply(r, 200, "application/json", text, strlen(text));
}

static void post_session(coho_request *r, void *user) {
  coho_bytes body = coho_request_body(r);
  (void)user;
  if (!from_here(r)) return;
  if (too_many_failures()) {
    coho_reply_header(r, "Retry-After", "1");
    say(r, 429, "too many wrong tokens\n");
  } else if (!with_token || !token_fits(body.data, body.len)) {
    failures++;
    say(r, 403, "not the token\n");
  } else {
    char *session = sessions[next_session++ % SESSIONS];
    make_session(session);
    set_cookie(r, session, "");
    say(r, 200, "ok\n");
  }
}

static void delete_session(coho_request *r, void *user) {
  (void)user;
  if (!from_here(r)) return;
  const char *cookie = coho_request_cookie(r, COOKIE);
  for (size_t i = 0; i < SESSIONS && session_fits(cookie); i++)
    if (same(cookie, sessions[i], SESSION_LEN)) *sessions[i] = '\0';
  set_cookie(r, "", "; Max-Age=0");
  say(r, 200, "ok\n");
}

/* ---- health and metrics --------------------------------------------------------------------- */

static void healthz(coho_request *r, void *user) {
  (void)user;
  if (from_here(r)) say(r, 200, "ok\n");
}

static void readyz(coho_request *r, void *user) {
  (void)user;
  if (!from_here(r)) return;
  switch (metrics_get_state()) {
  case METRICS_STARTING: say(r, 503, "starting\n"); break;
  case METRICS_READY: say(r, 200, "ok\n"); break;
  case METRICS_DRAINING: say(r, 503, "draining\n"); break;
  }
}

static void get_metrics(coho_request *r, void *user) {
  struct coho__buf out = COHO_BUF(METRICS_MOST);
  (void)user;
  if (!admitted(r)) return;
  if (metrics_write(&out)) {
    say(r, 500, "out of memory\n");
  } else {
    no_store(r);
    coho_reply(r, 200, "text/plain; version=0.0.4; charset=utf-8", out.data, out.len);
  }
  coho__buf_release(&out);
}

static void on_upgrade(coho_request *r) { (void)admitted(r); }

/* ---- the listener --------------------------------------------------------------------------- */

/* What the page is made of. The page itself is told to nobody else either. */
static struct page_file {
  const char *path, *file;
} page_files[] = {
    {"/", "/admin.html"},       {"/index.html", "/admin.html"},   {"/admin.js", "/admin.js"},
    {"/coho.css", "/coho.css"}, {"/favicon.svg", "/favicon.svg"}, {"/theme.js", "/theme.js"}};

static void get_file(coho_request *r, void *user) {
  const coho_asset *asset = pages_find(((const struct page_file *)user)->file);
  if (!from_here(r)) return;
  if (!asset || coho_reply_asset(r, asset)) say(r, 404, "no such file\n");
}

static int add_page(void) {
  int err = 0;
  for (size_t i = 0; i < COHO_COUNT(page_files) && !err; i++)
    err = coho_route_http(server, "GET", page_files[i].path, get_file, &page_files[i]);
  return err;
}

static int add_routes(void) {
  static const struct {
    const char *method, *path;
    coho_http_fn fn;
  } rows[] = {{"GET", "/healthz", healthz},       {"GET", "/readyz", readyz},
              {"GET", "/metrics", get_metrics},   {"GET", "/session", get_session},
              {"POST", "/session", post_session}, {"DELETE", "/session", delete_session}};
  coho_options feed = {.on_upgrade = on_upgrade, .max_message = 4096};
  int err = 0;
  for (size_t i = 0; i < COHO_COUNT(rows) && !err; i++)
    err = coho_route_http(server, rows[i].method, rows[i].path, rows[i].fn, NULL);
  admin_feed_handlers(&feed);
  if (!err) err = coho_route_ws(server, "/feed", &feed);
  return err ? err : add_page();
}

static int start(const struct admin_options *o, const struct metrics *m, coho_tls *tls) {
  coho_server_options so = {.headers = page_headers,
                            .tls = tls,
                            .max_connections = 64,
                            .max_body = TOKEN_MOST,
                            .drain_timeout_ms = 200};
  server = coho_server_new(&so);
  int err = server ? add_routes() : COHO_ENOMEM;
  if (err) return err;
  coho_loop *loop = coho_server_loop(server, 0);
  err = coho_server_listen(server, o->url);
  if (!err) err = metrics_start(m, loop);
  if (err) return err;
  admin_feed_start(m, loop);
  return coho_server_start(server);
}

/* ---- options -------------------------------------------------------------------------------- */

/* 0, or errno, or EINVAL for what is no token. */
static int read_token(const char *path, char out[TOKEN_MOST + 1]) {
  char line[TOKEN_MOST + 3] = ""; /* with its end, and one more that would be too many */
  FILE *f = fopen(path, "re");
  if (!f) return errno;
  bool got = fgets(line, sizeof line, f) != NULL;
  fclose(f);
  size_t len = strcspn(line, "\r\n");
  bool fine = got && len >= TOKEN_LEAST && len <= TOKEN_MOST;
  for (size_t i = 0; i < len; i++)
    fine = fine && line[i] > ' ' && line[i] < 0x7f;
  if (fine) memcpy(out, line, len);
  out[fine ? len : 0] = '\0';
  OPENSSL_cleanse(line, sizeof line);
  return fine ? 0 : EINVAL;
}

static bool is_loopback(const struct coho__url *url) {
  return url->file || !strcmp(url->host, "localhost") || !strcmp(url->host, "::1") ||
         (strncmp(url->host, "127.", 4) == 0 && coho__host_is_ipv4(coho__view_of(url->host)));
}

static int check_token(const struct command *c, const char *path) {
  char found[TOKEN_MOST + 1];
  int failed = read_token(path, found);
  OPENSSL_cleanse(found, sizeof found);
  if (failed == EINVAL)
    return usage_error_plain(c, path,
                             "--admin-token %s: the first line is not a token of 16 to 256 "
                             "visible ASCII characters",
                             path);
  return failed ? usage_error_plain(c, path, "--admin-token %s: %s", path, strerror(failed)) : 0;
}

int admin_check(const struct command *c, const struct admin_options *o, const char **secure) {
  struct coho__url url;
  const char *why = "out of memory";
  if (!o->url)
    return o->token_file ? usage_error(c, "--admin-token is for --admin, which is not given") : 0;
  if (coho__url_parse(&url, o->url, COHO_URL_LISTEN_ANY, &why))
    return usage_error_about(
        c, o->url, "--admin takes a URL such as ws://127.0.0.1:9091, not '%s': %s", o->url, why);
  int status = 0;
  if (!is_loopback(&url) && !o->token_file)
    status = usage_error_about(
        c, o->url, "--admin %s can be reached from elsewhere: it needs --admin-token", o->url);
  if (url.secure) *secure = o->url;
  coho__url_free(&url);
  return status || !o->token_file ? status : check_token(c, o->token_file);
}

/* ---- life ----------------------------------------------------------------------------------- */

static int prepare(const struct admin_options *o) {
  struct coho__url url;
  const char *why;
  int err = coho__url_parse(&url, o->url, COHO_URL_LISTEN_ANY, &why);
  if (err) return err;
  secure_listener = url.secure;
  (void)snprintf(name, sizeof name, "%s", url.file ? "" : url.host);
  coho__url_free(&url);
  with_token = o->token_file != NULL;
  return with_token && read_token(o->token_file, token) ? COHO_EACCES : 0;
}

int admin_start(const struct admin_options *o, const struct metrics *m, coho_tls *tls) {
  if (!o->url) return 0;
  int err = prepare(o);
  if (!err) err = start(o, m, tls);
  if (err) admin_stop();
  return err;
}

const char *admin_url(void) { return server ? coho_server_url(server, 0) : NULL; }

/* Those who look are told that it goes, if they listen. */
void admin_stop(void) {
  const struct timespec pause = {.tv_nsec = 5 * 1000 * 1000};
  if (!server) return;
  coho_server_stop(server);
  while (!coho_server_stopped(server))
    nanosleep(&pause, NULL);
  metrics_stop();
  coho_server_free(server);
  server = NULL;
}
