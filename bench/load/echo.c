#include "load/echo.h"

#include "load/figures.h"
#include "load/histogram.h"
#include "load/peer.h"
#include "load/talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct round {
  struct talk *talk;
  size_t returned; /* messages of the burst that came back */
  uint64_t started_ns;
};

static const struct load_options *opt;
static bool measuring;
static uint64_t messages;
static struct histogram round_trips;

static void fire(struct peer *p) {
  struct round *r = (struct round *)p->user;
  size_t len;
  const char *burst = talk_burst(r->talk, &len);
  r->returned = 0;
  r->started_ns = figures_now_ns();
  peer_send(p, burst, len);
}

static void opened(struct peer *p, const char *head) {
  ((struct round *)p->user)->talk = talk_new(head);
}

static void took(struct peer *p, const char *data, size_t len) {
  struct round *r = (struct round *)p->user;
  r->returned += talk_take(r->talk, data, len);
  if (r->returned < opt->depth) return;
  if (measuring) {
    messages += opt->depth;
    histogram_add(&round_trips, figures_now_ns() - r->started_ns);
  }
  fire(p);
}

static struct peer *prepare(const struct load_options *options) {
  static struct peer_kind kind = {.opened = opened, .took = took};
  opt = options;
  struct talk_options talk = {.raw = !strcmp(opt->mode, "raw"),
                              .text = opt->text,
                              .deflate = opt->deflate,
                              .size = opt->size,
                              .depth = opt->depth};
  talk_prepare(&talk);
  if (!talk.raw) kind.request = peer_request(opt->path, opt->port, talk_offer());
  struct peer *peers = (struct peer *)calloc(opt->connections, sizeof *peers);
  struct round *rounds = (struct round *)calloc(opt->connections, sizeof *rounds);
  if (!peers || !rounds) link_die("calloc");
  for (size_t i = 0; i < opt->connections; i++)
    peers[i] = (struct peer){.kind = &kind, .user = &rounds[i]};
  return peers;
}

void echo_run_idle(const struct load_options *options) {
  struct peer *peers = prepare(options);
  double before = figures_memory(opt->pid, 0).rss;
  peer_open_all(peers, opt->connections);
  peer_run_for(opt->seconds, opt->busy);
  double bytes = (figures_memory(opt->pid, 0).rss - before) / (double)opt->connections;
  printf("{\"mode\":\"idle\",\"connections\":%zu,\"bytes_per_connection\":%.1f}\n",
         opt->connections, bytes);
}

void echo_run(const struct load_options *options) {
  struct peer *peers = prepare(options);
  peer_open_all(peers, opt->connections);
  for (size_t i = 0; i < opt->connections; i++)
    fire(&peers[i]);
  peer_run_for(opt->warmup, opt->busy);
  double cpu = figures_cpu_ns(opt->pid);
  uint64_t started = figures_now_ns();
  measuring = true;
  peer_run_for(opt->seconds, opt->busy);
  measuring = false;
  double seconds = (double)(figures_now_ns() - started) / 1e9;
  cpu = figures_cpu_ns(opt->pid) - cpu;
  double count = messages ? (double)messages : 1;
  printf("{\"mode\":\"%s\",\"connections\":%zu,\"size\":%zu,\"depth\":%zu,"
         "\"messages_per_s\":%.0f,\"cpu_us_per_message\":%.4f,\"cpu_percent\":%.1f,"
         "\"p50_us\":%.1f,\"p99_us\":%.1f}\n",
         opt->mode, opt->connections, opt->size, opt->depth, (double)messages / seconds,
         cpu / count / 1000, cpu / seconds / 1e7, histogram_us(&round_trips, .5),
         histogram_us(&round_trips, .99));
}
