/*
 * A stream of bytes in both directions, under WebSocket and HTTP: tcp, TLS on top of another, in
 * tests memory. All above see only this.
 *
 * Edge-triggered like coho__io: after COHO_IO_READ the owner reads until the count is short of what
 * it asked for (and no HANGUP came), until AGAIN, or calls coho__stream_again().
 */
#ifndef COHO_IO_STREAM_H
#define COHO_IO_STREAM_H

#include "io/loop.h"
#include "io/sock.h"

#include <sys/types.h>
#include <sys/uio.h>

enum { COHO_STREAM_AGAIN = -1000 }; /* of read and writev: nothing now, an event will come */

struct coho__stream;

/* What a stream knows about itself, for people. */
enum coho__stream_fact {
  COHO_STREAM_TLS,     /* version and cipher, such as "TLSv1.3 TLS_AES_128_GCM_SHA256" */
  COHO_STREAM_SUBJECT, /* of the peer's verified certificate, as in RFC 2253 */
  COHO_STREAM_TROUBLE  /* why it failed, when there is more to say than the error does */
};

struct coho__stream_vt {
  ssize_t (*read)(struct coho__stream *s, void *buf, size_t cap);
  ssize_t (*writev)(struct coho__stream *s, const struct iovec *iov, int count);
  void (*again)(struct coho__stream *s, unsigned events);
  int (*shutdown)(struct coho__stream *s);
  void (*close)(struct coho__stream *s, bool reset);
  bool (*addr)(const struct coho__stream *s, struct coho__addr *peer);
  const char *(*tell)(const struct coho__stream *s, enum coho__stream_fact what, char *buf,
                      size_t cap);
  bool (*heard)(struct coho__stream *s); /* NULL: never */
  /* NULL: it keeps none. */
  void (*set_addr)(struct coho__stream *s, const struct coho__addr *peer);
  bool secure; /* TLS: there is nobody to write to before its handshake */
};

struct coho__stream {
  const struct coho__stream_vt *vt;
  coho_loop *loop;
  void *owner;
  /* Set by the owner before it returns to the loop; may close the stream. */
  void (*on_event)(struct coho__stream *s, unsigned events);
};

/* Bytes read, 0 at the end of the stream, COHO_STREAM_AGAIN, or an error of error.h. */
static inline ssize_t coho__stream_read(struct coho__stream *s, void *buf, size_t cap) {
  return s->vt->read(s, buf, cap);
}
/* Bytes taken (perhaps fewer than given: an event will come), COHO_STREAM_AGAIN, or an error. What
   was not taken is what the next call begins with: TLS may have encrypted it already. */
static inline ssize_t coho__stream_writev(struct coho__stream *s, const struct iovec *iov,
                                          int count) {
  return s->vt->writev(s, iov, count);
}
/* Delivers these events in the next turn. */
static inline void coho__stream_again(struct coho__stream *s, unsigned events) {
  s->vt->again(s, events);
}
/* Sends the end of the stream after what was written (FIN, close_notify). */
static inline int coho__stream_shutdown(struct coho__stream *s) { return s->vt->shutdown(s); }
/* Closes; the stream is freed at the end of the turn and gives no more events. reset: at once, the
   peer gets a reset instead of what may still be under way. */
static inline void coho__stream_close(struct coho__stream *s, bool reset) {
  s->vt->close(s, reset);
}
static inline bool coho__stream_secure(const struct coho__stream *s) { return s->vt->secure; }
/* The peer's address; false: it has none. */
static inline bool coho__stream_addr(const struct coho__stream *s, struct coho__addr *peer) {
  return s->vt->addr(s, peer);
}
/* Another address for the peer, of which a proxy told. */
static inline void coho__stream_set_addr(struct coho__stream *s, const struct coho__addr *peer) {
  if (s->vt->set_addr) s->vt->set_addr(s, peer);
}
/* "127.0.0.1:4711"; returns buf. */
const char *coho__stream_peer(const struct coho__stream *s, char *buf, size_t cap);
/* Into buf, "" when there is nothing to tell; returns buf. */
static inline const char *coho__stream_tell(const struct coho__stream *s,
                                            enum coho__stream_fact what, char *buf, size_t cap) {
  return s->vt->tell(s, what, buf, cap);
}
/* Whether bytes came since this was asked last of which reading gave nothing yet, or never will: a sign
   of life where TLS has a part of a record. */
static inline bool coho__stream_heard(struct coho__stream *s) {
  return s->vt->heard && s->vt->heard(s);
}
/* For streams that have nothing to tell. */
const char *coho__stream_tell_nothing(const struct coho__stream *s, enum coho__stream_fact what,
                                      char *buf, size_t cap);

/* A TCP stream of a connected socket, which it owns from now on, also on failure. *err tells why
   NULL. TCP_NODELAY is set. */
struct coho__stream *coho__stream_tcp(coho_loop *loop, int fd, int *err);
/* The same for an accepted socket, which has its options from the listener. */
struct coho__stream *coho__stream_accepted(coho_loop *loop, int fd, const struct coho__addr *peer,
                                           int *err);

#endif
