/*
 * The engine of core.h from the first byte of the handshake on, server or client: whole and cut it
 * has to come to the same events and the same output, which has to be a head and frames.
 */
#include "support/claim.h"
#include "support/memory.h"
#include "support/session.h"
#include "support/slow.h"

#include "proto/http1.h"

#include <coho/core.h>
#include <string.h>

enum {
  OVERHEAD = 256 * 1024, /* heads, fields, output kept */
  TICK_MS = 100
};

/* What the program does with a request, by the session's extra bits. */
enum { ACCEPT = 1, REJECT = 2, HEADER = 4, REQUIRED = 8 };

struct run {
  struct player player;
  const struct session *session;
  const struct cuts *cuts; /* the output is taken so */
  coho_ws *ws;
  struct record record;
  size_t drawn;
  size_t received;
  uint64_t now;
  bool held, open, failed, closed;
};

static void take_output(struct run *r) {
  for (unsigned i = 0;; i++) {
    coho_bytes b = coho_ws_output(r->ws);
    if (b.len == 0) return;
    size_t n = r->cuts->sizes[i % 4];
    if (n == 0 || n > b.len) n = b.len;
    tape_bytes(&r->record.wire, b.data, n);
    coho_ws_sent(r->ws, n);
  }
}

static void claim_sane(const struct run *r) {
  size_t waiting = coho_ws_output(r->ws).len;
  memory_claim_most(session_memory(r->session, r->received, r->record.packed) + 2 * waiting +
                    OVERHEAD);
  CLAIM(!r->closed || coho_ws_finished(r->ws));
}

static void on_request(struct run *r, coho_request *request) {
  unsigned extra = r->session->extra;
  struct record *record = &r->record;
  record_line(record, "%s", coho_request_method(request));
  tape_view(&record->tape, "path", coho__view_of(coho_request_path(request)));
  tape_view(&record->tape, "query", coho__view_of(coho_request_query_string(request)));
  if (extra & HEADER) {
    int err = coho_ws_reply_header(r->ws, "X-Answer", "42");
    record_line(record, "field %d", err);
  }
  if (extra & ACCEPT) {
    const char *offer = coho_request_offer(request, 0);
    int err = coho_ws_accept(r->ws, offer ? offer : "none");
    record_line(record, "accept %d", err);
  }
  if (extra & REJECT) {
    int err = coho_ws_reject(r->ws, 403);
    record_line(record, "reject %d", err);
  }
}

static void on_event(struct run *r, const coho_event *ev) {
  CLAIM(!r->closed);
  CLAIM(!r->failed || ev->type == COHO_CLOSE);
  CLAIM((ev->type == COHO_REQUEST) == (ev->request != NULL));
  if (ev->type >= COHO_MESSAGE && ev->type <= COHO_PONG) CLAIM(r->open);
  if (ev->type == COHO_MESSAGE) {
    CLAIM(ev->msg.len <= r->session->max_message);
    CLAIM(r->session->stream || !(ev->msg.flags & COHO_MORE));
  }
  record_event(&r->record, ev);
  if (ev->type == COHO_OPEN) {
    r->open = true;
    r->record.packed = *coho_ws_extensions(r->ws) != '\0';
    record_line(&r->record, "agreed on '%s' and '%s'", coho_ws_extensions(r->ws),
                coho_ws_protocol(r->ws));
  }
  if (ev->type == COHO_ERROR) r->failed = true;
  if (ev->type == COHO_CLOSE) r->closed = true;
  if (ev->type == COHO_REQUEST) on_request(r, ev->request);
  if (ev->type == COHO_MESSAGE && r->session->echo && !r->session->stream) {
    int err = coho_ws_send(r->ws, ev->msg);
    record_line(&r->record, "echo %d", err);
  }
}

static void drain(struct run *r) {
  const coho_event *ev;
  while ((ev = coho_ws_next(r->ws)) != NULL) {
    on_event(r, ev);
    if (!r->held) take_output(r);
    claim_sane(r);
  }
  if (!r->held) take_output(r);
  claim_sane(r);
}

static void feed(struct player *p, uint8_t *data, size_t len) {
  struct run *r = (struct run *)p;
  r->received += len;
  CLAIM(coho_ws_input(r->ws, data, len) == 0);
  drain(r);
}

static int send_part(struct run *r, uint32_t type, uint32_t flags, size_t len) {
  coho_msg m = {session_text(len), len, type, flags};
  return coho_ws_send(r->ws, m);
}

static int tick(struct run *r, uint8_t arg) {
  r->now += (uint64_t)arg * TICK_MS;
  uint64_t wake = coho_ws_tick(r->ws, r->now);
  CLAIM(wake >= r->now);
  if (wake != UINT64_MAX)
    record_line(&r->record, "wake in %llu ms", (unsigned long long)(wake - r->now));
  return 0;
}

static int do_action(struct run *r, const struct action *a) {
  size_t len = a->arg;
  switch (a->what) {
  case TICK: return tick(r, a->arg);
  case SEND_TEXT: return send_part(r, COHO_TEXT, 0, len);
  case SEND_BINARY: return send_part(r, COHO_BINARY, 0, len * 300);
  case SEND_PART: return send_part(r, COHO_TEXT, COHO_MORE, len);
  case SEND_LAST: return send_part(r, 0, 0, len);
  case PING: return coho_ws_ping(r->ws, session_text(len), len);
  case PONG: return coho_ws_pong(r->ws, session_text(len), len);
  case CLOSE: return coho_ws_close(r->ws, session_code(a), len & 16 ? "why" : NULL);
  case HOLD: r->held = true; return 0;
  case TAKE:
    r->held = false;
    take_output(r);
    return 0;
  case END: coho_ws_eof(r->ws); return 0;
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

static bool begin(struct run *r, const struct session *s, const struct cuts *cuts) {
  static const char *const protocols[] = {"chat", "superchat", NULL};
  static const char *const origins[] = {"http://example.com", NULL};
  static const char *const headers[] = {"X-Asked: yes", NULL};
  coho_ws_options opt = {.max_message = s->max_message,
                         .max_frame = s->max_frame,
                         .flags = s->stream ? COHO_STREAM : 0,
                         .max_output = s->narrow ? 1 : 0,
                         .message_timeout_ms = 5000,
                         .deflate = session_deflate(s->deflate),
                         .protocols = protocols,
                         .origins = s->extra & HEADER ? origins : NULL,
                         .random = session_random,
                         .random_ctx = &r->drawn};
  if (s->extra & REQUIRED) opt.flags |= COHO_PROTOCOL_REQUIRED;
  if (s->role == COHO_CLIENT) {
    opt.url = "ws://server.example.com/chat";
    opt.headers = headers;
    opt.origins = NULL;
    opt.origin = s->extra & HEADER ? "http://example.com" : NULL;
  }
  *r = (struct run){
      .player = {.feed = feed, .act = act}, .session = s, .cuts = cuts, .now = UINT32_MAX - 3000U};
  r->ws = coho_ws_new(s->role, &opt);
  return r->ws != NULL;
}

/* ---- what was sent ------------------------------------------------------------------------- */

/* One head off the front; its status, 0 when there is none. */
static int take_head(struct coho__view *wire, enum coho__http1_kind kind) {
  struct coho__http1 head;
  size_t used = 0;
  if (wire->len == 0) return 0;
  coho__http1_init(&head, kind, NULL);
  CLAIM(coho__http1_input(&head, wire->data, wire->len, &used) == 1);
  int status = kind == COHO_HTTP1_RESPONSE ? head.status : 101;
  struct coho__view length;
  uint64_t content = 0;
  if (coho__http1_only(&head, "Content-Length", &length)) {
    CLAIM(coho__view_number(length, 1000, &content));
    CLAIM(content == wire->len - used || wire->len == used); /* none after HEAD */
  }
  coho__http1_free(&head);
  *wire = (struct coho__view){wire->data + used, wire->len - used};
  return status;
}

static void claim_wire(const struct run *r) {
  struct coho__view wire = {r->record.wire.data, r->record.wire.len};
  bool client = r->session->role == COHO_CLIENT;
  int status = take_head(&wire, client ? COHO_HTTP1_REQUEST : COHO_HTTP1_RESPONSE);
  if (status == 100) status = take_head(&wire, COHO_HTTP1_RESPONSE);
  if (r->open) CLAIM(status == 101);
  if (status != 101) return;
  slow_frames((const uint8_t *)wire.data, wire.len, client, r->record.packed);
}

static void end(struct run *r) {
  coho_ws_eof(r->ws);
  drain(r);
  CLAIM(r->closed);
  take_output(r);
  coho_ws_free(r->ws);
  memory_claim_empty();
  memory_fail_at(0);
  claim_wire(r);
}

static bool run(struct run *r, const struct session *s, const struct cuts *cuts) {
  if (!begin(r, s, cuts)) return false;
  session_play(s, cuts, &r->player);
  end(r);
  return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct session s = session_read((struct input){data, size});
  struct run whole, cut;
  memory_fail_at(0);
  CLAIM(run(&whole, &s, &cuts_none));
  CLAIM(run(&cut, &s, &s.cuts));
  record_same(&whole.record, &cut.record);
  record_free(&whole.record);
  record_free(&cut.record);
  if (s.fail_at) {
    memory_fail_at(s.fail_at);
    (void)run(&cut, &s, &s.cuts);
    memory_fail_at(0);
    record_free(&cut.record);
  }
  return 0;
}
