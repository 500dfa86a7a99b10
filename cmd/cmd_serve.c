/* coho serve: HTTP and WebSocket on one or more listeners. */
#define _GNU_SOURCE
#include "assets.h"
#include "commands.h"
#include "deflate.h"
#include "demo.h"
#include "logger.h"

#include "base/check.h"
#include "proto/http1.h"
#include "proto/url.h"

#include <coho/coho.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>

struct values {
  struct option_list listen;
  struct option_list origin;
  const char *root;
  const char *deflate;
  coho_deflate compression; /* what it says */
  uint64_t max_message;
  uint64_t threads;
  uint64_t verbose;
  bool demo;
  bool access_log;
};

static const struct option options[] = {
    {.name = "demo",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct values, demo),
     .text = "serve the demo: start page, echo, chat, stocks and server statistics"},
    {.name = "listen",
     .letter = 'l',
     .kind = OPTION_LIST,
     .offset = offsetof(struct values, listen),
     .value = "URL",
     .text = "where to listen, such as ws://0.0.0.0:80 or ws://[::1]:0 (port 0 takes a free one); "
             "may be repeated; the default is ws://127.0.0.1:8080"},
    {.name = "root",
     .kind = OPTION_STRING,
     .offset = offsetof(struct values, root),
     .value = "DIR",
     .text = "serve the files of this folder, and /echo; with --demo, in place of its pages"},
    {.name = "max-message",
     .kind = OPTION_SIZE,
     .offset = offsetof(struct values, max_message),
     .value = "BYTES",
     .text = "largest message that /echo takes (1M by default); more closes with 1009",
     .min = 1,
     .max = (uint64_t)1 << 40},
    {.name = "deflate",
     .kind = OPTION_STRING,
     .offset = offsetof(struct values, deflate),
     .value = DEFLATE_VALUE,
     .text = DEFLATE_TEXT},
    {.name = "origin",
     .kind = OPTION_LIST,
     .offset = offsetof(struct values, origin),
     .value = "ORIGIN",
     .text = "let pages of this origin connect too, such as https://example.org, or '*' for all; "
             "may be repeated; without it only pages from the host they connect to"},
    {.name = "threads",
     .kind = OPTION_NUMBER,
     .offset = offsetof(struct values, threads),
     .value = "N",
     .text = "event loops, each on its own thread (1 by default)",
     .min = 1,
     .max = 256},
    {.name = "access-log",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct values, access_log),
     .text = "print a line on standard error for each request and each finished connection"},
    {.name = "verbose",
     .letter = 'v',
     .kind = OPTION_COUNT,
     .offset = offsetof(struct values, verbose),
     .text = "log what peers did wrong; twice: everything"},
    {.name = NULL}};

static void complain(const char *what, const char *about, int err) {
  fprintf(stderr, "coho serve: %s%s: %s\n", what, about, coho_strerror(err));
}

/* As many descriptors as the system lets us have: each connection is one. */
static void raise_file_limit(void) {
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur == files.rlim_max) return;
  files.rlim_cur = files.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &files);
}

static void print_access(void *ctx, const char *line) {
  (void)ctx;
  logger_line(line);
}

static void healthz(coho_request *r, void *user) {
  (void)user;
  coho_reply_header(r, "Cache-Control", "no-store");
  coho_reply(r, 200, "text/plain; charset=utf-8", "ok\n", 3);
}

/* ---- what is served ------------------------------------------------------------------------ */

static int add_routes(coho_server *s, const struct values *v) {
  coho_options base = {.origins = v->origin.items, .deflate = v->compression};
  struct demo_options demo = {.server = s, .base = &base, .max_message = v->max_message};
  int err = coho_route_http(s, "GET", "/healthz", healthz, NULL);
  if (!err && v->demo) err = demo_start(&demo);
  if (!err && !v->demo) err = demo_echo_start(&demo);
  if (err) {
    complain("cannot start", "", err);
    return err;
  }
  if (v->root) {
    err = coho_route_static(s, "/", v->root);
    if (err) complain("--root ", v->root, err);
  } else if (v->demo) {
    err = coho_route_assets(s, "/", coho__assets, coho__assets_count);
    if (err) complain("cannot serve the pages", "", err);
  }
  return err;
}

static int add_listeners(coho_server *s, const struct values *v) {
  static const char *const usual[] = {"ws://127.0.0.1:8080", NULL};
  for (const char *const *url = v->listen.count ? v->listen.items : usual; *url; url++) {
    int err = coho_server_listen(s, *url);
    if (!err) continue;
    complain("cannot listen on ", *url, err);
    if (err == COHO_EADDRINUSE)
      fputs("Another program has this port; choose a free one: --listen ws://127.0.0.1:0\n",
            stderr);
    if (err == COHO_EACCES)
      fputs("Ports below 1024 need a privilege; choose a higher one.\n", stderr);
    return err;
  }
  return 0;
}

static void announce(const coho_server *s, const struct values *v) {
  const char *url;
  for (size_t i = 0; (url = coho_server_url(s, i)); i++)
    printf("listening %s\n", url);
  fflush(stdout);
  if (v->demo && !v->root)
    fprintf(stderr, "coho: open http%s in a browser; Ctrl-C ends\n",
            coho_server_url(s, 0) + strlen("ws"));
}

static const int STOP_SIGNALS[] = {SIGINT, SIGTERM};

/* Gently; and the next one ends the program. */
static void on_signal(void *arg, int signo) {
  coho_server *s = (coho_server *)arg;
  (void)signo;
  for (size_t i = 0; i < COHO_COUNT(STOP_SIGNALS); i++)
    (void)coho_loop_signal(coho_server_loop(s, 0), STOP_SIGNALS[i], NULL, NULL);
  coho_server_stop(s);
}

static int catch_signals(coho_server *s) {
  int err = 0;
  for (size_t i = 0; i < COHO_COUNT(STOP_SIGNALS) && !err; i++)
    err = coho_loop_signal(coho_server_loop(s, 0), STOP_SIGNALS[i], on_signal, s);
  if (err) complain("cannot start", "", err);
  return err;
}

/* For our own pages: scripts and styles from files only, WebSockets to anywhere (the echo console
   asks for a URL), nobody may frame them. The files of --root keep the freedom they need. */
static const char *const page_headers[] = {
    "Content-Security-Policy: default-src 'self'; connect-src 'self' ws: wss:; "
    "img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    NULL};

static int serve(const struct values *v) {
  coho_server_options so = {.threads = (uint32_t)v->threads,
                            .headers = v->root ? NULL : page_headers,
                            .access_log = v->access_log ? print_access : NULL};
  coho_server *s = coho_server_new(&so);
  if (!s) {
    complain("cannot start", "", COHO_ENOMEM);
    return EXIT_PEER;
  }
  int err = add_routes(s, v);
  if (!err) err = add_listeners(s, v);
  if (!err) err = catch_signals(s);
  if (!err) {
    announce(s, v);
    err = coho_server_run(s);
    if (err) complain("stopped", "", err);
  }
  if (v->demo) demo_stop();
  coho_server_free(s);
  return err ? EXIT_PEER : EXIT_FINE;
}

/* ---- the command --------------------------------------------------------------------------- */

static int check_listen(const struct command *c, const char *text) {
  struct coho__url url;
  const char *why = "out of memory";
  if (coho__url_parse(&url, text, COHO_URL_LISTEN, &why))
    return usage_error(c, "--listen takes a URL such as ws://127.0.0.1:8080, not '%s': %s", text,
                       why);
  bool secure = url.secure;
  coho__url_free(&url);
  return secure ? usage_error(c, "--listen %s: %s", text, coho_strerror(COHO_ENOTLS)) : 0;
}

static int check(const struct command *c, struct values *v) {
  int status = deflate_option(c, v->deflate, &v->compression);
  if (!v->demo && !v->root)
    return usage_error(c, "nothing to serve; add --demo, or --root DIR for files");
  for (size_t i = 0; i < v->listen.count && !status; i++)
    status = check_listen(c, v->listen.items[i]);
  for (size_t i = 0; i < v->origin.count && !status; i++) {
    const char *origin = v->origin.items[i];
    if (!*origin || !coho__http1_is_field_value(coho__view_of(origin)))
      status = usage_error(c, "--origin takes an Origin such as https://example.org, or '*'");
  }
  return status;
}

static int run(const struct command *c, int argc, char **argv) {
  struct values v = {.threads = 1};
  size_t count;
  int status = option_parse(c, argc, argv, &v, NULL, &count);
  if (!status) status = check(c, &v);
  if (!status) {
    logger_start(COHO_LOG_WARN + (int)(v.verbose < 2 ? v.verbose : 2));
    raise_file_limit();
    status = serve(&v);
  }
  option_list_free(&v.listen);
  option_list_free(&v.origin);
  return status;
}

const struct command cmd_serve = {
    .name = "serve",
    .arguments = "",
    .summary = "serve HTTP and WebSocket: the demo, or files",
    .description = "Serves HTTP and WebSocket on the same port until it is interrupted. Prints a "
                   "line 'listening URL' for each listener. /healthz answers 'ok'.",
    .options = options,
    .run = run,
};
