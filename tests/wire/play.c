#include "play.h"

#include "options.h"
#include "support/zip.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  SMALL_OUTPUT = 4096, /* up to here output is taken byte by byte in the byte-wise way */
  LONG_AFTER = 100000  /* ms: later than any deadline */
};

/* ---- failures ------------------------------------------------------------------------------ */

static void print_way(const struct way *way, const struct wire_case *c) {
  if (way->step < c->count) {
    printf("the input of line %d cut after byte %zu", c->steps[way->step].line, way->cut);
  } else if (way->chunk == 0) {
    printf("input whole");
  } else {
    printf("input in pieces of %zu", way->chunk);
  }
}

void play_fail(struct play *p, const struct step *s, const char *format, ...) {
  const struct wire_case *c = p->c;
  if (p->failed) return;
  p->failed = true;
  printf("not ok %s:%d: %s: %s (%s, ", c->file, c->line, c->ids, c->name,
         c->role == COHO_SERVER ? "server" : "client");
  print_way(&p->way, c);
  printf(")\n");
  if (s)
    printf("  %s:%d: ", c->file, s->line);
  else
    printf("  at the end: ");
  va_list args;
  va_start(args, format);
  vprintf(format, args);
  va_end(args);
  printf("\n");
}

/* ---- what the engine says ------------------------------------------------------------------ */

void happening_free(struct happening *h) { bytes_free(&h->data); }

static void note_request(struct happening *h, const coho_event *ev) {
  const char *query = coho_request_query_string(ev->request);
  bytes_text(&h->data, coho_request_path(ev->request));
  if (*query) {
    bytes_text(&h->data, "?");
    bytes_text(&h->data, query);
  }
}

/* Parts that come behind each other are one: where they are cut is the transport's doing. */
static struct happening *open_part(struct play *p, const coho_event *ev) {
  if (p->seen_count == p->seen_next || ev->type != COHO_MESSAGE) return NULL;
  struct happening *last = &p->seen[p->seen_count - 1];
  return last->type == COHO_MESSAGE && last->more && last->shape == ev->msg.type ? last : NULL;
}

static struct happening *new_happening(struct play *p, const coho_event *ev) {
  struct happening *h = open_part(p, ev);
  if (h) return h;
  if (p->seen_count == p->seen_room) {
    p->seen_room = p->seen_room * 2 + 8;
    p->seen = (struct happening *)grow(p->seen, p->seen_room * sizeof *p->seen);
  }
  h = &p->seen[p->seen_count++];
  memset(h, 0, sizeof *h);
  return h;
}

static void check_order(struct play *p, const coho_event *ev) {
  const struct happening *last = p->seen_count ? &p->seen[p->seen_count - 1] : NULL;
  if (p->closed) play_fail(p, NULL, "an event follows COHO_CLOSE");
  if (last && last->type == COHO_ERROR && ev->type != COHO_CLOSE)
    play_fail(p, NULL, "an event follows COHO_ERROR that is not COHO_CLOSE");
  if ((ev->msg.flags & COHO_MORE) && !(p->c->options.ws.flags & COHO_STREAM))
    play_fail(p, NULL, "a message comes in parts without COHO_STREAM");
}

static void note(struct play *p, const coho_event *ev) {
  check_order(p, ev);
  struct happening *h = new_happening(p, ev);
  h->type = ev->type;
  h->err = ev->err;
  h->code = ev->code;
  h->status = ev->status;
  h->shape = ev->type == COHO_MESSAGE ? ev->msg.type : 0;
  h->more = (ev->msg.flags & COHO_MORE) != 0;
  if (ev->type == COHO_REQUEST)
    note_request(h, ev);
  else
    bytes_add(&h->data, ev->msg.data, ev->msg.len);
  if (ev->type == COHO_CLOSE) {
    p->closed = true;
    p->last_words = p->out.len + coho_ws_output(p->ws).len;
  }
}

/* Takes n bytes of output, or all. */
static void take_output(struct play *p, size_t n) {
  for (;;) {
    coho_bytes b = coho_ws_output(p->ws);
    if (b.len == 0 || n == 0) return;
    size_t some = b.len < n ? b.len : n;
    if (p->way.chunk == 1 && b.len <= SMALL_OUTPUT) some = 1;
    bytes_add(&p->out, b.data, some);
    coho_ws_sent(p->ws, some);
    if (n != SIZE_MAX) n -= some;
  }
}

static void result(struct play *p, const struct step *s, int err) {
  if (err != s->err)
    play_fail(p, s, "the call returns %s, not %s", coho_errname(err), coho_errname(s->err));
}

static int add_header(coho_ws *ws, const char *text) {
  const char *colon = text ? strstr(text, ": ") : NULL;
  if (!colon) return COHO_EINVAL;
  char *name = copy_text(text, (size_t)(colon - text));
  int err = coho_ws_reply_header(ws, name, colon + 2);
  free(name);
  return err;
}

static void answer_request(struct play *p, const struct step *s) {
  if (s->call == CALL_HEADER)
    result(p, s, add_header(p->ws, s->text));
  else if (s->call == CALL_ACCEPT)
    result(p, s, coho_ws_accept(p->ws, s->text));
  else
    result(p, s, coho_ws_reject(p->ws, (int)s->code));
}

static void perform(struct play *p, const struct step *s) {
  uint8_t *data = guard_copy(GUARD_CALL, s->data.data, s->data.len);
  coho_msg m = {(const char *)data, s->data.len, s->code, s->flags};
  char *reason = s->text ? copy_text((const char *)s->data.data, s->data.len) : NULL;
  switch (s->call) {
  case CALL_SEND: result(p, s, coho_ws_send(p->ws, m)); break;
  case CALL_PING: result(p, s, coho_ws_ping(p->ws, data, s->data.len)); break;
  case CALL_PONG: result(p, s, coho_ws_pong(p->ws, data, s->data.len)); break;
  case CALL_CLOSE: result(p, s, coho_ws_close(p->ws, (int)s->code, reason)); break;
  case CALL_ACCEPT:
  case CALL_HEADER:
  case CALL_REJECT: answer_request(p, s); break;
  }
  guard_spoil(GUARD_CALL);
  free(reason);
}

/* What the program does inside the handler of a part. */
static void on_part(struct play *p) {
  const struct step *s = p->on_part;
  p->on_part = NULL;
  if (s) perform(p, s);
  p->paused = p->pausing;
  p->pausing = false;
}

static void drain(struct play *p) {
  for (const coho_event *ev; !p->paused && (ev = coho_ws_next(p->ws)) && !p->failed;) {
    bool asked = ev->type == COHO_REQUEST, part = (ev->msg.flags & COHO_MORE) != 0;
    note(p, ev);
    for (size_t i = 0; asked && i < p->on_request_count; i++)
      answer_request(p, p->on_request[i]);
    if (part) on_part(p);
  }
  if (!p->holding) take_output(p, SIZE_MAX);
}

/* ---- what is done to it -------------------------------------------------------------------- */

/* What was lent is used up. */
static void settle_input(struct play *p) {
  guard_spoil(GUARD_INPUT);
  p->wake = coho_ws_tick(p->ws, p->now);
  drain(p);
}

static void feed(struct play *p, const struct step *s, const uint8_t *data, size_t n) {
  int err = coho_ws_input(p->ws, guard_copy(GUARD_INPUT, data, n), n);
  if (err && !p->closed) play_fail(p, s, "coho_ws_input() returns %s", coho_errname(err));
  drain(p);
  if (p->paused)
    p->wake = coho_ws_tick(p->ws, p->now);
  else
    settle_input(p);
}

static size_t next_piece(const struct play *p, size_t step, size_t at, size_t left) {
  const struct way *way = &p->way;
  if (step == way->step && at == 0 && way->cut < left) return way->cut;
  return way->chunk && way->chunk < left ? way->chunk : left;
}

/* From the byte at on; what is left when events are no longer pulled waits. */
static void give_input(struct play *p, size_t step, size_t at) {
  const struct step *s = &p->c->steps[step];
  p->held_at = 0;
  while (at < s->data.len && !p->failed) {
    size_t n = next_piece(p, step, at, s->data.len - at);
    if (p->way.chunk == 1) {
      feed(p, s, NULL, 0); /* changes nothing */
    }
    feed(p, s, s->data.data + at, n);
    at += n;
    if (!p->paused) continue;
    p->held_step = step;
    p->held_at = at;
    return;
  }
}

static void make_call(struct play *p, const struct step *s) {
  perform(p, s);
  drain(p);
}

/* Events are pulled again: first those of what was lent, then the rest of the input follows. */
static void resume(struct play *p) {
  if (!p->paused) play_fail(p, NULL, "nothing was paused: no part came");
  p->paused = false;
  drain(p);
  if (!p->paused) settle_input(p);
  if (!p->paused && p->held_at) give_input(p, p->held_step, p->held_at);
}

static void act(struct play *p, size_t step) {
  const struct step *s = &p->c->steps[step];
  expect_quiet(p, s);
  if (p->failed) return;
  if (s->kind == STEP_INPUT) give_input(p, step, 0);
  if (s->kind == STEP_CALL) make_call(p, s);
  if (s->kind == STEP_ON_REQUEST && p->on_request_count < MAX_ON_REQUEST)
    p->on_request[p->on_request_count++] = s;
  if (s->kind == STEP_ON_PART) p->on_part = s;
  if (s->kind == STEP_PAUSE) p->pausing = true;
  if (s->kind == STEP_RESUME) resume(p);
  if (s->kind == STEP_HOLD) p->holding = true;
  if (s->kind == STEP_TICK) {
    p->now += s->number;
    p->wake = coho_ws_tick(p->ws, p->now);
    drain(p);
  }
  if (s->kind == STEP_EOF) {
    coho_ws_eof(p->ws);
    drain(p);
  }
  if (s->kind == STEP_TAKE) {
    p->holding = s->number != UINT64_MAX;
    take_output(p, s->number > SIZE_MAX ? SIZE_MAX : (size_t)s->number);
    drain(p);
  }
}

/* ---- invariants of every case -------------------------------------------------------------- */

/* A closed engine takes anything and says nothing. */
static void probe_closed(struct play *p) {
  static const uint8_t server_food[] = {0x81, 0x81, 1, 2,    3,    4, 0x60, 0x89, 0x80, 1,
                                        2,    3,    4, 0x88, 0x80, 1, 2,    3,    4};
  static const uint8_t client_food[] = {0x81, 1, 'a', 0x89, 0, 0x88, 0, 'H', 'T', 'T', 'P'};
  bool server = p->c->role == COHO_SERVER;
  feed(p, NULL, server ? server_food : client_food,
       server ? sizeof server_food : sizeof client_food);
  if (coho_ws_send(p->ws, coho_text("late")) != COHO_ECLOSED ||
      coho_ws_ping(p->ws, NULL, 0) != COHO_ECLOSED ||
      coho_ws_close(p->ws, 1000, NULL) != COHO_ECLOSED)
    play_fail(p, NULL, "a closed engine takes something to send");
  coho_ws_tick(p->ws, p->now + LONG_AFTER);
  drain(p);
  coho_ws_eof(p->ws);
  drain(p);
  expect_quiet(p, NULL);
}

/* Whatever state the case ended in, the end of the transport ends it with one COHO_CLOSE. */
static void probe_open(struct play *p) {
  coho_ws_eof(p->ws);
  drain(p);
  if (!p->closed) play_fail(p, NULL, "no COHO_CLOSE after the end of the transport");
  if (!p->failed && !coho_ws_finished(p->ws)) play_fail(p, NULL, "not finished after COHO_CLOSE");
}

static void finish(struct play *p) {
  expect_quiet(p, NULL);
  if (!p->failed && (p->paused || p->on_part)) play_fail(p, NULL, "still paused, or no part came");
  if (!p->failed && p->closed && p->out.len + coho_ws_output(p->ws).len != p->last_words)
    play_fail(p, NULL, "there is output that was written after COHO_CLOSE");
  if (p->ws && !p->failed) {
    if (p->closed)
      probe_closed(p);
    else
      probe_open(p);
  }
  coho_ws_free(p->ws);
  if (p->tally->now) play_fail(p, NULL, "%zu bytes are not given back", p->tally->now);
  for (size_t i = 0; i < p->seen_count; i++)
    happening_free(&p->seen[i]);
  free(p->seen);
  bytes_free(&p->out);
  bytes_free(&p->head);
  zip_free(p->zip);
}

/* ---- the case ------------------------------------------------------------------------------ */

static bool is_done_to_it(enum step_kind kind) { return kind <= STEP_TAKE; }

static bool wants_none(const struct wire_case *c) {
  return c->count && c->steps[0].kind == STEP_NONE;
}

bool play_case(const struct wire_case *c, const struct way *way, struct tally *tally) {
  struct play p;
  memset(&p, 0, sizeof p);
  p.c = c;
  p.way = *way;
  p.tally = tally;
  tally->peak = tally->now = 0;
  coho_ws_options opt = options_get(&c->options);
  opt.random = randomness_fill;
  opt.random_ctx = &p.randomness;
  p.ws = coho_ws_new(c->role, &opt);
  if (!p.ws && !wants_none(c)) play_fail(&p, NULL, "coho_ws_new() returns NULL");
  /* Times of which only the low 32 bits are kept have to survive their overflow. */
  p.start = p.now = way->chunk == 1 ? UINT32_MAX - 1000U : 1000000;
  if (p.ws) {
    p.wake = coho_ws_tick(p.ws, p.now);
    drain(&p);
  }
  for (size_t i = 0; i < c->count && !p.failed; i++) {
    if (is_done_to_it(c->steps[i].kind))
      act(&p, i);
    else
      expect_step(&p, &c->steps[i]);
  }
  finish(&p);
  return !p.failed;
}
