#include "play.h"

#include "verdict.h"

#include "base/check.h"

#include <stdio.h>
#include <string.h>

bool play_is_client(const struct check_run *r) { return r->link->side == SIDE_CLIENT; }

uint64_t play_deadline(const struct check_run *r, size_t bytes) {
  enum { BYTES_PER_MS = 256 }; /* the slowest that is still at work */
  uint64_t deadline = now_ms() + r->timeout_ms + bytes / BYTES_PER_MS;
  return COHO_MIN(deadline, r->deadline);
}

/* ---- connections ---------------------------------------------------------------------------- */

static void forget_head(struct check_run *r) {
  if (r->has_head) head_free(&r->head);
  r->has_head = false;
}

void play_end(struct check_run *r) {
  if (r->opened) {
    r->sent = r->peer.wire.sent;
    r->received = r->peer.wire.received;
    peer_free(&r->peer);
  }
  forget_head(r);
  peer_init(&r->peer, r->link->side);
}

bool play_connect(struct check_run *r) {
  char why[480];
  play_end(r);
  int failed = r->link->open(r->link, &r->peer.wire, play_deadline(r, 0), why, sizeof why);
  if (failed < 0) return verdict_fail(r, "no connection: %s", why);
  if (failed) {
    verdict_lack(r, "%s", why);
    return false;
  }
  r->opened++;
  return true;
}

/* A whole head is at the front of the inbox, *len bytes of it. */
static bool fill_head(struct check_run *r, const char *what, size_t *len) {
  struct wire *w = &r->peer.wire;
  uint64_t deadline = play_deadline(r, 0);
  for (;;) {
    *len = head_length(wire_bytes(w), wire_count(w));
    if (*len) return true;
    if (wire_count(w) > HEAD_BYTES) return verdict_fail(r, "the head of %s does not end", what);
    enum wire_status status = wire_fill(w, wire_count(w) + 1, deadline);
    if (status == WIRE_OK) continue;
    return verdict_fail(r, status == WIRE_TIMEOUT ? "%s does not come" : "TCP ends before %s",
                        what);
  }
}

bool play_hear(struct check_run *r) {
  enum { INTERIM_MAX = 8 };
  for (size_t i = 0; i <= INTERIM_MAX; i++) {
    size_t len;
    forget_head(r);
    if (!fill_head(r, "the answer to the handshake", &len)) return false;
    const char *why = head_read_response(&r->head, wire_bytes(&r->peer.wire), len);
    r->has_head = true;
    wire_take(&r->peer.wire, len);
    if (why) return verdict_fail(r, "the answer to the handshake is not HTTP: %s", why);
    if (r->head.status < 100 || r->head.status >= 200 || r->head.status == 101) return true;
  }
  return verdict_fail(r, "more than %d interim answers come before the answer", INTERIM_MAX);
}

bool play_take_request(struct check_run *r) {
  size_t len;
  forget_head(r);
  if (!fill_head(r, "the request", &len)) return false;
  const char *why = head_read_request(&r->head, wire_bytes(&r->peer.wire), len);
  r->has_head = true;
  wire_take(&r->peer.wire, len);
  if (why) return verdict_fail(r, "the request is not HTTP: %s", why);
  const char *key = head_get(&r->head, "Sec-WebSocket-Key");
  if (!key) return verdict_fail(r, "the request has no Sec-WebSocket-Key");
  (void)snprintf(r->key, sizeof r->key, "%s", key);
  return true;
}

bool play_answer(struct check_run *r, const struct answer *answer) {
  struct bytes out = {NULL, 0, 0};
  const char *key = head_get(&r->head, "Sec-WebSocket-Key");
  handshake_put_answer(&out, answer, key ? key : "");
  bool ok = play_send_bytes(r, out.data, out.len);
  bytes_free(&out);
  return ok;
}

void play_compose(struct check_run *r, const struct request *request, struct bytes *out) {
  struct bytes more = {NULL, 0, 0};
  struct request whole = *request;
  handshake_key(r->key);
  bytes_printf(&more, "%s%s", r->link->fields ? r->link->fields : "",
               request->more ? request->more : "");
  bytes_add_byte(&more, 0);
  whole.more = (const char *)more.data;
  if (!whole.key) whole.key = r->key;
  if (!whole.host) whole.host = r->link->host;
  if (!whole.target) whole.target = r->link->target;
  if (!whole.protocols) whole.protocols = r->link->protocols;
  handshake_put_request(out, &whole);
  bytes_free(&more);
}

bool play_ask(struct check_run *r, const struct request *request) {
  struct bytes out = {NULL, 0, 0};
  play_compose(r, request, &out);
  bool ok = play_send_bytes(r, out.data, out.len);
  bytes_free(&out);
  return ok;
}

bool play_request(struct check_run *r, const struct request *request) {
  return play_ask(r, request) && play_hear(r);
}

bool play_judge_answer(struct check_run *r, const struct request *request) {
  struct request whole = *request;
  struct terms t;
  const char *rule;
  if (!whole.protocols) whole.protocols = r->link->protocols;
  const char *key = whole.key ? whole.key : r->key;
  const char *why = handshake_judge_answer(&r->head, &whole, key, &t, &rule);
  if (why && r->head.status != 101)
    return verdict_fail(r, "the handshake is refused with %d; expected 101", r->head.status);
  if (why) return verdict_fail(r, "%s (%s)", why, rule);
  peer_agree(&r->peer, &t);
  return true;
}

static bool open_as_client(struct check_run *r, const struct request *request) {
  return play_request(r, request) && play_judge_answer(r, request);
}

/* Our own answer decides on the terms; one that is wrong on purpose decides on none. */
static bool open_as_server(struct check_run *r, const struct answer *answer) {
  char offered[4096];
  struct terms t = {.agreed = false};
  if (!play_take_request(r)) return false;
  bool any = head_join(&r->head, "Sec-WebSocket-Extensions", offered, sizeof offered);
  if (terms_read_answer(answer->extensions, any ? offered : NULL, &t)) t.agreed = false;
  peer_agree(&r->peer, &t);
  return play_answer(r, answer);
}

bool play_open_with(struct check_run *r, const struct play_plan *plan) {
  static const struct request request = {.method = NULL};
  static const struct answer answer = {.status = NULL};
  if (!play_connect(r)) return false;
  return play_is_client(r) ? open_as_client(r, plan->request ? plan->request : &request)
                           : open_as_server(r, plan->answer ? plan->answer : &answer);
}

bool play_open(struct check_run *r) {
  return play_open_with(r, &(struct play_plan){.request = NULL, .answer = NULL});
}

static bool offer_deflate(struct check_run *r, struct squeeze_side theirs) {
  char offer[160];
  struct terms t = {.agreed = true,
                    .server_no_takeover = theirs.no_takeover,
                    .server_bits = theirs.bits,
                    .client_bits = -1};
  terms_print(&t, offer, sizeof offer);
  if (!open_as_client(r, &(struct request){.extensions = offer})) return false;
  if (!r->peer.squeeze) verdict_lack(r, "the server does not agree to '%s'", offer);
  return r->peer.squeeze != NULL;
}

static bool answer_deflate(struct check_run *r, struct squeeze_side theirs) {
  char text[4096];
  struct terms offer = {.agreed = false};
  if (!play_take_request(r)) return false;
  if (head_join(&r->head, "Sec-WebSocket-Extensions", text, sizeof text))
    (void)terms_read_offer(text, &offer);
  if (!offer.agreed || (theirs.bits && !offer.client_bits)) {
    verdict_lack(r, "the client does not offer %s",
                 offer.agreed ? "client_max_window_bits" : "permessage-deflate");
    return false;
  }
  struct terms t = {.agreed = true,
                    .server_no_takeover = offer.server_no_takeover,
                    .client_no_takeover = theirs.no_takeover,
                    .server_bits = offer.server_bits,
                    .client_bits = theirs.bits};
  terms_print(&t, text, sizeof text);
  peer_agree(&r->peer, &t);
  return play_answer(r, &(struct answer){.extensions = text});
}

bool play_open_deflate(struct check_run *r, struct squeeze_side theirs) {
  if (!play_connect(r)) return false;
  return play_is_client(r) ? offer_deflate(r, theirs) : answer_deflate(r, theirs);
}

/* ---- sending -------------------------------------------------------------------------------- */

bool play_send_bytes(struct check_run *r, const void *data, size_t len) {
  if (peer_send_bytes(&r->peer, data, len, play_deadline(r, len)) != WIRE_TIMEOUT) return true;
  return verdict_fail(r, "it reads nothing of %zu bytes for too long", len);
}

bool play_send(struct check_run *r, const struct frame *f) { return play_send_all(r, f, 1); }

bool play_send_all(struct check_run *r, const struct frame *f, size_t count) {
  struct bytes out = {NULL, 0, 0};
  for (size_t i = 0; i < count; i++)
    frame_put(&out, &f[i], play_is_client(r));
  bool ok = play_send_bytes(r, out.data, out.len);
  bytes_free(&out);
  return ok;
}

static bool send_pieces(struct check_run *r, struct frame f, size_t piece) {
  struct bytes out = {NULL, 0, 0};
  const uint8_t *at = (const uint8_t *)f.data;
  size_t left = f.len;
  if (!piece || piece > left) piece = left;
  do {
    f.data = at;
    f.len = COHO_MIN(piece, left);
    left -= f.len;
    f.more = left > 0;
    frame_put(&out, &f, play_is_client(r));
    if (left) at += f.len;
    f.opcode = OP_CONTINUATION;
    f.rsv = 0;
  } while (left);
  bool ok = play_send_bytes(r, out.data, out.len);
  bytes_free(&out);
  return ok;
}

bool play_message(struct check_run *r, unsigned opcode, const void *data, size_t len,
                  size_t piece) {
  return send_pieces(r, (struct frame){.opcode = opcode, .data = data, .len = len}, piece);
}

bool play_packed(struct check_run *r, unsigned opcode, const void *data, size_t len, size_t piece) {
  struct bytes packed = {NULL, 0, 0};
  squeeze_pack(r->peer.squeeze, data, len, &packed);
  struct frame f = {.opcode = opcode, .rsv = RSV1, .data = packed.data, .len = packed.len};
  bool ok = send_pieces(r, f, piece);
  bytes_free(&packed);
  return ok;
}

bool play_ping(struct check_run *r, const void *data, size_t len) {
  return play_send(r, &(struct frame){.opcode = OP_PING, .data = data, .len = len});
}

bool play_send_close(struct check_run *r, unsigned code, const void *reason, size_t len) {
  uint8_t body[2 + 256] = {(uint8_t)(code >> 8), (uint8_t)code};
  size_t kept = COHO_MIN(len, sizeof body - 2);
  if (kept) memcpy(body + 2, reason, kept);
  return play_send(r, &(struct frame){.opcode = OP_CLOSE, .data = body, .len = 2 + kept});
}
