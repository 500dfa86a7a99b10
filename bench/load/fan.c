#include "load/fan.h"

#include "load/ages.h"
#include "load/figures.h"
#include "load/peer.h"
#include "load/sample.h"
#include "load/unpack.h"
#include "load/wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  STAMP = 28, /* "0000000042 0123456789abcdef ", number and time, before each payload */
  DRAIN_SECONDS = 10,
  PONG_MOST = 125
};

struct subscriber {
  struct peer *peer;
  size_t last; /* number of the message */
  struct wire_rest rest;
};

static const struct load_options *opt;
static struct peer *publisher;
static bool raw;
static char *samples[SAMPLES];
static char *frame;      /* the one that goes out */
static size_t caught_up; /* who has the last message */
static uint64_t last_ns; /* when the last of them got it */
static uint64_t arrived, bytes, reads;
static uint64_t due_ns;

/* ---- publishing ---------------------------------------------------------------------------- */

static void stamp(char *payload, size_t number, uint64_t now_ns) {
  char text[STAMP + 1];
  (void)snprintf(text, sizeof text, "%010zu %016" PRIx64 " ", number, now_ns);
  memcpy(payload, text, STAMP);
}

static void publish(void) {
  uint64_t now = figures_now_ns();
  size_t number = ages_publish(now, due_ns);
  char *payload = samples[number % SAMPLES];
  stamp(payload, number, now);
  caught_up = 0;
  peer_send(publisher, frame, wire_put(frame, WIRE_TEXT, payload, opt->size, !raw));
}

static void turn(void) { peer_turn(opt->busy ? 0 : 1); }

/* So many messages, each at its time, unless the generator or the server is late. */
static void publish_for(double seconds) {
  size_t count = (size_t)((double)opt->rate * seconds);
  uint64_t step = 1000000000U / opt->rate;
  due_ns = figures_now_ns();
  while (count) {
    for (; count && due_ns <= figures_now_ns() && peer_idle(publisher); due_ns += step, count--)
      publish();
    turn();
  }
}

/* Until everybody has the last message. */
static void drain(void) {
  uint64_t end = figures_now_ns() + DRAIN_SECONDS * 1000000000ULL;
  while (ages_published() && caught_up <= opt->connections) {
    if (figures_now_ns() > end) {
      fprintf(stderr, "load: %zu have the last message, of %zu\n", caught_up, opt->connections + 1);
      link_fail("the last message has not reached everybody within 10 s");
    }
    turn();
  }
}

/* ---- subscribers --------------------------------------------------------------------------- */

static void take_message(struct subscriber *s, const char *data, size_t len) {
  uint64_t now = figures_now_ns();
  char *end;
  if (len != opt->size) link_fail("a message of another size came");
  size_t number = strtoul(data, &end, 10);
  uint64_t published = strtoull(end, NULL, 16);
  ages_arrive(s->last, number, now, peer_looked_ns());
  if (published != ages_published_ns(number) ||
      memcmp(data + STAMP, samples[number % SAMPLES] + STAMP, len - STAMP) != 0)
    link_fail("a message came that is not as it was published");
  s->last = number;
  arrived++;
  if (number != ages_published()) return;
  caught_up++;
  last_ns = now;
}

static void answer_ping(const struct subscriber *s, const struct wire_frame *f) {
  char pong[WIRE_HEADER + PONG_MOST];
  if (f->len > PONG_MOST || !peer_idle(s->peer)) return;
  size_t len = wire_put(pong, WIRE_PONG, f->payload, f->len, true);
  if (link_send(&s->peer->link, pong, len) != (ssize_t)len) link_fail("a pong did not go out");
}

static void take_frame(void *ctx, const struct wire_frame *f) {
  struct subscriber *s = (struct subscriber *)ctx;
  const char *data = f->payload;
  size_t len = f->len;
  bytes += f->size;
  if (f->first == WIRE_PING) {
    answer_ping(s, f);
    return;
  }
  if (f->first == (WIRE_TEXT | WIRE_PACKED))
    data = unpack(data, len, opt->size, &len);
  else if (f->first != WIRE_TEXT)
    link_fail("the server closed a connection, or sent something else");
  take_message(s, data, len);
}

static void took(struct peer *p, const char *data, size_t len) {
  struct subscriber *s = (struct subscriber *)p->user;
  reads++;
  wire_take(&s->rest, data, len, take_frame, s);
}

static void opened(struct peer *p, const char *head) {
  (void)p;
  if (opt->deflate) unpack_check(head);
}

/* ---- the run ------------------------------------------------------------------------------- */

static void prepare_samples(void) {
  frame = (char *)malloc(opt->size + WIRE_HEADER);
  for (size_t i = 0; i < SAMPLES; i++) {
    samples[i] = (char *)malloc(opt->size);
    if (!frame || !samples[i]) link_die("malloc");
    sample_json(samples[i], opt->size);
  }
}

static void open_all(void) {
  static struct peer_kind kind = {.opened = opened, .took = took};
  size_t count = opt->connections + 1;
  if (!raw) kind.request = peer_request(opt->path, opt->port, opt->deflate ? UNPACK_OFFER : "");
  struct peer *peers = (struct peer *)calloc(count, sizeof *peers);
  struct subscriber *subscribers = (struct subscriber *)calloc(count, sizeof *subscribers);
  if (!peers || !subscribers) link_die("calloc");
  for (size_t i = 0; i < count; i++) {
    peers[i] = (struct peer){.kind = &kind, .user = &subscribers[i]};
    subscribers[i].peer = &peers[i];
  }
  publisher = &peers[opt->connections];
  peer_open_all(peers, count);
  peer_run_for(.3, opt->busy);
}

static void print_times(const char *name, const struct histogram *h) {
  printf("\"%s_p50_us\":%.1f,\"%s_p99_us\":%.1f,\"%s_max_us\":%.1f,", name, histogram_us(h, .5),
         name, histogram_us(h, .99), name, (double)h->max / 1000);
}

static void print_all_times(void) {
  const struct ages *a = ages_of();
  print_times("age", &a->age);
  print_times("wait", &a->wait);
  print_times("held", &a->held);
  print_times("spread", &a->spread);
  print_times("own", &a->own);
  print_times("late", &a->late);
  printf("\"last_us\":%.1f,", (double)(last_ns - ages_published_ns(ages_published())) / 1000);
}

static void print_memory(const char *when, const struct figures_memory *m) {
  printf("\"rss_%s\":%.0f,", when, m->rss);
  if (m->pss > 0) printf("\"pss_%s\":%.0f,", when, m->pss);
}

static void print_work(double cpu, double seconds) {
  double count = arrived ? (double)arrived : 1;
  double each = count / (double)(opt->connections + 1);
  printf("\"delivered\":%" PRIu64 ",\"delivered_each_per_s\":%.2f,\"bytes_per_message\":%.1f,"
         "\"messages_per_read\":%.3f,\"cpu_us_per_message\":%.4f,\"cpu_percent\":%.1f,",
         arrived, each / seconds, (double)bytes / count, count / (double)(reads ? reads : 1),
         cpu / count / 1000, cpu / seconds / 1e7);
}

void fan_run(const struct load_options *options) {
  opt = options;
  raw = !strcmp(opt->mode, "raw-fan");
  if (opt->size < STAMP) link_fail("fan wants -s 28 at least");
  ages_prepare((size_t)((double)opt->rate * (opt->seconds + opt->warmup)) + 2,
               opt->interval_ms > 0);
  prepare_samples();
  struct figures_memory before = figures_memory(opt->pid, 1);
  open_all();
  struct figures_memory open = figures_memory(opt->pid, 1);
  publish_for(opt->warmup);
  drain();
  arrived = bytes = reads = 0;
  ages_begin();
  double cpu = figures_cpu_ns(opt->pid);
  uint64_t started = figures_now_ns();
  publish_for(opt->seconds / 2);
  struct figures_memory during = figures_memory(opt->pid, 0);
  publish_for(opt->seconds / 2);
  drain();
  double seconds = (double)(figures_now_ns() - started) / 1e9;
  cpu = figures_cpu_ns(opt->pid) - cpu;
  ages_end();
  struct figures_memory after = figures_memory(opt->pid, 1);
  printf("{\"mode\":\"%s\",\"subscribers\":%zu,\"size\":%zu,\"rate\":%zu,\"interval_ms\":%zu,"
         "\"published\":%" PRIu64 ",",
         opt->mode, opt->connections, opt->size, opt->rate, opt->interval_ms,
         ages_of()->late.count);
  print_work(cpu, seconds);
  print_all_times();
  print_memory("before", &before);
  print_memory("open", &open);
  print_memory("during", &during);
  print_memory("after", &after);
  printf("\"rss_peak\":%.0f}\n", after.peak);
}
