/* coho serve: HTTP and WebSocket on one or more listeners. */
#define _GNU_SOURCE
#include "admin.h"
#include "commands.h"
#include "logger.h"
#include "pages.h"
#include "serve_parts.h"
#include "serve_reload.h"
#include "systemd.h"

#include "base/check.h"

#include <coho/coho.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

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

static void healthz(coho_request *r, void *user) {
  (void)user;
  coho_reply_header(r, "Cache-Control", "no-store");
  coho_reply(r, 200, "text/plain; charset=utf-8", "ok\n", 3);
}

/* ---- what is served ------------------------------------------------------------------------ */

static int add_routes(coho_server *s, const struct serve_values *v, struct serve_parts *p) {
  p->demo.server = s;
  int err = coho_route_http(s, "GET", "/healthz", healthz, NULL);
  if (!err && v->demo) err = demo_start(&p->demo);
  if (!err && !v->demo) err = demo_echo_start(&p->demo);
  if (err) {
    complain("cannot start", "", err);
    return err;
  }
  if (v->topics.on) err = topics_start(&v->topics, s, &p->topics);
  if (err) return err;
  if (v->topics.on || (v->demo && v->root)) err = pages_route_client(s, v->root);
  if (err) {
    complain("cannot serve /coho.js", "", err);
  } else if (v->root) {
    err = coho_route_static(s, "/", v->root);
    if (err) complain("--root ", v->root, err);
  } else if (v->demo) {
    err = pages_route_demo(s);
    if (err) complain("cannot serve the pages", "", err);
  }
  return err;
}

/* Those that systemd has opened. */
static int add_sockets(coho_server *s) {
  for (size_t i = 0; i < systemd_sockets(); i++) {
    char name[64], about[128];
    int fd = systemd_socket(i, name, sizeof name);
    int err = coho_server_listen_fd(s, fd, systemd_scheme(i));
    if (!err) continue;
    (void)snprintf(about, sizeof about, "%d of systemd, \"%s\"", fd, name);
    complain("cannot listen on socket ", about, err);
    return err;
  }
  return 0;
}

static int add_listeners(coho_server *s, const struct serve_values *v) {
  static const char *const usual[] = {"ws://127.0.0.1:8080", NULL}, *const none[] = {NULL};
  const char *const *url = v->listen.count ? v->listen.items : systemd_sockets() ? none : usual;
  for (; *url; url++) {
    int err = coho_server_listen(s, *url);
    if (!err) continue;
    complain("cannot listen on ", *url, err);
    if (err == COHO_EADDRINUSE)
      fputs(strstr(*url, "+unix:")
                ? "Another program listens there, or the file is no socket.\n"
                : "Another program has this port; choose a free one: --listen ws://127.0.0.1:0\n",
            stderr);
    if (err == COHO_EACCES)
      fputs("Ports below 1024 need a privilege; choose a higher one.\n", stderr);
    return err;
  }
  return add_sockets(s);
}

/* What listens on all addresses is reached by one of them. */
static void print_open(const char *url) {
  static const char *const hosts[][2] = {{"://0.0.0.0:", "://127.0.0.1:"},
                                         {"://[::]:", "://[::1]:"}};
  const char *rest = strchr(url, ':'), *host = "";
  if (strncmp(rest, "://", 3) != 0) return; /* no browser gets to a unix socket */
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

static void announce(const coho_server *s, const struct serve_values *v) {
  const char *url;
  for (size_t i = 0; (url = coho_server_url(s, i)); i++)
    printf("listening %s\n", url);
  if (admin_url()) printf("admin %s\n", admin_url());
  fflush(stdout);
  metrics_set_state(METRICS_READY);
  if (v->demo && !v->root) print_open(coho_server_url(s, 0));
}

/* ---- signals --------------------------------------------------------------------------------- */

static void on_hangup(void *arg, int signo) {
  (void)signo;
  systemd_reloading();
  serve_reload((struct serve_running *)arg);
  systemd_ready();
}

static const int STOP_SIGNALS[] = {SIGINT, SIGTERM};

/* Gently; and the next one ends the program. */
static void on_signal(void *arg, int signo) {
  coho_server *s = (coho_server *)arg;
  (void)signo;
  systemd_stopping();
  metrics_set_state(METRICS_DRAINING);
  for (size_t i = 0; i < COHO_COUNT(STOP_SIGNALS); i++)
    (void)coho_loop_signal(coho_server_loop(s, 0), STOP_SIGNALS[i], NULL, NULL);
  coho_server_stop(s);
}

static int catch_signals(struct serve_running *g) {
  coho_loop *loop = coho_server_loop(g->server, 0);
  int err = 0;
  /* Who has nothing to read again lets the end of a terminal end the server. */
  if (g->tls || g->from->file || g->v->access.file || isatty(STDIN_FILENO) != 1)
    err = coho_loop_signal(loop, SIGHUP, on_hangup, g);
  for (size_t i = 0; i < COHO_COUNT(STOP_SIGNALS) && !err; i++)
    err = coho_loop_signal(loop, STOP_SIGNALS[i], on_signal, g->server);
  if (err) complain("cannot start", "", err);
  return err;
}

/* ---- running -------------------------------------------------------------------------------- */

/* For our own pages: scripts and styles from files only, WebSockets to anywhere (the echo console
   asks for a URL), nobody may frame them. The files of --root keep the freedom they need. */
static const char *const page_headers[] = {
    "Content-Security-Policy: default-src 'self'; connect-src 'self' ws: wss:; "
    "img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    NULL};

static int add_admin(coho_server *s, const struct serve_values *v, coho_tls *tls) {
  const struct metrics m = {.server = s, .hub = v->demo ? demo_hub() : topics_hub()};
  int err = admin_start(&v->admin, &m, tls);
  if (err) complain("cannot listen on ", v->admin.url, err);
  return err;
}

static int serve(const struct settle_source *from, const struct serve_values *v, coho_tls *tls) {
  struct serve_parts p;
  serve_parts_set(&p, v);
  coho_server_options so = p.server;
  so.threads = (uint32_t)v->threads;
  so.headers = v->root ? NULL : page_headers;
  so.access = v->access.on || from->file ? accesslog_on_access : NULL;
  so.tls = tls;
  so.flags = v->admin.url ? (uint64_t)COHO_KEEP_TARGETS : 0;
  ingress_set(&v->ingress, &so);
  coho_server *s = coho_server_new(&so);
  struct serve_running running = {.server = s, .tls = tls, .from = from, .v = v};
  coho_server_log_access(s, v->access.on);
  int err = s ? add_routes(s, v, &p) : COHO_ENOMEM;
  if (!s) complain("cannot start", "", err);
  if (!err) err = add_listeners(s, v);
  if (!err) err = catch_signals(&running);
  if (!err) err = add_admin(s, v, tls);
  if (!err) err = systemd_start(s, coho_server_url(s, 0));
  if (!err) {
    announce(s, v);
    err = coho_server_run(s);
    if (err) complain("stopped", "", err);
  }
  if (err == COHO_ENOMEM && v->limits.memory)
    fputs("--limit memory allows too little for this.\n", stderr);
  admin_stop();
  if (v->demo) demo_stop();
  topics_settle();
  systemd_end();
  coho_server_free(s);
  topics_stop();
  serve_reload_free(&running);
  accesslog_close();
  return err ? EXIT_PEER : EXIT_FINE;
}

/* ---- the command --------------------------------------------------------------------------- */

static int start(const struct settle_source *from, const struct serve_values *v) {
  coho_tls *tls;
  int failed = accesslog_set(&v->access);
  if (failed) {
    fprintf(stderr, "coho serve: --access-log-file %s: %s\n", v->access.file, strerror(failed));
    return EXIT_USAGE;
  }
  logger_start(serve_log_level(v));
  raise_file_limit();
  limit_set_process(&v->limits);
  int status = tls_server_open(from->command, &v->tls, &tls);
  if (!status) status = serve(from, v, tls);
  coho_tls_free(tls);
  return status;
}

static int settle_and_start(const struct settle_source *from, bool only_check) {
  struct serve_values v = {.demo = false};
  struct settled s;
  int status = settle(from, &v, &s);
  settle_complain(from, &s);
  if (!status && !only_check)
    status = start(from, &v);
  else if (!status)
    printf("%s: fine\n", from->file ? from->file : "options");
  serve_options_free(&v);
  settle_free(&s);
  return status;
}

static int run(const struct command *c, int argc, char **argv) {
  struct serve_values typed = {.demo = false};
  size_t count;
  int status = option_parse(c, argc, argv, &typed, NULL, &count);
  const struct settle_source from = {
      .command = c, .argc = argc, .argv = argv, .file = typed.config, .check = serve_options_check};
  if (!status && typed.print_config)
    config_print(c);
  else if (!status)
    status = settle_and_start(&from, typed.check_config);
  serve_options_free(&typed);
  return status;
}

const struct command cmd_serve = {
    .name = "serve",
    .arguments = "",
    .summary = "serve HTTP and WebSocket: the demo, topics, or files",
    .description =
        "Serves HTTP and WebSocket on the same port until it is interrupted. Prints a line "
        "'listening URL' for each listener. /echo sends every message back, /healthz answers 'ok'."
        "\n\n"
        "SIGHUP reads the file of --config, certificates, keys and authorities again, opens the "
        "file of --access-log-file again, and tells in lines on standard error what has changed "
        "and "
        "what needs a restart; connections that are open stay, and go on with the limits that they "
        "came by. When something is wrong, everything stays as it was. Without any of these "
        "SIGHUP does nothing, or ends the server when its standard input is a terminal, since the "
        "end of that sends it."
        "\n\n"
        "The exit status is 0 after an interrupt; 1 when it cannot listen, or stops by itself; 2 "
        "for wrong options, and for files and folders that they name and that cannot be used.",
    .options = serve_options,
    .sections = serve_sections,
    .run = run,
};
