/* coho serve: HTTP and WebSocket on one or more listeners. */
#define _GNU_SOURCE
#include "assets.h"
#include "commands.h"
#include "deflate.h"
#include "demo.h"
#include "limit.h"
#include "logger.h"
#include "tls.h"

#include "base/check.h"
#include "proto/host.h"
#include "proto/http1.h"
#include "proto/url.h"

#include <coho/coho.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

struct values {
  struct option_list listen;
  struct option_list origin;
  const char *root;
  const char *deflate;
  coho_deflate compression; /* what it says */
  struct tls_server tls;
  struct limits limits;
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
     .text = "where to listen, such as ws://0.0.0.0:80, wss://localhost:8443 or ws://[::1]:0 (port "
             "0 takes a free one); may be repeated, ws:// and wss:// mixed; the default is "
             "ws://127.0.0.1:8080"},
    {.name = "tls",
     .kind = OPTION_LIST,
     .offset = offsetof(struct values, tls.pairs),
     .value = "CERT,KEY",
     .text = "certificate, with its chain, and key of the wss:// listeners, two PEM files; read "
             "again on SIGHUP; may be repeated, then each serves the names in its certificate, the "
             "first one also clients that name none; self makes a certificate for localhost, "
             "127.0.0.1 and ::1 in memory, which nobody trusts"},
    {.name = "tls-client-ca",
     .kind = OPTION_STRING,
     .offset = offsetof(struct values, tls.client_ca),
     .value = "FILE",
     .text = "let in only clients with a certificate of an authority in this PEM file"},
    {.name = "tls-client-optional",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct values, tls.client_optional),
     .text = "with --tls-client-ca: let in clients without a certificate too"},
    {.name = "tls-any-name",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct values, tls.any_name),
     .text = "show the first certificate to clients that ask for a name that none is for, instead "
             "of refusing them"},
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
     .words = DEFLATE_WORDS,
     .text = DEFLATE_TEXT},
    {.name = "origin",
     .kind = OPTION_LIST,
     .offset = offsetof(struct values, origin),
     .value = "ORIGIN",
     .text = "let pages of this origin connect too, such as https://example.org, or '*' for all; "
             "may be repeated; without it only pages from the host they connect to"},
    {.name = "limit",
     .kind = OPTION_LIST,
     .offset = offsetof(struct values, limits.limit),
     .value = "NAME=VALUE",
     .words = LIMIT_WORDS,
     .text = LIMIT_TEXT},
    {.name = "rate",
     .kind = OPTION_LIST,
     .offset = offsetof(struct values, limits.rate),
     .value = "NAME=N",
     .words = RATE_WORDS,
     .text = RATE_TEXT},
    {.name = "rate-close",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct values, limits.rate_close),
     .text = RATE_CLOSE_TEXT},
    {.name = "timeout",
     .kind = OPTION_LIST,
     .offset = offsetof(struct values, limits.timeout),
     .value = "NAME=SECONDS",
     .words = TIMEOUT_WORDS,
     .text = TIMEOUT_TEXT},
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
  coho_options base = v->limits.conn;
  base.origins = v->origin.items;
  base.deflate = v->compression;
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

/* What listens on all addresses is reached by one of them. */
static void print_open(const char *url) {
  static const char *const hosts[][2] = {{"://0.0.0.0:", "://127.0.0.1:"},
                                         {"://[::]:", "://[::1]:"}};
  const char *rest = strchr(url, ':'), *host = "";
  for (size_t i = 0; i < COHO_COUNT(hosts); i++) {
    size_t len = strlen(hosts[i][0]);
    if (strncmp(rest, hosts[i][0], len) != 0) continue;
    host = hosts[i][1];
    rest += len;
    break;
  }
  fprintf(stderr, "coho: open http%s%s%s in a browser; Ctrl-C ends\n", url[2] == 's' ? "s" : "",
          host, rest);
}

static void announce(const coho_server *s, const struct values *v) {
  const char *url;
  for (size_t i = 0; (url = coho_server_url(s, i)); i++)
    printf("listening %s\n", url);
  fflush(stdout);
  if (v->demo && !v->root) print_open(coho_server_url(s, 0));
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

static int catch_signals(coho_server *s, coho_tls *tls) {
  int err = tls_reload_on_signal(coho_server_loop(s, 0), tls);
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

static int serve(const struct values *v, coho_tls *tls) {
  coho_server_options so = v->limits.server;
  so.threads = (uint32_t)v->threads;
  so.headers = v->root ? NULL : page_headers;
  so.access_log = v->access_log ? print_access : NULL;
  so.tls = tls;
  coho_server *s = coho_server_new(&so);
  int err = s ? add_routes(s, v) : COHO_ENOMEM;
  if (!s) complain("cannot start", "", err);
  if (!err) err = add_listeners(s, v);
  if (!err) err = catch_signals(s, tls);
  if (!err) {
    announce(s, v);
    err = coho_server_run(s);
    if (err) complain("stopped", "", err);
  }
  if (err == COHO_ENOMEM && v->limits.memory)
    fputs("--limit memory allows too little for this.\n", stderr);
  if (v->demo) demo_stop();
  coho_server_free(s);
  return err ? EXIT_PEER : EXIT_FINE;
}

/* ---- the command --------------------------------------------------------------------------- */

static int check_listen(const struct command *c, const char *text, bool *secure) {
  struct coho__url url;
  const char *why = "out of memory";
  if (coho__url_parse(&url, text, COHO_URL_LISTEN, &why))
    return usage_error(c, "--listen takes a URL such as ws://127.0.0.1:8080, not '%s': %s", text,
                       why);
  *secure = *secure || url.secure;
  coho__url_free(&url);
  return 0;
}

/* What browsers send, without a path, or "null" for such as pages from files. */
static int check_origin(const struct command *c, const char *origin) {
  struct coho__host host;
  struct coho__view rest = coho__view_of(origin);
  struct coho__view scheme = coho__view_split(&rest, ':');
  if (!strcmp(origin, "*") || !strcmp(origin, "null")) return 0;
  if (coho__http1_is_token(scheme) && coho__view_take_nocase(&rest, VIEW("//")) &&
      coho__host_parse(rest, &host))
    return 0;
  return usage_error(c,
                     "--origin takes SCHEME://HOST[:PORT] and no path, such as "
                     "https://example.org, or '*'; not '%s'",
                     origin);
}

static int check_root(const char *root) {
  int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0) {
    close(fd);
    return 0;
  }
  if (errno == ENOTDIR)
    fprintf(stderr, "coho serve: --root %s: not a folder\n", root);
  else
    complain("--root ", root, errno == EACCES ? COHO_EACCES : COHO_ENOENT);
  return EXIT_USAGE;
}

static int check(const struct command *c, struct values *v) {
  bool secure = false;
  int status = deflate_option(c, v->deflate, &v->compression);
  for (size_t i = 0; i < v->listen.count && !status; i++)
    status = check_listen(c, v->listen.items[i], &secure);
  for (size_t i = 0; i < v->origin.count && !status; i++)
    status = check_origin(c, v->origin.items[i]);
  if (!status) status = tls_server_check(c, &v->tls, secure);
  if (!status) status = limit_read(c, &v->limits);
  if (!status && !v->demo && !v->root && !v->listen.count)
    return usage_error(c, "nothing to serve; add --demo, or --root DIR for files, or --listen URL "
                          "for /echo alone");
  return status || !v->root ? status : check_root(v->root);
}

static int start(const struct command *c, const struct values *v) {
  coho_tls *tls;
  logger_start(COHO_LOG_WARN + (int)(v->verbose < 2 ? v->verbose : 2));
  raise_file_limit();
  limit_set_process(&v->limits);
  int status = tls_server_open(c, &v->tls, &tls);
  if (!status) status = serve(v, tls);
  coho_tls_free(tls);
  return status;
}

static int run(const struct command *c, int argc, char **argv) {
  struct values v = {.threads = 1};
  size_t count;
  int status = option_parse(c, argc, argv, &v, NULL, &count);
  if (!status) status = check(c, &v);
  if (!status) status = start(c, &v);
  option_list_free(&v.listen);
  option_list_free(&v.origin);
  option_list_free(&v.tls.pairs);
  limit_free(&v.limits);
  return status;
}

const struct command cmd_serve = {
    .name = "serve",
    .arguments = "",
    .summary = "serve HTTP and WebSocket: the demo, or files",
    .description =
        "Serves HTTP and WebSocket on the same port until it is interrupted. Prints a line "
        "'listening URL' for each listener. /echo sends every message back, /healthz answers 'ok'."
        "\n\n"
        "With wss:// listeners SIGHUP reads certificates, keys and authorities again, and tells in "
        "a line on standard error; connections that are open stay. When a file is wrong, "
        "everything stays as it was. Without such listeners SIGHUP does nothing, or ends the "
        "server when its standard input is a terminal, since the end of that sends it."
        "\n\n"
        "The exit status is 0 after an interrupt; 1 when it cannot listen, or stops by itself; 2 "
        "for wrong options, and for files and folders that they name and that cannot be used.",
    .options = options,
    .run = run,
};
