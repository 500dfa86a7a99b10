/*
 * The TLS stream between an owner of coho's kind and a peer of OpenSSL's, over a wire that the input
 * governs: how much arrives at a time, what is turned, lost or put in between, when it ends, how much
 * room there is. Whatever happens, each side gets nothing but what the other sent, from the first byte
 * on; and all of it as long as nobody harmed the wire.
 */
#include "io/stream_tls.h"

#include "base/alloc.h"
#include "support/claim.h"
#include "support/input.h"
#include "support/memory.h"
#include "support/stream_memory.h"
#include "support/tls_peer.h"

#include <coho/tls.h>
#include <openssl/err.h>

enum {
  STEPS_MOST = 400, /* of an input */
  TURNS_MOST = 20000,
  PIECE = 4096, /* at a time to and from the stream in memory */
  ROOM = 64 * 1024,
  MEMORY_MOST = 4 * 1024 * 1024, /* the loop's shared buffers above all */
  PIECES = 3,                    /* of a vector */
  MOST_AT_ONCE = UINT8_MAX * 300
};

/* Of the first byte. */
enum { CLIENT = 1, OLD = 2, TWICE = 4, RAW = 8, NARROW = 16, SLOW = 32, FIRST_FLIGHT = 64 };

/* What an input does, a byte for what and one for how much. */
enum op {
  DELIVER,
  PEER_SENDS,
  OWNER_SENDS,
  TURN_A_BIT,
  LOSE,
  PUT_IN,
  PEER_REKEYS,
  PEER_TICKET,
  PEER_ENDS,
  OWNER_ENDS,
  WIRE_ENDS,
  WIRE_BREAKS,
  HOLD,
  GO_ON,
  OPS
};

struct run {
  coho_loop *loop;
  struct coho__stream *s;    /* coho's; NULL: closed */
  struct coho__stream *wire; /* its other end; NULL: closed */
  struct tls_peer peer;
  struct tape *out;        /* what came out of the wire, or NULL */
  size_t asks;             /* bytes that the owner reads at a time */
  size_t received;         /* by the owner */
  size_t to_send, taken;   /* by the owner, by the stream */
  ssize_t end;             /* 1: reading goes on */
  ssize_t broken;          /* an error of writing */
  bool met;                /* the stream gave an event: the handshake is over */
  bool held, missed;       /* the owner does not read, though it should have */
  bool shut, shutting;     /* by the owner, when all was taken */
  bool harmed, wire_ended; /* no longer what the peer sent */
};

/* ---- the owner ------------------------------------------------------------------------------ */

static enum tls_side theirs(const struct run *r) { return r->peer.side; }
static enum tls_side ours(const struct run *r) {
  return theirs(r) == FROM_SERVER ? FROM_CLIENT : FROM_SERVER;
}

static void owner_reads(struct run *r, unsigned events) {
  r->missed = r->held;
  while (!r->held && r->end == 1) {
    uint8_t *buf = (uint8_t *)malloc(r->asks);
    CLAIM(buf != NULL);
    ssize_t n = coho__stream_read(r->s, buf, r->asks);
    CLAIM(n <= (ssize_t)r->asks);
    for (ssize_t i = 0; i < n; i++)
      CLAIM(buf[i] == tls_pattern(theirs(r), r->received + (size_t)i));
    free(buf);
    if (n == COHO_STREAM_AGAIN) return;
    if (n > 0) r->received += (size_t)n;
    if (n <= 0) r->end = n;
    if ((size_t)n < r->asks && !(events & COHO_IO_HANGUP)) return;
  }
}

/* Up to three pieces of what is to be sent, of which one is empty. */
static ssize_t write_some(struct run *r, size_t len) {
  static uint8_t data[MOST_AT_ONCE];
  for (size_t i = 0; i < len; i++)
    data[i] = tls_pattern(ours(r), r->taken + i);
  size_t first = len / 3;
  struct iovec iov[PIECES] = {{data, first}, {data + first, 0}, {data + first, len - first}};
  return coho__stream_writev(r->s, iov, PIECES);
}

static void owner_writes(struct run *r) {
  if (!r->met) return;
  while (r->taken < r->to_send && !r->broken) {
    size_t len = COHO_MIN(r->to_send - r->taken, (size_t)MOST_AT_ONCE);
    ssize_t n = write_some(r, len);
    CLAIM(n != 0 && n <= (ssize_t)len);
    if (n == COHO_STREAM_AGAIN) return;
    if (n < 0) r->broken = n;
    if (n > 0) r->taken += (size_t)n;
    if (n < (ssize_t)len) return;
  }
  if (r->shutting && !r->shut && !r->broken) r->shut = coho__stream_shutdown(r->s) == 0;
}

static void on_event(struct coho__stream *s, unsigned events) {
  struct run *r = (struct run *)s->owner;
  CLAIM(r->s == s);
  r->met = true;
  if (events & (COHO_IO_READ | COHO_IO_HANGUP)) owner_reads(r, events);
  if (events & COHO_IO_WRITE) owner_writes(r);
  CLAIM(coho_memory_used() <= MEMORY_MOST);
}

/* ---- the wire ------------------------------------------------------------------------------- */

static void turn(struct run *r) {
  for (int i = 0; i < TURNS_MOST; i++) {
    CLAIM(coho_loop_turn(r->loop, 0) >= 0);
    if (coho_loop_timeout(r->loop) != 0) return;
  }
  claim_failed("the loop comes to rest", __FILE__, __LINE__);
}

static void ignore_event(struct coho__stream *s, unsigned events) {
  (void)s;
  (void)events;
}

/* What the stream sent, to the peer. Whether there was anything. */
static bool take_out(struct run *r) {
  char buf[PIECE];
  bool any = false;
  ssize_t n;
  while (r->wire && (n = coho__stream_read(r->wire, buf, sizeof buf)) > 0) {
    if (r->out) tape_bytes(r->out, buf, (size_t)n);
    if (r->peer.ssl) tls_peer_input(&r->peer, buf, (size_t)n);
    any = true;
    turn(r);
  }
  return any;
}

/* Bytes to the stream, as many as it has room for. */
static size_t put_in(struct run *r, const void *data, size_t len) {
  union {
    const void *in;
    void *out;
  } base = {.in = data};
  struct iovec iov = {base.out, len};
  if (!r->wire || len == 0) return 0;
  ssize_t n = coho__stream_writev(r->wire, &iov, 1);
  turn(r);
  return n > 0 ? (size_t)n : 0;
}

static size_t waiting(const struct run *r) { return r->peer.wire.len - r->peer.wire_at; }

static bool deliver(struct run *r, size_t len) {
  len = COHO_MIN(len, waiting(r));
  if (len == 0) return false;
  size_t n = put_in(r, r->peer.wire.data + r->peer.wire_at, len);
  r->peer.wire_at += n;
  return n > 0;
}

static void turn_a_bit(struct run *r, uint8_t arg) {
  size_t at = waiting(r) ? arg % waiting(r) : 0;
  if (!waiting(r)) return;
  r->peer.wire.data[r->peer.wire_at + at] ^= (char)(1 << (arg % 7));
  r->harmed = true;
}

static void end_wire(struct run *r, bool reset) {
  if (r->wire && reset) coho__stream_close(r->wire, true);
  if (r->wire && !reset) (void)coho__stream_shutdown(r->wire);
  if (reset) r->wire = NULL;
  r->harmed = r->harmed || waiting(r) || reset || !r->peer.open;
  r->wire_ended = true;
  turn(r);
}

/* ---- an input ------------------------------------------------------------------------------- */

static size_t large(uint8_t arg) { return arg < 0x80 ? arg : (size_t)(arg - 0x7f) * 300; }

static void do_op(struct run *r, enum op op, uint8_t arg, struct input *in) {
  switch (op) {
  case DELIVER: (void)deliver(r, arg ? large(arg) : waiting(r)); break;
  case PEER_SENDS: tls_peer_send(&r->peer, large(arg)); break;
  case OWNER_SENDS:
    if (!r->shutting) r->to_send += large(arg);
    owner_writes(r);
    break;
  case TURN_A_BIT: turn_a_bit(r, arg); break;
  case LOSE:
    if (waiting(r)) r->harmed = true;
    r->peer.wire_at += COHO_MIN(waiting(r), (size_t)arg);
    break;
  case PUT_IN:
    r->harmed = true;
    struct input piece = input_take(in, arg);
    (void)put_in(r, piece.data, piece.len);
    break;
  case PEER_REKEYS:
    /* A new handshake of TLS 1.2 is refused, which its peer takes for an end. */
    if (SSL_version(r->peer.ssl) != TLS1_3_VERSION) r->harmed = true;
    tls_peer_rekey(&r->peer);
    break;
  case PEER_TICKET: tls_peer_ticket(&r->peer); break;
  case PEER_ENDS: tls_peer_end(&r->peer); break;
  case OWNER_ENDS:
    r->shutting = true;
    owner_writes(r);
    break;
  case WIRE_ENDS: end_wire(r, false); break;
  case WIRE_BREAKS: end_wire(r, true); break;
  case HOLD: r->held = true; break;
  case GO_ON:
    r->held = false;
    if (r->missed) coho__stream_again(r->s, COHO_IO_READ);
    break;
  case OPS: break;
  }
}

/* Until nothing moves any more. */
static void settle(struct run *r) {
  r->held = false;
  coho__stream_again(r->s, COHO_IO_READ | COHO_IO_WRITE);
  bool moved = true;
  for (int i = 0; moved; i++) {
    CLAIM(i < TURNS_MOST);
    turn(r);
    moved = take_out(r);
    moved = deliver(r, PIECE) || moved;
  }
}

static void claim_complete(const struct run *r) {
  CLAIM(r->received <= r->peer.sent);
  CLAIM(r->peer.received <= r->to_send);
  if (r->harmed || (r->wire_ended && waiting(r))) return;
  CLAIM(r->peer.open && !r->peer.broken);
  CLAIM(r->received == r->peer.sent);
  bool peer_ended = SSL_get_shutdown(r->peer.ssl) & SSL_SENT_SHUTDOWN;
  CLAIM(r->end == (peer_ended || r->wire_ended ? 0 : 1));
  CLAIM(r->broken == 0 && r->taken == r->to_send);
  CLAIM(r->shut == r->shutting && r->peer.ended == r->shut);
  if (!r->peer.ended && !peer_ended) CLAIM(r->peer.received == r->taken);
}

static struct coho__stream *stream_on(struct coho__stream *inner, bool client, coho_tls *tls) {
  int err;
  struct coho__stream *s = client ? coho__stream_tls_client(inner, tls, "localhost", 443, &err)
                                  : coho__stream_tls_server(inner, tls, UINT32_MAX, &err);
  CLAIM(s != NULL && err == 0);
  return s;
}

static void open_stream(struct run *r, uint8_t flags, coho_tls *tls) {
  struct coho__stream *ends[2];
  r->loop = coho_loop_new();
  CLAIM(r->loop != NULL);
  size_t room = flags & NARROW ? 700 : ROOM;
  CLAIM(stream_memory(r->loop, room, flags & SLOW ? 50 : 0, ends) == 0);
  r->s = stream_on(ends[0], (flags & CLIENT) != 0, tls);
  r->s->owner = r;
  r->s->on_event = on_event;
  r->wire = ends[1];
  r->wire->on_event = ignore_event;
  r->end = 1;
}

static void close_stream(struct run *r, bool reset) {
  coho__stream_close(r->s, reset);
  r->s = NULL;
  (void)take_out(r);
  if (r->wire) coho__stream_close(r->wire, false);
  coho_loop_free(r->loop);
  CLAIM(ERR_peek_error() == 0);
}

/* ---- a conversation ------------------------------------------------------------------------- */

/* Until both are open, when nothing is to be in the way. */
static void converse(struct run *r, struct input in, bool openly) {
  if (openly) settle(r);
  for (int i = 0; i < STEPS_MOST && in.len > 0; i++) {
    enum op op = (enum op)(input_byte(&in) % OPS);
    do_op(r, op, input_byte(&in), &in);
    turn(r);
    (void)take_out(r);
  }
  settle(r);
  claim_complete(r);
}

/* The session of the peer is resumed by the next. */
static SSL_SESSION *session_of(const struct run *r, SSL_SESSION *before) {
  bool client = r->peer.side == FROM_CLIENT;
  SSL_SESSION *now = client && r->peer.open ? SSL_get1_session(r->peer.ssl) : NULL;
  SSL_SESSION_free(before);
  if (now && SSL_SESSION_is_resumable(now)) return now;
  SSL_SESSION_free(now);
  return NULL;
}

static void run_conversation(struct input in, uint8_t flags, coho_tls *tls) {
  SSL_SESSION *before = NULL;
  uint8_t asks = input_byte(&in);
  uint8_t how = input_byte(&in);
  for (int i = flags & TWICE ? 2 : 1; i > 0; i--) {
    struct run r = {.asks = large(asks) + 1};
    open_stream(&r, flags, tls);
    tls_peer_open(&r.peer, flags & CLIENT ? FROM_SERVER : FROM_CLIENT,
                  flags & OLD ? TLS1_2_VERSION : TLS1_3_VERSION, before);
    converse(&r, in, (how & 1) != 0);
    before = session_of(&r, before);
    close_stream(&r, (how & 2) != 0);
    tls_peer_close(&r.peer);
  }
  SSL_SESSION_free(before);
}

/* ---- bytes of nobody's ---------------------------------------------------------------------- */

/* In pieces, and then the end. */
static void run_raw(struct input in, const struct cuts *cuts, uint8_t flags, coho_tls *tls,
                    struct tape *t) {
  struct run r = {.asks = 1000, .out = t, .harmed = true};
  struct pieces pieces = pieces_of(in, cuts);
  char trouble[512];
  open_stream(&r, flags & CLIENT, tls); /* with room for all */
  tls_no_chance();
  turn(&r);
  (void)take_out(&r);
  while (pieces_next(&pieces)) {
    CLAIM(put_in(&r, pieces.block, pieces.len) == pieces.len || r.end != 1);
    (void)take_out(&r);
  }
  end_wire(&r, false);
  (void)take_out(&r);
  CLAIM(r.end != 1 && r.received == 0);
  coho__stream_tell(r.s, COHO_STREAM_TROUBLE, trouble, sizeof trouble);
  tape_print(t, "\nended with %d: %s\n", (int)r.end, trouble);
  r.out = NULL;
  close_stream(&r, false);
}

/* Behind what a client says first, if it is to be, with some of its bytes turned. */
static struct tape raw_bytes(struct input *in, uint8_t flags) {
  struct tape t = {NULL, 0, 0};
  struct tls_peer peer;
  if (flags & FIRST_FLIGHT && !(flags & CLIENT)) {
    uint8_t at = input_byte(in), turned = input_byte(in);
    tls_peer_open(&peer, FROM_CLIENT, flags & OLD ? TLS1_2_VERSION : TLS1_3_VERSION, NULL);
    tape_bytes(&t, peer.wire.data, peer.wire.len);
    t.data[at % t.len] ^= (char)turned;
    tls_peer_close(&peer);
  }
  tape_bytes(&t, in->data, in->len);
  return t;
}

static void run_whole_and_cut(struct input in, uint8_t flags, coho_tls *tls) {
  struct cuts cuts = cuts_read(&in);
  struct tape whole = {NULL, 0, 0}, cut = {NULL, 0, 0}, bytes = raw_bytes(&in, flags);
  struct input all = {(const uint8_t *)bytes.data, bytes.len};
  run_raw(all, &cuts_none, flags, tls, &whole);
  run_raw(all, &cuts, flags, tls, &cut);
  tape_same(&whole, &cut, "TLS");
  tape_free(&whole);
  tape_free(&cut);
  tape_free(&bytes);
}

static coho_tls *make_tls(bool client) {
  char why[256];
  coho_tls *tls = NULL;
  coho_tls_options o = {.flags = client ? COHO_TLS_INSECURE : COHO_TLS_SELF_SIGNED};
  CLAIM(coho_tls_new(&o, &tls, why, sizeof why) == 0);
  return tls;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct input in = {data, size};
  uint8_t flags = input_byte(&in);
  tls_no_chance();
  memory_fail_at(0);
  coho_tls *tls = make_tls((flags & CLIENT) != 0);
  if (flags & RAW)
    run_whole_and_cut(in, flags, tls);
  else
    run_conversation(in, flags, tls);
  coho_tls_free(tls);
  memory_claim_empty();
  return 0;
}
