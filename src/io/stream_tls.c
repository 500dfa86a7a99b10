#include "io/stream_tls.h"

#include "base/alloc.h"
#include "base/budget.h"
#include "io/tls_complain.h"
#include "io/tls_end.h"
#include "io/tls_feed.h"
#include "io/tls_hello.h"

#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

enum {
  HANDSHAKE_MOST = 256 * 1024, /* bytes of a peer before it is complete */
  FAILURE_MS = 1000,           /* the alert is to be seen: what the client still sends is */
  FAILURE_BYTES = 64 * 1024,   /* discarded within these bounds, so that no reset takes it away */
  RECORD_MS = 30 * 1000,       /* a record that is kept has so long to be complete */
  TIGHT_BURST = 1024           /* see burst() */
};

/*
 *   WAITING (server: for a ClientHello) -> SHAKING -> OPEN
 *                                       or FAILING (server: the alert is on its way) -> FAILED
 */
enum state { WAITING, SHAKING, OPEN, FAILING, FAILED };

struct tls {
  struct coho__stream s;
  struct coho__wire wire;
  struct coho__tls_end end;
  struct coho__wheel_timer timer; /* of the handshake, then of FAILING or a record that is kept */
  struct coho__task grave;
  /* Bytes that were encrypted while not all went out, and not reported as taken: the owner gives
     them again, and its deadlines go on. */
  size_t promised;
  uint32_t received; /* before OPEN; FAILING, ended: since then */
  int err;           /* FAILED: why; ended: what reading gives */
  uint8_t state;     /* enum state */
  bool ended : 1;    /* nothing more to read */
  bool hangup : 1;   /* of the stream below */
  bool shut : 1;     /* close_notify went, or waits in the wire */
  bool shutting : 1; /* the end of the stream below follows it */
  bool stuck : 1;    /* writing waits for the rest of a message of the handshake */
  bool heard : 1;    /* bytes came since the owner asked */
  bool told : 1;     /* ended: the owner knows why */
};

static struct tls *tls_of(struct coho__stream *s) { return COHO_CONTAINER_OF(s, struct tls, s); }
static const struct tls *const_tls_of(const struct coho__stream *s) {
  return (const struct tls *)(const void *)s; /* its first member */
}

/* Of earlier calls, so that SSL_get_error() speaks of the next one. Mostly there are none, and clearing
   them all the same would cost more than a small record. */
static void forget_errors(void) {
  if (ERR_peek_error()) ERR_clear_error();
}

/* ---- failure -------------------------------------------------------------------------------- */

/* The owner finds out by reading. */
static void give_up(struct tls *t) {
  t->state = FAILED;
  coho__loop_stop_timer(t->s.loop, &t->timer);
  t->s.on_event(&t->s, COHO_IO_READ | COHO_IO_HANGUP);
}

static void log_failure(const struct tls *t, int err) {
  /* Who looks whether the port is open does nothing wrong. */
  if (t->end.server) coho__tls_complain(&t->wire, !t->received, err, t->end.trouble);
}

/* words NULL: OpenSSL knows. */
static void fail(struct tls *t, int err, const char *words) {
  coho__tls_end_trouble(&t->end, words);
  if (err == COHO_EMEMORY && t->end.server) err = COHO_EOVERLOAD; /* nobody can be told yet */
  log_failure(t, err);
  t->err = err;
  give_up(t);
}

/* Sends the alert, and waits until the client has it. */
static void see_off(struct tls *t) {
  char *buf = t->wire.shared->in;
  if (coho__wire_send(&t->wire) < 0) {
    give_up(t);
    return;
  }
  if (coho__wire_blocked(&t->wire)) return;
  if (!t->shut) (void)coho__stream_shutdown(t->wire.inner);
  t->shut = true;
  while (t->received < FAILURE_BYTES) {
    ssize_t n = coho__stream_read(t->wire.inner, buf, COHO_WIRE_IN);
    if (n == COHO_STREAM_AGAIN) return;
    if (n <= 0) {
      give_up(t);
      return;
    }
    t->received += (uint32_t)n;
  }
  give_up(t);
}

/* The peer is wrong, and told so. */
static void refuse(struct tls *t, int err, const char *words) {
  if (!t->end.server) {
    (void)coho__wire_send(&t->wire);
    fail(t, err, words);
    return;
  }
  coho__tls_end_trouble(&t->end, words);
  log_failure(t, err);
  t->err = err;
  t->state = FAILING;
  t->received = 0;
  coho__loop_set_timer(t->s.loop, &t->timer, FAILURE_MS);
  see_off(t);
}

/* ---- what is kept ---------------------------------------------------------------------------- */

/* The deadline of a record runs from its first bytes on, not of one that is whole. */
static void watch_record(struct tls *t) {
  bool part = coho__wire_unread(&t->wire) > t->wire.ready;
  if (!part)
    coho__loop_stop_timer(t->s.loop, &t->timer);
  else if (t->wire.whole || !coho__wheel_is_set(&t->timer))
    coho__loop_set_timer(t->s.loop, &t->timer, RECORD_MS);
  t->wire.whole = false;
}

static void end_reading(struct tls *t, int err) {
  t->ended = true;
  t->err = err;
  t->received = 0;
  coho__wire_drop(&t->wire);
  coho__loop_stop_timer(t->s.loop, &t->timer);
}

/* ---- handshake ------------------------------------------------------------------------------ */

static const char *who_closed(const struct tls *t) {
  return t->end.server ? "the client closed during the TLS handshake"
                       : "the server closed during the TLS handshake";
}

/* Receives for the handshake. False: nothing now, or it failed. */
static bool receive(struct tls *t) {
  ssize_t n = coho__wire_receive(&t->wire, COHO_WIRE_LEAST);
  if (n > 0) {
    t->received += (uint32_t)n;
    if (t->received <= HANDSHAKE_MOST) return true;
    refuse(t, COHO_ETLS, "the TLS handshake is too long");
  } else if (n == 0) {
    fail(t, COHO_ETLS, who_closed(t));
  } else if (n != COHO_STREAM_AGAIN) {
    fail(t, (int)n, coho_strerror((int)n));
  } else {
    int err = coho__wire_keep(&t->wire);
    if (err) fail(t, err, coho_strerror(err));
  }
  return false;
}

static void open_up(struct tls *t) {
  int err = coho__wire_keep(&t->wire);
  if (err) {
    fail(t, err, coho_strerror(err));
    return;
  }
  coho__loop_stop_timer(t->s.loop, &t->timer);
  coho__tls_end_opened(&t->end);
  t->state = OPEN;
  watch_record(t);
  t->s.on_event(&t->s, COHO_IO_READ | COHO_IO_WRITE | (t->hangup ? COHO_IO_HANGUP : 0));
}

/* why: as OpenSSL says. */
static void refuse_handshake(struct tls *t, int why) {
  if (why == SSL_ERROR_ZERO_RETURN) { /* close_notify, of which its errors say nothing */
    refuse(t, COHO_ETLS, who_closed(t));
    return;
  }
  bool cert = ERR_GET_REASON(ERR_peek_error()) == SSL_R_CERTIFICATE_VERIFY_FAILED;
  refuse(t, cert ? COHO_ECERT : COHO_ETLS, NULL);
}

static void shake(struct tls *t) {
  for (;;) {
    forget_errors();
    int got = SSL_do_handshake(t->end.ssl);
    int why = SSL_get_error(t->end.ssl, got);
    if (why != SSL_ERROR_NONE && why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) {
      refuse_handshake(t, why);
      return;
    }
    ssize_t sent = coho__wire_send(&t->wire);
    if (why == SSL_ERROR_NONE) {
      open_up(t);
      return;
    }
    if (sent < 0) {
      fail(t, (int)sent, coho_strerror((int)sent));
      return;
    }
    if (why == SSL_ERROR_WANT_WRITE && coho__wire_blocked(&t->wire)) return;
    if (why == SSL_ERROR_WANT_READ && !receive(t)) return;
  }
}

/* ---- a client begins -------------------------------------------------------------------------- */

static int begin(struct tls *t) {
  int err = coho__tls_end_accept(&t->end);
  BIO *bio = err ? NULL : coho__wire_bio(&t->wire);
  if (!err && !bio) err = COHO_ENOMEM;
  if (!err) SSL_set_bio(t->end.ssl, bio, bio);
  forget_errors();
  return err;
}

/* Nothing is made for a client before it said hello. */
static void await_hello(struct tls *t) {
  const char *wrong;
  while ((wrong = coho__tls_hello_judge(&t->wire)) && !*wrong)
    if (!receive(t)) return;
  if (wrong) {
    coho__tls_hello_answer(&t->wire);
    refuse(t, COHO_ETLS, wrong);
    return;
  }
  int err = begin(t);
  if (err) {
    fail(t, err, coho_strerror(err));
    return;
  }
  t->state = SHAKING;
  shake(t);
}

/* ---- reading -------------------------------------------------------------------------------- */

/* OpenSSL gave up, or we do: nothing is read any more. */
static ssize_t broken(struct tls *t, const char *words) {
  bool known = t->end.trouble != NULL; /* a failed read fails the next write as well */
  coho__tls_end_trouble(&t->end, words);
  if (!known) log_failure(t, COHO_ETLS);
  return COHO_ETLS;
}

/* Data, 0 at the end, COHO_STREAM_AGAIN: more has to be received, or an error. */
static ssize_t decrypt(struct tls *t, char *buf, size_t cap) {
  SSL *ssl = t->end.ssl;
  size_t n;
  while (t->wire.ready || SSL_pending(ssl)) {
    forget_errors();
    if (SSL_read_ex(ssl, buf, cap, &n) == 1) return (ssize_t)n;
    int why = SSL_get_error(ssl, 0);
    if (why == SSL_ERROR_ZERO_RETURN) return 0;
    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) return broken(t, NULL);
    if (coho__tls_end_flooded(&t->end)) return broken(t, "too many records without data");
    if (why == SSL_ERROR_WANT_WRITE && coho__wire_send(&t->wire) < 0) return t->wire.err;
  }
  return COHO_STREAM_AGAIN;
}

/* As much as fits. *n is what ended it: COHO_STREAM_AGAIN, 0, an error, or more than 0. */
static size_t fill(struct tls *t, char *buf, size_t cap, ssize_t *n) {
  size_t got = 0, received = 0;
  t->wire.drained = false;
  while (got < cap) {
    *n = decrypt(t, buf + got, cap - got);
    if (*n > 0) got += (size_t)*n;
    if (*n > 0) continue;
    if (*n != COHO_STREAM_AGAIN || (t->wire.drained && !t->hangup)) break;
    if (received > cap + COHO_WIRE_IN) { /* and nearly no data: others first */
      coho__stream_again(t->wire.inner, COHO_IO_READ);
      break;
    }
    *n = coho__wire_receive(&t->wire, cap - got);
    if (*n <= 0) break;
    t->heard = true;
    received += (size_t)*n;
  }
  return got;
}

/* The peer is not at its end, nor is TLS broken. */
static bool given_up(int err) { return err == COHO_EMEMORY || err == COHO_EMESSAGETIMEOUT; }

/* Why it ended; once when the peer goes on, so that the owner may tell it: then what comes is discarded
   within bounds, and no reset takes those words away. */
static ssize_t read_behind_the_end(struct tls *t) {
  if (!t->told || !given_up(t->err)) {
    t->told = true;
    return t->err;
  }
  while (t->received < FAILURE_BYTES) {
    ssize_t n = coho__stream_read(t->wire.inner, t->wire.shared->in, COHO_WIRE_IN);
    if (n == COHO_STREAM_AGAIN) return n;
    if (n <= 0) return t->err = (int)n;
    t->received += (uint32_t)n;
  }
  return COHO_STREAM_AGAIN;
}

static ssize_t tls_read(struct coho__stream *s, void *buf, size_t cap) {
  struct tls *t = tls_of(s);
  ssize_t n = COHO_STREAM_AGAIN;
  if (t->state == FAILED) return t->err;
  if (t->ended) return read_behind_the_end(t);
  if (t->state != OPEN) return COHO_STREAM_AGAIN;
  size_t got = fill(t, (char *)buf, cap, &n);
  int err = coho__wire_keep(&t->wire);
  if (err) n = err;
  (void)coho__wire_send(&t->wire); /* an answer to a change of keys, an alert */
  /* A message of the handshake, such as a ticket, makes OpenSSL get buffers for a record again. */
  if (n == COHO_STREAM_AGAIN) (void)SSL_free_buffers(t->end.ssl);
  watch_record(t);
  if (n <= 0 && n != COHO_STREAM_AGAIN) {
    end_reading(t, (int)n);
    if (got) coho__stream_again(t->wire.inner, COHO_IO_READ | COHO_IO_HANGUP);
    t->told = !got;
  }
  if (t->stuck && !SSL_in_init(t->end.ssl)) {
    t->stuck = false;
    coho__stream_again(t->wire.inner, COHO_IO_WRITE);
  }
  return got ? (ssize_t)got : n;
}

static bool tls_heard(struct coho__stream *s) {
  struct tls *t = tls_of(s);
  bool heard = t->heard;
  t->heard = false;
  return heard;
}

/* ---- writing -------------------------------------------------------------------------------- */

/* What is encrypted before it is sent, all of which may have to be kept: while memory is tight, little. */
static size_t burst(void) {
  return coho__memory_spare(COHO_WIRE_OUT) ? (size_t)COHO_WIRE_BURST : (size_t)TIGHT_BURST;
}

/* Encrypts a burst. Its data, COHO_STREAM_AGAIN, or an error. */
static ssize_t encrypt(struct tls *t, struct coho__tls_feed *f) {
  size_t done = 0, most = burst();
  while (f->count && done < most) {
    size_t len, taken = 0;
    const char *p = coho__tls_feed_next(f, t->wire.shared->plain, most - done, &len);
    forget_errors();
    if (SSL_write_ex(t->end.ssl, p, len, &taken) != 1) {
      if (SSL_get_error(t->end.ssl, 0) == SSL_ERROR_WANT_READ) {
        t->stuck = true;
        return done ? (ssize_t)done : COHO_STREAM_AGAIN;
      }
      return t->wire.err = (int)broken(t, NULL);
    }
    COHO_ASSERT(taken == len); /* the wire has room for a burst */
    coho__tls_feed_skip(f, len);
    done += len;
  }
  return (ssize_t)done;
}

/* The wire took `sent` bytes of what holds n bytes of data, and not all. At least one of them stays
   unreported until all of it went out. */
static size_t promise(struct tls *t, size_t n, size_t sent) {
  size_t report = n ? COHO_MIN(sent, n - 1) : 0;
  t->promised = n - report;
  return report;
}

static ssize_t taken(size_t n) { return n ? (ssize_t)n : COHO_STREAM_AGAIN; }

static ssize_t write_feed(struct tls *t, struct coho__tls_feed *f, size_t total) {
  while (f->count) {
    ssize_t n = encrypt(t, f);
    if (n == COHO_STREAM_AGAIN) return taken(total);
    if (n < 0) return n;
    ssize_t sent = coho__wire_send(&t->wire);
    if (sent < 0) return sent;
    if (coho__wire_blocked(&t->wire)) return taken(total + promise(t, (size_t)n, (size_t)sent));
    total += (size_t)n;
  }
  return (ssize_t)total;
}

static ssize_t tls_writev(struct coho__stream *s, const struct iovec *iov, int count) {
  struct tls *t = tls_of(s);
  struct coho__tls_feed f;
  if (t->state == FAILED) return t->err;
  if (t->state != OPEN) return COHO_STREAM_AGAIN;
  if (t->shut || t->wire.err) return t->shut ? COHO_ECLOSED : t->wire.err;
  if (coho__wire_blocked(&t->wire)) {
    ssize_t sent = coho__wire_send(&t->wire);
    if (sent < 0) return sent;
    if (coho__wire_blocked(&t->wire)) return taken(promise(t, t->promised, (size_t)sent));
  }
  coho__tls_feed_init(&f, iov, count);
  size_t old = COHO_MIN(t->promised, coho__tls_feed_len(&f));
  t->promised -= old;
  coho__tls_feed_skip(&f, old);
  return write_feed(t, &f, old);
}

static void send_close_notify(struct tls *t) {
  t->shut = true;
  forget_errors();
  (void)SSL_shutdown(t->end.ssl);
  forget_errors();
  (void)coho__wire_send(&t->wire);
}

static int tls_shutdown(struct coho__stream *s) {
  struct tls *t = tls_of(s);
  if (t->state == OPEN && !t->shut) send_close_notify(t);
  t->promised = 0; /* nobody gives it again: what waits is ours to send */
  t->shutting = t->state == OPEN && !t->wire.err && coho__wire_blocked(&t->wire);
  return t->shutting ? 0 : coho__stream_shutdown(t->wire.inner);
}

/* ---- events --------------------------------------------------------------------------------- */

/* The owner writes what it promised; all else that waits is ours. */
static unsigned on_writable(struct tls *t, unsigned events) {
  if (t->promised) return events;
  (void)coho__wire_send(&t->wire);
  if (!t->wire.err && coho__wire_blocked(&t->wire)) return events & ~(unsigned)COHO_IO_WRITE;
  if (t->shutting) (void)coho__stream_shutdown(t->wire.inner);
  t->shutting = false;
  return events;
}

static void on_open(struct tls *t, unsigned events) {
  if (events & COHO_IO_WRITE) events = on_writable(t, events);
  if (t->ended) events |= COHO_IO_READ | COHO_IO_HANGUP;
  if (events) t->s.on_event(&t->s, events);
}

static void on_event(struct coho__stream *inner, unsigned events) {
  struct tls *t = (struct tls *)inner->owner;
  if (events & COHO_IO_HANGUP) t->hangup = true;
  switch ((enum state)t->state) {
  case WAITING:
    if (events & (COHO_IO_READ | COHO_IO_HANGUP)) await_hello(t);
    break;
  case SHAKING: shake(t); break;
  case OPEN: on_open(t, events); break;
  case FAILING: see_off(t); break;
  case FAILED: t->s.on_event(&t->s, COHO_IO_READ | COHO_IO_HANGUP); break;
  }
}

/* Bytes that the owner put off reading may make it whole. Otherwise the peer is late. */
static void end_record(struct tls *t) {
  bool waits = t->wire.ready || SSL_pending(t->end.ssl); /* for the owner, who has more to read */
  ssize_t n = waits ? 1 : coho__wire_receive(&t->wire, COHO_WIRE_LEAST);
  int err = n == COHO_STREAM_AGAIN ? COHO_EMESSAGETIMEOUT : coho__wire_keep(&t->wire);
  if (!err) {
    if (n > 0) watch_record(t);
    coho__stream_again(t->wire.inner, COHO_IO_READ | (t->hangup ? COHO_IO_HANGUP : 0));
    return;
  }
  if (err == COHO_EMESSAGETIMEOUT)
    coho__tls_end_trouble(&t->end, "a TLS record was not complete in time");
  end_reading(t, err);
  t->s.on_event(&t->s, COHO_IO_READ | COHO_IO_HANGUP);
}

static void on_timer(struct coho__wheel_timer *timer) {
  struct tls *t = COHO_CONTAINER_OF(timer, struct tls, timer);
  switch ((enum state)t->state) {
  case WAITING:
  case SHAKING: fail(t, COHO_ETIMEDOUT, "the TLS handshake was not complete in time"); break;
  case OPEN: end_record(t); break;
  case FAILING: give_up(t); break;
  case FAILED: break;
  }
}

static void tls_again(struct coho__stream *s, unsigned events) {
  coho__stream_again(tls_of(s)->wire.inner, events);
}

/* ---- what it knows -------------------------------------------------------------------------- */

static bool tls_addr(const struct coho__stream *s, struct coho__addr *peer) {
  return coho__stream_addr(const_tls_of(s)->wire.inner, peer);
}

static void tls_set_addr(struct coho__stream *s, const struct coho__addr *peer) {
  coho__stream_set_addr(tls_of(s)->wire.inner, peer);
}

static const char *tls_tell(const struct coho__stream *s, enum coho__stream_fact what, char *buf,
                            size_t cap) {
  const struct tls *t = const_tls_of(s);
  if (!cap) return buf;
  buf[0] = '\0';
  switch (what) {
  case COHO_STREAM_TLS:
    if (t->state == OPEN) coho__tls_end_cipher(&t->end, buf, cap);
    break;
  case COHO_STREAM_SUBJECT:
    if (t->state == OPEN) coho__tls_end_subject(&t->end, buf, cap);
    break;
  case COHO_STREAM_TROUBLE:
    (void)snprintf(buf, cap, "%s", t->end.trouble ? t->end.trouble : "");
    break;
  }
  return buf;
}

/* ---- life ----------------------------------------------------------------------------------- */

static void free_tls(struct tls *t) {
  coho__tls_end_free(&t->end);
  coho__wire_free(&t->wire);
  coho__free(t, sizeof *t);
}

static void bury(struct coho__task *task) { free_tls(COHO_CONTAINER_OF(task, struct tls, grave)); }

static void tls_close(struct coho__stream *s, bool reset) {
  struct tls *t = tls_of(s);
  if (!reset && t->state == OPEN && !t->shut && !t->wire.err) send_close_notify(t);
  coho__loop_stop_timer(s->loop, &t->timer);
  coho__stream_close(t->wire.inner, reset);
  coho__loop_bury(s->loop, &t->grave);
}

static const struct coho__stream_vt tls_vt = {
    .read = tls_read,
    .writev = tls_writev,
    .again = tls_again,
    .shutdown = tls_shutdown,
    .close = tls_close,
    .addr = tls_addr,
    .set_addr = tls_set_addr,
    .tell = tls_tell,
    .heard = tls_heard,
    .secure = true,
};

/* NULL: out of memory. */
static struct tls *tls_new(struct coho__stream *inner, coho_tls *tls, bool server) {
  struct tls *t = (struct tls *)coho__zalloc(sizeof *t);
  if (!t || coho__wire_init(&t->wire, inner)) {
    coho__free(t, sizeof *t);
    return NULL;
  }
  coho__tls_end_init(&t->end, tls, server);
  coho__wheel_timer_init(&t->timer, on_timer);
  coho__task_init(&t->grave, bury);
  t->s.vt = &tls_vt;
  t->s.loop = inner->loop;
  t->state = server ? WAITING : SHAKING;
  return t;
}

static struct coho__stream *adopt(struct tls *t, struct coho__stream *inner) {
  inner->owner = t;
  inner->on_event = on_event;
  return &t->s;
}

struct coho__stream *coho__stream_tls_server(struct coho__stream *inner, coho_tls *tls,
                                             uint32_t timeout_ms, int *err) {
  struct tls *t = tls_new(inner, tls, true);
  *err = t ? 0 : COHO_ENOMEM;
  if (!t) {
    coho__stream_close(inner, true);
    return NULL;
  }
  if (timeout_ms != UINT32_MAX) coho__loop_set_timer(t->s.loop, &t->timer, timeout_ms);
  return adopt(t, inner);
}

struct coho__stream *coho__stream_tls_client(struct coho__stream *inner, coho_tls *tls,
                                             const char *host, uint16_t port, int *err) {
  struct tls *t = tls_new(inner, tls, false);
  *err = t ? coho__tls_end_connect(&t->end, host, port) : COHO_ENOMEM;
  BIO *bio = *err ? NULL : coho__wire_bio(&t->wire);
  if (!*err && !bio) *err = COHO_ENOMEM;
  forget_errors();
  if (*err) {
    if (t) free_tls(t);
    coho__stream_close(inner, true);
    return NULL;
  }
  SSL_set_bio(t->end.ssl, bio, bio);
  return adopt(t, inner);
}
