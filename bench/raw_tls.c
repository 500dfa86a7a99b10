/*
 * The limit with TLS: an echo server that does nothing but SSL_read and SSL_write, with one epoll and
 * one buffer.
 *
 *   raw_tls CERT.pem KEY.pem
 *
 * Prints "listening PORT". What waits for a socket is not kept: it is for closed loops.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 512 * 1024, EVENTS = 1024, PEERS = 1 << 16 };

static SSL *peers[PEERS]; /* by descriptor */
static char buffer[BUFFER];
static int epoll_fd;
static SSL_CTX *ctx;

static void die(const char *what) {
  perror(what);
  exit(1);
}

static void watch(int fd) {
  struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &e)) die("epoll_ctl");
}

static void accept_all(int listener) {
  int fd;
  while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    SSL *ssl = fd < PEERS ? SSL_new(ctx) : NULL;
    if (!ssl || !SSL_set_fd(ssl, fd)) die("SSL_new");
    SSL_set_accept_state(ssl);
    peers[fd] = ssl;
    watch(fd);
  }
}

static void drop(int fd) {
  SSL_free(peers[fd]);
  peers[fd] = NULL;
  close(fd);
}

/* Waits for a socket that is full: then it is the generator that is the bottleneck. */
static void echo(int fd, int got) {
  for (int sent = 0; sent < got;) {
    int n = SSL_write(peers[fd], buffer + sent, got - sent);
    if (n > 0) sent += n;
    if (n <= 0 && SSL_get_error(peers[fd], n) != SSL_ERROR_WANT_WRITE) return;
  }
}

static void on_readable(int fd) {
  int got;
  while ((got = SSL_read(peers[fd], buffer, BUFFER)) > 0)
    echo(fd, got);
  int err = SSL_get_error(peers[fd], got);
  if (err != SSL_ERROR_WANT_READ && err != SSL_ERROR_WANT_WRITE) drop(fd);
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

int main(int argc, char **argv) {
  (void)signal(SIGPIPE, SIG_IGN); /* OpenSSL's sockets know no MSG_NOSIGNAL */
  ctx = SSL_CTX_new(TLS_server_method());
  if (argc != 3 || !ctx || SSL_CTX_use_certificate_chain_file(ctx, argv[1]) != 1 ||
      SSL_CTX_use_PrivateKey_file(ctx, argv[2], SSL_FILETYPE_PEM) != 1) {
    fprintf(stderr, "usage: raw_tls CERT.pem KEY.pem\n");
    return 2;
  }
  SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(ctx, 1);
  int listener = listen_on_loopback();
  epoll_fd = epoll_create1(0);
  watch(listener);
  for (;;) {
    struct epoll_event events[EVENTS];
    int n = epoll_wait(epoll_fd, events, EVENTS, -1);
    for (int i = 0; i < n; i++) {
      if (events[i].data.fd == listener)
        accept_all(listener);
      else
        on_readable(events[i].data.fd);
    }
  }
}
