#include "ws/conn.h"

#include "base/alloc.h"
#include "base/budget.h"
#include "base/log.h"
#include "http/counters.h"

#include <string.h>

enum {
  HEADER_MOST = COHO_FRAME_HEADER_MAX,
  CONTROL_MOST = COHO_ENGINE_CLOSE_ROOM, /* a whole control frame */
#ifdef COHO_HARD
  DIRECT = 64,
  SMALL = 32,
  SHARE_LEAST = 8,
  PIECES = 4,
  AHEAD = 256,
#else
  /* From here on a server's payload is written from where it is: copying costs more than another
     system call. */
  DIRECT = 16 * 1024,
  SMALL = 4 * 1024, /* up to here a frame is copied into the queue's shared chunks */
  /* From here on sharing a frame with other queues takes less than copying it; below, a long queue
     of shared ones would be several times what is counted. */
  SHARE_LEAST = 256,
  PIECES = 64, /* of one writev(2) */
  /* What is published waits in a connection's queue up to here, beyond in the history of its topic,
     which all subscribers share: enough for a fast network between two events of the socket. */
  AHEAD = 256 * 1024,
#endif
  TAIL_MOST = 3 /* cork, header, payload */
};

/* writev(2) does not change what it is given, but its type cannot say so. */
static struct iovec piece(const void *data, size_t len) {
  union {
    const void *in;
    void *out;
  } u = {.in = data};
  return (struct iovec){.iov_base = u.out, .iov_len = len};
}

/* ---- what waits ----------------------------------------------------------------------------- */

struct coho__pending *coho__conn_pending(coho_conn *c) {
  if (c->pending) return c->pending;
  struct coho__pending *p = (struct coho__pending *)coho__alloc(sizeof *p);
  if (!p) return NULL;
  *p = (struct coho__pending){.in = COHO_BUF(SIZE_MAX)};
  coho__outq_init(&p->out);
  coho__outq_init(&p->held);
  c->pending = p;
  return p;
}

void coho__conn_settle(coho_conn *c) {
  struct coho__pending *p = c->pending;
  if (!p || p->out.bytes || p->held.bytes || p->in.len) return;
  coho__free(p, sizeof *p);
  c->pending = NULL;
}

static size_t corked_bytes(const coho_conn *c) {
  return coho__conn_corked(c) ? c->home->loop->cork.len : 0;
}

size_t coho_conn_queued(const coho_conn *c) {
  size_t held = c->pending ? c->pending->held.bytes : 0;
  return coho__conn_waiting(c) + held + corked_bytes(c);
}

/* A peer that does not read what it is sent is not read either, so that a program that answers
   each message never meets a full queue. */
static void choke(coho_conn *c) {
  size_t waiting = coho__conn_waiting(c);
  if (waiting <= c->opt->pause_mark)
    coho__conn_go(c, COHO_STOP_CHOKED);
  else if (!(c->opt->set.flags & COHO_NO_AUTO_PAUSE) && coho__engine_open(&c->engine))
    coho__conn_stop(c, COHO_STOP_CHOKED);
}

/* Bytes joined the queue. */
static void grown(coho_conn *c) {
  choke(c);
  if (c->blocked) return;
  if (c->pending->out.bytes > c->opt->cork_mark) coho__conn_flush(c);
  if (!coho__conn_corked(c)) coho__conn_soon(c); /* which also gives an empty queue back */
}

/* ---- to the socket -------------------------------------------------------------------------- */

static void note_sent(coho_conn *c, size_t n) {
  if (c->state != COHO_CONN_CONNECTING && c->more.note) c->more.note->sent += n;
  if (c->pending) c->pending->progress_ms = coho__loop_time(c->home->loop);
}

static void set_blocked(coho_conn *c) {
  c->blocked = c->engine.blocked = true;
  c->retime = true;
  if (c->pending) c->pending->progress_ms = coho__loop_time(c->home->loop);
  if (!coho__conn_corked(c)) coho__conn_soon(c);
}

/* Takes n written bytes off the queue, then off the tail. */
static void advance(coho_conn *c, struct iovec *tail, int count, size_t n) {
  size_t queued = COHO_MIN(n, coho__conn_waiting(c));
  if (queued) coho__outq_sent(&c->pending->out, queued);
  n -= queued;
  for (int i = 0; i < count && n; i++) {
    size_t part = COHO_MIN(n, tail[i].iov_len);
    tail[i] = piece((const char *)tail[i].iov_base + part, tail[i].iov_len - part);
    n -= part;
  }
}

/* One writev of n pieces, of which the last `count` are the tail. False: the socket takes no more. */
static bool write_pieces(coho_conn *c, const struct iovec *iov, int n, struct iovec *tail,
                         int count) {
  size_t want = 0;
  for (int i = 0; i < n; i++)
    want += iov[i].iov_len;
  if (want == 0) return false;
  ssize_t got = coho__stream_writev(c->stream, iov, n);
  if (got < 0 && got != COHO_STREAM_AGAIN) {
    coho__conn_break(c, (int)got);
    return false;
  }
  bool whole = got >= 0 && (size_t)got == want;
  if (got > 0) {
    advance(c, tail, count, (size_t)got);
    note_sent(c, (size_t)got);
  }
  if (!whole) set_blocked(c);
  return whole;
}

/* The queue and, when all of that fits, the tail. */
static bool write_queue(coho_conn *c, struct iovec *tail, int count) {
  struct iovec iov[PIECES];
  int n = coho__outq_iov(&c->pending->out, iov, PIECES - TAIL_MOST);
  bool whole = (size_t)n == c->pending->out.count;
  for (int i = 0; whole && i < count; i++)
    if (tail[i].iov_len) iov[n++] = tail[i];
  return write_pieces(c, iov, n, tail, count);
}

/* Mostly nothing waits, and the tail goes out as it is. */
static bool write_once(coho_conn *c, struct iovec *tail, int count) {
  if (coho__conn_waiting(c)) return write_queue(c, tail, count);
  return write_pieces(c, tail, count, tail, count);
}

/* What was promised and not written waits in the queue. */
static void queue_tail(coho_conn *c, struct iovec *tail, int count) {
  for (int i = 0; i < count; i++) {
    if (!tail[i].iov_len) continue;
    struct coho__pending *p = coho__conn_pending(c);
    /* The deadline of a queue runs from its first byte. */
    if (p && !p->out.bytes) p->progress_ms = coho__loop_time(c->home->loop);
    if (!p || coho__outq_copy(&p->out, tail[i].iov_base, tail[i].iov_len)) {
      coho__conn_break(c, COHO_ENOMEM);
      return;
    }
  }
}

/* Writes the queue, then the tail; what the socket does not take of the tail is copied. */
static void push(coho_conn *c, struct iovec *tail, int count) {
  while (!c->blocked && !c->broken && write_once(c, tail, count)) {}
  if (c->broken) return;
  queue_tail(c, tail, count);
  if (c->pending || c->stop & COHO_STOP_CHOKED) choke(c);
}

void coho__conn_flush(coho_conn *c) {
  struct coho__buf *cork = &c->home->loop->cork;
  size_t corked = corked_bytes(c);
  if (!corked && !coho__conn_waiting(c)) return;
  if (!c->broken && !(c->stop & COHO_STOP_DOOMED)) {
    struct iovec tail = piece(cork->data, corked);
    push(c, &tail, 1);
  }
  if (corked) cork->len = 0;
}

bool coho__conn_room(coho_conn *c) {
  if (coho_conn_queued(c) <= AHEAD) return true;
  coho__conn_flush(c);
  if (coho_conn_queued(c) <= AHEAD) return true;
  c->want_room = true;
  return false;
}

static void tell_room(coho_conn *c) {
  if (!c->want_room || coho_conn_queued(c) > AHEAD / 4 || !coho__conn_alive(c)) return;
  c->want_room = false;
  if (c->attached) c->home->table->attached_ops->room(c);
}

void coho__conn_drained(coho_conn *c) {
  c->blocked = false;
  coho__conn_flush(c);
  if (!c->blocked) {
    (void)coho__engine_unblock(&c->engine, &c->home->loop->cork);
    c->retime = true;
  }
  tell_room(c);
  if (!c->want_drain || coho__conn_waiting(c) > c->opt->set.low_mark || !coho__conn_alive(c))
    return;
  c->want_drain = false;
  if (c->opt->set.on_drain) c->opt->set.on_drain(c);
}

/* ---- to the queue --------------------------------------------------------------------------- */

/* The queue, with the cork behind it, so that more may follow in order. NULL: out of memory. */
static struct coho__outq *open_queue(coho_conn *c) {
  struct coho__pending *p = coho__conn_pending(c);
  if (!p) return NULL;
  size_t corked = corked_bytes(c);
  if (!corked) return &p->out;
  struct coho__buf *cork = &c->home->loop->cork;
  if (coho__outq_copy(&p->out, cork->data, corked)) return NULL;
  cork->len = 0;
  return &p->out;
}

/* Bytes that are a whole frame: corked or queued. 0 or COHO_ENOMEM. */
static int append(coho_conn *c, const void *data, size_t len) {
  struct coho__buf *cork = &c->home->loop->cork;
  if (coho__conn_corked(c) && cork->max - cork->len >= len)
    return coho__buf_append(cork, data, len);
  struct coho__outq *q = open_queue(c);
  if (!q || coho__outq_copy(q, data, len)) return COHO_ENOMEM;
  grown(c);
  return 0;
}

/* Behind what waits, shared or copied. 0 or COHO_ENOMEM. */
static int join(struct coho__outq *q, struct coho__chunk *chunk) {
  if (chunk->len < SHARE_LEAST && q->bytes >= SMALL)
    return coho__outq_copy(q, chunk->data, chunk->len);
  return coho__outq_share(q, chunk, 0, chunk->len);
}

static int append_chunk(coho_conn *c, struct coho__chunk *chunk) {
  struct coho__outq *q = open_queue(c);
  if (!q || join(q, chunk)) return COHO_ENOMEM;
  grown(c);
  return 0;
}

/* The frame in a chunk of its own. NULL: out of memory. */
static struct coho__chunk *frame_chunk(struct coho__engine *e, const coho_msg *m) {
  struct coho__chunk *chunk = coho__chunk_new(HEADER_MOST + m->len);
  if (!chunk) return NULL;
  struct coho__buf b = {.data = chunk->data, .cap = chunk->cap, .max = chunk->cap};
  int err = coho__engine_send(e, &b, *m);
  COHO_ASSERT(!err); /* there is room, and the caller asked whether it may */
  chunk->len = b.len;
  return chunk;
}

static int send_queued(coho_conn *c, const coho_msg *m) {
  if (m->len <= SMALL) {
    char bytes[HEADER_MOST + SMALL];
    struct coho__buf b = {.data = bytes, .cap = sizeof bytes, .max = sizeof bytes};
    int err = coho__engine_send(&c->engine, &b, *m);
    return err ? err : append(c, b.data, b.len);
  }
  struct coho__chunk *chunk = frame_chunk(&c->engine, m);
  if (!chunk) return COHO_ENOMEM;
  int err = append_chunk(c, chunk);
  coho__chunk_unref(chunk);
  return err;
}

/* The payload is written from where it is. */
static int send_direct(coho_conn *c, const coho_msg *m) {
  char header[HEADER_MOST];
  struct coho__buf h = {.data = header, .cap = sizeof header, .max = sizeof header};
  struct coho__buf *cork = &c->home->loop->cork;
  int err = coho__engine_send_header(&c->engine, &h, m);
  if (err) return err;
  size_t corked = corked_bytes(c);
  struct iovec tail[] = {piece(cork->data, corked), piece(header, h.len), piece(m->data, m->len)};
  push(c, tail, 3);
  if (corked) cork->len = 0;
  return 0;
}

/* m as it goes on the wire. */
static int send_wire(coho_conn *c, const coho_msg *m) {
  struct coho__buf *cork = &c->home->loop->cork;
  if (m->len >= DIRECT && c->opt->engine.role == COHO_SERVER) return send_direct(c, m);
  if (!coho__conn_corked(c) || m->len >= DIRECT || cork->max - cork->len < HEADER_MOST + m->len)
    return send_queued(c, m);
  int err = coho__engine_send(&c->engine, cork, *m);
  if (!err && cork->len > c->opt->cork_mark) coho__conn_flush(c);
  return err;
}

/* What the program sends compressed, for those who watch the connection. */
static void show(coho_conn *c, const coho_msg *m) {
  struct coho__meter *n = c->engine.meter;
  const struct coho__frame f = {.len = m->len, .opcode = (uint8_t)m->type, .fin = true};
  if (n && n->watches) coho__meter_message(n, &f, m->data, true);
}

/* A frame that was made elsewhere. */
static void meter_framed(coho_conn *c, const coho_msg *m, const struct coho__chunk *chunk) {
  struct coho__meter *n = coho__engine_meter(&c->engine);
  struct coho__frame f;
  if (!n) return;
  int size = coho__frame_read(&f, (const uint8_t *)chunk->data, chunk->len,
                              (struct coho__frame_rules){.rsv1 = true});
  COHO_ASSERT(size > 0);
  if (f.rsv1) show(c, m);
  coho__meter_sent(n, &f, chunk->data + size);
}

static int send_frame(coho_conn *c, const coho_msg *m) {
  coho_msg wire;
  coho__engine_pack(&c->engine, m, &wire);
  if (wire.data != m->data) show(c, m);
  int err = send_wire(c, &wire);
  if (err) coho__engine_forget(&c->engine);
  return err;
}

/* ---- what programs send --------------------------------------------------------------------- */

/* The frame's size on the wire (RFC 6455 5.2). */
static uint64_t frame_size(const coho_conn *c, size_t len) {
  bool masked = c->opt->engine.role == COHO_CLIENT;
  return (uint64_t)coho__frame_header_size(len, masked) + len;
}

/* While memory is tight, a queue that the peer does not read stays small. */
static bool affordable(uint64_t waiting, uint64_t size) {
  return waiting + size <= COHO_MEMORY_SMALL || coho__memory_spare((size_t)size);
}

/* Whether the queue, when there is one, takes a frame of this size. */
static bool has_room(const coho_conn *c, uint64_t size) {
  uint64_t waiting = coho__conn_waiting(c);
  return waiting + size <= c->opt->set.max_queue && (!waiting || affordable(waiting, size));
}

/* 0, COHO_ETOOBIG, COHO_EFULL (on_drain will come), COHO_ECLOSED. */
static int make_room(coho_conn *c, size_t len) {
  uint64_t size = frame_size(c, len);
  if (len > SIZE_MAX - HEADER_MOST || size > c->opt->set.max_queue) return COHO_ETOOBIG;
  if (has_room(c, size + corked_bytes(c))) return 0;
  coho__conn_flush(c);
  if (c->broken) return COHO_ECLOSED;
  if (has_room(c, size)) return 0;
  c->want_drain = true;
  return COHO_EFULL;
}

static void meter(coho_conn *c, const coho_msg *m) {
  struct coho__meter *n = coho__engine_meter(&c->engine);
  if (!n) return;
  if (!(m->flags & COHO_MORE)) n->messages_out++;
  n->payload_out += m->len;
}

static void count_sent(coho_conn *c, const coho_msg *m) {
  struct coho__counters *n = c->home->counters;
  meter(c, m);
  coho__conn_talked(c);
  if (!(m->flags & COHO_MORE)) coho__count(&n->messages_out, 1);
  coho__count(&n->bytes_out, m->len);
}

static int result(coho_conn *c) {
  if (c->broken) return COHO_ECLOSED;
  if (!c->blocked) return COHO_SENT;
  c->want_drain = true;
  return COHO_QUEUED;
}

void coho__conn_release(coho_conn *c) {
  if (c->engine.sending || !c->pending || !c->pending->held.bytes) return;
  struct coho__outq *q = open_queue(c);
  if (!q || coho__outq_splice(q, &c->pending->held)) {
    coho__conn_break(c, COHO_ENOMEM);
    return;
  }
  grown(c);
  /* When the socket takes all of it no event comes. */
  if (c->want_room && !c->blocked) coho__conn_flush(c);
  tell_room(c);
}

int coho_send(coho_conn *c, coho_msg m) {
  if (!coho__conn_alive(c)) return COHO_ECLOSED;
  int err = coho__engine_may_send(&c->engine, &m);
  if (!err) err = make_room(c, m.len);
  if (err) return err;
  uint8_t sending = c->engine.sending;
  err = send_frame(c, &m);
  if (err) {
    c->engine.sending = sending; /* nothing was taken, so nothing was begun or ended */
    return err;
  }
  count_sent(c, &m);
  if (sending) coho__conn_release(c);
  return result(c);
}

int coho_ping(coho_conn *c, const void *data, size_t len) {
  char bytes[CONTROL_MOST];
  struct coho__buf b = {.data = bytes, .cap = sizeof bytes, .max = sizeof bytes};
  if (!coho__conn_alive(c)) return COHO_ECLOSED;
  int err = coho__engine_ping(&c->engine, &b, data, len);
  if (!err) err = make_room(c, len);
  if (err) return err == COHO_ETOOBIG ? COHO_EFULL : err;
  return append(c, b.data, b.len);
}

int coho_close(coho_conn *c, int code, const char *reason) {
  char bytes[CONTROL_MOST];
  struct coho__buf b = {.data = bytes, .cap = sizeof bytes, .max = sizeof bytes};
  if (c->state == COHO_CONN_CONNECTING && !(c->stop & COHO_STOP_DOOMED)) {
    coho__conn_doom(c, COHO_ESTOPPED);
    return 0;
  }
  if (!coho__conn_alive(c)) return COHO_ECLOSED;
  int err = coho__engine_close(&c->engine, &b, code, reason);
  if (err) return err;
  err = append(c, b.data, b.len);
  if (err) {
    coho__conn_doom(c, err);
    return err;
  }
  /* What waits for a message to end will never follow; the peer's answer is to be seen. */
  if (c->pending) coho__outq_free(&c->pending->held);
  coho__conn_go(c, COHO_STOP_PAUSED);
  coho__conn_go(c, COHO_STOP_CHOKED);
  coho__conn_go(c, COHO_STOP_RATED);
  c->retime = true;
  coho__conn_soon(c);
  return 0;
}

/* ---- what others send to it ----------------------------------------------------------------- */

/* Frames a whole message although another one is being sent in parts. A context is not to know of it
   before its turn: it stays uncompressed. */
static struct coho__chunk *frame_out_of_turn(coho_conn *c, const coho_msg *m) {
  /* A whole message leaves no trace in the engine. */
  uint8_t sending = c->engine.sending;
  c->engine.sending = 0;
  struct coho__chunk *chunk = frame_chunk(&c->engine, m);
  c->engine.sending = sending;
  return chunk;
}

static int hold(coho_conn *c, const coho_msg *m, struct coho__chunk *framed) {
  struct coho__pending *p = coho__conn_pending(c);
  if (!p) return COHO_ENOMEM;
  uint64_t waiting = (uint64_t)p->out.bytes + p->held.bytes + corked_bytes(c);
  uint64_t size = frame_size(c, m->len);
  if (waiting + size > c->opt->set.max_queue || !affordable(waiting, size)) return COHO_EFULL;
  if (framed) return join(&p->held, framed);
  struct coho__chunk *chunk = frame_out_of_turn(c, m);
  if (!chunk) return COHO_ENOMEM;
  int err = join(&p->held, chunk);
  coho__chunk_unref(chunk);
  return err;
}

/* A client that is still connecting takes messages: whoever has its id need not know when it opens. */
static bool takes(const coho_conn *c) {
  if (c->state == COHO_CONN_CONNECTING) return !(c->stop & COHO_STOP_DOOMED);
  return coho__conn_alive(c) && coho__engine_open(&c->engine);
}

static int insert(coho_conn *c, const coho_msg *m, struct coho__framed *framed) {
  if (!takes(c)) return COHO_ECLOSED;
  /* Clients mask each frame anew. */
  bool shared = framed && c->opt->engine.role == COHO_SERVER;
  struct coho__chunk *chunk =
      shared ? coho__framed_chunk(framed, c->engine.permessage, c->opt->set.deflate.min_size)
             : NULL;
  int err;
  if (c->engine.sending || c->state == COHO_CONN_CONNECTING) {
    err = hold(c, m, chunk);
  } else {
    err = make_room(c, m->len);
    if (!err) err = chunk ? append_chunk(c, chunk) : send_frame(c, m);
  }
  if (!err && chunk) meter_framed(c, m, chunk);
  if (!err) count_sent(c, m);
  return err;
}

int coho__conn_insert(coho_conn *c, const coho_msg *m) { return insert(c, m, NULL); }

int coho__conn_insert_framed(coho_conn *c, struct coho__framed *framed) {
  return insert(c, coho__framed_msg(framed), framed);
}

void coho__conn_overflow(coho_conn *c, int err) {
  char peer[COHO_ADDR_MAX];
  bool slow = err == COHO_EFULL;
  coho__log(COHO_LOG_INFO, "%s is closed: %s", coho_conn_peer(c, peer, sizeof peer),
            slow ? "it does not keep up" : "a message is larger than its max_queue");
  (void)coho_close(c, slow ? 1013 : 1009, slow ? "too slow" : "message too big");
}
