#define _GNU_SOURCE
#include "load/peer.h"

#include "load/figures.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

enum { RECV = 1 << 20, OPEN_BATCH = 200, OPEN_SECONDS = 20, PATIENCE_MS = 50 };

static int epoll_fd, port;
static bool tls;
static struct epoll_event *events;
static size_t event_count;
static size_t opened, started;
static uint64_t looked_ns, looking_ns;
static char buffer[RECV];

void peer_prepare(size_t most, int to_port, bool with_tls) {
  port = to_port;
  tls = with_tls;
  epoll_fd = epoll_create1(0);
  event_count = most;
  events = (struct epoll_event *)calloc(most, sizeof *events);
  if (epoll_fd < 0 || !events) link_die("start");
}

const char *peer_request(const char *path, int to_port, const char *fields) {
  char *request;
  if (asprintf(&request,
               "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\n"
               "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
               "Sec-WebSocket-Version: 13\r\n%s\r\n",
               path, to_port, fields) < 0)
    link_die("asprintf");
  return request;
}

/* ---- sending ------------------------------------------------------------------------------- */

static void want_write(struct peer *p, bool on) {
  if (p->wants_write == on) return;
  p->wants_write = on;
  struct epoll_event e = {.events = EPOLLIN | (on ? EPOLLOUT : 0), .data.ptr = p};
  if (epoll_ctl(epoll_fd, EPOLL_CTL_MOD, p->link.fd, &e)) link_die("epoll_ctl");
}

static void flush(struct peer *p) {
  while (p->out_sent < p->out_len) {
    ssize_t n = link_send(&p->link, p->out + p->out_sent, p->out_len - p->out_sent);
    if (n == LINK_AGAIN) {
      want_write(p, true);
      return;
    }
    p->out_sent += (size_t)n;
  }
  want_write(p, false);
}

void peer_send(struct peer *p, const char *data, size_t len) {
  if (!peer_idle(p)) link_fail("the server does not read");
  p->out = data;
  p->out_len = len;
  p->out_sent = 0;
  flush(p);
}

/* ---- opening ------------------------------------------------------------------------------- */

static void start(struct peer *p) {
  link_start(&p->link, started++, port, tls);
  p->state = PEER_CONNECTING;
  p->wants_write = true;
  struct epoll_event e = {.events = EPOLLIN | EPOLLOUT, .data.ptr = p};
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, p->link.fd, &e)) link_die("epoll_ctl");
}

static void open_peer(struct peer *p) {
  p->state = PEER_OPEN;
  opened++;
  p->kind->opened(p, p->head);
}

static void take_head(struct peer *p, const char *data, size_t len) {
  size_t before = p->head_len;
  size_t room = sizeof p->head - 1 - before;
  size_t part = len < room ? len : room;
  memcpy(p->head + before, data, part);
  p->head_len += part;
  p->head[p->head_len] = '\0';
  char *end = strstr(p->head, "\r\n\r\n");
  if (!end && !room) link_fail("the answer to the handshake is too long");
  if (!end) return;
  end[4] = '\0';
  if (strncmp(p->head, "HTTP/1.1 101 ", 13) != 0) link_fail("the server did not switch protocols");
  size_t used = (size_t)(end + 4 - p->head) - before;
  open_peer(p);
  if (used < len) p->kind->took(p, data + used, len - used);
}

static void on_connected(struct peer *p) {
  bool ready = link_shake(&p->link);
  want_write(p, false);
  if (!ready) return;
  if (!p->kind->request) {
    open_peer(p);
    return;
  }
  size_t n = strlen(p->kind->request);
  if (link_send(&p->link, p->kind->request, n) != (ssize_t)n)
    link_fail("the request did not go out");
  p->state = PEER_HANDSHAKE;
}

void peer_open_all(struct peer *peers, size_t count) {
  for (size_t from = 0; from < count; from += OPEN_BATCH) {
    size_t to = from + OPEN_BATCH < count ? from + OPEN_BATCH : count;
    for (size_t i = from; i < to; i++)
      start(&peers[i]);
    uint64_t end = figures_now_ns() + OPEN_SECONDS * 1000000000ULL;
    while (opened < started) {
      peer_turn(PATIENCE_MS);
      if (figures_now_ns() > end) link_fail("connections did not open within 20 s");
    }
  }
}

/* ---- taking -------------------------------------------------------------------------------- */

/* TLS keeps what it has decrypted, and epoll knows nothing of it: read until there is no more. */
static void read_all(struct peer *p) {
  ssize_t n;
  while ((n = link_recv(&p->link, buffer, RECV)) != LINK_AGAIN) {
    if (p->state == PEER_HANDSHAKE)
      take_head(p, buffer, (size_t)n);
    else
      p->kind->took(p, buffer, (size_t)n);
    if (!p->link.ssl && n < RECV) return;
  }
}

static void on_event(struct peer *p, uint32_t what) {
  if (p->state == PEER_CONNECTING) {
    on_connected(p);
    return;
  }
  if (what & EPOLLOUT) flush(p);
  if (what & (EPOLLIN | EPOLLHUP | EPOLLERR)) read_all(p);
}

void peer_turn(int timeout_ms) {
  looked_ns = looking_ns;
  int n = epoll_wait(epoll_fd, events, (int)event_count, timeout_ms);
  looking_ns = figures_now_ns();
  for (int i = 0; i < n; i++)
    on_event((struct peer *)events[i].data.ptr, events[i].events);
}

void peer_run_for(double seconds, bool busy) {
  uint64_t end = figures_now_ns() + (uint64_t)(seconds * 1e9);
  while (figures_now_ns() < end)
    peer_turn(busy ? 0 : 10);
}

uint64_t peer_looked_ns(void) { return looked_ns; }
