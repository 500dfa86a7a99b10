/*
 * The limit of fan-out: whatever one connection sends is copied to all, with one epoll and one buffer.
 * What a WebSocket server costs above it is its own. Prints "listening PORT".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 512 * 1024, EVENTS = 1024, PEERS = 1 << 16 };

struct peer {
  int fd;
  char *rest; /* what the socket did not take */
  size_t len, cap;
};

static struct peer *peers[PEERS]; /* all that are open, in any order */
static size_t count;
static char buffer[BUFFER];
static int epoll_fd;

static void die(const char *what) {
  perror(what);
  exit(1);
}

static void watch(struct peer *p, int op, uint32_t events) {
  struct epoll_event e = {.events = events, .data.ptr = p};
  if (epoll_ctl(epoll_fd, op, p->fd, &e)) die("epoll_ctl");
}

static void accept_all(int listener) {
  int fd, one = 1;
  while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct peer *p = (struct peer *)calloc(1, sizeof *p);
    if (!p || count == PEERS) die("too many connections");
    p->fd = fd;
    peers[count++] = p;
    watch(p, EPOLL_CTL_ADD, EPOLLIN);
  }
}

static void drop(struct peer *p) {
  for (size_t i = 0; i < count; i++) {
    if (peers[i] != p) continue;
    peers[i] = peers[--count];
    break;
  }
  close(p->fd);
  free(p->rest);
  free(p);
}

static void keep(struct peer *p, const char *data, size_t len) {
  if (p->len + len > p->cap) {
    p->cap = (p->len + len) * 2;
    p->rest = (char *)realloc(p->rest, p->cap);
    if (!p->rest) die("realloc");
  }
  if (!p->len) watch(p, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
  memcpy(p->rest + p->len, data, len);
  p->len += len;
}

/* Errors show when it is read. */
static void give(struct peer *p, const char *data, size_t len) {
  ssize_t n = p->len ? 0 : send(p->fd, data, len, MSG_NOSIGNAL);
  if (n < 0) n = 0;
  if ((size_t)n < len) keep(p, data + n, len - (size_t)n);
}

static void on_writable(struct peer *p) {
  ssize_t n = send(p->fd, p->rest, p->len, MSG_NOSIGNAL);
  if (n <= 0) return;
  p->len -= (size_t)n;
  memmove(p->rest, p->rest + n, p->len);
  if (!p->len) watch(p, EPOLL_CTL_MOD, EPOLLIN);
}

static void on_readable(struct peer *p) {
  ssize_t got = recv(p->fd, buffer, BUFFER, 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) {
    drop(p);
    return;
  }
  for (size_t i = 0; i < count; i++)
    give(peers[i], buffer, (size_t)got);
}

static int listen_anywhere(void) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof at;
  if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) || listen(fd, 4096) ||
      getsockname(fd, (struct sockaddr *)&at, &len))
    die("listen");
  printf("listening %d\n", ntohs(at.sin_port));
  fflush(stdout);
  return fd;
}

int main(void) {
  epoll_fd = epoll_create1(0);
  struct peer listener = {.fd = listen_anywhere()};
  watch(&listener, EPOLL_CTL_ADD, EPOLLIN);
  for (;;) {
    struct epoll_event events[EVENTS];
    int n = epoll_wait(epoll_fd, events, EVENTS, -1);
    for (int i = 0; i < n; i++) {
      struct peer *p = (struct peer *)events[i].data.ptr;
      if (p == &listener)
        accept_all(p->fd);
      else if (events[i].events & EPOLLOUT)
        on_writable(p);
      else
        on_readable(p);
    }
  }
}
