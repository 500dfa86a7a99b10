/*
 * The engine of an open connection, server or client: frames of the peer, actions of the program,
 * time. Whole and cut it has to come to the same events and the same output; the output has to be
 * frames; and what it owns is bounded by what it was sent.
 */
#include "proto/engine.h"

#include "base/budget.h"
#include "support/agree.h"
#include "support/claim.h"
#include "support/memory.h"
#include "support/session.h"
#include "support/slow.h"

#include <string.h>

enum {
  OUTPUT_WIDE = 1 << 20,
  OUTPUT_NARROW = 300,
  OVERHEAD = 4096, /* of the engine, a header and control frames in hand */
  TICK_MS = 100
};

struct run {
  struct player player;
  const struct session *session;
  struct coho__engine_conf conf;
  struct coho__engine engine;
  struct coho__deflate_pool *pool; /* NULL: no compression */
  struct coho__buf out;
  struct record record;
  size_t drawn; /* of the randomness */
  size_t received;
  uint64_t now;
  bool held;   /* the output does not drain */
  bool eased;  /* it always did */
  bool failed; /* COHO_ERROR was delivered */
  bool closed; /* COHO_CLOSE was */
};

static void take_output(struct run *r) {
  tape_bytes(&r->record.wire, r->out.data, r->out.len);
  r->out.len = 0;
}

static void claim_sane(const struct run *r) {
  const struct coho__engine *e = &r->engine;
  coho__buf_check(&r->out);
  CLAIM(e->in <= e->in_end);
  CLAIM(coho__engine_ended(e) == r->closed);
  CLAIM(!coho__engine_open(e) || (!e->close_sent && !e->close_received));
  CLAIM(!coho__engine_clean(e) || r->closed);
  CLAIM(e->in_frame || e->left == 0);
  memory_claim_most(session_memory(r->session, r->received, r->record.packed) + r->out.cap +
                    OVERHEAD);
}

/* After all input was used up. */
static void claim_at_rest(const struct run *r) {
  const struct coho__engine *e = &r->engine;
  CLAIM(coho__engine_unread(e) == 0);
  if (r->eased && coho__engine_idle(e)) CLAIM(e->busy == NULL);
}

static int send(struct run *r, coho_msg m) {
  coho_msg wire;
  int err = coho__engine_may_send(&r->engine, &m);
  if (err) return err;
  coho__engine_pack(&r->engine, &m, &wire);
  err = coho__engine_send(&r->engine, &r->out, wire);
  if (err) coho__engine_forget(&r->engine);
  return err;
}

static void on_event(struct run *r, const coho_event *ev) {
  CLAIM(!r->closed);
  CLAIM(!r->failed || ev->type == COHO_CLOSE);
  CLAIM(ev->type != COHO_REQUEST && ev->type != COHO_OPEN);
  if (ev->type == COHO_ERROR) r->failed = true;
  if (ev->type == COHO_CLOSE) r->closed = true;
  if (ev->type == COHO_ERROR || ev->type == COHO_CLOSE) CLAIM(r->failed == (ev->err != 0));
  if (ev->type == COHO_MESSAGE) {
    CLAIM(ev->msg.len <= r->conf.max_message);
    CLAIM(r->conf.stream || !(ev->msg.flags & COHO_MORE));
  }
  record_event(&r->record, ev);
  bool whole = ev->type == COHO_MESSAGE && !(ev->msg.flags & COHO_MORE);
  if (!whole || !r->session->echo) return;
  /* In a stream the last part may be of any length. */
  int err = r->conf.stream ? coho__engine_pong(&r->engine, &r->out, "got it", 6) : send(r, ev->msg);
  record_line(&r->record, "echo %d", err);
}

static void drain(struct run *r) {
  coho_event ev;
  while (coho__engine_next(&r->engine, &r->out, &ev)) {
    on_event(r, &ev);
    if (!r->held) take_output(r);
    claim_sane(r);
  }
  if (!r->held) take_output(r);
  claim_sane(r);
  claim_at_rest(r);
}

static void feed(struct player *p, uint8_t *data, size_t len) {
  struct run *r = (struct run *)p;
  r->received += len;
  coho__engine_input(&r->engine, data, len);
  drain(r);
}

static int send_part(struct run *r, uint32_t type, uint32_t flags, size_t len) {
  coho_msg m = {session_text(len), len, type, flags};
  return send(r, m);
}

static int hold(struct run *r) {
  r->held = r->engine.blocked = true;
  r->eased = false;
  return 0;
}

static int unhold(struct run *r) {
  r->held = false;
  take_output(r);
  return coho__engine_unblock(&r->engine, &r->out);
}

static int tick(struct run *r, uint8_t arg) {
  r->now += (uint64_t)arg * TICK_MS;
  uint64_t wake = coho__engine_tick(&r->engine, &r->out, r->now);
  CLAIM(wake >= r->now);
  if (wake != UINT64_MAX)
    record_line(&r->record, "wake in %llu ms", (unsigned long long)(wake - r->now));
  return 0;
}

static int do_action(struct run *r, const struct action *a) {
  struct coho__engine *e = &r->engine;
  size_t len = a->arg;
  switch (a->what) {
  case TICK: return tick(r, a->arg);
  case SEND_TEXT: return send_part(r, COHO_TEXT, 0, len);
  case SEND_BINARY: return send_part(r, COHO_BINARY, 0, len * 300);
  case SEND_PART: return send_part(r, COHO_TEXT, COHO_MORE, len);
  case SEND_LAST: return send_part(r, 0, 0, len);
  case PING: return coho__engine_ping(e, &r->out, session_text(len), len);
  case PONG: return coho__engine_pong(e, &r->out, session_text(len), len);
  case CLOSE: return coho__engine_close(e, &r->out, session_code(a), len & 16 ? "why" : NULL);
  case HOLD: return hold(r);
  case TAKE: return unhold(r);
  case END: coho__engine_eof(e, a->arg & 1 ? COHO_ECONNRESET : 0); return 0;
  case ACTS: break;
  }
  return 0;
}

static void act(struct player *p, const struct action *a) {
  struct run *r = (struct run *)p;
  int err = do_action(r, a);
  record_line(&r->record, "act %d gives %d", (int)a->what, err);
  drain(r);
}

/* As with a peer that wants the same; false: no compression. */
static bool agree_on_compression(const struct session *s, struct agreement *a) {
  coho_deflate set = session_deflate(s->deflate);
  if (s->deflate == 0 || set.mode == COHO_DEFLATE_OFF) return false;
  *a = agree(&set, &set);
  coho__deflate_terms_drop(s->role == COHO_SERVER ? &a->client : &a->server);
  return true;
}

static void begin_compression(struct run *r, struct agreement *a) {
  bool server = r->conf.role == COHO_SERVER;
  struct coho__deflate_terms *terms = server ? &a->server : &a->client;
  r->record.packed = true;
  r->pool = coho__deflate_pool_new();
  if (r->pool)
    r->engine.permessage = coho__permessage_new(r->pool, (coho_role)r->conf.role, terms,
                                                server ? &a->server_conf : &a->client_conf);
  if (!r->engine.permessage) coho__deflate_terms_drop(terms);
}

static void begin(struct run *r, const struct session *s) {
  bool never = (s->extra & 1) != 0;
  *r = (struct run){.player = {.feed = feed, .act = act}, .session = s, .eased = true};
  r->conf = (struct coho__engine_conf){.max_message = s->max_message,
                                       .max_frame = s->max_frame,
                                       .max_fragments = UINT32_MAX,
                                       .message_timeout_ms = never ? UINT32_MAX : 5000,
                                       .ping_interval_ms = never ? UINT32_MAX : 2000,
                                       .pong_timeout_ms = never ? UINT32_MAX : 1000,
                                       .close_timeout_ms = 3000,
                                       .role = (uint8_t)s->role,
                                       .stream = s->stream,
                                       .random = session_random,
                                       .random_ctx = &r->drawn};
  r->now = UINT32_MAX - 3000U; /* of which only the low 32 bits are kept */
  coho__buf_init(&r->out, s->narrow ? OUTPUT_NARROW : OUTPUT_WIDE);
  coho__engine_init(&r->engine, &r->conf);
}

/* Whatever happened before, it ends with one COHO_CLOSE, and everything is given back. */
static void end(struct run *r) {
  coho__engine_eof(&r->engine, 0);
  drain(r);
  CLAIM(r->closed);
  (void)unhold(r);
  slow_frames((const uint8_t *)r->record.wire.data, r->record.wire.len, r->conf.role == COHO_CLIENT,
              r->pool != NULL);
  coho__engine_free(&r->engine);
  coho__deflate_pool_free(r->pool);
  coho__buf_release(&r->out);
  CLAIM(coho_contexts_used() == 0);
  memory_claim_empty();
}

static void run(struct run *r, const struct session *s, const struct cuts *cuts, uint8_t fail_at) {
  struct agreement agreement;
  bool compresses = agree_on_compression(s, &agreement);
  memory_fail_at(fail_at);
  begin(r, s);
  if (compresses) begin_compression(r, &agreement);
  session_play(s, cuts, &r->player);
  end(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct session s = session_read((struct input){data, size});
  struct run whole, cut;
  memory_fail_at(0);
  run(&whole, &s, &cuts_none, 0);
  run(&cut, &s, &s.cuts, 0);
  record_same(&whole.record, &cut.record);
  record_free(&whole.record);
  record_free(&cut.record);
  if (s.fail_at) {
    run(&cut, &s, &s.cuts, s.fail_at);
    record_free(&cut.record);
  }
  return 0;
}
