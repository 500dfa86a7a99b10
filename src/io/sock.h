/* Sockets: addresses and options. */
#ifndef COHO_IO_SOCK_H
#define COHO_IO_SOCK_H

#include "base/ip.h"

#include <coho/coho.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct coho__addr {
  struct sockaddr_storage sa;
  socklen_t len;
};

/* An IPv4 or IPv6 address in 24 bytes, for what every connection has; of a unix socket only that it is
   one. */
struct coho__endpoint {
  uint8_t ip[16];
  uint32_t scope;
  uint16_t port;   /* network order */
  uint16_t family; /* AF_UNSPEC: some other address, or none */
};

struct coho__endpoint coho__addr_pack(const struct coho__addr *a);
/* False: there is none. */
bool coho__addr_unpack(struct coho__addr *a, const struct coho__endpoint *e);

/* A numeric IPv4 or IPv6 address (without brackets). False: not one. */
bool coho__addr_parse(struct coho__addr *a, const char *host, uint16_t port);
/* That of a unix socket. False: the path is too long. */
bool coho__addr_unix(struct coho__addr *a, const char *path);
void coho__addr_of_ip(struct coho__addr *a, const struct coho__ip *ip, uint16_t port);
/* False: it is no IP address. */
bool coho__addr_ip(const struct coho__addr *a, struct coho__ip *ip);
/* "127.0.0.1:80", "[::1]:80", IPv4-mapped addresses as IPv4, port 0 left out; the
   path of a unix socket, or "unix". Returns buf. */
const char *coho__addr_format(const struct coho__addr *a, char *buf, size_t cap);
uint16_t coho__addr_port(const struct coho__addr *a);

int coho__error_of_errno(int e); /* an error of error.h for an errno value */
/* Non-blocking, close-on-exec. fd or an error. */
int coho__sock_open(int family);
/* What every connection gets: TCP_NODELAY, TCP_USER_TIMEOUT (30 s). Keepalive stays off:
   pings do that. */
void coho__sock_tune(int fd);

#endif
