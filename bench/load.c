/*
 * The load generator: one thread, epoll, frames built beforehand. Closed loop: each connection
 * keeps `depth` messages under way and sends the next burst when all came back.
 *
 *   load [options] PORT
 *     -m MODE   echo (WebSocket), raw (no WebSocket), idle (open connections, measure memory)
 *     -c N      connections (50)        -s N  payload bytes (20)     -k N  depth (1)
 *     -d S      seconds measured (2)    -w S  seconds before (0.5)   -u PATH  (/)
 *     -p PID    the server: its CPU time and memory are measured     -t  text, not binary
 *     -b        poll without sleeping, so that no wake-up of ours costs the server time
 *     -T        TLS, without looking at the certificate
 *     -z        permessage-deflate, and messages of JSON that vary
 *
 * Prints one JSON object.
 */
#define _GNU_SOURCE
#include "load/figures.h"
#include "load/link.h"
#include "load/talk.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

enum { EVENTS = 512, RECV = 1 << 20, OPEN_BATCH = 200 };
enum state { CONNECTING, HANDSHAKE, OPEN };

struct peer {
  struct link link;
  enum state state;
  struct talk *talk;
  const char *burst; /* under way */
  size_t burst_len;
  size_t sent;     /* of it */
  size_t returned; /* messages of it that came back */
  size_t head_len; /* of the answer to the handshake */
  char head[1024];
  uint64_t started_ns;
  bool wants_write;
};

static struct options {
  const char *mode, *path;
  int port, pid;
  size_t connections;
  double seconds, warmup;
  bool busy, tls;
  struct talk_options talk;
} opt = {.mode = "echo",
         .path = "/",
         .connections = 50,
         .seconds = 2,
         .warmup = 0.5,
         .talk = {.size = 20, .depth = 1}};

static int epoll_fd;
static char buffer[RECV];
static char request[1024];
static size_t opened;
static bool stopping, measuring;
static uint64_t messages;

/* ---- peers --------------------------------------------------------------------------------- */

static void want_write(struct peer *p, bool on) {
  if (p->wants_write == on) return;
  p->wants_write = on;
  struct epoll_event e = {.events = EPOLLIN | (on ? EPOLLOUT : 0), .data.ptr = p};
  if (epoll_ctl(epoll_fd, EPOLL_CTL_MOD, p->link.fd, &e)) link_die("epoll_ctl");
}

static void start(struct peer *p, size_t index) {
  link_start(&p->link, index, opt.port, opt.tls);
  p->wants_write = true;
  struct epoll_event e = {.events = EPOLLIN | EPOLLOUT, .data.ptr = p};
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, p->link.fd, &e)) link_die("epoll_ctl");
}

static void flush(struct peer *p) {
  while (p->sent < p->burst_len) {
    ssize_t n = link_send(&p->link, p->burst + p->sent, p->burst_len - p->sent);
    if (n == LINK_AGAIN) {
      want_write(p, true);
      return;
    }
    p->sent += (size_t)n;
  }
  want_write(p, false);
}

static void fire(struct peer *p) {
  p->sent = p->returned = 0;
  p->burst = talk_burst(p->talk, &p->burst_len);
  p->started_ns = figures_now_ns();
  flush(p);
}

static void take(struct peer *p, const char *data, size_t len) {
  p->returned += talk_take(p->talk, data, len);
  if (p->returned < opt.talk.depth) return;
  if (measuring) {
    messages += opt.talk.depth;
    figures_round_trip(figures_now_ns() - p->started_ns);
  }
  if (!stopping) fire(p);
}

static void open_peer(struct peer *p) {
  p->talk = talk_new(p->head);
  p->state = OPEN;
  opened++;
}

static void take_head(struct peer *p, const char *data, size_t len) {
  if (p->head_len + len >= sizeof p->head) link_fail("the answer to the handshake is too long");
  memcpy(p->head + p->head_len, data, len);
  p->head_len += len;
  p->head[p->head_len] = '\0';
  if (!strstr(p->head, "\r\n\r\n")) return;
  if (strncmp(p->head, "HTTP/1.1 101 ", 13) != 0) link_fail("the server did not switch protocols");
  open_peer(p);
}

static void on_connected(struct peer *p) {
  if (!link_shake(&p->link)) {
    want_write(p, false);
    return;
  }
  want_write(p, false);
  if (opt.talk.raw) {
    open_peer(p);
    return;
  }
  size_t n = strlen(request);
  if (link_send(&p->link, request, n) != (ssize_t)n) link_fail("the request did not go out");
  p->state = HANDSHAKE;
}

/* TLS keeps what it has decrypted, and epoll knows nothing of it: read until there is no more. */
static void read_all(struct peer *p) {
  ssize_t n;
  while ((n = link_recv(&p->link, buffer, RECV)) != LINK_AGAIN) {
    if (p->state == HANDSHAKE)
      take_head(p, buffer, (size_t)n);
    else
      take(p, buffer, (size_t)n);
    if (!p->link.ssl && n < RECV) return;
  }
}

static void on_event(struct peer *p, uint32_t events) {
  if (p->state == CONNECTING) {
    on_connected(p);
    return;
  }
  if (events & EPOLLOUT) flush(p);
  if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) read_all(p);
}

static void turn(int timeout_ms) {
  struct epoll_event events[EVENTS];
  int n = epoll_wait(epoll_fd, events, EVENTS, timeout_ms);
  for (int i = 0; i < n; i++)
    on_event((struct peer *)events[i].data.ptr, events[i].events);
}

static void run_for(double seconds) {
  uint64_t end = figures_now_ns() + (uint64_t)(seconds * 1e9);
  while (figures_now_ns() < end)
    turn(opt.busy ? 0 : 10);
}

static void prepare(void) {
  opt.talk.raw = !strcmp(opt.mode, "raw");
  talk_prepare(&opt.talk);
  snprintf(request, sizeof request,
           "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\n"
           "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
           "Sec-WebSocket-Version: 13\r\n%s\r\n",
           opt.path, opt.port, talk_offer());
}

/* ---- runs ---------------------------------------------------------------------------------- */

static void open_all(struct peer *peers) {
  for (size_t from = 0; from < opt.connections; from += OPEN_BATCH) {
    size_t to = from + OPEN_BATCH < opt.connections ? from + OPEN_BATCH : opt.connections;
    for (size_t i = from; i < to; i++)
      start(&peers[i], i);
    uint64_t end = figures_now_ns() + 20000000000U;
    while (opened < to) {
      turn(50);
      if (figures_now_ns() > end) link_fail("connections did not open within 20 s");
    }
  }
}

static void measure_idle(struct peer *peers) {
  double before = figures_rss_bytes(opt.pid);
  open_all(peers);
  run_for(opt.seconds);
  double bytes = (figures_rss_bytes(opt.pid) - before) / (double)opt.connections;
  printf("{\"mode\":\"idle\",\"connections\":%zu,\"bytes_per_connection\":%.1f}\n", opt.connections,
         bytes);
}

static void measure_echo(struct peer *peers) {
  open_all(peers);
  for (size_t i = 0; i < opt.connections; i++)
    fire(&peers[i]);
  run_for(opt.warmup);
  double cpu = figures_cpu_ns(opt.pid);
  uint64_t started = figures_now_ns();
  measuring = true;
  run_for(opt.seconds);
  measuring = false;
  double seconds = (double)(figures_now_ns() - started) / 1e9;
  cpu = figures_cpu_ns(opt.pid) - cpu;
  double count = messages ? (double)messages : 1;
  printf("{\"mode\":\"%s\",\"connections\":%zu,\"size\":%zu,\"depth\":%zu,"
         "\"messages_per_s\":%.0f,\"cpu_us_per_message\":%.4f,\"cpu_percent\":%.1f,"
         "\"p50_us\":%.1f,\"p99_us\":%.1f}\n",
         opt.mode, opt.connections, opt.talk.size, opt.talk.depth, (double)messages / seconds,
         cpu / count / 1000, cpu / seconds / 1e7, figures_percentile_us(.5),
         figures_percentile_us(.99));
}

static void parse_options(int argc, char **argv) {
  int o;
  while ((o = getopt(argc, argv, "m:c:s:k:d:w:u:p:tbTz")) > 0) {
    switch (o) {
    case 'm': opt.mode = optarg; break;
    case 'c': opt.connections = strtoul(optarg, NULL, 10); break;
    case 's': opt.talk.size = strtoul(optarg, NULL, 10); break;
    case 'k': opt.talk.depth = strtoul(optarg, NULL, 10); break;
    case 'd': opt.seconds = strtod(optarg, NULL); break;
    case 'w': opt.warmup = strtod(optarg, NULL); break;
    case 'u': opt.path = optarg; break;
    case 'p': opt.pid = (int)strtol(optarg, NULL, 10); break;
    case 't': opt.talk.text = true; break;
    case 'T': opt.tls = true; break;
    case 'z': opt.talk.deflate = true; break;
    case 'b': opt.busy = true; break;
    default: link_fail("unknown option; see the head of load.c");
    }
  }
  if (optind + 1 != argc) link_fail("usage: load [options] PORT");
  if (!opt.connections || !opt.talk.depth) link_fail("-c and -k want 1 at least");
  opt.port = (int)strtol(argv[optind], NULL, 10);
}

int main(int argc, char **argv) {
  parse_options(argc, argv);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  prepare();
  epoll_fd = epoll_create1(0);
  struct peer *peers = (struct peer *)calloc(opt.connections, sizeof *peers);
  if (epoll_fd < 0 || !peers) link_die("start");
  if (!strcmp(opt.mode, "idle"))
    measure_idle(peers);
  else
    measure_echo(peers);
  free(peers);
  return 0;
}
