#include "base/check.h"
#include "base/utf8.h"
#include "proto/close_code.h"
#include "proto/engine_parts.h"
#include "proto/mask.h"

#include <string.h>

/* In the flags of a message that coho__engine_pack() made. */
#define PACKED 0x80000000U

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
  struct coho__meter *m = coho__opcode_is_control(f->opcode) ? e->meter : coho__engine_meter(e);
  if (m) coho__meter_sent(m, f, data);
  return 0;
}

int coho__engine_append_control(struct coho__engine *e, struct coho__buf *out, uint8_t opcode,
                                const void *data, size_t len) {
  struct coho__frame f = {.len = len, .opcode = opcode, .fin = true};
  return append_frame(e, out, &f, data, true);
}

int coho__engine_append_keepalive(struct coho__engine *e, struct coho__buf *out) {
  uint8_t bytes[COHO_ENGINE_STAMP];
  size_t len = e->conf->stamp ? sizeof bytes : 0;
  if (len) e->conf->stamp(bytes);
  return coho__engine_append_control(e, out, COHO_OP_PING, bytes, len);
}

int coho__engine_may_send(const struct coho__engine *e, const coho_msg *m) {
  static const uint32_t known = COHO_MORE | COHO_PLAIN;
  if (!coho__engine_open(e)) return COHO_ECLOSED;
  if (m->type > COHO_BINARY || (m->flags & ~known)) return COHO_EINVAL;
  return e->sending && m->type && m->type != e->sending ? COHO_EBUSY : 0;
}

void coho__engine_pack(struct coho__engine *e, const coho_msg *m, coho_msg *wire) {
  struct coho__view packed;
  *wire = *m;
  if (!e->permessage || e->sending || m->flags & (COHO_MORE | COHO_PLAIN)) return;
  if (!coho__permessage_pack(e->permessage, m->data, m->len, &packed)) return;
  wire->data = packed.data;
  wire->len = packed.len;
  wire->flags |= PACKED;
}

void coho__engine_forget(struct coho__engine *e) {
  if (e->permessage) coho__permessage_forget(e->permessage);
}

static int send_data(struct coho__engine *e, struct coho__buf *out, const coho_msg *m,
                     bool copy_payload) {
  coho_msg plain = *m;
  plain.flags &= ~PACKED;
  int err = coho__engine_may_send(e, &plain);
  if (err) return err;
  uint8_t type = m->type ? (uint8_t)m->type : COHO_OP_BINARY;
  struct coho__frame f = {.len = m->len,
                          .opcode = e->sending ? COHO_OP_CONTINUATION : type,
                          .fin = !(m->flags & COHO_MORE),
                          .rsv1 = (m->flags & PACKED) != 0};
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
  return coho__engine_append_control(e, out, COHO_OP_PING, data, len);
}

int coho__engine_pong(struct coho__engine *e, struct coho__buf *out, const void *data, size_t len) {
  if (len > COHO_CONTROL_MAX) return COHO_EINVAL;
  if (!coho__engine_open(e)) return COHO_ECLOSED;
  return coho__engine_append_control(e, out, COHO_OP_PONG, data, len);
}

/* code 0: without body. */
int coho__engine_append_close(struct coho__engine *e, struct coho__buf *out, unsigned code,
                              struct coho__view reason) {
  uint8_t body[COHO_CONTROL_MAX];
  body[0] = (uint8_t)(code >> 8);
  body[1] = (uint8_t)code;
  if (reason.len) memcpy(body + 2, reason.data, reason.len);
  int err = coho__engine_append_control(e, out, COHO_OP_CLOSE, body, code ? 2 + reason.len : 0);
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
  return coho__engine_append_close(e, out, (unsigned)code, (struct coho__view){reason, len});
}

int coho__engine_unblock(struct coho__engine *e, struct coho__buf *out) {
  e->blocked = false;
  struct coho__busy *b = e->busy;
  if (!b) return 0;
  b->flood = 0;
  if (!b->pong_waits) return 0;
  int err = coho__engine_open(e)
                ? coho__engine_append_control(e, out, COHO_OP_PONG, b->pong, b->pong_len)
                : 0;
  if (!err) b->pong_waits = false;
  return err;
}
