#define _GNU_SOURCE
#include "load/link.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { PER_SOURCE = 20000 };

static SSL_CTX *ctx;

void link_die(const char *what) {
  fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
  exit(1);
}

void link_fail(const char *what) {
  fprintf(stderr, "load: %s\n", what);
  exit(1);
}

static void start_tls(struct link *l) {
  if (!ctx) {
    ctx = SSL_CTX_new(TLS_client_method());
    if (!ctx) link_fail("no TLS");
    /* It measures, it does not trust. */
    SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(ctx, 1);
  }
  SSL *ssl = SSL_new(ctx);
  if (!ssl || !SSL_set_fd(ssl, l->fd)) link_fail("no TLS");
  SSL_set_connect_state(ssl);
  l->ssl = ssl;
}

void link_start(struct link *l, size_t index, int port, bool tls) {
  l->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (l->fd < 0) link_die("socket");
  int one = 1;
  setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  struct sockaddr_in from = {.sin_family = AF_INET};
  from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (uint32_t)(index / PER_SOURCE));
  setsockopt(l->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
  if (bind(l->fd, (struct sockaddr *)&from, sizeof from)) link_die("bind");
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(l->fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS)
    link_die("connect");
  if (tls) start_tls(l);
}

static void check_socket(const struct link *l) {
  int err = 0;
  socklen_t len = sizeof err;
  getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &err, &len);
  errno = err;
  if (err) link_die("connect");
}

/* The result of an SSL call. */
static ssize_t tls_result(const struct link *l, int n) {
  if (n > 0) return n;
  int err = SSL_get_error((SSL *)l->ssl, n);
  if (err == SSL_ERROR_WANT_READ || err == SSL_ERROR_WANT_WRITE) return LINK_AGAIN;
  link_fail("TLS failed, or the server closed a connection");
}

bool link_shake(struct link *l) {
  check_socket(l);
  return !l->ssl || tls_result(l, SSL_do_handshake((SSL *)l->ssl)) > 0;
}

ssize_t link_send(struct link *l, const char *data, size_t len) {
  if (l->ssl) return tls_result(l, SSL_write((SSL *)l->ssl, data, (int)len));
  ssize_t n = send(l->fd, data, len, MSG_NOSIGNAL);
  if (n < 0 && errno != EAGAIN) link_die("send");
  return n < 0 ? LINK_AGAIN : n;
}

ssize_t link_recv(struct link *l, char *data, size_t cap) {
  if (l->ssl) return tls_result(l, SSL_read((SSL *)l->ssl, data, (int)cap));
  ssize_t n = recv(l->fd, data, cap, 0);
  if (n < 0 && errno != EAGAIN) link_die("recv");
  if (n == 0) link_fail("the server closed a connection");
  return n < 0 ? LINK_AGAIN : n;
}
