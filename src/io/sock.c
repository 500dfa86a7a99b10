#define _GNU_SOURCE
#include "io/sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

/* How long sent bytes may stay unacknowledged before the connection counts as broken: some
   retransmissions on a bad network, but not the kernel's quarter of an hour. */
enum { USER_TIMEOUT_MS = 30 * 1000 };

static void set_v4(struct coho__addr *a, struct in_addr ip, uint16_t port) {
  struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = ip};
  memcpy(&a->sa, &sin, sizeof sin);
  a->len = sizeof sin;
}

static void set_v6(struct coho__addr *a, struct in6_addr ip, uint16_t port) {
  struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = ip};
  memcpy(&a->sa, &sin6, sizeof sin6);
  a->len = sizeof sin6;
}

bool coho__addr_parse(struct coho__addr *a, const char *host, uint16_t port) {
  struct in_addr v4;
  struct in6_addr v6;
  memset(a, 0, sizeof *a);
  if (inet_pton(AF_INET, host, &v4) == 1) {
    set_v4(a, v4, port);
    return true;
  }
  if (inet_pton(AF_INET6, host, &v6) == 1) {
    set_v6(a, v6, port);
    return true;
  }
  return false;
}

bool coho__addr_unix(struct coho__addr *a, const char *path) {
  struct sockaddr_un sun = {.sun_family = AF_UNIX};
  size_t len = strlen(path);
  memset(a, 0, sizeof *a);
  if (len == 0 || len >= sizeof sun.sun_path) return false;
  memcpy(sun.sun_path, path, len + 1);
  memcpy(&a->sa, &sun, sizeof sun);
  a->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
  return true;
}

void coho__addr_of_ip(struct coho__addr *a, const struct coho__ip *ip, uint16_t port) {
  struct in_addr v4;
  struct in6_addr v6;
  memset(a, 0, sizeof *a);
  if (coho__ip_is_v4(ip)) {
    memcpy(&v4, ip->bytes + sizeof ip->bytes - sizeof v4, sizeof v4);
    set_v4(a, v4, port);
  } else {
    memcpy(&v6, ip->bytes, sizeof v6);
    set_v6(a, v6, port);
  }
}

bool coho__addr_ip(const struct coho__addr *a, struct coho__ip *ip) {
  struct sockaddr_in sin;
  struct sockaddr_in6 sin6;
  if (a->sa.ss_family == AF_INET) {
    memcpy(&sin, &a->sa, sizeof sin);
    *ip = coho__ip_of_v4(&sin.sin_addr);
    return true;
  }
  if (a->sa.ss_family != AF_INET6) return false;
  memcpy(&sin6, &a->sa, sizeof sin6);
  memcpy(ip->bytes, &sin6.sin6_addr, sizeof ip->bytes);
  return true;
}

/* Port 0: a proxy did not tell it. */
static const char *put_port(uint16_t port, const char *host, char *buf, size_t cap) {
  snprintf(buf, cap, port ? "%s:%u" : "%s", host, port);
  return buf;
}

static const char *format_v4(const void *ip, uint16_t port, char *buf, size_t cap) {
  char text[INET_ADDRSTRLEN] = "";
  inet_ntop(AF_INET, ip, text, sizeof text);
  return put_port(port, text, buf, cap);
}

static const char *format_v6(const struct sockaddr_in6 *sin6, char *buf, size_t cap) {
  uint16_t port = ntohs(sin6->sin6_port);
  if (IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr))
    return format_v4(&sin6->sin6_addr.s6_addr[12], port, buf, cap);
  char text[INET6_ADDRSTRLEN] = "", host[INET6_ADDRSTRLEN + 2];
  inet_ntop(AF_INET6, &sin6->sin6_addr, text, sizeof text);
  snprintf(host, sizeof host, "[%s]", text);
  return put_port(port, host, buf, cap);
}

/* Those who connect have no path, as a rule. */
static const char *format_unix(const struct coho__addr *a, char *buf, size_t cap) {
  struct sockaddr_un sun;
  memcpy(&sun, &a->sa, sizeof sun);
  bool named = a->len > offsetof(struct sockaddr_un, sun_path) && sun.sun_path[0];
  snprintf(buf, cap, "%.*s", (int)sizeof sun.sun_path, named ? sun.sun_path : "unix");
  return buf;
}

const char *coho__addr_format(const struct coho__addr *a, char *buf, size_t cap) {
  struct sockaddr_in sin;
  struct sockaddr_in6 sin6;
  switch (a->sa.ss_family) {
  case AF_INET:
    memcpy(&sin, &a->sa, sizeof sin);
    return format_v4(&sin.sin_addr, ntohs(sin.sin_port), buf, cap);
  case AF_INET6: memcpy(&sin6, &a->sa, sizeof sin6); return format_v6(&sin6, buf, cap);
  case AF_UNIX: return format_unix(a, buf, cap);
  default: snprintf(buf, cap, "unknown"); return buf;
  }
}

uint16_t coho__addr_port(const struct coho__addr *a) {
  struct sockaddr_in sin;
  struct sockaddr_in6 sin6;
  switch (a->sa.ss_family) {
  case AF_INET: memcpy(&sin, &a->sa, sizeof sin); return ntohs(sin.sin_port);
  case AF_INET6: memcpy(&sin6, &a->sa, sizeof sin6); return ntohs(sin6.sin6_port);
  default: return 0;
  }
}

struct coho__endpoint coho__addr_pack(const struct coho__addr *a) {
  struct coho__endpoint e = {.family = AF_UNSPEC};
  struct sockaddr_in sin;
  struct sockaddr_in6 sin6;
  if (a->sa.ss_family == AF_INET) {
    memcpy(&sin, &a->sa, sizeof sin);
    memcpy(e.ip, &sin.sin_addr, sizeof sin.sin_addr);
    e.port = sin.sin_port;
    e.family = AF_INET;
  } else if (a->sa.ss_family == AF_INET6) {
    memcpy(&sin6, &a->sa, sizeof sin6);
    memcpy(e.ip, &sin6.sin6_addr, sizeof sin6.sin6_addr);
    e.scope = sin6.sin6_scope_id;
    e.port = sin6.sin6_port;
    e.family = AF_INET6;
  } else if (a->sa.ss_family == AF_UNIX) {
    e.family = AF_UNIX;
  }
  return e;
}

bool coho__addr_unpack(struct coho__addr *a, const struct coho__endpoint *e) {
  struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = e->port};
  struct sockaddr_in6 sin6 = {
      .sin6_family = AF_INET6, .sin6_port = e->port, .sin6_scope_id = e->scope};
  *a = (struct coho__addr){.len = 0};
  if (e->family == AF_INET) {
    memcpy(&sin.sin_addr, e->ip, sizeof sin.sin_addr);
    memcpy(&a->sa, &sin, sizeof sin);
    a->len = sizeof sin;
  } else if (e->family == AF_INET6) {
    memcpy(&sin6.sin6_addr, e->ip, sizeof sin6.sin6_addr);
    memcpy(&a->sa, &sin6, sizeof sin6);
    a->len = sizeof sin6;
  } else {
    a->sa.ss_family = e->family;
    a->len = sizeof a->sa.ss_family;
  }
  return e->family != AF_UNSPEC;
}

int coho__error_of_errno(int e) {
  switch (e) {
  case ENOMEM:
  case ENOBUFS: return COHO_ENOMEM;
  case EADDRINUSE: return COHO_EADDRINUSE;
  case EADDRNOTAVAIL: return COHO_EADDRNOTAVAIL;
  case EACCES:
  case EPERM: return COHO_EACCES;
  case ENOENT:
  case ENOTDIR: return COHO_ENOENT;
  case EMFILE:
  case ENFILE: return COHO_EMFILE;
  case ECONNREFUSED: return COHO_ECONNREFUSED;
  case ECONNRESET:
  case ECONNABORTED:
  case EPIPE: return COHO_ECONNRESET;
  case EHOSTUNREACH:
  case EHOSTDOWN:
  case ENETUNREACH:
  case ENETDOWN: return COHO_EUNREACHABLE;
  case ETIMEDOUT: return COHO_ETIMEDOUT;
  default: return COHO_ESYSTEM;
  }
}

int coho__sock_open(int family) {
  int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  return fd >= 0 ? fd : coho__error_of_errno(errno);
}

void coho__sock_tune(int fd) {
  int on = 1;
  unsigned timeout_ms = USER_TIMEOUT_MS;
  /* Neither is needed to work, and a socket that is not TCP has them not. */
  (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof timeout_ms);
}
