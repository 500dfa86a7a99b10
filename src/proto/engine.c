#include "proto/engine.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/random.h"
#include "base/view.h"
#include "proto/assemble.h"
#include "proto/close_code.h"
#include "proto/frame.h"
#include "proto/mask.h"

#include <string.h>

enum {
  OPEN,   /* frames are read; with close_sent only a Close is of interest */
  FAILED, /* COHO_ERROR is due */
  DYING,  /* COHO_CLOSE is due, not clean */
  ENDED   /* COHO_CLOSE was delivered; input is discarded */
};

/* Pings that may come while none can be answered. Honest peers send a few a minute. */
enum { FLOOD_BUDGET = 1000 };

struct coho__busy {
  struct coho__assembly assembly;
  uint32_t message_since; /* ms, low 32 bits; once message_timed */
  uint32_t flood;         /* pings since the output is blocked */
  bool message_timed;
  bool delivered;  /* the event just given views assembly.bytes */
  bool pong_waits; /* until output drains */
  uint8_t pong_len;
  uint8_t header_len; /* bytes of a header cut by the input */
  uint8_t control_len;
  uint8_t header[COHO_FRAME_HEADER_MAX];
  uint8_t control[COHO_CONTROL_MAX]; /* payload of a control frame cut by the input */
  uint8_t pong[COHO_CONTROL_MAX];
};

void coho__engine_random(const struct coho__engine_conf *conf, void *buf, size_t len) {
  if (conf->random)
    conf->random(conf->random_ctx, buf, len);
  else
    coho__random(buf, len);
}

void coho__engine_init(struct coho__engine *e, const struct coho__engine_conf *conf) {
  *e = (struct coho__engine){.conf = conf};
  coho__keepalive_heard(&e->keepalive); /* silence begins with the first look at the clock */
}

static void drop_busy(struct coho__engine *e) {
  if (!e->busy) return;
  coho__assembly_free(&e->busy->assembly);
  coho__free(e->busy, sizeof *e->busy);
  e->busy = NULL;
}

void coho__engine_free(struct coho__engine *e) { drop_busy(e); }

static struct coho__busy *need_busy(struct coho__engine *e) {
  if (e->busy) return e->busy;
  e->busy = (struct coho__busy *)coho__zalloc(sizeof *e->busy);
  if (e->busy) coho__assembly_init(&e->busy->assembly);
  return e->busy;
}

/* Gives memory back as soon as nothing is half done. */
static void settle(struct coho__engine *e) {
  struct coho__busy *b = e->busy;
  if (!b) return;
  if (b->delivered) {
    coho__assembly_reset(&b->assembly);
    b->delivered = false;
  }
  if (!e->message && !e->in_frame && !b->header_len && !b->pong_waits) drop_busy(e);
}

bool coho__engine_open(const struct coho__engine *e) {
  return e->state == OPEN && !e->close_sent && !e->close_received;
}

bool coho__engine_ended(const struct coho__engine *e) { return e->state == ENDED; }

bool coho__engine_clean(const struct coho__engine *e) {
  return e->close_sent && e->close_received && e->err == 0;
}

bool coho__engine_idle(const struct coho__engine *e) {
  return !e->message && !e->in_frame && !(e->busy && e->busy->header_len);
}

#define NO_REASON ((struct coho__view){NULL, 0})

/* ---- sending ------------------------------------------------------------------------------- */

/* Appends a frame; without copy_payload only its header. */
static int append_frame(struct coho__engine *e, struct coho__buf *out, struct coho__frame *f,
                        const void *data, bool copy_payload) {
  f->masked = e->conf->role == COHO_CLIENT;
  COHO_ASSERT(copy_payload || !f->masked);
  size_t payload = copy_payload ? (size_t)f->len : 0;
  size_t size = coho__frame_header_size(f->len, f->masked);
  if (payload > SIZE_MAX - size) return COHO_EFULL;
  size += payload;
  char *dst = coho__buf_reserve(out, size);
  if (!dst) return out->max - out->len < size ? COHO_EFULL : COHO_ENOMEM;

  /* A fresh, unpredictable key for each frame (5.3). */
  if (f->masked) coho__engine_random(e->conf, &f->key, sizeof f->key);
  size_t header = coho__frame_write((uint8_t *)dst, f);
  if (payload) {
    memcpy(dst + header, data, payload);
    if (f->masked) coho__mask(dst + header, payload, f->key);
  }
  out->len += header + payload;
  return 0;
}

static int append_control(struct coho__engine *e, struct coho__buf *out, uint8_t opcode,
                          const void *data, size_t len) {
  struct coho__frame f = {.len = len, .opcode = opcode, .fin = true};
  return append_frame(e, out, &f, data, true);
}

int coho__engine_may_send(const struct coho__engine *e, const coho_msg *m) {
  if (!coho__engine_open(e)) return COHO_ECLOSED;
  if (m->type > COHO_BINARY || (m->flags & ~(uint32_t)COHO_MORE)) return COHO_EINVAL;
  return e->sending && m->type && m->type != e->sending ? COHO_EBUSY : 0;
}

static int send_data(struct coho__engine *e, struct coho__buf *out, const coho_msg *m,
                     bool copy_payload) {
  int err = coho__engine_may_send(e, m);
  if (err) return err;
  uint8_t type = m->type ? (uint8_t)m->type : COHO_OP_BINARY;
  struct coho__frame f = {.len = m->len,
                          .opcode = e->sending ? COHO_OP_CONTINUATION : type,
                          .fin = !(m->flags & COHO_MORE)};
  err = append_frame(e, out, &f, m->data, copy_payload);
  if (err) return err;
  if (f.fin)
    e->sending = 0;
  else if (!e->sending)
    e->sending = type;
  return 0;
}

int coho__engine_send(struct coho__engine *e, struct coho__buf *out, coho_msg m) {
  return send_data(e, out, &m, true);
}

int coho__engine_send_header(struct coho__engine *e, struct coho__buf *out, const coho_msg *m) {
  return send_data(e, out, m, false);
}

int coho__engine_ping(struct coho__engine *e, struct coho__buf *out, const void *data, size_t len) {
  if (len > COHO_CONTROL_MAX) return COHO_EINVAL;
  if (!coho__engine_open(e)) return COHO_ECLOSED;
  return append_control(e, out, COHO_OP_PING, data, len);
}

int coho__engine_pong(struct coho__engine *e, struct coho__buf *out, const void *data, size_t len) {
  if (len > COHO_CONTROL_MAX) return COHO_EINVAL;
  if (!coho__engine_open(e)) return COHO_ECLOSED;
  return append_control(e, out, COHO_OP_PONG, data, len);
}

/* code 0: without body. */
static int append_close(struct coho__engine *e, struct coho__buf *out, unsigned code,
                        struct coho__view reason) {
  uint8_t body[COHO_CONTROL_MAX];
  body[0] = (uint8_t)(code >> 8);
  body[1] = (uint8_t)code;
  if (reason.len) memcpy(body + 2, reason.data, reason.len);
  int err = append_control(e, out, COHO_OP_CLOSE, body, code ? 2 + reason.len : 0);
  if (err) return err;
  e->close_sent = true;
  e->sending = 0;
  coho__keepalive_heard(&e->keepalive); /* closing begins with the next look at the clock */
  return 0;
}

int coho__engine_close(struct coho__engine *e, struct coho__buf *out, int code,
                       const char *reason) {
  size_t len = reason ? strlen(reason) : 0;
  if (code != 0 && !coho__close_code_sendable(code, (coho_role)e->conf->role)) return COHO_EINVAL;
  if (len > (code ? COHO_CLOSE_REASON_MAX : 0) || !coho__utf8_valid(reason, len))
    return COHO_EINVAL;
  if (!coho__engine_open(e)) return COHO_ECLOSED;
  return append_close(e, out, (unsigned)code, (struct coho__view){reason, len});
}

int coho__engine_unblock(struct coho__engine *e, struct coho__buf *out) {
  e->blocked = false;
  struct coho__busy *b = e->busy;
  if (!b) return 0;
  b->flood = 0;
  if (!b->pong_waits) return 0;
  int err = coho__engine_open(e) ? append_control(e, out, COHO_OP_PONG, b->pong, b->pong_len) : 0;
  if (!err) b->pong_waits = false;
  return err;
}

/* ---- failing ------------------------------------------------------------------------------- */

/* Ends the connection: the peer is told the code that belongs to err, if any; input is over. */
static void fail(struct coho__engine *e, struct coho__buf *out, int err) {
  if (e->state != OPEN) return;
  int code = coho_error_answer(err);
  /* Without room for it the peer gets no Close frame, which 7.1.7 allows. */
  if (code >= 1000 && !e->close_sent) append_close(e, out, (unsigned)code, NO_REASON);
  e->err = (int16_t)err;
  e->state = FAILED;
  e->in = e->in_end;
}

void coho__engine_eof(struct coho__engine *e, int err) {
  if (e->state != OPEN) return;
  e->err = (int16_t)(err ? err : COHO_EABNORMAL);
  e->state = FAILED;
  e->in = e->in_end;
}

/* The events after fail(): COHO_ERROR, then COHO_CLOSE. */
static void report_failure(struct coho__engine *e, coho_event *ev) {
  bool first = e->state == FAILED;
  *ev = (coho_event){.type = first ? COHO_ERROR : COHO_CLOSE, .err = e->err};
  if (!first) ev->code = COHO_CODE_ABNORMAL;
  e->state = first ? DYING : ENDED;
}

/* ---- receiving: headers -------------------------------------------------------------------- */

void coho__engine_input(struct coho__engine *e, void *data, size_t len) {
  COHO_ASSERT(e->in == e->in_end);
  if (e->state != OPEN) return;
  e->in = (uint8_t *)data;
  e->in_end = e->in + len;
  if (len && !e->close_sent) coho__keepalive_heard(&e->keepalive);
}

/* The header at the front of the input, together with what an earlier input held of it. Its size,
   0 when it is not complete (all input is kept), or an error. */
static int take_header(struct coho__engine *e, struct coho__frame *f) {
  bool masked = e->conf->role == COHO_SERVER;
  size_t n = (size_t)(e->in_end - e->in);
  size_t kept = e->busy ? e->busy->header_len : 0;
  if (kept == 0) {
    int size = coho__frame_read(f, e->in, n, masked);
    if (size > 0) e->in += size;
    if (size != 0) return size;
  }
  struct coho__busy *b = need_busy(e);
  if (!b) return COHO_ENOMEM;
  n = COHO_MIN(n, sizeof b->header - kept);
  memcpy(b->header + kept, e->in, n);
  int size = coho__frame_read(f, b->header, kept + n, masked);
  if (size == 0)
    b->header_len = (uint8_t)(kept + n);
  else
    b->header_len = 0;
  e->in += size > 0 ? (size_t)size - kept : n;
  return size;
}

static int begin_message(struct coho__engine *e, const struct coho__frame *f) {
  bool continues = f->opcode == COHO_OP_CONTINUATION;
  if (continues && !e->message) return COHO_ECONTINUATION;
  if (!continues && e->message) return COHO_EINTERLEAVED;
  if (f->len > e->conf->max_frame) return COHO_EFRAMETOOBIG;
  if (f->len > e->conf->max_message) return COHO_ETOOBIG;
  if (!continues) {
    e->message = f->opcode;
    e->utf8 = COHO_UTF8_START;
    /* A message in one frame needs no accounts. */
    if (f->fin) return 0;
  }
  struct coho__busy *b = need_busy(e);
  if (!b) return COHO_ENOMEM;
  return coho__assembly_frame(&b->assembly, f->len, e->conf->max_message);
}

static int begin_frame(struct coho__engine *e, const struct coho__frame *f) {
  /* After our Close data is skipped, whatever it is (1.4); but it must still be frames. */
  int err = coho__opcode_is_control(f->opcode) || e->close_sent ? 0 : begin_message(e, f);
  if (err) return err;
  e->opcode = f->opcode;
  e->fin = f->fin;
  e->left = f->len;
  e->key = f->key;
  e->in_frame = true;
  return 0;
}

/* ---- receiving: control frames ------------------------------------------------------------- */

static bool on_close_frame(struct coho__engine *e, struct coho__buf *out, const uint8_t *body,
                           size_t len, coho_event *ev) {
  unsigned code = len >= 2 ? (unsigned)body[0] << 8 | body[1] : 0;
  int err = len == 1                                          ? COHO_ECLOSELEN
            : len >= 2 && !coho__close_code_valid(code)       ? COHO_ECLOSECODE
            : len > 2 && !coho__utf8_valid(body + 2, len - 2) ? COHO_ECLOSEUTF8
                                                              : 0;
  if (err) {
    fail(e, out, err);
    return false;
  }
  e->close_received = true;
  /* The answer carries the same code and reason, or none (5.5.1): who began the closing handshake
     sees its own words again. A full output only costs the answer. */
  struct coho__view reason = {(const char *)body + 2, len > 2 ? len - 2 : 0};
  if (!e->close_sent) append_close(e, out, code, reason);
  e->state = ENDED;
  e->in = e->in_end;
  *ev = (coho_event){.type = COHO_CLOSE, .code = code ? code : COHO_CODE_NO_STATUS};
  if (reason.len) ev->msg = coho_text_n(reason.data, reason.len);
  return true;
}

/* Answers a ping in order; while output is blocked only the latest is kept (5.5.3 allows it). */
static int answer_ping(struct coho__engine *e, struct coho__buf *out, const uint8_t *data,
                       size_t len) {
  if (!e->blocked) {
    int err = append_control(e, out, COHO_OP_PONG, data, len);
    if (err != COHO_EFULL) return err;
    e->blocked = true;
  }
  struct coho__busy *b = need_busy(e);
  if (!b) return COHO_ENOMEM;
  if (++b->flood > FLOOD_BUDGET) return COHO_EFLOOD;
  b->pong_waits = true;
  b->pong_len = (uint8_t)len;
  if (len) memcpy(b->pong, data, len);
  return 0;
}

/* A control frame is complete. True when there is an event. */
static bool on_control(struct coho__engine *e, struct coho__buf *out, const uint8_t *data,
                       size_t len, coho_event *ev) {
  e->in_frame = false;
  if (e->opcode == COHO_OP_CLOSE) return on_close_frame(e, out, data, len, ev);
  if (e->close_sent) return false;
  if (e->opcode == COHO_OP_PING) {
    int err = answer_ping(e, out, data, len);
    if (err) {
      fail(e, out, err);
      return false;
    }
  }
  *ev = (coho_event){.type = e->opcode == COHO_OP_PING ? COHO_PING : COHO_PONG,
                     .msg = coho_binary(data, len)};
  return true;
}

static bool control_piece(struct coho__engine *e, struct coho__buf *out, const uint8_t *data,
                          size_t n, coho_event *ev) {
  bool whole = e->left == 0;
  struct coho__busy *b = e->busy;
  if (whole && !(b && b->control_len)) return on_control(e, out, data, n, ev);
  b = need_busy(e);
  if (!b) {
    fail(e, out, COHO_ENOMEM);
    return false;
  }
  if (n) memcpy(b->control + b->control_len, data, n);
  b->control_len = (uint8_t)(b->control_len + n);
  if (!whole) return false;
  size_t len = b->control_len;
  b->control_len = 0;
  return on_control(e, out, b->control, len, ev);
}

/* ---- receiving: data ----------------------------------------------------------------------- */

static void deliver(struct coho__engine *e, const void *data, size_t len, bool more,
                    coho_event *ev) {
  coho_msg m = {
      .data = (const char *)data, .len = len, .type = e->message, .flags = more ? COHO_MORE : 0};
  *ev = (coho_event){.type = COHO_MESSAGE, .msg = m};
  if (more) return;
  e->message = 0;
  if (!e->busy) return;
  e->busy->message_timed = false;
  e->busy->delivered = true;
}

/* A piece of a whole-message delivery: views the input when the message is there in one piece. */
static int collect(struct coho__engine *e, const uint8_t *data, size_t n, bool last,
                   coho_event *ev) {
  struct coho__busy *b = e->busy;
  bool alone = last && !(b && b->assembly.bytes.len);
  if (!alone && n) {
    b = need_busy(e);
    if (!b) return COHO_ENOMEM;
    int err = coho__assembly_append(&b->assembly, data, n, e->conf->max_message);
    if (err) return err;
  }
  if (!last) return 0;
  if (alone)
    deliver(e, data, n, false, ev);
  else
    deliver(e, b->assembly.bytes.data, b->assembly.bytes.len, false, ev);
  return 1;
}

/* n bytes of payload, unmasked. 1: there is an event, 0: none yet, or an error. */
static int data_piece(struct coho__engine *e, const uint8_t *data, size_t n, coho_event *ev) {
  bool whole = e->left == 0;
  bool last = whole && e->fin;
  if (whole) e->in_frame = false;
  if (e->close_sent) return 0;
  if (e->message == COHO_OP_TEXT) {
    if (!coho__utf8_next(&e->utf8, data, n)) return COHO_EUTF8;
    if (last && e->utf8 != COHO_UTF8_START) return COHO_EUTF8;
  }
  if (!e->conf->stream) return collect(e, data, n, last, ev);
  if (n == 0 && !last) return 0;
  deliver(e, data, n, !last, ev);
  return 1;
}

/* ---- receiving: the cycle ------------------------------------------------------------------ */

/* Takes one header or one piece of payload. True when there is an event. */
static bool step(struct coho__engine *e, struct coho__buf *out, coho_event *ev) {
  if (!e->in_frame) {
    struct coho__frame f;
    int size = take_header(e, &f);
    int err = size > 0 ? begin_frame(e, &f) : size;
    if (err) fail(e, out, err);
    if (size <= 0 || err) return false;
  }
  size_t n = (size_t)(e->in_end - e->in);
  if (n > e->left)
    n = (size_t)e->left;
  else if (n == 0 && e->left)
    return false;
  uint8_t *data = e->in;
  e->in += n;
  e->left -= n;
  if (e->conf->role == COHO_SERVER) e->key = coho__mask(data, n, e->key);

  if (coho__opcode_is_control(e->opcode)) return control_piece(e, out, data, n, ev);
  int got = data_piece(e, data, n, ev);
  if (got < 0) fail(e, out, got);
  return got > 0;
}

bool coho__engine_next(struct coho__engine *e, struct coho__buf *out, coho_event *ev) {
  settle(e);
  while (e->state == OPEN && e->in < e->in_end)
    if (step(e, out, ev)) return true;
  if (e->state == FAILED || e->state == DYING) {
    report_failure(e, ev);
    return true;
  }
  e->in = e->in_end = NULL;
  settle(e);
  return false;
}

/* ---- time ---------------------------------------------------------------------------------- */

/* Time left for the message being received, COHO_NEVER without one; the first look starts its
   clock. 0, COHO_EMESSAGETIMEOUT, or COHO_ENOMEM. */
static int message_wait(struct coho__engine *e, uint64_t now_ms, uint32_t *wait) {
  uint32_t limit = e->conf->message_timeout_ms;
  *wait = COHO_NEVER;
  if (!e->message || limit == COHO_NEVER) return 0;
  struct coho__busy *b = need_busy(e);
  if (!b) return COHO_ENOMEM;
  if (!b->message_timed) {
    b->message_timed = true;
    b->message_since = (uint32_t)now_ms;
  }
  uint32_t age = (uint32_t)now_ms - b->message_since;
  if (age >= limit) return COHO_EMESSAGETIMEOUT;
  *wait = limit - age;
  return 0;
}

static uint32_t alive_wait(struct coho__engine *e, struct coho__buf *out, uint64_t now_ms) {
  const struct coho__engine_conf *conf = e->conf;
  uint32_t interval = e->close_sent ? conf->close_timeout_ms : conf->ping_interval_ms;
  uint32_t wait;
  switch (coho__keepalive_look(&e->keepalive, now_ms, interval, conf->pong_timeout_ms, &wait)) {
  case COHO_KEEPALIVE_WAIT: break;
  case COHO_KEEPALIVE_PING:
    if (e->close_sent) fail(e, out, COHO_ECLOSETIMEOUT);
    /* A full output is the owner's matter: its own deadline watches over progress. */
    else if (out->max - out->len > COHO_ENGINE_CLOSE_ROOM + COHO_FRAME_HEADER_MAX)
      append_control(e, out, COHO_OP_PING, NULL, 0);
    break;
  case COHO_KEEPALIVE_GONE: fail(e, out, COHO_EPONGTIMEOUT); break;
  }
  return wait;
}

uint64_t coho__engine_tick(struct coho__engine *e, struct coho__buf *out, uint64_t now_ms) {
  if (e->state != OPEN) return UINT64_MAX;
  uint32_t wait = alive_wait(e, out, now_ms);
  if (e->state == OPEN && !e->close_sent) {
    uint32_t message;
    int err = message_wait(e, now_ms, &message);
    if (err) fail(e, out, err);
    wait = COHO_MIN(wait, message);
  }
  if (e->state != OPEN) return now_ms;
  return wait == COHO_NEVER ? UINT64_MAX : now_ms + wait;
}
