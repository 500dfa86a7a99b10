#include "proto/engine.h"

#include "base/alloc.h"
#include "base/budget.h"
#include "base/check.h"
#include "base/random.h"
#include "base/view.h"
#include "proto/close_code.h"
#include "proto/engine_parts.h"
#include "proto/mask.h"

#include <string.h>

/* Pings that may come while none can be answered. Honest peers send a few a minute. */
enum { FLOOD_BUDGET = 1000 };

#ifdef COHO_HARD
enum { UNPACK = 16 };
#else
enum { UNPACK = 16 * 1024 }; /* bytes decompressed at a time, then the limit is looked at */
#endif

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

void coho__engine_free(struct coho__engine *e) {
  drop_busy(e);
  coho__permessage_free(e->permessage);
  e->permessage = NULL;
  coho__meter_free(e->meter);
  e->meter = NULL;
}

struct coho__meter *coho__engine_meter(struct coho__engine *e) {
  if (!e->meter && e->conf->metered) e->meter = coho__meter_new();
  return e->meter;
}

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
  if (b->delivered && e->message) {
    b->assembly.bytes.len = 0; /* a part of it */
  } else if (b->delivered) {
    coho__assembly_reset(&b->assembly);
  }
  b->delivered = false;
  if (!e->message && !e->in_frame && !b->header_len && !b->pong_waits) drop_busy(e);
}

bool coho__engine_open(const struct coho__engine *e) {
  return e->state == COHO_ENGINE_OPEN && !e->close_sent && !e->close_received;
}

bool coho__engine_ended(const struct coho__engine *e) { return e->state == COHO_ENGINE_ENDED; }

bool coho__engine_clean(const struct coho__engine *e) {
  return e->close_sent && e->close_received && e->err == 0;
}

bool coho__engine_idle(const struct coho__engine *e) {
  return !e->message && !e->in_frame && !(e->busy && e->busy->header_len);
}

/* ---- failing ------------------------------------------------------------------------------- */

/* Ends the connection: the peer is told the code that belongs to err, if any; input is over. */
static void fail(struct coho__engine *e, struct coho__buf *out, int err) {
  if (e->state != COHO_ENGINE_OPEN) return;
  /* Out of memory by our own limit: not an accident, the peer may come again. */
  if (err == COHO_ENOMEM && coho__memory_tight()) err = COHO_EMEMORY;
  int code = coho_error_answer(err);
  /* Without room for it the peer gets no Close frame, which 7.1.7 allows. */
  if (code >= 1000 && !e->close_sent)
    coho__engine_append_close(e, out, (unsigned)code, (struct coho__view){NULL, 0});
  e->err = (int16_t)err;
  e->state = COHO_ENGINE_FAILED;
  e->in = e->in_end;
}

void coho__engine_fail(struct coho__engine *e, struct coho__buf *out, int err) {
  fail(e, out, err);
}

void coho__engine_eof(struct coho__engine *e, int err) {
  if (e->state != COHO_ENGINE_OPEN) return;
  e->err = (int16_t)(err ? err : COHO_EABNORMAL);
  e->state = COHO_ENGINE_FAILED;
  e->in = e->in_end;
}

/* The events after fail(): COHO_ERROR, then COHO_CLOSE. */
static void report_failure(struct coho__engine *e, coho_event *ev) {
  bool first = e->state == COHO_ENGINE_FAILED;
  *ev = (coho_event){.type = first ? COHO_ERROR : COHO_CLOSE, .err = e->err};
  if (!first) ev->code = COHO_CODE_ABNORMAL;
  e->state = first ? COHO_ENGINE_DYING : COHO_ENGINE_ENDED;
}

/* ---- receiving: headers -------------------------------------------------------------------- */

void coho__engine_input(struct coho__engine *e, void *data, size_t len) {
  COHO_ASSERT(e->in == e->in_end);
  if (e->state != COHO_ENGINE_OPEN) return;
  e->in = (uint8_t *)data;
  e->in_end = e->in + len;
  if (len && !e->close_sent) coho__keepalive_heard(&e->keepalive);
}

/* The header at the front of the input, together with what an earlier input held of it. Its size,
   0 when it is not complete (all input is kept), or an error. */
static int take_header(struct coho__engine *e, struct coho__frame *f) {
  const struct coho__frame_rules rules = {.masked = e->conf->role == COHO_SERVER,
                                          .rsv1 = e->permessage != NULL};
  size_t n = (size_t)(e->in_end - e->in);
  size_t kept = e->busy ? e->busy->header_len : 0;
  if (kept == 0) {
    int size = coho__frame_read(f, e->in, n, rules);
    if (size > 0) e->in += size;
    if (size != 0) return size;
  }
  struct coho__busy *b = need_busy(e);
  if (!b) return COHO_ENOMEM;
  n = COHO_MIN(n, sizeof b->header - kept);
  memcpy(b->header + kept, e->in, n);
  int size = coho__frame_read(f, b->header, kept + n, rules);
  if (size == 0)
    b->header_len = (uint8_t)(kept + n);
  else
    b->header_len = 0;
  e->in += size > 0 ? (size_t)size - kept : n;
  return size;
}

/* A limit of payload, for what is on the wire: what does not shrink grows, by an eighth where all
   codes are fixed ones (RFC 1951 3.2.6), and by 5 bytes for each stored block. */
static uint64_t wire_limit(const struct coho__engine *e, uint64_t limit) {
  uint64_t growth = limit / 8 + 64;
  return e->packed && limit < UINT64_MAX - growth ? limit + growth : limit;
}

static int begin_message(struct coho__engine *e, const struct coho__frame *f) {
  bool continues = f->opcode == COHO_OP_CONTINUATION;
  if (continues && !e->message) return COHO_ECONTINUATION;
  if (!continues && e->message) return COHO_EINTERLEAVED;
  if (!continues) e->packed = f->rsv1;
  uint64_t most = wire_limit(e, e->conf->max_message);
  if (f->len > wire_limit(e, e->conf->max_frame)) return COHO_EFRAMETOOBIG;
  if (f->len > most) return COHO_ETOOBIG;
  if (!continues) {
    e->message = f->opcode;
    e->utf8 = COHO_UTF8_START;
    /* A message in one frame needs no accounts. */
    if (f->fin) return 0;
  }
  struct coho__busy *b = need_busy(e);
  if (!b) return COHO_ENOMEM;
  return coho__assembly_frame(&b->assembly, f->len, most, e->conf->max_fragments);
}

static int begin_frame(struct coho__engine *e, const struct coho__frame *f) {
  /* After our Close data is skipped, whatever it is (1.4); but it must still be frames. */
  bool skipped = coho__opcode_is_control(f->opcode) || e->close_sent;
  int err = skipped ? 0 : begin_message(e, f);
  if (err) return err;
  struct coho__meter *m = skipped ? e->meter : coho__engine_meter(e);
  if (m) coho__meter_arrives(m, f);
  e->frames++;
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
  if (!e->close_sent) coho__engine_append_close(e, out, code, reason);
  e->state = COHO_ENGINE_ENDED;
  e->in = e->in_end;
  *ev = (coho_event){.type = COHO_CLOSE, .code = code ? code : COHO_CODE_NO_STATUS};
  if (reason.len) ev->msg = coho_text_n(reason.data, reason.len);
  return true;
}

/* Answers a ping in order; while output is blocked only the latest is kept (5.5.3 allows it). */
static int answer_ping(struct coho__engine *e, struct coho__buf *out, const uint8_t *data,
                       size_t len) {
  if (!e->blocked) {
    int err = coho__engine_append_control(e, out, COHO_OP_PONG, data, len);
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
  e->busy->message_timed = e->busy->unpacking = false;
  e->busy->unpacked = 0;
  e->busy->delivered = true;
}

/* n bytes of text, the last of the message perhaps. 0 or COHO_EUTF8. */
static int check_text(struct coho__engine *e, const void *data, size_t n, bool last) {
  if (e->message != COHO_OP_TEXT) return 0;
  if (!coho__utf8_next(&e->utf8, data, n)) return COHO_EUTF8;
  return last && e->utf8 != COHO_UTF8_START ? COHO_EUTF8 : 0;
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
  int err = check_text(e, data, n, last);
  if (err) return err;
  if (!e->conf->stream) return collect(e, data, n, last, ev);
  if (n == 0 && !last) return 0;
  deliver(e, data, n, !last, ev);
  return 1;
}

/* ---- receiving: compressed data (RFC 7692) -------------------------------------------------- */

/* A whole message in one piece: decompressed where all connections of this thread do that. */
static int unpack_whole(struct coho__engine *e, const uint8_t *data, size_t n, coho_event *ev) {
  struct coho__view m;
  e->in_frame = false;
  int err = coho__permessage_unpack(e->permessage, data, n, e->conf->max_message, &m);
  if (!err) err = check_text(e, m.data, m.len, true);
  if (err) return err;
  deliver(e, m.data, m.len, false, ev);
  return 1;
}

/* Decompresses a bounded part of the piece behind what is there already; *data, *n move over what
   it used. 0 or an error. */
static int unpack_part(struct coho__engine *e, const uint8_t **data, size_t *n) {
  struct coho__busy *b = e->busy;
  struct coho__buf *bytes = &b->assembly.bytes;
  uint64_t max = e->conf->max_message;
  bytes->max = max < SIZE_MAX - UNPACK ? (size_t)max + UNPACK : SIZE_MAX;
  if (!coho__buf_affordable(bytes, UNPACK)) return COHO_EMEMORY;
  char *dst = coho__buf_reserve(bytes, UNPACK);
  if (!dst) return COHO_ENOMEM;
  ssize_t got = coho__permessage_input(e->permessage, data, n, dst, UNPACK);
  if (got < 0) return (int)got;
  b->unpacking = true;
  b->more = got == UNPACK;
  b->unpacked += (uint64_t)got;
  if (b->unpacked > max) return COHO_ETOOBIG;
  bytes->len += (size_t)got;
  bool last = !b->more && e->left == 0 && e->fin;
  int err = last ? coho__permessage_end(e->permessage) : 0;
  return err ? err : check_text(e, dst, (size_t)got, last);
}

/* The next piece begins with these bytes once more, unmasked as they are. */
static void put_back(struct coho__engine *e, size_t n) {
  e->in -= n;
  e->left += n;
  e->busy->clear = n;
  if (e->meter) e->meter->wire_in -= n;
}

/* As data_piece(). In stream mode a part is an event, else the message grows. */
static int packed_piece(struct coho__engine *e, const uint8_t *data, size_t n, coho_event *ev) {
  bool single = !(e->busy && (e->busy->unpacking || e->busy->assembly.received));
  if (single && e->left == 0 && e->fin && !e->conf->stream) return unpack_whole(e, data, n, ev);
  struct coho__busy *b = need_busy(e);
  if (!b) return COHO_ENOMEM;
  do {
    int err = unpack_part(e, &data, &n);
    if (err) return err;
  } while (b->more && !e->conf->stream);
  if (n) put_back(e, n);
  bool whole = e->left == 0 && !b->more;
  bool last = whole && e->fin;
  if (whole) e->in_frame = false;
  struct coho__buf *bytes = &b->assembly.bytes;
  if (!last && (!e->conf->stream || bytes->len == 0)) return 0;
  b->delivered = true;
  deliver(e, bytes->data, bytes->len, !last, ev);
  return 1;
}

/* ---- receiving: the cycle ------------------------------------------------------------------ */

bool coho__engine_has_more(const struct coho__engine *e) { return e->busy && e->busy->more; }

/* n bytes of payload off the input, unmasked. */
static uint8_t *take_piece(struct coho__engine *e, size_t n) {
  uint8_t *data = e->in;
  size_t clear = e->busy ? e->busy->clear : 0;
  e->in += n;
  e->left -= n;
  if (clear) e->busy->clear = 0;
  if (e->conf->role == COHO_SERVER && n > clear)
    e->key = coho__mask(data + clear, n - clear, e->key);
  if (e->meter) coho__meter_piece(e->meter, e->opcode, data, n, e->left);
  return data;
}

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
  else if (n == 0 && e->left && !coho__engine_has_more(e))
    return false;
  uint8_t *data = take_piece(e, n);

  if (coho__opcode_is_control(e->opcode)) return control_piece(e, out, data, n, ev);
  bool packed = e->packed && !e->close_sent;
  if (!packed && e->busy) e->busy->more = false;
  int got = packed ? packed_piece(e, data, n, ev) : data_piece(e, data, n, ev);
  if (got < 0) fail(e, out, got);
  return got > 0;
}

bool coho__engine_next(struct coho__engine *e, struct coho__buf *out, coho_event *ev) {
  settle(e);
  while (e->state == COHO_ENGINE_OPEN && (e->in < e->in_end || coho__engine_has_more(e)))
    if (step(e, out, ev)) return true;
  if (e->state == COHO_ENGINE_FAILED || e->state == COHO_ENGINE_DYING) {
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
    else if (out->max - out->len >
             COHO_ENGINE_CLOSE_ROOM + COHO_FRAME_HEADER_MAX + COHO_ENGINE_STAMP)
      (void)coho__engine_append_keepalive(e, out);
    break;
  case COHO_KEEPALIVE_GONE: fail(e, out, COHO_EPONGTIMEOUT); break;
  }
  return wait;
}

uint64_t coho__engine_tick(struct coho__engine *e, struct coho__buf *out, uint64_t now_ms) {
  if (e->state != COHO_ENGINE_OPEN) return UINT64_MAX;
  uint32_t wait = alive_wait(e, out, now_ms);
  if (e->state == COHO_ENGINE_OPEN && !e->close_sent) {
    uint32_t message;
    int err = message_wait(e, now_ms, &message);
    if (err) fail(e, out, err);
    wait = COHO_MIN(wait, message);
  }
  if (e->state != COHO_ENGINE_OPEN) return now_ms;
  return wait == COHO_NEVER ? UINT64_MAX : now_ms + wait;
}
