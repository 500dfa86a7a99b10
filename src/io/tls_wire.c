#include "io/tls_wire.h"

#include "base/alloc.h"
#include "base/budget.h"
#include "io/tls_complain.h"

#include <openssl/bio.h>
#include <pthread.h>
#include <string.h>

#ifdef COHO_HARD
enum { SPARE_MOST = 64 };
#else
enum { SPARE_MOST = 32 * 1024 };
#endif
enum {
  IN_MOST = 2 * COHO_WIRE_IN + 2 * COHO_WIRE_RECORD, /* what came, and a part from before */
  OUT_MOST = 2 * COHO_WIRE_OUT,                      /* a burst, and answers behind it, */
  ANSWERS = 256 /* for which there is room from the beginning: a new key, the end */
};

/* ---- life ----------------------------------------------------------------------------------- */

void coho__wire_buffers_free(coho_loop *loop) {
  if (loop->wire) coho__buf_release(&loop->wire->spare);
  coho__free(loop->wire, sizeof *loop->wire);
  loop->wire = NULL;
}

int coho__wire_init(struct coho__wire *w, struct coho__stream *inner) {
  coho_loop *loop = inner->loop;
  if (!loop->wire) {
    loop->wire = (struct coho__wire_buffers *)coho__alloc(sizeof *loop->wire);
    if (!loop->wire) return COHO_ENOMEM;
    loop->wire->out_len = 0;
    coho__tls_complain_init(loop->wire, coho__loop_time(loop));
    loop->wire->spare = COHO_BUF(IN_MOST);
  }
  *w = (struct coho__wire){
      .inner = inner, .shared = loop->wire, .in = COHO_BUF(IN_MOST), .out = COHO_BUF(OUT_MOST)};
  return 0;
}

void coho__wire_free(struct coho__wire *w) {
  coho__buf_release(&w->in);
  coho__buf_release(&w->out);
}

/* ---- in ------------------------------------------------------------------------------------- */

static size_t kept(const struct coho__wire *w) { return w->in.len - w->in_at; }

size_t coho__wire_unread(const struct coho__wire *w) { return kept(w) + w->fresh_len; }

unsigned coho__wire_byte(const struct coho__wire *w, size_t at) {
  const char *p = at < kept(w) ? w->in.data + w->in_at + at : w->fresh + (at - kept(w));
  return *(const unsigned char *)p;
}

/* Finds the ends of records. One that cannot be is given out at once: OpenSSL says what is wrong. */
static void scan(struct coho__wire *w) {
  size_t all = coho__wire_unread(w);
  while (all - w->ready >= COHO_WIRE_HEAD) {
    size_t len = coho__wire_byte(w, w->ready + 3) << 8 | coho__wire_byte(w, w->ready + 4);
    if (len + COHO_WIRE_HEAD > COHO_WIRE_RECORD) w->ready = all;
    if (all - w->ready < len + COHO_WIRE_HEAD) return;
    w->ready += len + COHO_WIRE_HEAD;
    w->whole = true;
  }
}

/* Most reads of a stream that is busy end inside a record: one buffer goes from hand to hand. */
static void give_spare(struct coho__wire *w) {
  struct coho__buf *spare = &w->shared->spare;
  w->in.len = 0;
  w->in_at = 0;
  if (spare->cap || w->in.cap > SPARE_MOST)
    coho__buf_release(&w->in);
  else
    *spare = w->in;
  w->in = COHO_BUF(IN_MOST);
}

static void take_spare(struct coho__wire *w) {
  w->in = w->shared->spare;
  w->shared->spare = COHO_BUF(IN_MOST);
}

int coho__wire_keep(struct coho__wire *w) {
  size_t len = w->fresh_len;
  if (w->in_at == w->in.len && w->in.cap) give_spare(w);
  w->fresh_len = 0;
  if (!len) return 0;
  if (!w->in.cap) take_spare(w);
  coho__buf_consume(&w->in, w->in_at);
  w->in_at = 0;
  if (!coho__buf_affordable(&w->in, len)) return COHO_EMEMORY;
  return coho__buf_append(&w->in, w->fresh, len) ? COHO_ENOMEM : 0;
}

void coho__wire_drop(struct coho__wire *w) {
  coho__buf_release(&w->in);
  w->in_at = w->fresh_len = w->ready = 0;
}

/* What is received is kept when the caller has no room for it. */
static size_t least(void) {
  size_t n = COHO_MEMORY_SMALL;
  if (coho__memory_spare(COHO_WIRE_LEAST)) n = COHO_WIRE_LEAST;
  return COHO_MIN(n, (size_t)COHO_WIRE_LEAST);
}

ssize_t coho__wire_receive(struct coho__wire *w, size_t want) {
  char *buf = w->shared->in;
  /* A part of a record that came in this call needs no memory of its own yet. */
  int err = w->fresh_len > COHO_WIRE_IN / 2 ? coho__wire_keep(w) : 0;
  if (err) return err;
  if (w->fresh_len) memmove(buf, w->fresh, w->fresh_len);
  w->fresh = buf;
  want = COHO_MIN(COHO_MAX(want, least()), COHO_WIRE_IN - w->fresh_len);
  ssize_t n = coho__stream_read(w->inner, buf + w->fresh_len, want);
  w->drained = n < (ssize_t)want;
  if (n > 0) {
    w->fresh_len += (size_t)n;
    scan(w);
  }
  return n;
}

static size_t take_kept(struct coho__wire *w, char *dst, size_t n) {
  n = COHO_MIN(n, kept(w));
  if (n) memcpy(dst, w->in.data + w->in_at, n);
  w->in_at += n;
  return n;
}

static size_t take_fresh(struct coho__wire *w, char *dst, size_t n) {
  n = COHO_MIN(n, w->fresh_len);
  if (n) memcpy(dst, w->fresh, n);
  w->fresh += n;
  w->fresh_len -= n;
  return n;
}

/* ---- out ------------------------------------------------------------------------------------ */

static size_t waiting(const struct coho__wire *w) { return w->out.len - w->out_at; }

/* n bytes went out of what was kept and what collected. */
static int advance(struct coho__wire *w, size_t n) {
  struct coho__wire_buffers *b = w->shared;
  size_t old = COHO_MIN(n, waiting(w));
  w->out_at += old;
  n -= old;
  size_t rest = b->out_len - n;
  b->out_len = 0;
  if (w->out_at == w->out.len) {
    coho__buf_release(&w->out);
    w->out_at = 0;
  }
  if (!rest) return 0;
  coho__buf_consume(&w->out, w->out_at);
  w->out_at = 0;
  size_t room = w->out.cap ? rest : rest + ANSWERS;
  if (!coho__buf_affordable(&w->out, room)) return COHO_EMEMORY;
  if (!coho__buf_reserve(&w->out, room)) return COHO_ENOMEM;
  return coho__buf_append(&w->out, b->out + n, rest);
}

ssize_t coho__wire_send(struct coho__wire *w) {
  struct iovec iov[2];
  int count = 0;
  if (waiting(w)) iov[count++] = (struct iovec){w->out.data + w->out_at, waiting(w)};
  if (w->shared->out_len) iov[count++] = (struct iovec){w->shared->out, w->shared->out_len};
  if (!count || w->err) {
    w->shared->out_len = 0;
    return w->err;
  }
  ssize_t n = coho__stream_writev(w->inner, iov, count);
  if (n == COHO_STREAM_AGAIN) n = 0;
  w->err = n < 0 ? (int)n : advance(w, (size_t)n);
  w->shared->out_len = 0;
  return w->err ? w->err : n;
}

/* ---- for OpenSSL ---------------------------------------------------------------------------- */

static int bio_read(BIO *bio, char *dst, size_t cap, size_t *got) {
  struct coho__wire *w = (struct coho__wire *)BIO_get_data(bio);
  size_t n = COHO_MIN(cap, w->ready);
  BIO_clear_retry_flags(bio);
  *got = 0;
  if (!n) {
    BIO_set_retry_read(bio);
    return 0;
  }
  *got = take_kept(w, dst, n);
  *got += take_fresh(w, dst + *got, n - *got);
  w->ready -= *got;
  return 1;
}

static int bio_write(BIO *bio, const char *data, size_t len, size_t *taken) {
  struct coho__wire *w = (struct coho__wire *)BIO_get_data(bio);
  struct coho__wire_buffers *b = w->shared;
  size_t n = COHO_MIN(len, sizeof b->out - b->out_len);
  BIO_clear_retry_flags(bio);
  *taken = n;
  if (!n) {
    BIO_set_retry_write(bio);
    return 0;
  }
  memcpy(b->out + b->out_len, data, n);
  b->out_len += n;
  return 1;
}

static long bio_control(BIO *bio, int what, long number, void *pointer) {
  (void)bio;
  (void)number;
  (void)pointer;
  return what == BIO_CTRL_FLUSH ? 1 : 0;
}

static BIO_METHOD *method;

static void make_method(void) {
  method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "coho");
  if (!method) return;
  BIO_meth_set_read_ex(method, bio_read);
  BIO_meth_set_write_ex(method, bio_write);
  BIO_meth_set_ctrl(method, bio_control);
}

BIO *coho__wire_bio(struct coho__wire *w) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, make_method);
  BIO *bio = method ? BIO_new(method) : NULL;
  if (!bio) return NULL;
  BIO_set_data(bio, w);
  BIO_set_init(bio, 1);
  return bio;
}
