#include "support/stream_memory.h"

#include "base/alloc.h"

#include <stdio.h>
#include <string.h>

/*
 * What is written to one end goes into the inbox of the other, a ring; it can be read once it has
 * arrived, which happens with an event of the loop, a piece at a time.
 *
 * Invariant: arrived <= len <= cap.
 */
struct end {
  struct coho__stream s;
  struct coho__io io;
  struct end *peer; /* NULL: closed */
  char *inbox;
  size_t cap, head, len;
  size_t arrived;
  size_t piece;
  bool ended;   /* the peer will write no more */
  bool reset;   /* by the peer */
  bool shut;    /* we said that we shall write no more */
  bool blocked; /* a write found no room: an event is due when there is some */
};

static struct end *end_of(struct coho__stream *s) { return COHO_CONTAINER_OF(s, struct end, s); }

static void poke(struct end *e, unsigned events) { coho__io_again(e->s.loop, &e->io, events); }

static void copy_in(struct end *e, const char *data, size_t n) {
  size_t tail = (e->head + e->len) % e->cap;
  size_t first = COHO_MIN(n, e->cap - tail);
  memcpy(e->inbox + tail, data, first);
  memcpy(e->inbox, data + first, n - first);
  e->len += n;
}

static void copy_out(struct end *e, char *buf, size_t n) {
  size_t first = COHO_MIN(n, e->cap - e->head);
  memcpy(buf, e->inbox + e->head, first);
  memcpy(buf + first, e->inbox, n - first);
  e->head = (e->head + n) % e->cap;
  e->len -= n;
  e->arrived -= n;
}

static ssize_t nothing_to_read(const struct end *e) {
  if (e->reset) return COHO_ECONNRESET;
  return e->ended && e->len == 0 ? 0 : COHO_STREAM_AGAIN;
}

static ssize_t memory_read(struct coho__stream *s, void *buf, size_t cap) {
  struct end *e = end_of(s);
  size_t n = COHO_MIN(cap, e->arrived);
  if (n == 0) return nothing_to_read(e);
  copy_out(e, (char *)buf, n);
  if (e->arrived == 0 && e->len > 0) poke(e, COHO_IO_READ);
  if (e->peer && e->peer->blocked) {
    e->peer->blocked = false;
    poke(e->peer, COHO_IO_WRITE);
  }
  return (ssize_t)n;
}

static ssize_t memory_writev(struct coho__stream *s, const struct iovec *iov, int count) {
  struct end *e = end_of(s);
  struct end *to = e->peer;
  if (e->shut) return COHO_ECLOSED;
  if (e->reset || !to) return COHO_ECONNRESET;
  size_t taken = 0;
  for (int i = 0; i < count; i++) {
    size_t n = COHO_MIN(iov[i].iov_len, to->cap - to->len);
    copy_in(to, (const char *)iov[i].iov_base, n);
    taken += n;
    if (n < iov[i].iov_len) e->blocked = true;
  }
  if (taken > 0) poke(to, COHO_IO_READ);
  return taken == 0 && e->blocked ? COHO_STREAM_AGAIN : (ssize_t)taken;
}

static void memory_again(struct coho__stream *s, unsigned events) { poke(end_of(s), events); }

static int memory_shutdown(struct coho__stream *s) {
  struct end *e = end_of(s);
  if (e->reset || !e->peer) return COHO_ECONNRESET;
  e->shut = true;
  e->peer->ended = true;
  poke(e->peer, COHO_IO_READ);
  return 0;
}

static void free_end(struct coho__io *io, unsigned events) {
  (void)events;
  struct end *e = COHO_CONTAINER_OF(io, struct end, io);
  coho__free(e->inbox, e->cap);
  coho__free(e, sizeof *e);
}

static void leave(struct end *peer, bool reset) {
  peer->peer = NULL;
  peer->ended = true;
  if (reset) {
    peer->reset = true;
    peer->len = peer->arrived;
  }
  poke(peer, COHO_IO_READ | COHO_IO_WRITE);
}

static void memory_close(struct coho__stream *s, bool reset) {
  struct end *e = end_of(s);
  if (e->peer) leave(e->peer, reset || e->len > 0);
  e->peer = NULL;
  coho__io_bury(s->loop, &e->io, free_end);
}

static bool memory_addr(const struct coho__stream *s, struct coho__addr *peer) {
  (void)s;
  (void)peer;
  return false;
}

static const struct coho__stream_vt memory_vt = {
    .read = memory_read,
    .writev = memory_writev,
    .again = memory_again,
    .shutdown = memory_shutdown,
    .close = memory_close,
    .addr = memory_addr,
    .tell = coho__stream_tell_nothing,
};

static void on_event(struct coho__io *io, unsigned events) {
  struct end *e = COHO_CONTAINER_OF(io, struct end, io);
  if (e->piece == 0)
    e->arrived = e->len;
  else if (e->arrived == 0)
    e->arrived = COHO_MIN(e->piece, e->len);
  if (e->ended && e->arrived == e->len) events |= COHO_IO_READ | COHO_IO_HANGUP;
  e->s.on_event(&e->s, events);
}

static struct end *end_new(coho_loop *loop, size_t cap, size_t piece) {
  struct end *e = (struct end *)coho__zalloc(sizeof *e);
  if (!e) return NULL;
  e->inbox = (char *)coho__alloc(cap);
  if (!e->inbox) {
    coho__free(e, sizeof *e);
    return NULL;
  }
  e->s.vt = &memory_vt;
  e->s.loop = loop;
  e->cap = cap;
  e->piece = piece;
  coho__io_init(&e->io, on_event);
  return e;
}

int stream_memory(coho_loop *loop, size_t cap, size_t piece, struct coho__stream *ends[2]) {
  struct end *a = end_new(loop, cap, piece);
  struct end *b = end_new(loop, cap, piece);
  if (!a || !b) {
    if (a) free_end(&a->io, 0);
    if (b) free_end(&b->io, 0);
    return COHO_ENOMEM;
  }
  a->peer = b;
  b->peer = a;
  poke(a, COHO_IO_WRITE); /* as a connected socket says at first */
  poke(b, COHO_IO_WRITE);
  ends[0] = &a->s;
  ends[1] = &b->s;
  return 0;
}
