/*
 * The topics that are attacked: `topics_server NAME=VALUE...` sets options of the same names as below,
 * prints `listening URL` and serves until SIGTERM.
 *
 *   /t/      topics, by the first segment of their name with the policy that it names: newest, conflate,
 *            disconnect, block; others drop the oldest
 *   /echo    sends back what comes
 *   /flood   POST "TOPIC COUNT SIZE": publishes so many messages; answers how many were refused
 *   /stats   GET: figures, a line each
 */
#define _GNU_SOURCE
#include <coho/topics.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static coho_server *server;
static coho_hub *hub;
static coho_keys *keys;
static coho_options conn;
/* All attacks come from one address: any number of requests, unless one says how many. */
static coho_topics_options mount = {.conn = &conn, .http_rate = {UINT32_MAX, UINT32_MAX}};
static coho_hub_options hubs;
static coho_topic_options topics;
static coho_server_options serving;
static const char *secret;

/* ---- options -------------------------------------------------------------------------------- */

struct number {
  const char *name;
  uint32_t *small;
  uint64_t *large;
};

static const struct number numbers[] = {
    {"write_ms", &conn.write_timeout_ms, NULL},
    {"reply_ms", &serving.write_timeout_ms, NULL},
    {"max_message", NULL, &mount.max_message},
    {"max_queue", NULL, &mount.max_queue},
    {"requests_a_second", &mount.rate.per_second, NULL},
    {"http_a_second", &mount.http_rate.per_second, NULL},
    {"http_at_once", &mount.http_rate.burst, NULL},
    {"subscriptions", &mount.max_subscriptions, NULL},
    {"auth_ms", &mount.auth_timeout_ms, NULL},
    {"heartbeat_ms", &mount.heartbeat_ms, NULL},
    {"poll_ms", &mount.poll_ms, NULL},
    {"max_bytes", NULL, &hubs.max_bytes},
    {"max_topics", &hubs.max_topics, NULL},
    {"history_count", &topics.history_count, NULL},
    {"history_bytes", NULL, &topics.history_bytes},
    {"block_ms", &topics.block_ms, NULL},
    {"grace_ms", &topics.grace_ms, NULL},
};

static int set_option(const char *word) {
  const char *value = strchr(word, '=');
  size_t len = value ? (size_t)(value - word) : 0;
  if (len == 6 && !memcmp(word, "secret", len)) {
    secret = value + 1;
    return 0;
  }
  for (size_t i = 0; value && i < sizeof numbers / sizeof *numbers; i++) {
    const struct number *n = &numbers[i];
    if (strlen(n->name) != len || memcmp(n->name, word, len) != 0) continue;
    if (n->large) *n->large = strtoull(value + 1, NULL, 10);
    if (n->small) *n->small = (uint32_t)strtoul(value + 1, NULL, 10);
    return 0;
  }
  return COHO_EOPTION;
}

/* ---- what it does --------------------------------------------------------------------------- */

static void send_back(coho_conn *c, coho_msg m) { coho_send(c, m); }

static void flood(coho_request *r, void *user) {
  char words[256], topic[256], text[32];
  coho_bytes body = coho_request_body(r);
  unsigned long count = 0, size = 0, refused = 0;
  (void)user;
  (void)snprintf(words, sizeof words, "%.*s", (int)body.len, (const char *)body.data);
  if (sscanf(words, "%255s %lu %lu", topic, &count, &size) != 3) count = 0;
  char *block = (char *)malloc(size + 1);
  if (block) memset(block, 'x', size);
  for (unsigned long i = 0; block && i < count; i++)
    refused += coho_publish(hub, topic, coho_text_n(block, size)) != 0;
  free(block);
  int len = snprintf(text, sizeof text, "%lu\n", refused);
  coho_reply(r, 200, "text/plain", text, (size_t)len);
}

static void reply_stats(coho_request *r, void *user) {
  char text[1024];
  coho_stats s;
  coho_hub_stats h;
  (void)user;
  coho_server_stats(server, &s);
  coho_hub_get_stats(hub, &h);
  int len = snprintf(text, sizeof text,
                     "connections %" PRIu64 "\nsockets %" PRIu64 "\nmemory %" PRIu64
                     "\ntopics %" PRIu64 "\nsubscriptions %" PRIu64 "\nheld %" PRIu64
                     "\nbytes %" PRIu64 "\nmembers %" PRIu64 "\npublished %" PRIu64
                     "\nrefused %" PRIu64 "\ndropped %" PRIu64 "\ngaps %" PRIu64 "\n",
                     s.connections, s.sockets, coho_memory_used(), h.topics, h.subscriptions,
                     h.messages, h.bytes, h.members, h.published, h.refused, h.dropped, h.gaps);
  coho_reply(r, 200, "text/plain", text, (size_t)len);
}

/* ---- life ----------------------------------------------------------------------------------- */

static int add_policies(void) {
  static const struct {
    const char *pattern;
    uint32_t slow;
  } policies[] = {{"newest/#", COHO_SLOW_DROP_NEWEST},
                  {"conflate/#", COHO_SLOW_CONFLATE},
                  {"disconnect/#", COHO_SLOW_DISCONNECT},
                  {"block/#", COHO_SLOW_BLOCK},
                  {"#", COHO_SLOW_DROP_OLDEST}};
  int err = 0;
  for (size_t i = 0; i < sizeof policies / sizeof *policies && !err; i++) {
    coho_topic_options o = topics;
    o.slow = policies[i].slow;
    err = coho_hub_configure(hub, policies[i].pattern, &o);
  }
  return err;
}

/* Tokens for all but open/#, which everybody may follow. */
static int add_keys(void) {
  static const char *const open[] = {"open/#", NULL};
  if (!secret) return 0;
  int err = coho_keys_new(&(coho_keys_options){.leeway_ms = COHO_KEYS_EXACT}, &keys);
  if (!err)
    err = coho_keys_add(
        keys, &(coho_key_source){.kind = COHO_KEY_SECRET, .data = secret, .len = strlen(secret)},
        NULL, 0);
  mount.keys = keys;
  mount.open_subscribe = open;
  return err;
}

static int add_routes(void) {
  coho_options echo = {.on_message = send_back};
  int err = add_policies();
  if (!err) err = add_keys();
  if (!err) err = coho_route_topics(server, "/t/", hub, &mount);
  if (!err) err = coho_route_ws(server, "/echo", &echo);
  if (!err) err = coho_route_http(server, "GET", "/stats", reply_stats, NULL);
  return err ? err : coho_route_http(server, "POST", "/flood", flood, NULL);
}

static void stop(void *arg, int signo) {
  (void)arg;
  (void)signo;
  coho_server_stop(server);
}

static int serve(void) {
  server = coho_server_new(&serving);
  hub = coho_hub_new(&hubs);
  int err = server && hub ? add_routes() : COHO_EOPTION;
  if (!err) err = coho_server_listen(server, "ws://127.0.0.1:0");
  if (!err) err = coho_loop_signal(coho_server_loop(server, 0), SIGTERM, stop, NULL);
  if (err) return err;
  printf("listening %s\n", coho_server_url(server, 0));
  (void)fflush(stdout);
  return coho_server_run(server);
}

int main(int argc, char **argv) {
  int err = 0;
  for (int i = 1; i < argc && !err; i++)
    err = set_option(argv[i]);
  if (!err) err = serve();
  coho_server_free(server);
  coho_hub_free(hub);
  coho_keys_free(keys);
  if (err) (void)fprintf(stderr, "topics_server: %s\n", coho_strerror(err));
  return err != 0;
}
