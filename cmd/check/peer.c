#include "peer.h"

#include "unicode.h"

#include <stdio.h>
#include <string.h>

void peer_init(struct peer *p, enum side side) {
  *p = (struct peer){.side = side};
  p->wire = WIRE_NONE;
}

void peer_agree(struct peer *p, const struct terms *t) {
  p->terms = *t;
  squeeze_free(p->squeeze);
  p->squeeze = NULL;
  if (!t->agreed) return;
  struct squeeze_side server = {t->server_bits > 0 ? t->server_bits : 15, t->server_no_takeover};
  struct squeeze_side client = {t->client_bits > 0 ? t->client_bits : 15, t->client_no_takeover};
  bool ours_is_client = p->side == SIDE_CLIENT;
  p->squeeze = squeeze_new(ours_is_client ? client : server, ours_is_client ? server : client);
}

void peer_free(struct peer *p) {
  wire_close(&p->wire);
  squeeze_free(p->squeeze);
  p->squeeze = NULL;
  bytes_free(&p->message);
  bytes_free(&p->unpacked);
  bytes_free(&p->control);
}

/* ---- sending -------------------------------------------------------------------------------- */

enum wire_status peer_send_bytes(struct peer *p, const void *data, size_t len, uint64_t deadline) {
  return wire_send(&p->wire, data, len, p->chop, deadline);
}

enum wire_status peer_send(struct peer *p, const struct frame *f, uint64_t deadline) {
  struct bytes out = {NULL, 0, 0};
  frame_put(&out, f, p->side == SIDE_CLIENT);
  enum wire_status status = peer_send_bytes(p, out.data, out.len, deadline);
  bytes_free(&out);
  return status;
}

/* ---- what a frame may look like ------------------------------------------------------------- */

struct header {
  bool fin, masked;
  unsigned rsv, opcode, len7;
  uint64_t len;
  size_t size; /* of the header */
  uint8_t key[4];
};

static struct event wrong(const char *rule, const char *why) {
  return (struct event){.kind = EVENT_WRONG, .rule = rule, .why = why};
}

static bool is_control(const struct header *h) { return h->opcode >= 8; }

static void read_first_bytes(struct header *h, const uint8_t *b) {
  h->fin = (b[0] & 0x80) != 0;
  h->rsv = (b[0] >> 4) & 7U;
  h->opcode = b[0] & 15U;
  h->masked = (b[1] & 0x80) != 0;
  h->len7 = b[1] & 0x7fU;
  h->size = 2U + (h->len7 == 126 ? 2U : h->len7 == 127 ? 8U : 0) + (h->masked ? 4U : 0);
}

static void read_rest(struct header *h, const uint8_t *b) {
  size_t bytes = h->len7 == 126 ? 2 : h->len7 == 127 ? 8 : 0;
  h->len = bytes ? 0 : h->len7;
  for (size_t i = 0; i < bytes; i++)
    h->len = h->len << 8 | b[2 + i];
  if (h->masked) memcpy(h->key, b + 2 + bytes, 4);
}

static const char *judge_reserved(const struct peer *p, const struct header *h) {
  if (!h->rsv) return NULL;
  if (!p->squeeze) return "a frame has a reserved bit though no extension was agreed";
  if (h->rsv & ~(unsigned)RSV1)
    return "a frame has a reserved bit that permessage-deflate leaves 0";
  if (is_control(h)) return "a control frame has RSV1";
  return h->opcode == OP_CONTINUATION ? "a continuation frame has RSV1" : NULL;
}

static struct event judge_order(const struct peer *p, const struct header *h) {
  if (h->opcode == OP_CONTINUATION && !p->message_opcode)
    return wrong("RFC 6455 5.4", "a continuation frame continues nothing");
  if (h->opcode != OP_CONTINUATION && p->message_opcode)
    return wrong("RFC 6455 5.4", "a new message begins inside of another");
  return (struct event){.why = NULL};
}

static struct event judge_first_bytes(const struct peer *p, const struct header *h) {
  bool must_mask = p->side == SIDE_SERVER;
  const char *why = judge_reserved(p, h);
  if (why) return wrong(p->squeeze ? "RFC 7692 6" : "RFC 6455 5.2", why);
  if ((h->opcode > OP_BINARY && h->opcode < OP_CLOSE) || h->opcode > OP_PONG)
    return wrong("RFC 6455 5.2", "a frame has an opcode that does not exist");
  if (h->masked != must_mask)
    return wrong("RFC 6455 5.1",
                 must_mask ? "a client's frame is not masked" : "a server's frame is masked");
  if (p->close_seen) return wrong("RFC 6455 5.5.1", "a frame follows the Close frame");
  if (!is_control(h)) return judge_order(p, h);
  if (!h->fin) return wrong("RFC 6455 5.5", "a control frame is fragmented");
  if (h->len7 > 125) return wrong("RFC 6455 5.5", "a control frame has more than 125 bytes");
  return (struct event){.why = NULL};
}

static struct event judge_length(const struct header *h) {
  bool shortest = h->len7 < 126 || (h->len7 == 126 ? h->len > 125 : h->len > 0xffff);
  if (!shortest) return wrong("RFC 6455 5.2", "a length is not in its shortest form");
  if (h->len > PEER_MESSAGE_MAX)
    return wrong("RFC 6455 5.2", "a frame is larger than anything that was sent");
  return (struct event){.why = NULL};
}

/* ---- what is in it -------------------------------------------------------------------------- */

static bool code_exists(unsigned code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
         (code >= 3000 && code <= 4999);
}

static struct event read_close(struct peer *p) {
  const struct bytes *c = &p->control;
  p->close_seen = true;
  if (!c->len) return (struct event){.kind = EVENT_CLOSE};
  if (c->len == 1) return wrong("RFC 6455 5.5.1", "a Close frame has one byte");
  unsigned code = (unsigned)c->data[0] << 8 | c->data[1];
  if (!code_exists(code)) {
    (void)snprintf(p->why, sizeof p->why, "a Close frame has the code %u, which is not sent", code);
    return wrong("RFC 6455 7.4", p->why);
  }
  if (!unicode_valid(c->data + 2, c->len - 2))
    return wrong("RFC 6455 5.5.1", "the reason of a Close frame is not UTF-8");
  return (struct event){.kind = EVENT_CLOSE, .code = code, .data = c->data + 2, .len = c->len - 2};
}

static struct event read_control(struct peer *p, unsigned opcode) {
  if (opcode == OP_CLOSE) return read_close(p);
  enum event_kind kind = opcode == OP_PING ? EVENT_PING : EVENT_PONG;
  return (struct event){.kind = kind, .data = p->control.data, .len = p->control.len};
}

static struct event end_message(struct peer *p) {
  struct event e = {.kind = EVENT_MESSAGE,
                    .opcode = p->message_opcode,
                    .data = p->message.data,
                    .len = p->message.len,
                    .compressed = p->message_packed,
                    .frames = p->message_frames};
  p->message_opcode = 0;
  if (p->message_packed) {
    const char *why;
    p->unpacked.len = 0;
    bool ok = squeeze_unpack(p->squeeze, p->message.data, p->message.len, &p->unpacked, &why);
    if (!ok) return wrong("RFC 7692 7.2", why);
    e.data = p->unpacked.data;
    e.len = p->unpacked.len;
  }
  if (e.opcode == OP_TEXT && !unicode_valid(e.data, e.len))
    return wrong("RFC 6455 5.6", "a text message is not UTF-8");
  return e;
}

static void begin_message(struct peer *p, const struct header *h) {
  p->message_opcode = h->opcode;
  p->message_packed = (h->rsv & RSV1) != 0;
  p->message_frames = 0;
  p->message.len = 0;
}

/* Takes the payload, which is there in whole, to the end of *to. */
static void take_payload(struct peer *p, const struct header *h, struct bytes *to) {
  size_t len = (size_t)h->len;
  const uint8_t *from = wire_bytes(&p->wire) + h->size;
  uint8_t *at = bytes_room(to, len);
  for (size_t i = 0; i < len; i++)
    at[i] = h->masked ? from[i] ^ h->key[i % 4] : from[i];
  to->len += len;
  wire_take(&p->wire, h->size + len);
}

static void note_key(struct peer *p, const struct header *h) {
  uint32_t key;
  memcpy(&key, h->key, sizeof key);
  p->same_keys += h->masked && p->frames && key == p->key;
  p->key = key;
  p->frames++;
}

/* One frame that is there in whole. EVENT_SILENCE: nothing to tell of it. */
static struct event take_frame(struct peer *p, const struct header *h) {
  note_key(p, h);
  if (is_control(h)) {
    p->control.len = 0;
    take_payload(p, h, &p->control);
    return read_control(p, h->opcode);
  }
  if (h->opcode != OP_CONTINUATION) begin_message(p, h);
  take_payload(p, h, &p->message);
  p->message_frames++;
  if (p->message.len > PEER_MESSAGE_MAX)
    return wrong("RFC 6455 5.4", "a message is larger than anything that was sent");
  return h->fin ? end_message(p) : (struct event){.kind = EVENT_SILENCE};
}

/* ---- what happens next ---------------------------------------------------------------------- */

static struct event no_more(enum wire_status status) {
  switch (status) {
  case WIRE_END: return (struct event){.kind = EVENT_END};
  case WIRE_FULL: return wrong("RFC 6455 5.2", "more bytes come than anything that was sent");
  case WIRE_TIMEOUT: return (struct event){.kind = EVENT_SILENCE};
  case WIRE_OK:
  case WIRE_RESET: break;
  }
  return (struct event){.kind = EVENT_RESET};
}

/* Waits for a whole frame and judges what of it is there as early as it is. */
static enum wire_status fill_frame(struct peer *p, uint64_t deadline, struct header *h,
                                   struct event *judged) {
  enum wire_status status = wire_fill(&p->wire, 2, deadline);
  if (status != WIRE_OK) return status;
  read_first_bytes(h, wire_bytes(&p->wire));
  *judged = judge_first_bytes(p, h);
  if (judged->why) return WIRE_OK;
  status = wire_fill(&p->wire, h->size, deadline);
  if (status != WIRE_OK) return status;
  read_rest(h, wire_bytes(&p->wire));
  *judged = judge_length(h);
  return judged->why ? WIRE_OK : wire_fill(&p->wire, h->size + (size_t)h->len, deadline);
}

struct event peer_next(struct peer *p, uint64_t deadline) {
  for (;;) {
    struct header h = {.fin = false};
    struct event e = {.why = NULL};
    enum wire_status status = fill_frame(p, deadline, &h, &e);
    if (status != WIRE_OK) return no_more(status);
    if (p->frames == PEER_FRAMES_MAX) e = wrong("RFC 6455 5.4", "frames come without end");
    if (!e.why) e = take_frame(p, &h);
    if (e.kind != EVENT_SILENCE) return e;
  }
}
