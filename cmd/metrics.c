#include "metrics.h"

#include "base/check.h"
#include "base/clock.h"

#include <coho/inspect.h>
#include <dirent.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { INTERVAL_MS = 1000, LOOPS_MOST = 256, BUCKETS = 12 };

/* Upper bounds in microseconds; the last bucket has none. */
static const uint64_t bounds_us[BUCKETS - 1] = {100,   500,    1000,   2500,    5000,   10000,
                                                25000, 100000, 250000, 1000000, 5000000};

/* A question to a loop. */
struct probe {
  _Atomic uint64_t sent_ns; /* 0: none is out */
  _Atomic uint64_t lag_us;  /* of the last answer */
};

static struct metrics source;
static coho_timer *timer;
static struct probe probes[LOOPS_MOST];
static _Atomic uint64_t buckets[BUCKETS], lag_sum_us;
static _Atomic int state;
static uint64_t started_ns;
static double started_wall;

/* ---- lag ------------------------------------------------------------------------------------ */

static void count_lag(uint64_t us) {
  size_t i = 0;
  while (i < BUCKETS - 1 && us > bounds_us[i])
    i++;
  atomic_fetch_add(&buckets[i], 1);
  atomic_fetch_add(&lag_sum_us, us);
}

static void on_answer(void *arg) {
  struct probe *p = (struct probe *)arg;
  uint64_t us = (coho__clock_ns() - atomic_load(&p->sent_ns)) / 1000;
  atomic_store(&p->lag_us, us);
  count_lag(us);
  atomic_store(&p->sent_ns, 0);
}

static void ask_loops(void *arg) {
  coho_loop *loop;
  (void)arg;
  for (size_t i = 0; i < LOOPS_MOST && (loop = coho_server_loop(source.server, i)); i++) {
    if (atomic_load(&probes[i].sent_ns)) continue; /* it has not answered yet */
    atomic_store(&probes[i].sent_ns, coho__clock_ns());
    if (coho_loop_post(loop, on_answer, &probes[i])) atomic_store(&probes[i].sent_ns, 0);
  }
}

uint64_t metrics_lag_us(void) {
  uint64_t longest = 0, now = coho__clock_ns();
  for (size_t i = 0; i < LOOPS_MOST; i++) {
    uint64_t sent = atomic_load(&probes[i].sent_ns), lag = atomic_load(&probes[i].lag_us);
    if (sent && now > sent) lag = COHO_MAX(lag, (now - sent) / 1000);
    longest = COHO_MAX(longest, lag);
  }
  return longest;
}

/* ---- life ----------------------------------------------------------------------------------- */

int metrics_start(const struct metrics *m, coho_loop *loop) {
  source = *m;
  started_ns = coho__clock_ns();
  started_wall = (double)coho__clock_wall_ms() / 1000;
  timer = coho_timer_new(loop, ask_loops, NULL);
  if (!timer) return COHO_ENOMEM;
  coho_timer_start(timer, INTERVAL_MS, INTERVAL_MS);
  return 0;
}

void metrics_stop(void) {
  coho_timer_free(timer);
  timer = NULL;
}

void metrics_set_state(enum metrics_state s) { atomic_store(&state, (int)s); }

enum metrics_state metrics_get_state(void) { return (enum metrics_state)atomic_load(&state); }

/* ---- the process ---------------------------------------------------------------------------- */

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
  return resident ? strtoull(resident, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

static uint64_t open_fds(void) {
  uint64_t count = 0;
  DIR *dir = opendir("/proc/self/fd");
  const struct dirent *entry;
  if (!dir) return 0;
  while ((entry = readdir(dir)))
    count += entry->d_name[0] != '.';
  closedir(dir);
  return count - 1; /* that of dir */
}

void metrics_process(struct metrics_process *out) {
  struct rlimit files = {0, 0};
  (void)getrlimit(RLIMIT_NOFILE, &files);
  *out = (struct metrics_process){.rss_bytes = rss_bytes(),
                                  .open_fds = open_fds(),
                                  .max_fds = files.rlim_cur,
                                  .cpu_ns = cpu_ns(),
                                  .uptime_s = (coho__clock_ns() - started_ns) / 1000000000U};
}

/* ---- text ----------------------------------------------------------------------------------- */

static int head(struct coho__buf *out, const char *name, const char *type, const char *help) {
  return coho__buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

struct number {
  const char *name, *type, *help;
  uint64_t value;
};

static int write_numbers(struct coho__buf *out, const struct number *rows, size_t count) {
  int err = 0;
  for (size_t i = 0; i < count && !err; i++) {
    err = head(out, rows[i].name, rows[i].type, rows[i].help);
    if (!err)
      err = coho__buf_printf(out, "%s %llu\n", rows[i].name, (unsigned long long)rows[i].value);
  }
  return err;
}

static int write_server(struct coho__buf *out) {
  coho_stats s;
  coho_server_stats(source.server, &s);
  const struct number rows[] = {
      {"coho_ready", "gauge", "1 while the server takes connections.",
       metrics_get_state() == METRICS_READY},
      {"coho_connections", "gauge", "WebSocket connections open.", s.connections},
      {"coho_connections_opened_total", "counter", "WebSocket connections accepted.",
       s.connections_total},
      {"coho_sockets", "gauge", "Connections open, HTTP included.", s.sockets},
      {"coho_http_requests_total", "counter", "HTTP requests answered, handshakes included.",
       s.requests_total},
      {"coho_messages_received_total", "counter", "Messages received.", s.messages_in},
      {"coho_messages_sent_total", "counter", "Messages sent.", s.messages_out},
      {"coho_payload_received_bytes_total", "counter", "Payload of the messages received.",
       s.bytes_in},
      {"coho_payload_sent_bytes_total", "counter", "Payload of the messages sent.", s.bytes_out},
      {"coho_memory_bytes", "gauge", "Memory that the library takes.", coho_memory_used()},
      {"coho_deflate_contexts_bytes", "gauge", "Memory that contexts of compression take.",
       coho_contexts_used()},
  };
  return write_numbers(out, rows, COHO_COUNT(rows));
}

static int write_code(struct coho__buf *out, uint32_t code, const char *label, bool always) {
  uint64_t n = coho_server_ended_with_code(source.server, code);
  if (!n && !always) return 0;
  return coho__buf_printf(out, "coho_connections_ended_total{code=\"%s\"} %llu\n", label,
                          (unsigned long long)n);
}

static int write_codes(struct coho__buf *out, uint32_t first, uint32_t last) {
  char label[16];
  int err = 0;
  for (uint32_t code = first; code <= last && !err; code++) {
    (void)snprintf(label, sizeof label, "%u", code);
    err = write_code(out, code, label, code <= 1001 || code == 1006);
  }
  return err;
}

static int write_endings(struct coho__buf *out) {
  int err = head(out, "coho_connections_ended_total", "counter",
                 "WebSocket connections that ended, by the code of the peer's Close, 1005 without, "
                 "1006 when none came.");
  if (!err) err = write_codes(out, 1000, 1015);
  if (!err) err = write_codes(out, 4400, 4431);
  if (!err) err = write_code(out, 3000, "3xxx", false);
  if (!err) err = write_code(out, 4000, "4xxx", false);
  return err ? err : write_code(out, 0, "other", false);
}

static int write_errors(struct coho__buf *out) {
  static const int errors[] = {
#define NUMBER(name, value, answer, rfc, text) (value),
      COHO_ERRORS(NUMBER)
#undef NUMBER
  };
  int err = head(out, "coho_connection_errors_total", "counter",
                 "WebSocket connections that ended otherwise than by a closing handshake.");
  for (size_t i = 0; i < COHO_COUNT(errors) && !err; i++) {
    uint64_t n = coho_server_ended_with_error(source.server, errors[i]);
    if (n)
      err = coho__buf_printf(out, "coho_connection_errors_total{error=\"%s\"} %llu\n",
                             coho_errname(errors[i]), (unsigned long long)n);
  }
  return err;
}

static int write_lag(struct coho__buf *out) {
  uint64_t sum = 0;
  int err = head(out, "coho_loop_lag_seconds", "histogram",
                 "How long a loop takes to answer, asked once a second.");
  for (size_t i = 0; i < BUCKETS - 1 && !err; i++) {
    sum += atomic_load(&buckets[i]);
    err = coho__buf_printf(out, "coho_loop_lag_seconds_bucket{le=\"%g\"} %llu\n",
                           (double)bounds_us[i] / 1e6, (unsigned long long)sum);
  }
  sum += atomic_load(&buckets[BUCKETS - 1]);
  if (err) return err;
  return coho__buf_printf(out,
                          "coho_loop_lag_seconds_bucket{le=\"+Inf\"} %llu\n"
                          "coho_loop_lag_seconds_sum %.6f\n"
                          "coho_loop_lag_seconds_count %llu\n",
                          (unsigned long long)sum, (double)atomic_load(&lag_sum_us) / 1e6,
                          (unsigned long long)sum);
}

static int write_hub(struct coho__buf *out) {
  coho_hub_stats s;
  if (!source.hub) return 0;
  coho_hub_get_stats(source.hub, &s);
  const struct number rows[] = {
      {"coho_topics", "gauge", "Topics.", s.topics},
      {"coho_subscriptions", "gauge", "Subscriptions, patterns included.", s.subscriptions},
      {"coho_topic_members", "gauge", "Members present in topics.", s.members},
      {"coho_history_messages", "gauge", "Messages that histories hold.", s.messages},
      {"coho_history_bytes", "gauge", "Memory that histories take.", s.bytes},
      {"coho_published_total", "counter", "Messages published.", s.published},
      {"coho_publishes_repeated_total", "counter", "Publishes whose idempotency key was known.",
       s.repeated},
      {"coho_publishes_refused_total", "counter", "Publishes refused for want of room.", s.refused},
      {"coho_topics_forgotten_total", "counter", "Topics that gave way to others.", s.forgotten},
      {"coho_dropped_total", "counter", "Messages that slow subscribers did not get.", s.dropped},
      {"coho_gaps_total", "counter", "Gaps that subscribers were told.", s.gaps},
  };
  return write_numbers(out, rows, COHO_COUNT(rows));
}

static int write_process(struct coho__buf *out) {
  struct metrics_process p;
  metrics_process(&p);
  const struct number rows[] = {
      {"process_resident_memory_bytes", "gauge", "Resident memory.", p.rss_bytes},
      {"process_open_fds", "gauge", "Open file descriptors.", p.open_fds},
      {"process_max_fds", "gauge", "Most file descriptors that may be open.", p.max_fds},
  };
  int err = write_numbers(out, rows, COHO_COUNT(rows));
  if (!err) err = head(out, "process_cpu_seconds_total", "counter", "CPU time, user and system.");
  if (!err) err = coho__buf_printf(out, "process_cpu_seconds_total %.6f\n", (double)p.cpu_ns / 1e9);
  if (!err) err = head(out, "process_start_time_seconds", "gauge", "When it started, since 1970.");
  return err ? err : coho__buf_printf(out, "process_start_time_seconds %.3f\n", started_wall);
}

static int write_build(struct coho__buf *out) {
  int err = head(out, "coho_build_info", "gauge", "The version, as a label.");
  return err ? err : coho__buf_printf(out, "coho_build_info{version=\"%s\"} 1\n", coho_version());
}

int metrics_write(struct coho__buf *out) {
  int (*const parts[])(struct coho__buf *) = {
      write_build, write_server, write_endings, write_errors, write_lag, write_hub, write_process};
  int err = 0;
  for (size_t i = 0; i < COHO_COUNT(parts) && !err; i++)
    err = parts[i](out);
  return err;
}
