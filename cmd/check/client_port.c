#define _GNU_SOURCE
#include "client_port.h"

#include "base/check.h"
#include "io/resolve.h"
#include "wire.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BACKLOG = 128 };

static int bound_to(const struct coho__addr *a) {
  int no = 0;
  int yes = 1;
  int fd = socket(a->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (a->sa.ss_family == AF_INET6) (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
  if (!bind(fd, (const struct sockaddr *)&a->sa, a->len) && !listen(fd, BACKLOG)) return fd;
  int error = errno;
  (void)close(fd);
  errno = error;
  return -1;
}

/* A host without name is all addresses, of both families where there is IPv6. */
static int addresses(const char *host, uint16_t number, struct coho__addr *addrs) {
  if (*host) return coho__resolve_now(host, number, addrs, COHO_RESOLVE_MAX);
  return coho__addr_parse(&addrs[0], "::", number) + coho__addr_parse(&addrs[1], "0.0.0.0", number);
}

int client_port_open(struct client_port *p, const char *host, uint16_t number, char *why,
                     size_t cap) {
  struct coho__addr addrs[COHO_RESOLVE_MAX];
  int count = addresses(host, number, addrs);
  *p = (struct client_port){.fd = -1};
  errno = EADDRNOTAVAIL;
  for (int i = 0; i < count && p->fd < 0; i++)
    p->fd = bound_to(&addrs[i]);
  struct coho__addr a = {.len = sizeof a.sa};
  if (p->fd < 0 || getsockname(p->fd, (struct sockaddr *)&a.sa, &a.len)) {
    (void)snprintf(why, cap, "cannot listen: %s", strerror(errno));
    client_port_close(p);
    return -1;
  }
  p->number = coho__addr_port(&a);
  return 0;
}

void client_port_close(struct client_port *p) {
  if (p->fd >= 0) (void)close(p->fd);
  p->fd = -1;
}

enum port_event client_port_take(const struct client_port *p, int other, uint64_t deadline,
                                 int *fd) {
  for (;;) {
    *fd = accept4(p->fd, NULL, NULL, SOCK_CLOEXEC);
    if (*fd >= 0) return PORT_CAME;
    struct pollfd both[] = {{.fd = p->fd, .events = POLLIN}, {.fd = other, .events = POLLIN}};
    uint64_t now = now_ms();
    uint64_t left = deadline > now ? COHO_MIN(deadline - now, (uint64_t)INT_MAX) : 0;
    int ready = poll(both, COHO_COUNT(both), (int)left);
    if (ready == 0) return PORT_LATE;
    if (ready > 0 && !both[0].revents && both[1].revents) return PORT_GONE;
  }
}
