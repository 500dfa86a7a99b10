#include "wire.h"

#include "trust.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  INBOX_MAX = 64 * 1024 * 1024, /* an answer to the largest message, and then some */
  READ_SIZE = 64 * 1024
};

uint64_t now_ms(void) { return coho__clock_ns() / 1000000; }

/* Waits for one of the events, until the deadline at most. False: the deadline. */
static bool wait_for(const struct wire *w, short events, uint64_t deadline) {
  for (;;) {
    uint64_t now = now_ms();
    uint64_t left = deadline > now ? deadline - now : 0;
    struct pollfd p = {.fd = w->fd, .events = events};
    int n = poll(&p, 1, left > INT_MAX ? INT_MAX : (int)left);
    if (n > 0) return true;
    if (n == 0 && left <= INT_MAX) return false;
  }
}

/* ---- receiving ------------------------------------------------------------------------------ */

static void take(struct wire *w, const void *data, size_t len) {
  tape_add(&w->received, data, len);
  bytes_add(&w->inbox, data, len);
  if (wire_count(w) > INBOX_MAX) w->state = WIRE_FULL;
}

/* What SSL_read or SSL_write waits for, 0: it failed. */
static short tls_wants(const struct wire *w, int result) {
  switch (SSL_get_error(w->ssl, result)) {
  case SSL_ERROR_WANT_READ: return POLLIN;
  case SSL_ERROR_WANT_WRITE: return POLLOUT;
  default: return 0;
  }
}

static bool read_tls(struct wire *w) {
  char buffer[READ_SIZE];
  ERR_clear_error();
  int n = SSL_read(w->ssl, buffer, sizeof buffer);
  if (n > 0) {
    take(w, buffer, (size_t)n);
    return true;
  }
  int error = SSL_get_error(w->ssl, n);
  if (error == SSL_ERROR_ZERO_RETURN)
    w->state = WIRE_END;
  else if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
    w->state = WIRE_RESET;
  return false;
}

static bool read_tcp(struct wire *w) {
  char buffer[READ_SIZE];
  ssize_t n = recv(w->fd, buffer, sizeof buffer, 0);
  if (n > 0) {
    take(w, buffer, (size_t)n);
    return true;
  }
  if (n == 0)
    w->state = WIRE_END;
  else if (errno != EAGAIN && errno != EINTR)
    w->state = WIRE_RESET;
  return false;
}

/* What is there now, without waiting. False: nothing. */
static bool read_some(struct wire *w) {
  if (w->state != WIRE_OK) return false;
  return w->ssl ? read_tls(w) : read_tcp(w);
}

const uint8_t *wire_bytes(const struct wire *w) {
  static const uint8_t none[1] = {0};
  return w->inbox.data ? w->inbox.data + w->taken : none;
}

size_t wire_count(const struct wire *w) { return w->inbox.len - w->taken; }

/* What is done with goes in big steps, so that many small frames are no quadratic work. */
void wire_take(struct wire *w, size_t len) {
  w->taken += len;
  if (w->taken < w->inbox.len / 2) return;
  bytes_drop(&w->inbox, w->taken);
  w->taken = 0;
}

enum wire_status wire_fill(struct wire *w, size_t least, uint64_t deadline) {
  while (wire_count(w) < least) {
    if (w->fd < 0) return WIRE_RESET;
    if (read_some(w)) continue;
    if (w->state != WIRE_OK) return w->state;
    if (!wait_for(w, POLLIN, deadline)) return WIRE_TIMEOUT;
  }
  return WIRE_OK;
}

/* ---- sending -------------------------------------------------------------------------------- */

/* Bytes written, 0: none now, -1: broken. */
static ssize_t write_some(struct wire *w, const uint8_t *data, size_t len, short *wants) {
  *wants = POLLOUT;
  if (!w->ssl) {
    ssize_t n = send(w->fd, data, len, MSG_NOSIGNAL);
    if (n >= 0) return n;
    return errno == EAGAIN || errno == EINTR ? 0 : -1;
  }
  ERR_clear_error();
  int n = SSL_write(w->ssl, data, len > INT_MAX ? INT_MAX : (int)len);
  if (n > 0) return n;
  *wants = tls_wants(w, n);
  return *wants ? 0 : -1;
}

/* TLS reads into itself while it writes, so its inbox is asked without poll(). */
static void read_beside(struct wire *w) {
  while (!w->deaf && read_some(w))
    ;
}

enum wire_status wire_send(struct wire *w, const void *data, size_t len, size_t chop,
                           uint64_t deadline) {
  const uint8_t *at = (const uint8_t *)data;
  while (len && !w->broken) {
    short wants;
    ssize_t n = w->fd < 0 ? -1 : write_some(w, at, chop && chop < len ? chop : len, &wants);
    if (n < 0) {
      w->broken = true;
    } else if (n > 0) {
      tape_add(&w->sent, at, (size_t)n);
      at += n;
      len -= (size_t)n;
      if (len) read_beside(w);
    } else {
      bool hears = !w->deaf && w->state == WIRE_OK;
      if (!wait_for(w, (short)(wants | (hears ? POLLIN : 0)), deadline)) return WIRE_TIMEOUT;
      read_beside(w);
    }
  }
  return w->broken ? WIRE_RESET : WIRE_OK;
}

/* ---- beginning and end ---------------------------------------------------------------------- */

static int fail(struct wire *w, char *why, size_t cap, const char *reason) {
  (void)snprintf(why, cap, "%s", reason);
  wire_close(w);
  return -1;
}

static bool set_up(int fd) {
  int one = 1;
  int flags = fcntl(fd, F_GETFL);
  (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

static int shake_hands(struct wire *w, uint64_t deadline, char *why, size_t cap) {
  trust_begin();
  for (;;) {
    ERR_clear_error();
    int n = SSL_do_handshake(w->ssl);
    if (n == 1) return 0;
    short wants = tls_wants(w, n);
    char reason[400];
    if (!wants) {
      trust_error(reason, sizeof reason);
      return fail(w, why, cap, reason);
    }
    if (!wait_for(w, wants, deadline)) return fail(w, why, cap, "the TLS handshake takes too long");
  }
}

static int start_tls(struct wire *w, struct ssl_ctx_st *tls) {
  w->ssl = SSL_new(tls);
  return w->ssl && SSL_set_fd(w->ssl, w->fd) == 1 ? 0 : -1;
}

/* The name that SNI carries, which an address must not be in, and that the certificate is for. */
static bool name_server(struct wire *w, char *name) {
  struct in6_addr address;
  (void)SSL_set_app_data(w->ssl, name);
  SSL_set_hostflags(w->ssl,
                    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  bool literal =
      inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1;
  if (literal) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(w->ssl), name) == 1;
  return SSL_set_tlsext_host_name(w->ssl, name) == 1 && SSL_set1_host(w->ssl, name) == 1;
}

static int connect_tcp(struct wire *w, const struct addrinfo *to, uint64_t deadline) {
  w->fd = socket(to->ai_family, SOCK_STREAM, IPPROTO_TCP);
  if (w->fd < 0 || !set_up(w->fd)) return errno;
  if (!connect(w->fd, to->ai_addr, to->ai_addrlen)) return 0;
  if (errno != EINPROGRESS) return errno;
  if (!wait_for(w, POLLOUT, deadline)) return ETIMEDOUT;
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &error, &size)) return errno;
  return error;
}

int wire_connect(struct wire *w, const struct addrinfo *to, const struct wire_tls *tls,
                 uint64_t deadline, char *why, size_t cap) {
  *w = WIRE_NONE;
  int error = connect_tcp(w, to, deadline);
  if (error) return fail(w, why, cap, strerror(error));
  if (!tls->context) return 0;
  if (start_tls(w, tls->context) || !name_server(w, tls->name))
    return fail(w, why, cap, "TLS cannot be set up");
  SSL_set_connect_state(w->ssl);
  return shake_hands(w, deadline, why, cap);
}

int wire_accepted(struct wire *w, int fd, struct ssl_ctx_st *tls, uint64_t deadline, char *why,
                  size_t cap) {
  *w = WIRE_NONE;
  w->fd = fd;
  if (!set_up(fd)) return fail(w, why, cap, strerror(errno));
  if (!tls) return 0;
  if (start_tls(w, tls)) return fail(w, why, cap, "TLS cannot be set up");
  SSL_set_accept_state(w->ssl);
  return shake_hands(w, deadline, why, cap);
}

void wire_half_close(struct wire *w) {
  if (w->fd < 0) return;
  if (w->ssl && !w->broken) (void)SSL_shutdown(w->ssl);
  (void)shutdown(w->fd, SHUT_WR);
  w->broken = true;
}

void wire_close(struct wire *w) {
  SSL_free(w->ssl);
  if (w->fd >= 0) (void)close(w->fd);
  w->ssl = NULL;
  w->fd = -1;
  bytes_free(&w->inbox);
}
