/*
 * The limit: a TCP echo server that does nothing but recv and send, with one epoll and one buffer.
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
  char *rest; /* what the socket did not take; while there is some nothing is read */
  size_t len, offset;
};

static struct peer peers[PEERS]; /* by descriptor */
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

static void drop(struct peer *p) {
  close(p->fd);
  free(p->rest);
  p->rest = NULL;
}

static void accept_all(int listener) {
  int fd;
  while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (fd >= PEERS) die("too many connections");
    peers[fd] = (struct peer){.fd = fd};
    watch(&peers[fd], EPOLL_CTL_ADD, EPOLLIN);
  }
}

static void keep(struct peer *p, const char *data, size_t len) {
  p->rest = (char *)malloc(len);
  if (!p->rest) die("malloc");
  memcpy(p->rest, data, len);
  p->len = len;
  p->offset = 0;
  watch(p, EPOLL_CTL_MOD, EPOLLOUT);
}

static void on_writable(struct peer *p) {
  ssize_t n = send(p->fd, p->rest + p->offset, p->len - p->offset, MSG_NOSIGNAL);
  if (n > 0) p->offset += (size_t)n;
  if (p->offset < p->len) return;
  free(p->rest);
  p->rest = NULL;
  watch(p, EPOLL_CTL_MOD, EPOLLIN);
}

static void on_readable(struct peer *p) {
  ssize_t got = recv(p->fd, buffer, BUFFER, 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) {
    drop(p);
    return;
  }
  ssize_t sent = send(p->fd, buffer, (size_t)got, MSG_NOSIGNAL);
  if (sent < 0 && errno == EAGAIN) sent = 0;
  if (sent >= 0 && sent < got) keep(p, buffer + sent, (size_t)(got - sent));
}

static int listen_on_loopback(void) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof a;
  if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) || listen(fd, 4096) ||
      getsockname(fd, (struct sockaddr *)&a, &len))
    die("listen");
  printf("listening %d\n", ntohs(a.sin_port));
  fflush(stdout);
  return fd;
}

int main(void) {
  struct peer listener = {.fd = listen_on_loopback()};
  epoll_fd = epoll_create1(0);
  watch(&listener, EPOLL_CTL_ADD, EPOLLIN);
  for (;;) {
    struct epoll_event events[EVENTS];
    int n = epoll_wait(epoll_fd, events, EVENTS, -1);
    for (int i = 0; i < n; i++) {
      struct peer *p = (struct peer *)events[i].data.ptr;
      if (p == &listener)
        accept_all(listener.fd);
      else if (p->rest)
        on_writable(p);
      else
        on_readable(p);
    }
  }
}
