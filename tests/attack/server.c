/*
 * The server that is attacked: `server NAME=VALUE...` sets options of the same names as below, prints
 * `listening URL` for each listener, and serves until SIGTERM.
 *
 *   /echo    sends back what comes          /stream  the same, in parts as they come
 *   /rated   the same, under the rates      /plain   the same, never compressed
 *   /feed    subscribes                     /publish "COUNT SIZE": so many messages to the feed
 *   /stats   GET: figures, a line each      /length  POST: how long the body is
 */
#define _GNU_SOURCE
#include <coho/hub.h>
#include <coho/tls.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static coho_server *server;
static coho_hub *hub;
static coho_options echo, rated;
static coho_server_options serving;
static uint64_t memory_limit, context_limit;
static uint64_t secure;
static const char *root;

/* ---- options -------------------------------------------------------------------------------- */

struct number {
  const char *name;
  uint32_t *small;
  uint64_t *large;
};

static const struct number numbers[] = {
    {"max_message", NULL, &echo.max_message},
    {"max_frame", NULL, &echo.max_frame},
    {"max_queue", NULL, &echo.max_queue},
    {"message_ms", &echo.message_timeout_ms, NULL},
    {"ping_ms", &echo.ping_interval_ms, NULL},
    {"pong_ms", &echo.pong_timeout_ms, NULL},
    {"close_ms", &echo.close_timeout_ms, NULL},
    {"write_ms", &echo.write_timeout_ms, NULL},
    {"deflate", &echo.deflate.mode, NULL},
    {"window", &echo.deflate.window, NULL},
    {"frames_a_second", &rated.rate_frames.per_second, NULL},
    {"messages_a_second", &rated.rate_messages.per_second, NULL},
    {"bytes_a_second", &rated.rate_bytes.per_second, NULL},
    {"head_ms", &serving.head_timeout_ms, NULL},
    {"body_ms", &serving.body_timeout_ms, NULL},
    {"keepalive_ms", &serving.keepalive_timeout_ms, NULL},
    {"reply_ms", &serving.write_timeout_ms, NULL},
    {"tls_ms", &serving.tls_timeout_ms, NULL},
    {"connections", &serving.max_connections, NULL},
    {"of_an_address", &serving.max_per_address, NULL},
    {"handshakes_a_second", &serving.address_rate.per_second, NULL},
    {"memory", NULL, &memory_limit},
    {"contexts", NULL, &context_limit},
    {"secure", NULL, &secure},
};

static int set_number(const char *name, size_t len, const char *value) {
  char *end;
  uint64_t number = strtoull(value, &end, 10);
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers && !*end; i++) {
    const struct number *n = &numbers[i];
    if (strlen(n->name) != len || memcmp(n->name, name, len) != 0) continue;
    if (n->large) *n->large = number;
    if (n->small) *n->small = (uint32_t)number;
    return 0;
  }
  return COHO_EOPTION;
}

static int set_option(const char *word) {
  const char *value = strchr(word, '=');
  size_t len = value ? (size_t)(value - word) : 0;
  if (!value) return COHO_EOPTION;
  if (len == 4 && !memcmp(word, "root", len)) {
    root = value + 1;
    return 0;
  }
  return set_number(word, len, value + 1);
}

/* ---- what it does --------------------------------------------------------------------------- */

static void send_back(coho_conn *c, coho_msg m) { coho_send(c, m); }

static void send_plain(coho_conn *c, coho_msg m) {
  m.flags |= COHO_PLAIN;
  coho_send(c, m);
}

static void subscribe(coho_conn *c) { (void)coho_subscribe(hub, c, "feed"); }

static void publish(coho_conn *c, coho_msg m) {
  char text[64], *rest;
  (void)snprintf(text, sizeof text, "%.*s", (int)m.len, m.data);
  unsigned long count = strtoul(text, &rest, 10), size = strtoul(rest, NULL, 10);
  char *block = (char *)calloc(1, size + 1);
  for (unsigned long i = 0; block && i < count; i++)
    (void)coho_publish(hub, "feed", coho_binary(block, size));
  free(block);
  coho_send(c, coho_text("published"));
}

static void reply_stats(coho_request *r, void *user) {
  char text[512];
  coho_stats s;
  (void)user;
  coho_server_stats(server, &s);
  int len = snprintf(text, sizeof text,
                     "connections %" PRIu64 "\nsockets %" PRIu64 "\nmessages %" PRIu64
                     "\nrequests %" PRIu64 "\nmemory %" PRIu64 "\ncontexts %" PRIu64 "\n",
                     s.connections, s.sockets, s.messages_in, s.requests_total, coho_memory_used(),
                     coho_contexts_used());
  coho_reply(r, 200, "text/plain", text, (size_t)len);
}

static void reply_length(coho_request *r, void *user) {
  char text[32];
  (void)user;
  int len = snprintf(text, sizeof text, "%zu\n", coho_request_body(r).len);
  coho_reply(r, 200, "text/plain", text, (size_t)len);
}

/* ---- life ----------------------------------------------------------------------------------- */

static int add_echoes(void) {
  coho_options stream = echo, plain = echo;
  coho_rate messages = rated.rate_messages, frames = rated.rate_frames, bytes = rated.rate_bytes;
  echo.on_message = send_back;
  stream.on_message = send_back;
  stream.flags = COHO_STREAM;
  plain.on_message = send_plain;
  rated = echo;
  rated.flags = COHO_RATE_CLOSE;
  rated.rate_messages = messages;
  rated.rate_frames = frames;
  rated.rate_bytes = bytes;
  int err = coho_route_ws(server, "/echo", &echo);
  if (!err) err = coho_route_ws(server, "/stream", &stream);
  if (!err) err = coho_route_ws(server, "/plain", &plain);
  return err ? err : coho_route_ws(server, "/rated", &rated);
}

static int add_routes(void) {
  coho_options feed = echo, publishing = {.on_message = publish};
  feed.on_message = NULL;
  feed.on_open = subscribe;
  int err = add_echoes();
  if (!err) err = coho_route_ws(server, "/feed", &feed);
  if (!err) err = coho_route_ws(server, "/publish", &publishing);
  if (!err) err = coho_route_http(server, "GET", "/stats", reply_stats, NULL);
  if (!err) err = coho_route_http(server, "POST", "/length", reply_length, NULL);
  return err || !root ? err : coho_route_static(server, "/", root);
}

static void stop(void *arg, int signo) {
  (void)arg;
  (void)signo;
  coho_server_stop(server);
}

static int start(void) {
  int err = add_routes();
  if (!err) err = coho_server_listen(server, "ws://127.0.0.1:0");
  if (!err && secure) err = coho_server_listen(server, "wss://127.0.0.1:0");
  if (!err) err = coho_loop_signal(coho_server_loop(server, 0), SIGTERM, stop, NULL);
  for (size_t i = 0; !err && coho_server_url(server, i); i++)
    printf("listening %s\n", coho_server_url(server, i));
  (void)fflush(stdout);
  return err ? err : coho_server_run(server);
}

static int serve(void) {
  coho_tls_options own = {.flags = COHO_TLS_SELF_SIGNED};
  coho_set_memory_limit(memory_limit);
  coho_set_context_limit(context_limit);
  int err = secure ? coho_tls_new(&own, &serving.tls, NULL, 0) : 0;
  server = err ? NULL : coho_server_new(&serving);
  hub = coho_hub_new(NULL);
  /* So that all is given back when the peers have gone. */
  coho_topic_options bare = {.flags = COHO_NO_HISTORY};
  if (!err && hub) err = coho_hub_configure(hub, "#", &bare);
  if (!err) err = server && hub ? start() : COHO_EOPTION;
  coho_server_free(server);
  coho_hub_free(hub);
  coho_tls_free(serving.tls);
  return err;
}

int main(int argc, char **argv) {
  int err = 0;
  for (int i = 1; i < argc && !err; i++)
    err = set_option(argv[i]);
  if (!err) err = serve();
  if (err) (void)fprintf(stderr, "server: %s\n", coho_strerror(err));
  return err != 0;
}
