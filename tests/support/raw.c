#include "support/raw.h"

#include "proto/accept_key.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void raw_close(struct raw *r) {
  if (r->w) close(r->fd);
  r->w = NULL;
}

static bool connect_with(struct raw *r, struct world *w, int buffer) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(w->port)};
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  r->w = w;
  r->len = 0;
  r->fd = socket(AF_INET, SOCK_STREAM, 0);
  assert_true(r->fd >= 0);
  if (buffer) setsockopt(r->fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
  if (connect(r->fd, (struct sockaddr *)&a, sizeof a) == 0) return true;
  assert_int_equal(errno, ECONNREFUSED);
  raw_close(r);
  return false;
}

bool raw_try_connect(struct raw *r, struct world *w) { return connect_with(r, w, 0); }
void raw_connect(struct raw *r, struct world *w) { assert_true(connect_with(r, w, 0)); }
void raw_connect_narrow(struct raw *r, struct world *w) {
  assert_true(connect_with(r, w, 128 * 1024));
}

void raw_send(struct raw *r, const void *data, size_t len) {
  const char *p = (const char *)data;
  while (len) {
    ssize_t n = send(r->fd, p, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0) {
      assert_int_equal(errno, EAGAIN);
      world_turn(r->w);
      continue;
    }
    p += n;
    len -= (size_t)n;
  }
}

/* More bytes into buf. 1, 0 at the end, -1 for a reset. */
static int fill(struct raw *r) {
  uint64_t begun = world_clock_ms();
  assert_true(r->len < sizeof r->buf);
  for (;;) {
    ssize_t n = recv(r->fd, r->buf + r->len, sizeof r->buf - r->len, MSG_DONTWAIT);
    if (n > 0) {
      r->len += (size_t)n;
      return 1;
    }
    if (n == 0) return 0;
    if (errno != EAGAIN) return -1;
    world_turn(r->w);
    if (world_clock_ms() - begun > 20000) fail_msg("the server says nothing");
  }
}

static void consume(struct raw *r, size_t n) {
  memmove(r->buf, r->buf + n, r->len - n);
  r->len -= n;
}

/* The size of the head in buf with its empty line, 0 when it is not complete. */
static size_t head_size(const struct raw *r) {
  for (size_t i = 4; i <= r->len; i++)
    if (memcmp(r->buf + i - 4, "\r\n\r\n", 4) == 0) return i;
  return 0;
}

const char *raw_head(struct raw *r, char *dst, size_t cap) {
  for (;;) {
    size_t n = head_size(r);
    if (n) {
      assert_true(n < cap);
      memcpy(dst, r->buf, n);
      dst[n] = '\0';
      consume(r, n);
      return dst;
    }
    assert_int_equal(fill(r), 1);
  }
}

const char *raw_bytes(struct raw *r, size_t n) {
  static char copy[4096];
  assert_true(n <= sizeof copy);
  while (r->len < n)
    assert_int_equal(fill(r), 1);
  memcpy(copy, r->buf, n);
  consume(r, n);
  return copy;
}

int raw_upgrade(struct raw *r, const char *target, const char *fields) {
  char text[4096];
  int n = snprintf(text, sizeof text,
                   "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUpgrade: websocket\r\n"
                   "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                   "Sec-WebSocket-Version: 13\r\n%s\r\n",
                   target, r->w->port, fields);
  raw_send(r, text, (size_t)n);
  raw_head(r, text, sizeof text);
  return (int)strtol(text + 9, NULL, 10);
}

void raw_frame(struct raw *r, unsigned opcode, bool fin, const void *data, size_t len) {
  static const unsigned char key[4] = {0x37, 0xfa, 0x21, 0x3d};
  unsigned char *f = (unsigned char *)malloc(len + 14);
  size_t n = 0;
  assert_non_null(f);
  f[n++] = (unsigned char)((fin ? 0x80 : 0) | opcode);
  if (len < 126) {
    f[n++] = (unsigned char)(0x80 | len);
  } else if (len < 65536) {
    f[n++] = 0x80 | 126;
    f[n++] = (unsigned char)(len >> 8);
    f[n++] = (unsigned char)len;
  } else {
    f[n++] = 0x80 | 127;
    for (int shift = 56; shift >= 0; shift -= 8)
      f[n++] = (unsigned char)((uint64_t)len >> shift);
  }
  memcpy(f + n, key, 4);
  n += 4;
  for (size_t i = 0; i < len; i++)
    f[n + i] = (unsigned char)(((const unsigned char *)data)[i] ^ key[i & 3]);
  raw_send(r, f, n + len);
  free(f);
}

/* The size of the frame at the front, 0 when it is not complete. */
static size_t parse(const struct raw *r, struct raw_frame *f) {
  const unsigned char *b = (const unsigned char *)r->buf;
  size_t head = 2;
  if (r->len < 2) return 0;
  f->opcode = b[0] & 15U;
  f->fin = b[0] >> 7;
  f->rsv1 = b[0] >> 6 & 1;
  f->masked = b[1] >> 7;
  f->len = b[1] & 127U;
  if (f->len >= 126) {
    head = f->len == 126 ? 4 : 10;
    if (r->len < head) return 0;
    f->len = 0;
    for (size_t i = 2; i < head; i++)
      f->len = f->len << 8 | b[i];
  }
  if (f->masked) {
    head += 4;
    if (r->len < head) return 0;
    memcpy(f->key, b + head - 4, 4);
  }
  f->data = r->buf + head;
  return r->len - head >= f->len ? head + f->len : 0;
}

bool raw_next(struct raw *r, struct raw_frame *f) {
  static char copy[sizeof r->buf];
  size_t n;
  while (!(n = parse(r, f)))
    if (fill(r) != 1) return false;
  memcpy(copy, f->data, f->len);
  for (size_t i = 0; f->masked && i < f->len; i++)
    copy[i] = (char)(copy[i] ^ (char)f->key[i & 3]);
  f->data = copy;
  consume(r, n);
  return true;
}

bool raw_eof(struct raw *r) {
  for (;;) {
    r->len = 0;
    int got = fill(r);
    if (got <= 0) return got == 0;
  }
}

unsigned raw_code(const struct raw_frame *f) {
  const unsigned char *b = (const unsigned char *)f->data;
  assert_int_equal(f->opcode, 8);
  return f->len < 2 ? 1005 : (unsigned)b[0] << 8 | b[1];
}

int raw_listen(struct world *w) {
  struct sockaddr_in a = {.sin_family = AF_INET};
  socklen_t len = sizeof a;
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  assert_true(fd >= 0);
  assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
  assert_int_equal(listen(fd, 16), 0);
  assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
  w->port = ntohs(a.sin_port);
  snprintf(w->url, sizeof w->url, "ws://127.0.0.1:%u", w->port);
  return fd;
}

void raw_accept(struct raw *r, struct world *w, int listener) {
  struct pollfd p = {.fd = listener, .events = POLLIN};
  r->w = w;
  r->len = 0;
  UNTIL(w, poll(&p, 1, 0) == 1);
  r->fd = accept(listener, NULL, NULL);
  assert_true(r->fd >= 0);
}

void raw_answer_with(struct raw *r, const char *head, const char *fields, const char *rest) {
  char text[4096], accept[29];
  const char *key = strstr(head, "Sec-WebSocket-Key: ");
  assert_non_null(key);
  coho__accept_key((struct coho__view){key + 19, 24}, accept);
  int n = snprintf(text, sizeof text,
                   "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                   "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n%s\r\n%s",
                   accept, fields, rest);
  raw_send(r, text, (size_t)n);
}

void raw_answer(struct raw *r, const char *head, const char *fields) {
  raw_answer_with(r, head, fields, "");
}
