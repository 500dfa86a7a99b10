#define _GNU_SOURCE
#include "io/stream.h"

#include "base/alloc.h"
#include "io/sock.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <unistd.h>

struct tcp {
  struct coho__stream s;
  struct coho__io io;
  /* Kept, since a socket that was reset does not know any more. */
  struct coho__endpoint peer;
};

_Static_assert(offsetof(struct tcp, peer) <= 64, "what every event needs is in one cache line");

static struct tcp *tcp_of(struct coho__stream *s) { return COHO_CONTAINER_OF(s, struct tcp, s); }

static ssize_t tcp_read(struct coho__stream *s, void *buf, size_t cap) {
  int fd = tcp_of(s)->io.fd;
  ssize_t n;
  do
    n = recv(fd, buf, cap, 0);
  while (n < 0 && errno == EINTR);
  if (n >= 0) return n;
  return errno == EAGAIN ? COHO_STREAM_AGAIN : coho__error_of_errno(errno);
}

/* Apart, so that the usual single piece does not pay for clearing the header. The union takes const
   away: struct msghdr serves receiving too, sendmsg only reads. */
static __attribute__((noinline)) ssize_t send_many(int fd, const struct iovec *iov, int count) {
  union {
    const struct iovec *in;
    struct iovec *out;
  } vec = {.in = iov};
  struct msghdr m = {.msg_iov = vec.out, .msg_iovlen = (size_t)COHO_MIN(count, IOV_MAX)};
  return sendmsg(fd, &m, MSG_NOSIGNAL);
}

static ssize_t send_vec(int fd, const struct iovec *iov, int count) {
  if (count == 1) return send(fd, iov->iov_base, iov->iov_len, MSG_NOSIGNAL);
  return send_many(fd, iov, count);
}

static ssize_t tcp_writev(struct coho__stream *s, const struct iovec *iov, int count) {
  int fd = tcp_of(s)->io.fd;
  ssize_t n;
  do
    n = send_vec(fd, iov, count);
  while (n < 0 && errno == EINTR);
  if (n >= 0) return n;
  return errno == EAGAIN ? COHO_STREAM_AGAIN : coho__error_of_errno(errno);
}

static void tcp_again(struct coho__stream *s, unsigned events) {
  coho__io_again(s->loop, &tcp_of(s)->io, events);
}

static int tcp_shutdown(struct coho__stream *s) {
  return shutdown(tcp_of(s)->io.fd, SHUT_WR) == 0 ? 0 : coho__error_of_errno(errno);
}

static void free_tcp(struct coho__io *io, unsigned events) {
  (void)events;
  struct tcp *t = COHO_CONTAINER_OF(io, struct tcp, io);
  coho__free(t, sizeof *t);
}

static void tcp_close(struct coho__stream *s, bool reset) {
  struct tcp *t = tcp_of(s);
  int fd = t->io.fd;
  struct linger at_once = {.l_onoff = 1, .l_linger = 0};
  if (reset) (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  coho__io_bury(s->loop, &t->io, free_tcp);
  close(fd);
}

static bool tcp_addr(const struct coho__stream *s, struct coho__addr *peer) {
  const struct tcp *t = (const struct tcp *)(const void *)s; /* its first member */
  return coho__addr_unpack(peer, &t->peer);
}

static void tcp_set_addr(struct coho__stream *s, const struct coho__addr *peer) {
  tcp_of(s)->peer = coho__addr_pack(peer);
}

static const struct coho__stream_vt tcp_vt = {
    .read = tcp_read,
    .writev = tcp_writev,
    .again = tcp_again,
    .shutdown = tcp_shutdown,
    .close = tcp_close,
    .addr = tcp_addr,
    .set_addr = tcp_set_addr,
    .tell = coho__stream_tell_nothing,
};

static void on_event(struct coho__io *io, unsigned events) {
  struct tcp *t = COHO_CONTAINER_OF(io, struct tcp, io);
  t->s.on_event(&t->s, events);
}

struct coho__stream *coho__stream_accepted(coho_loop *loop, int fd, const struct coho__addr *peer,
                                           int *err) {
  struct tcp *t = (struct tcp *)coho__zalloc(sizeof *t);
  *err = t ? coho__io_add(loop, &t->io, fd, on_event) : COHO_ENOMEM;
  if (*err) {
    close(fd);
    coho__free(t, sizeof *t);
    return NULL;
  }
  t->s.vt = &tcp_vt;
  t->s.loop = loop;
  t->peer = coho__addr_pack(peer);
  return &t->s;
}

struct coho__stream *coho__stream_tcp(coho_loop *loop, int fd, int *err) {
  struct coho__addr peer = {.len = sizeof peer.sa};
  coho__sock_tune(fd);
  (void)getpeername(fd, (struct sockaddr *)&peer.sa, &peer.len);
  return coho__stream_accepted(loop, fd, &peer, err);
}
