/*
 * The topic "stats": what the server does, once a second; its history is the last two minutes.
 */
#define _GNU_SOURCE
#include "demo.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { INTERVAL_MS = 1000, KEPT = 120 };

struct sample {
  uint64_t time_ms, uptime_s, connections, rss_bytes;
  double messages_in, messages_out, bytes_in, bytes_out; /* per second */
  double cpu_percent, loop_lag_ms;
};

/* Sums and clocks at the last sample. */
struct mark {
  uint64_t now_ns, cpu_ns;
  coho_stats sums;
};

static coho_hub *hub;
static coho_server *server;
static coho_timer *timer;
static struct mark last;
static uint64_t started_ns;

static uint64_t cpu_ns(void) {
  struct timespec t;
  if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t)) return 0;
  return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

/* The second number of statm is the resident set in pages. */
static uint64_t rss_bytes(void) {
  char line[128] = "";
  FILE *f = fopen("/proc/self/statm", "re");
  if (!f) return 0;
  const char *resident = fgets(line, sizeof line, f) ? strchr(line, ' ') : NULL;
  fclose(f);
  if (!resident) return 0;
  return strtoull(resident, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

static struct mark mark_now(void) {
  struct mark m = {.now_ns = coho__clock_ns(), .cpu_ns = cpu_ns()};
  coho_server_stats(server, &m.sums);
  return m;
}

static struct sample measure(void) {
  struct mark now = mark_now();
  double seconds = (double)(now.now_ns - last.now_ns) / 1e9;
  struct sample s = {
      .time_ms = coho__clock_wall_ms(),
      .uptime_s = (now.now_ns - started_ns) / 1000000000U,
      .connections = now.sums.connections,
      .rss_bytes = rss_bytes(),
      .messages_in = (double)(now.sums.messages_in - last.sums.messages_in) / seconds,
      .messages_out = (double)(now.sums.messages_out - last.sums.messages_out) / seconds,
      .bytes_in = (double)(now.sums.bytes_in - last.sums.bytes_in) / seconds,
      .bytes_out = (double)(now.sums.bytes_out - last.sums.bytes_out) / seconds,
      .cpu_percent = (double)(now.cpu_ns - last.cpu_ns) / 1e7 / seconds,
      .loop_lag_ms = (double)coho_server_lag(server) / 1e6,
  };
  last = now;
  return s;
}

static json_t *json_of(const struct sample *s) {
  return json_pack("{s:I, s:I, s:I, s:f, s:f, s:f, s:f, s:I, s:f, s:f}", "time",
                   (json_int_t)s->time_ms, "uptime_s", (json_int_t)s->uptime_s, "connections",
                   (json_int_t)s->connections, "messages_in", s->messages_in, "messages_out",
                   s->messages_out, "bytes_in", s->bytes_in, "bytes_out", s->bytes_out, "rss_bytes",
                   (json_int_t)s->rss_bytes, "cpu_percent", s->cpu_percent, "loop_lag_ms",
                   s->loop_lag_ms);
}

static void tick(void *arg) {
  (void)arg;
  struct sample s = measure();
  demo_publish_json(hub, "stats", json_of(&s));
}

int demo_stats_rules(coho_hub *h) {
  coho_topic_options o = {.history_count = KEPT, .history_age_ms = UINT32_MAX};
  return coho_hub_configure(h, "stats", &o);
}

int demo_stats_start(const struct demo_options *opt, coho_hub *h) {
  hub = h;
  server = opt->server;
  last = mark_now();
  started_ns = last.now_ns;
  timer = coho_timer_new(coho_server_loop(server, 0), tick, NULL);
  if (!timer) return COHO_ENOMEM;
  coho_timer_start(timer, INTERVAL_MS, INTERVAL_MS);
  return 0;
}

void demo_stats_stop(void) {
  coho_timer_free(timer);
  timer = NULL;
}
