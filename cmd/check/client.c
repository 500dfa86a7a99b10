/* coho check --client: the clients that connect, or that are run, are put through the cases. */
#include "check.h"
#include "client_child.h"
#include "client_driver.h"
#include "client_port.h"
#include "client_trust.h"
#include "trust.h"

#include "base/check.h"
#include "proto/url.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  AT_ONCE = 4,          /* programs side by side */
  START_MS = 20 * 1000, /* for a program to connect */
  TLS_MS = 5000,
  MISSES = 4, /* programs that do not connect before it is given up */
  WHY = 256
};

static const uint64_t budget_ms = UINT64_C(15) * 60 * 1000;
static const uint64_t full_budget_ms = UINT64_C(60) * 60 * 1000;

struct client {
  struct link link; /* first, which is how a link leads here */
  const struct check_conf *conf;
  struct coho__url url;
  struct ssl_ctx_st *tls;
  struct client_port port; /* none when each case has one of its own */
  struct client_driver driver;
  uint64_t deadline; /* of the whole run */
  atomic_bool came;  /* a program connected */
  atomic_uint misses;
  char miss[WHY]; /* why the first did not connect */
};

static struct client *client_of(struct link *l) {
  return COHO_CONTAINER_OF(l, struct client, link);
}

/* "ws://127.0.0.1:4711", for a port that is ours. */
static void print_url(const struct client *k, uint16_t number, struct bytes *out) {
  struct coho__url url = k->url;
  char authority[300];
  if (!*url.host) url.host = "localhost";
  url.port = number;
  bytes_printf(out, "%s://%s", url.secure ? "wss" : "ws", coho__url_authority(&url, authority));
}

/* ---- a program for each connection ---------------------------------------------------------- */

/* What belongs to the case that this thread runs. */
struct visit {
  const struct check_case *c;
  struct client_child child;
  struct client_port port; /* unless the listener is for all */
};

static _Thread_local struct visit visit = {.child = {.ended = -1}, .port = {.fd = -1}};

static void begin_visit(struct link *l, const struct check_case *c) {
  (void)l;
  visit.c = c;
}

static void end_visit(struct link *l, const struct check_result *result) {
  (void)l;
  (void)result;
  client_child_end(&visit.child, NULL, 0);
  client_port_close(&visit.port);
}

static const struct client_port *find_port(struct client *k, char *why, size_t cap) {
  if (k->port.fd >= 0) return &k->port;
  if (visit.port.fd < 0 && client_port_open(&visit.port, k->url.host, 0, why, cap)) return NULL;
  return &visit.port;
}

static int start_child(struct client *k, uint16_t number, char *why, size_t cap) {
  struct bytes url = {NULL, 0, 0};
  size_t len = strlen(k->url.target);
  bool slash = len && k->url.target[len - 1] == '/';
  client_child_end(&visit.child, NULL, 0); /* of this case's connection before */
  print_url(k, number, &url);
  bytes_printf(&url, "%s%s%s", k->url.target, slash ? "" : "/", visit.c->id);
  bytes_add_byte(&url, 0);
  int failed = client_child_start(&visit.child, k->conf->command, (const char *)url.data,
                                  k->conf->verbose > 0, why, cap);
  bytes_free(&url);
  return failed;
}

static const char too_late[] = "the client did not connect before the time for all cases was up";

/* The descriptor of its connection, -1: none. */
static int await_program(struct client *k, char *why, size_t cap) {
  const struct client_port *port = find_port(k, why, cap);
  if (!port || start_child(k, port->number, why, cap)) return -1;
  int fd = -1;
  char how[64];
  uint64_t now = now_ms();
  uint64_t end = COHO_MIN(now + START_MS, COHO_MAX(now, k->deadline));
  switch (client_port_take(port, visit.child.ended, end, &fd)) {
  case PORT_CAME: return fd;
  case PORT_LATE:
    if (end == k->deadline)
      (void)snprintf(why, cap, "%s", too_late);
    else
      (void)snprintf(why, cap, "the client did not connect within %d s", START_MS / 1000);
    return -1;
  case PORT_GONE: break;
  }
  client_child_end(&visit.child, how, sizeof how);
  (void)snprintf(why, cap, "the client did not connect: %s", how);
  return -1;
}

static int open_program(struct link *l, struct wire *w, uint64_t deadline, char *why, size_t cap) {
  struct client *k = client_of(l);
  (void)deadline; /* of a connection; programs take longer to start */
  if (!atomic_load(&k->came) && atomic_load(&k->misses) >= MISSES) {
    (void)snprintf(why, cap, "no client ever connected");
    return -1;
  }
  int fd = await_program(k, why, cap);
  if (fd >= 0) {
    atomic_store(&k->came, true);
    return wire_accepted(w, fd, k->tls, now_ms() + TLS_MS, why, cap);
  }
  if (!atomic_fetch_add(&k->misses, 1)) (void)snprintf(k->miss, sizeof k->miss, "%s", why);
  return -1;
}

static bool no_program(struct link *l, char *why, size_t cap) {
  struct client *k = client_of(l);
  if (atomic_load(&k->came)) return false;
  (void)snprintf(why, cap, "no client came: %s", atomic_load(&k->misses) ? k->miss : too_late);
  return true;
}

/* ---- a client that comes by itself ---------------------------------------------------------- */

static void begin_driven(struct link *l, const struct check_case *c) {
  (void)c;
  driver_next(&client_of(l)->driver);
}

static void end_driven(struct link *l, const struct check_result *result) {
  driver_done(&client_of(l)->driver, result->verdict);
}

static int open_driven(struct link *l, struct wire *w, uint64_t deadline, char *why, size_t cap) {
  (void)deadline; /* of a connection that we make */
  return driver_open(&client_of(l)->driver, w, why, cap);
}

static bool nobody_driven(struct link *l, char *why, size_t cap) {
  return driver_deserted(&client_of(l)->driver, why, cap);
}

/* ---- the run -------------------------------------------------------------------------------- */

/* Those that run alone run last; that is how they are counted. */
static void sort_cases(const struct check_case **cases, size_t count) {
  const struct check_case **sorted =
      (const struct check_case **)memory_new(count + 1, sizeof(void *));
  size_t n = 0;
  for (size_t i = 0; i < count; i++)
    if (!(cases[i]->flags & CASE_ALONE)) sorted[n++] = cases[i];
  for (size_t i = 0; i < count; i++)
    if (cases[i]->flags & CASE_ALONE) sorted[n++] = cases[i];
  memcpy(cases, sorted, count * sizeof(void *));
  free(sorted);
}

static int run_programs(struct client *k, const struct check_conf *conf,
                        const struct check_case *const *cases, size_t count) {
  struct bytes name = {NULL, 0, 0};
  for (char **word = conf->command; *word; word++)
    bytes_printf(&name, "%s%s", word == conf->command ? "" : " ", *word);
  bytes_add_byte(&name, 0);
  k->link.open = open_program;
  k->link.begin = begin_visit;
  k->link.end = end_visit;
  k->link.deserted = no_program;
  client_child_guard();
  int status = check_and_tell(conf, &k->link, (const char *)name.data, cases, count);
  bytes_free(&name);
  return status;
}

static int run_driven(struct client *k, const struct check_conf *conf,
                      const struct check_case *const *cases, size_t count) {
  k->link.open = open_driven;
  k->link.begin = begin_driven;
  k->link.end = end_driven;
  k->link.deserted = nobody_driven;
  driver_begin(&k->driver, &k->port, k->tls, conf->budget_ms, cases, count);
  int status = check_and_tell(conf, &k->link, k->driver.agent, cases, count);
  if (!k->driver.visits) status = EXIT_PEER; /* nothing was tested */
  driver_end(&k->driver);
  return status;
}

static int run(struct client *k, const struct check_case **cases, size_t count) {
  struct check_conf conf = *k->conf;
  bool side_by_side = conf.command && k->port.fd < 0;
  if (!side_by_side)
    conf.at_once = 1;
  else if (!conf.at_once)
    conf.at_once = AT_ONCE;
  if (!conf.budget_ms) conf.budget_ms = conf.full ? full_budget_ms : budget_ms;
  k->deadline = now_ms() + conf.budget_ms;
  sort_cases(cases, count);
  return conf.command ? run_programs(k, &conf, cases, count) : run_driven(k, &conf, cases, count);
}

/* Programs on any port each get one of their own; else there is one listener. */
static int listen_for_all(struct client *k, char *why, size_t cap) {
  if (k->conf->command && !k->url.port) return 0;
  if (client_port_open(&k->port, k->url.host, k->url.port, why, cap)) return -1;
  struct bytes url = {NULL, 0, 0};
  print_url(k, k->port.number, &url);
  FILE *out = k->conf->json ? stderr : stdout;
  fprintf(out, "listening %.*s%s\n", (int)url.len, (const char *)url.data, k->url.target);
  (void)fflush(out);
  bytes_free(&url);
  return 0;
}

/* 0, or an exit status with a sentence in why. */
static int set_up(struct client *k, char *why, size_t cap) {
  const char *wrong = "";
  const char *url = k->conf->url ? k->conf->url : "ws://127.0.0.1:0";
  if (coho__url_parse(&k->url, url, COHO_URL_LISTEN, &wrong)) {
    (void)snprintf(why, cap, "cannot listen at '%s': %s", url, wrong);
    return EXIT_USAGE;
  }
  if (!k->url.secure && k->conf->cert_file) {
    (void)snprintf(why, cap, "--cert is for wss:// listeners: --listen wss://localhost:8443");
    return EXIT_USAGE;
  }
  if (k->url.secure) k->tls = client_trust(k->conf->cert_file, k->conf->key_file, why, cap);
  if (k->url.secure && !k->tls) return k->conf->cert_file ? EXIT_USAGE : EXIT_PEER;
  return listen_for_all(k, why, cap) ? EXIT_PEER : 0;
}

int check_client(const struct check_conf *conf, const struct catalog *cat) {
  struct client k = {.link = {.side = SIDE_SERVER}, .conf = conf, .port = {.fd = -1}};
  char why[WHY];
  size_t count;
  const struct check_case **cases = check_choose(conf, cat, SIDE_CLIENT, &count);
  int status = set_up(&k, why, sizeof why);
  if (!status)
    status = run(&k, cases, count);
  else
    fprintf(stderr, "coho check: %s\n", why);
  client_port_close(&k.port);
  trust_free(k.tls);
  coho__url_free(&k.url);
  free(cases);
  return status;
}
