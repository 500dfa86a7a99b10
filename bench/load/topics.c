#include "load/topics.h"

#include "load/figures.h"
#include "load/peer.h"
#include "load/sample.h"
#include "load/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  ENVELOPE = 128,       /* of JSON around a message */
  WINDOW = 64,          /* requests under way */
  WINDOW_BYTES = 65536, /* of publishes: the server's buffers are to stay small */
  SETTLE_SECONDS = 1,
  STEP_SECONDS = 30
};

static const struct load_options *opt;
static struct wire_rest *rests;
static size_t answered;

/* ---- frames -------------------------------------------------------------------------------- */

static bool begins(const struct wire_frame *f, const char *text) {
  size_t len = strlen(text);
  return f->len >= len && !memcmp(f->payload, text, len);
}

/* All that the server has to say here is "ok" and "pong". */
static void take_frame(void *ctx, const struct wire_frame *f) {
  (void)ctx;
  if (f->first == WIRE_TEXT && (begins(f, "{\"op\":\"ok\"") || begins(f, "{\"op\":\"pong\""))) {
    answered++;
    return;
  }
  if (f->first == WIRE_PING) return; /* shorter than the patience of the server */
  fprintf(stderr, "load: the server said: %.*s\n", (int)f->len, f->payload);
  link_fail("that is no ok");
}

static void took(struct peer *p, const char *data, size_t len) {
  wire_take((struct wire_rest *)p->user, data, len, take_frame, NULL);
}

static void opened(struct peer *p, const char *head) {
  (void)p;
  if (!strstr(head, "coho.json.v1")) link_fail("the server does not speak coho.json.v1");
}

static struct peer *open_all(const struct load_options *options) {
  static struct peer_kind kind = {.opened = opened, .took = took};
  opt = options;
  kind.request = peer_request(opt->path, opt->port, "Sec-WebSocket-Protocol: coho.json.v1\r\n");
  struct peer *peers = (struct peer *)calloc(opt->connections, sizeof *peers);
  rests = (struct wire_rest *)calloc(opt->connections, sizeof *rests);
  if (!peers || !rests) link_die("calloc");
  for (size_t i = 0; i < opt->connections; i++)
    peers[i] = (struct peer){.kind = &kind, .user = &rests[i]};
  peer_open_all(peers, opt->connections);
  peer_run_for(SETTLE_SECONDS, false);
  return peers;
}

static void wait_for(size_t answers) {
  uint64_t end = figures_now_ns() + STEP_SECONDS * 1000000000ULL;
  while (answered < answers) {
    if (figures_now_ns() > end) link_fail("the server has not answered within 30 s");
    peer_turn(10);
  }
}

/* ---- subscriptions ------------------------------------------------------------------------- */

/* Each connection the same, and one thing at a time: buffers are to stay small. */
static void ask_all(struct peer *peers, const char *text) {
  static char frame[ENVELOPE + WIRE_HEADER];
  size_t len = wire_put(frame, WIRE_TEXT, text, strlen(text), true);
  size_t before = answered;
  for (size_t i = 0; i < opt->connections; i++) {
    peer_send(&peers[i], frame, len);
    wait_for(i + 1 < WINDOW ? 0 : before + i + 1 - WINDOW);
  }
  wait_for(before + opt->connections);
}

static void subscribe_all(struct peer *peers, size_t topic) {
  char text[ENVELOPE];
  (void)snprintf(text, sizeof text, "{\"op\":\"sub\",\"topic\":\"subs/%zu\"}", topic);
  ask_all(peers, text);
}

static double settled_rss(void) {
  peer_run_for(SETTLE_SECONDS, false);
  return figures_memory(opt->pid, 0).rss;
}

void topics_run_subs(const struct load_options *options) {
  struct figures_memory before = figures_memory(options->pid, 1);
  struct peer *peers = open_all(options);
  /* What the first message of a connection needs is no subscription. */
  double silent = figures_memory(opt->pid, 0).rss;
  ask_all(peers, "{\"op\":\"ping\"}");
  double open = settled_rss(), half = open;
  for (size_t i = 0; i < opt->depth; i++) {
    if (opt->depth > 1 && i == opt->depth / 2) half = settled_rss();
    subscribe_all(peers, i);
  }
  double all = settled_rss();
  double connections = (double)opt->connections;
  double rest = (double)(opt->depth - (opt->depth > 1 ? opt->depth / 2 : 0));
  printf("{\"mode\":\"subs\",\"connections\":%zu,\"subscriptions_each\":%zu,"
         "\"bytes_per_connection\":%.1f,\"bytes_per_first_message\":%.1f,\"bytes_per_"
         "subscription\":%.2f,"
         "\"bytes_per_subscription_second_half\":%.2f,\"rss_before\":%.0f,\"rss_open\":%.0f,"
         "\"rss_after\":%.0f,\"pss_before\":%.0f,\"pss_after\":%.0f}\n",
         opt->connections, opt->depth, (silent - before.rss) / connections,
         (open - silent) / connections, (all - open) / connections / (double)opt->depth,
         (all - half) / connections / rest, before.rss, open, all, before.pss,
         figures_memory(opt->pid, 1).pss);
}

/* ---- histories ----------------------------------------------------------------------------- */

static void publish(struct peer *p, char *text, char *frame, const char *branch, size_t topic) {
  int n =
      snprintf(text, ENVELOPE, "{\"op\":\"pub\",\"topic\":\"%s/%zu\",\"data\":\"", branch, topic);
  sample_plain(text + n, opt->size);
  text[(size_t)n + opt->size] = '"';
  text[(size_t)n + opt->size + 1] = '}';
  size_t len = wire_put(frame, WIRE_TEXT, text, (size_t)n + opt->size + 2, true);
  uint64_t end = figures_now_ns() + STEP_SECONDS * 1000000000ULL;
  while (!peer_idle(p)) {
    if (figures_now_ns() > end) link_fail("the server does not read");
    peer_turn(10);
  }
  peer_send(p, frame, len);
}

void topics_run_fill(const struct load_options *options) {
  if (options->connections != 1) link_fail("fill wants -c 1");
  struct peer *p = open_all(options);
  char *text = (char *)malloc(opt->size + ENVELOPE + 2);
  char *frame = (char *)malloc(opt->size + ENVELOPE + 2 + WIRE_HEADER);
  if (!text || !frame) link_die("malloc");
  /* What one message needs by itself, such as buffers, is no history. */
  publish(p, text, frame, "first", 0);
  wait_for(1);
  struct figures_memory before = figures_memory(opt->pid, 1);
  size_t sent = 1, window = WINDOW_BYTES / opt->size;
  window = window < 1 ? 1 : window < WINDOW ? window : WINDOW;
  for (size_t i = 0; i < opt->messages; i++) {
    for (size_t topic = 0; topic < opt->topics; topic++) {
      publish(p, text, frame, "fill", topic);
      sent++;
      wait_for(sent < window ? 0 : sent - window);
    }
  }
  wait_for(sent);
  peer_run_for(SETTLE_SECONDS, false);
  struct figures_memory after = figures_memory(opt->pid, 1);
  printf("{\"mode\":\"fill\",\"topics\":%zu,\"size\":%zu,\"published\":%zu,\"rss_before\":%.0f,"
         "\"rss_after\":%.0f,\"rss_growth\":%.0f,\"pss_growth\":%.0f,\"rss_peak\":%.0f}\n",
         opt->topics, opt->size, sent - 1, before.rss, after.rss, after.rss - before.rss,
         after.pss - before.pss, after.peak);
}
