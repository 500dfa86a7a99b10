/*
 * The load generator: one thread, epoll, frames built beforehand. Closed loop: each connection
 * keeps `depth` messages under way and sends the next burst when all came back.
 *
 *   load [options] PORT
 *     -m MODE   echo (WebSocket), raw (plain TCP echo), idle (open connections, measure memory)
 *     -c N      connections (50)        -s N  payload bytes (20)     -k N  depth (1)
 *     -d S      seconds measured (2)    -w S  seconds before (0.5)   -u PATH  (/)
 *     -p PID    the server: its CPU time and memory are measured     -t  text, not binary
 *     -b        poll without sleeping, so that no wake-up of ours costs the server time
 *
 * Prints one JSON object.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 512, RECV = 1 << 20, OPEN_BATCH = 200, PER_SOURCE = 20000 };
enum state { CONNECTING, HANDSHAKE, OPEN };

struct peer {
  int fd;
  enum state state;
  size_t sent;     /* of the burst under way */
  size_t returned; /* bytes of it that came back */
  size_t head_len; /* of the answer to the handshake */
  char head[512];
  uint64_t started_ns;
  bool wants_write;
};

static struct options {
  const char *mode, *path;
  int port, pid;
  size_t connections, size, depth;
  double seconds, warmup;
  bool text, busy;
} opt = {.mode = "echo",
         .path = "/",
         .connections = 50,
         .size = 20,
         .depth = 1,
         .seconds = 2,
         .warmup = 0.5};

static int epoll_fd;
static char buffer[RECV];
static char *burst; /* what one peer sends at a time */
static size_t burst_len;
static char *answer; /* what comes back for it */
static size_t answer_len;
static char request[512];
static size_t opened;
static bool stopping, measuring;
static uint64_t messages;
static uint64_t histogram[4096]; /* of round trips; 32 steps for each power of two of ns */

static void die(const char *what) {
  fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void fail(const char *what) {
  fprintf(stderr, "load: %s\n", what);
  exit(1);
}

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

/* ---- round trips --------------------------------------------------------------------------- */

static void record(uint64_t ns) {
  size_t i = ns;
  if (ns >= 64) {
    unsigned e = 63 - (unsigned)__builtin_clzll(ns);
    i = ((e - 5) << 5) + ((ns >> (e - 5)) & 31) + 32;
  }
  histogram[i < 4095 ? i : 4095]++;
}

static double percentile_us(double q) {
  uint64_t total = 0, sum = 0;
  for (size_t i = 0; i < 4096; i++)
    total += histogram[i];
  for (size_t i = 0; i < 4096; i++) {
    sum += histogram[i];
    if ((double)sum <= q * (double)total) continue;
    if (i < 64) return (double)i / 1000;
    size_t e = ((i - 32) >> 5) + 5;
    return ((double)(32 + ((i - 32) & 31)) + 0.5) * (double)(1ULL << (e - 5)) / 1000;
  }
  return 0;
}

/* ---- the server's process ------------------------------------------------------------------ */

/* The number behind `key` in the first line of a file that begins with it; 0 when there is none. */
static double number_in(const char *path, const char *key) {
  char line[256];
  FILE *f = fopen(path, "re");
  double n = 0;
  while (f && fgets(line, sizeof line, f)) {
    if (strncmp(line, key, strlen(key)) != 0) continue;
    n = strtod(line + strlen(key), NULL);
    break;
  }
  if (f) fclose(f);
  return n;
}

/* CPU time of all threads, ns, by the scheduler's own books. */
static double cpu_ns(int pid) {
  char path[512];
  double sum = 0;
  snprintf(path, sizeof path, "/proc/%d/task", pid);
  DIR *tasks = opendir(path);
  const struct dirent *task;
  while (tasks && (task = readdir(tasks))) {
    snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", pid, task->d_name);
    if (task->d_name[0] != '.') sum += number_in(path, "");
  }
  if (tasks) closedir(tasks);
  return sum;
}

static double rss_bytes(int pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/status", pid);
  return number_in(path, "VmRSS:") * 1024;
}

/* ---- peers --------------------------------------------------------------------------------- */

static void want_write(struct peer *p, bool on) {
  if (p->wants_write == on) return;
  p->wants_write = on;
  struct epoll_event e = {.events = EPOLLIN | (on ? EPOLLOUT : 0), .data.ptr = p};
  if (epoll_ctl(epoll_fd, EPOLL_CTL_MOD, p->fd, &e)) die("epoll_ctl");
}

static void start(struct peer *p, size_t index) {
  p->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (p->fd < 0) die("socket");
  int one = 1;
  setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  /* Each loopback source address has its own ports. */
  struct sockaddr_in from = {.sin_family = AF_INET};
  from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (uint32_t)(index / PER_SOURCE));
  setsockopt(p->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
  if (bind(p->fd, (struct sockaddr *)&from, sizeof from)) die("bind");
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)opt.port)};
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(p->fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS) die("connect");
  p->wants_write = true;
  struct epoll_event e = {.events = EPOLLIN | EPOLLOUT, .data.ptr = p};
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, p->fd, &e)) die("epoll_ctl");
}

static void flush(struct peer *p) {
  while (p->sent < burst_len) {
    ssize_t n = send(p->fd, burst + p->sent, burst_len - p->sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) {
      want_write(p, true);
      return;
    }
    if (n < 0) die("send");
    p->sent += (size_t)n;
  }
  want_write(p, false);
}

static void fire(struct peer *p) {
  p->sent = p->returned = 0;
  p->started_ns = now_ns();
  flush(p);
}

/* The answer is known to the byte, so checking it is comparing it. */
static void take(struct peer *p, const char *data, size_t len) {
  if (len > answer_len - p->returned || memcmp(answer + p->returned, data, len) != 0)
    fail("the echo differs from what was sent");
  p->returned += len;
  if (p->returned < answer_len) return;
  if (measuring) {
    messages += opt.depth;
    record(now_ns() - p->started_ns);
  }
  if (!stopping) fire(p);
}

static void take_head(struct peer *p, const char *data, size_t len) {
  if (p->head_len + len >= sizeof p->head) fail("the answer to the handshake is too long");
  memcpy(p->head + p->head_len, data, len);
  p->head_len += len;
  p->head[p->head_len] = '\0';
  if (!strstr(p->head, "\r\n\r\n")) return;
  if (strncmp(p->head, "HTTP/1.1 101 ", 13) != 0) fail("the server did not switch protocols");
  p->state = OPEN;
  opened++;
}

static void on_connected(struct peer *p) {
  int err = 0;
  socklen_t len = sizeof err;
  getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &err, &len);
  errno = err;
  if (err) die("connect");
  want_write(p, false);
  if (!strcmp(opt.mode, "raw")) {
    p->state = OPEN;
    opened++;
    return;
  }
  size_t n = strlen(request);
  if (send(p->fd, request, n, MSG_NOSIGNAL) != (ssize_t)n) die("send");
  p->state = HANDSHAKE;
}

static void on_event(struct peer *p, uint32_t events) {
  if (p->state == CONNECTING) {
    if (events & (EPOLLOUT | EPOLLERR)) on_connected(p);
    return;
  }
  if (events & EPOLLOUT) flush(p);
  if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR))) return;
  ssize_t n = recv(p->fd, buffer, RECV, 0);
  if (n < 0 && errno == EAGAIN) return;
  if (n < 0) die("recv");
  if (n == 0) fail("the server closed a connection");
  if (p->state == HANDSHAKE)
    take_head(p, buffer, (size_t)n);
  else
    take(p, buffer, (size_t)n);
}

static void turn(int timeout_ms) {
  struct epoll_event events[EVENTS];
  int n = epoll_wait(epoll_fd, events, EVENTS, timeout_ms);
  for (int i = 0; i < n; i++)
    on_event((struct peer *)events[i].data.ptr, events[i].events);
}

static void run_for(double seconds) {
  uint64_t end = now_ns() + (uint64_t)(seconds * 1e9);
  while (now_ns() < end)
    turn(opt.busy ? 0 : 10);
}

/* ---- frames -------------------------------------------------------------------------------- */

static size_t put_header(char *dst, size_t len, bool masked) {
  size_t n = 0;
  dst[n++] = (char)(opt.text ? 0x81 : 0x82);
  unsigned mask = masked ? 0x80 : 0;
  size_t extended = len <= 125 ? 0 : len <= 65535 ? 2 : 8;
  dst[n++] = (char)(mask | (extended == 0 ? len : extended == 2 ? 126 : 127));
  while (extended--)
    dst[n++] = (char)((uint64_t)len >> (8 * extended));
  return n;
}

/* One message as it goes out, and as it comes back. */
static void put_message(bool raw) {
  static const unsigned char key[4] = {0x37, 0xfa, 0x21, 0x3d};
  if (!raw) {
    burst_len += put_header(burst + burst_len, opt.size, true);
    memcpy(burst + burst_len, key, 4);
    burst_len += 4;
    answer_len += put_header(answer + answer_len, opt.size, false);
  }
  for (size_t i = 0; i < opt.size; i++) {
    char c = "abcdefghijklmnopqrstuvwxyz 0123456789"[i % 37];
    burst[burst_len++] = raw ? c : (char)(c ^ key[i & 3]);
    answer[answer_len++] = c;
  }
}

static void prepare(void) {
  bool raw = !strcmp(opt.mode, "raw");
  size_t room = (opt.size + 14) * opt.depth;
  burst = (char *)malloc(room);
  answer = (char *)malloc(room);
  if (!burst || !answer) die("malloc");
  for (size_t i = 0; i < opt.depth; i++)
    put_message(raw);
  snprintf(request, sizeof request,
           "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\n"
           "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
           "Sec-WebSocket-Version: 13\r\n\r\n",
           opt.path, opt.port);
}

/* ---- runs ---------------------------------------------------------------------------------- */

static void open_all(struct peer *peers) {
  for (size_t from = 0; from < opt.connections; from += OPEN_BATCH) {
    size_t to = from + OPEN_BATCH < opt.connections ? from + OPEN_BATCH : opt.connections;
    for (size_t i = from; i < to; i++)
      start(&peers[i], i);
    uint64_t end = now_ns() + 20000000000U;
    while (opened < to) {
      turn(50);
      if (now_ns() > end) fail("connections did not open within 20 s");
    }
  }
}

static void measure_idle(struct peer *peers) {
  double before = rss_bytes(opt.pid);
  open_all(peers);
  run_for(opt.seconds);
  double bytes = (rss_bytes(opt.pid) - before) / (double)opt.connections;
  printf("{\"mode\":\"idle\",\"connections\":%zu,\"bytes_per_connection\":%.1f}\n", opt.connections,
         bytes);
}

static void measure_echo(struct peer *peers) {
  open_all(peers);
  for (size_t i = 0; i < opt.connections; i++)
    fire(&peers[i]);
  run_for(opt.warmup);
  double cpu = opt.pid ? cpu_ns(opt.pid) : 0;
  uint64_t started = now_ns();
  measuring = true;
  run_for(opt.seconds);
  measuring = false;
  double seconds = (double)(now_ns() - started) / 1e9;
  cpu = opt.pid ? cpu_ns(opt.pid) - cpu : 0;
  double count = messages ? (double)messages : 1;
  printf("{\"mode\":\"%s\",\"connections\":%zu,\"size\":%zu,\"depth\":%zu,"
         "\"messages_per_s\":%.0f,\"cpu_us_per_message\":%.4f,\"cpu_percent\":%.1f,"
         "\"p50_us\":%.1f,\"p99_us\":%.1f}\n",
         opt.mode, opt.connections, opt.size, opt.depth, (double)messages / seconds,
         cpu / count / 1000, cpu / seconds / 1e7, percentile_us(.5), percentile_us(.99));
}

static void parse_options(int argc, char **argv) {
  int o;
  while ((o = getopt(argc, argv, "m:c:s:k:d:w:u:p:tb")) > 0) {
    switch (o) {
    case 'm': opt.mode = optarg; break;
    case 'c': opt.connections = strtoul(optarg, NULL, 10); break;
    case 's': opt.size = strtoul(optarg, NULL, 10); break;
    case 'k': opt.depth = strtoul(optarg, NULL, 10); break;
    case 'd': opt.seconds = strtod(optarg, NULL); break;
    case 'w': opt.warmup = strtod(optarg, NULL); break;
    case 'u': opt.path = optarg; break;
    case 'p': opt.pid = (int)strtol(optarg, NULL, 10); break;
    case 't': opt.text = true; break;
    case 'b': opt.busy = true; break;
    default: fail("unknown option; see the head of load.c");
    }
  }
  if (optind + 1 != argc) fail("usage: load [options] PORT");
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
  if (epoll_fd < 0 || !peers) die("start");
  if (!strcmp(opt.mode, "idle"))
    measure_idle(peers);
  else
    measure_echo(peers);
  free(peers);
  return 0;
}
