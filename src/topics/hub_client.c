#include "topics/hub_client.h"

#include "base/alloc.h"
#include "base/random.h"
#include "base/sized.h"
#include "proto/http1.h"
#include "topics/secret.h"
#include "ws/retry.h"

#include <string.h>

enum {
  KIB = 1024,
  MIB = 1024 * KIB,
  SECOND = 1000,      /* ms */
  MESSAGE = 8 * MIB,  /* what a hub lets through grows by base64 and escapes */
  TOKEN_MOST = 8192,  /* bytes */
  BEARER_MOST = 4000, /* of a token in a field of the handshake */
  AUTH_MOST = 64 * KIB
};

static const char BEARER[] = "bearer.";

/* ---- asking --------------------------------------------------------------------------------- */

static struct coho__view key_of(const struct coho__ask *a) {
  return (struct coho__view){(const char *)&a->id, sizeof a->id};
}

uint64_t coho__hub_client_id(coho_client *c) { return ++c->last_id; }

/* The connection is of no use any more; on_close goes on from there. */
static void give_up(coho_client *c, int err) {
  if (c->err) return;
  c->err = err;
  int code = coho_error_answer(err);
  if (!c->conn) return;
  if (err == COHO_ENOANSWER || coho_close(c->conn, code >= 1000 ? code : 1000, NULL))
    coho_abort(c->conn);
}

static void await_answer(coho_client *c) {
  if (!c->paused) coho_timer_start(c->answer, c->set.answer_timeout_ms, 0);
}

int coho__hub_client_ask(coho_client *c, struct coho__ask *a, struct coho__view frame) {
  if (!coho__hub_client_open(c)) return COHO_ECLOSED;
  if (c->choked || c->asked.count >= COHO_ASKED_MOST) return COHO_EFULL;
  int err = coho__map_add(&c->asked, key_of(a), a);
  int got = err ? err : coho_send(c->conn, coho_text_n(frame.data, frame.len));
  if (got >= 0) {
    if (c->asked.count == 1) await_answer(c);
    a->asked = true;
    return 0;
  }
  if (!err) (void)coho__map_remove(&c->asked, key_of(a));
  if (got == COHO_EFULL) c->choked = true;
  if (got != COHO_EFULL && got != COHO_ECLOSED) give_up(c, got);
  return got;
}

void coho__hub_client_forget(coho_client *c, struct coho__ask *a) {
  if (!a->asked) return;
  a->asked = false;
  (void)coho__map_remove(&c->asked, key_of(a));
  if (!c->asked.count) coho_timer_stop(c->answer);
}

/* The one that this answers, which is answered then; NULL: none. */
static struct coho__ask *take_ask(coho_client *c, uint64_t id) {
  const struct coho__ask key = {.id = id};
  struct coho__ask *a = (struct coho__ask *)coho__map_get(&c->asked, key_of(&key));
  if (!a) return NULL;
  coho__hub_client_forget(c, a);
  if (c->asked.count) await_answer(c);
  return a;
}

static int tell_token(coho_client *c) {
  struct coho__buf frame = COHO_BUF(AUTH_MOST);
  if (!c->auth_due) return 0;
  coho__hub_client_forget(c, &c->auth);
  c->auth.id = coho__hub_client_id(c);
  int err = coho__hub_put_auth(&frame, c->auth.id, c->token);
  if (!err) err = coho__hub_client_ask(c, &c->auth, (struct coho__view){frame.data, frame.len});
  if (!err) c->auth_due = false;
  if (frame.len) coho__wipe(frame.data, frame.len);
  coho__buf_release(&frame);
  return err;
}

void coho__hub_client_pump(coho_client *c) {
  if (!coho__hub_client_open(c)) return;
  int err = tell_token(c);
  if (!err) err = coho__follows_pump(c);
  if (!err) err = coho__questions_pump(c);
  if (!err) err = coho__outbox_pump(c);
  if (err == COHO_ENOMEM) give_up(c, err);
}

void coho__hub_client_ring(const coho_client *c, coho_timer *t, uint64_t due_ms) {
  uint64_t now_ms = coho__loop_time(c->loop);
  if (due_ms == UINT64_MAX)
    coho_timer_stop(t);
  else
    coho_timer_start(t, due_ms > now_ms ? (uint32_t)(due_ms - now_ms) : 0, 0);
}

static void on_answer_timeout(void *arg) { give_up((coho_client *)arg, COHO_ENOANSWER); }

/* ---- topics that were refused for now ------------------------------------------------------- */

static uint32_t wait_of(const coho_client *c, enum coho__retry kind, uint32_t failures,
                        uint64_t after_ms) {
  struct coho__retry_case r = {.kind = kind, .failures = failures, .after_ms = after_ms};
  coho__random(&r.chance, sizeof r.chance);
  return coho__retry_wait(&c->set.retry, &r);
}

uint32_t coho__hub_client_breath(const coho_client *c, uint32_t refusals) {
  return COHO_MIN(c->set.retry.first_ms, UINT32_MAX / 2) +
         wait_of(c, COHO_RETRY_SOON, refusals, 0) / 2;
}

void coho__hub_client_again(coho_client *c) {
  if (c->refusals_wait) return;
  c->refusals_wait = true;
  coho_timer_start(c->again, wait_of(c, COHO_RETRY_LATER, ++c->refusals, 0), 0);
}

static void on_again(void *arg) {
  coho_client *c = (coho_client *)arg;
  c->refusals_wait = false;
  coho__follows_retry(c, false);
  coho__hub_client_pump(c);
}

/* ---- what the hub says ---------------------------------------------------------------------- */

static void want_token(coho_client *c, uint32_t seconds) {
  if (c->set.on_token) c->set.on_token(c, seconds);
}

static int authorized(coho_client *c, const struct coho__hub_frame *frame) {
  if (frame->op == COHO_HUB_ERROR) {
    want_token(c, 0);
    return 0;
  }
  coho__follows_retry(c, true);
  return 0;
}

static int tell_owner(coho_client *c, struct coho__ask *a, struct coho__hub_frame *frame) {
  bool lists = frame->op == COHO_HUB_HISTORY || frame->op == COHO_HUB_PRESENCE;
  if (lists && a->kind != COHO_ASK_QUESTION) return COHO_EHUBFRAME;
  switch (a->kind) {
  case COHO_ASK_FOLLOW: return coho__follow_answer(COHO_CONTAINER_OF(a, coho_follow, ask), frame);
  case COHO_ASK_PUBLISH: return coho__publish_answer(c, a, frame);
  case COHO_ASK_QUESTION: return coho__question_answer(c, a, frame);
  case COHO_ASK_AUTH: return authorized(c, frame);
  }
  return 0;
}

/* After each there is room for another request. */
static int answered(coho_client *c, struct coho__hub_frame *frame) {
  struct coho__ask *a = take_ask(c, frame->id);
  int err = a ? tell_owner(c, a, frame) : 0;
  if (!err) coho__hub_client_pump(c);
  return err;
}

static int handle(coho_client *c, struct coho__hub_frame *frame) {
  coho_follow *f = frame->topic.len ? coho__follows_find(&c->follows, frame) : NULL;
  switch (frame->op) {
  case COHO_HUB_OTHER: break;
  case COHO_HUB_MESSAGE:
    if (f) coho__follow_message(f, frame);
    break;
  case COHO_HUB_GAP:
    if (f) coho__follow_gap(f, frame);
    break;
  case COHO_HUB_ERROR:
    if (frame->id) return answered(c, frame);
    coho__follows_ended(&c->follows, frame);
    break;
  case COHO_HUB_OK:
  case COHO_HUB_HISTORY:
  case COHO_HUB_PRESENCE: return answered(c, frame);
  case COHO_HUB_EXPIRING: want_token(c, frame->seconds); break;
  }
  return 0;
}

/* ---- the connection ------------------------------------------------------------------------- */

static coho_client *client_of(const coho_conn *conn) { return (coho_client *)coho_conn_user(conn); }

static void tell_state(coho_client *c, enum coho_client_state state, const coho_ending *how) {
  c->state = (uint8_t)state;
  if (c->set.on_state) c->set.on_state(c, state, how);
}

static void on_open(coho_conn *conn) {
  coho_client *c = client_of(conn);
  if (!c) return;
  c->opened_ms = coho__loop_time(c->loop);
  c->choked = false;
  if (strcmp(coho_conn_protocol(conn), COHO_HUB_PROTOCOL) != 0)
    give_up(c, COHO_EANSWERPROTOCOL); /* it chose the token */
  c->state = COHO_CLIENT_OPEN;
  if (c->err) return;
  if (c->paused) coho_pause(conn);
  tell_state(c, COHO_CLIENT_OPEN, NULL);
  coho__hub_client_pump(c);
}

static void on_message(coho_conn *conn, coho_msg m) {
  coho_client *c = client_of(conn);
  struct coho__hub_frame frame;
  if (!c || !coho__hub_client_open(c)) return;
  struct coho__view text = {m.data, m.len};
  int err = m.type == COHO_TEXT ? coho__hub_frame_read(&frame, text) : COHO_EHUBBINARY;
  if (!err) err = handle(c, &frame);
  if (m.type == COHO_TEXT) coho__hub_frame_free(&frame);
  if (err && !c->freed) give_up(c, err);
}

static void on_drain(coho_conn *conn) {
  coho_client *c = client_of(conn);
  if (!c) return;
  c->choked = false;
  coho__hub_client_pump(c);
}

/* ---- its end, and the next one -------------------------------------------------------------- */

static void close_for_good(coho_client *c, const coho_ending *how) {
  int err = how->err ? how->err : COHO_ECLOSED;
  tell_state(c, COHO_CLIENT_CLOSED, how);
  if (!c->freed) coho__outbox_end(c, err);
  if (!c->freed) coho__questions_end(c, err);
}

static void wait_for(coho_client *c, uint32_t ms) {
  c->tokenless = false;
  c->due_ms = coho__loop_time(c->loop) + ms;
  coho_timer_start(c->wait, ms, 0);
}

static void wait_for_token(coho_client *c, const coho_ending *how) {
  c->tokenless = true;
  c->after_ms = wait_of(c, COHO_RETRY_SOON, c->failures, 0);
  tell_state(c, COHO_CLIENT_WAITING, how);
  if (!c->freed && c->tokenless) want_token(c, 0);
}

static void decide(coho_client *c, const coho_ending *how) {
  enum coho__retry kind = coho__retry_judge(how);
  if (kind == COHO_RETRY_TOKEN && c->token_new) kind = COHO_RETRY_SOON; /* with the new one */
  if (c->set.retry.attempts && c->failures >= c->set.retry.attempts) kind = COHO_RETRY_NEVER;
  if (kind == COHO_RETRY_TOKEN && !c->set.on_token) kind = COHO_RETRY_NEVER;
  if (kind == COHO_RETRY_NEVER) {
    close_for_good(c, how);
  } else if (kind == COHO_RETRY_TOKEN) {
    wait_for_token(c, how);
  } else {
    wait_for(c, wait_of(c, kind, c->failures, how->retry_after_ms));
    tell_state(c, COHO_CLIENT_WAITING, how);
  }
}

/* Nothing is asked any more, all has to be asked again. */
static void lose(coho_client *c) {
  c->conn = NULL;
  coho_timer_stop(c->again);
  c->refusals_wait = false;
  coho__hub_client_forget(c, &c->auth);
  coho__follows_lost(c);
  coho__questions_lost(c);
  coho__outbox_lost(c);
  COHO_ASSERT(c->asked.count == 0);
}

static void on_close(coho_conn *conn, const coho_ending *how) {
  coho_client *c = client_of(conn);
  if (!c) return;
  coho_ending end = *how;
  bool was_open = c->state == COHO_CLIENT_OPEN;
  uint64_t lasted_ms = coho__loop_time(c->loop) - c->opened_ms;
  if (c->err) end.err = c->err;
  c->state = COHO_CLIENT_WAITING;
  if (!c->err && !how->err && how->code == 1009) coho__outbox_too_big(c);
  if (c->freed) return;
  lose(c);
  if (was_open && lasted_ms >= c->set.retry.most_ms) c->failures = c->refusals = 0;
  c->failures++;
  decide(c, &end);
}

/* ---- an attempt ----------------------------------------------------------------------------- */

/* The token as a subprotocol, NULL when there is none or it cannot be one; *err: COHO_ENOMEM. */
static char *bearer_of(const coho_client *c, int *err) {
  struct coho__view token = coho__view_of(c->token);
  *err = 0;
  if (!token.len || token.len > BEARER_MOST || c->set.flags & COHO_TOKEN_MESSAGE ||
      !coho__http1_is_token(token))
    return NULL;
  char *text = (char *)coho__alloc(sizeof BEARER + token.len);
  if (text) {
    memcpy(text, BEARER, sizeof BEARER - 1);
    memcpy(text + sizeof BEARER - 1, token.data, token.len + 1);
  }
  *err = text ? 0 : COHO_ENOMEM;
  return text;
}

/* 0 or why it cannot even begin. */
static int dial(coho_client *c) {
  int err;
  char *bearer = bearer_of(c, &err);
  const char *const protocols[] = {COHO_HUB_PROTOCOL, bearer, NULL};
  coho_options opt = c->connection->set;
  opt.protocols = protocols;
  opt.flags |= COHO_PROTOCOL_REQUIRED;
  opt.on_open = on_open;
  opt.on_message = on_message;
  opt.on_drain = on_drain;
  opt.on_close = on_close;
  opt.user = c;
  c->err = 0;
  c->token_new = false;
  c->auth_due = c->token && !bearer;
  c->state = COHO_CLIENT_CONNECTING;
  if (!err) err = coho_connect_sized(c->loop, c->url, &opt, sizeof opt, &c->conn);
  coho__wipe_str(bearer);
  return err;
}

/* A later attempt. */
static void begin(coho_client *c) {
  tell_state(c, COHO_CLIENT_CONNECTING, NULL);
  if (c->freed) return;
  int err = dial(c);
  if (!err) return;
  coho_ending how = {.err = err, .code = 1006, .reason = "", .detail = ""};
  c->failures++;
  decide(c, &how);
}

static void on_wait(void *arg) { begin((coho_client *)arg); }

void coho_client_retry(coho_client *c) {
  if (c->freed || c->state != COHO_CLIENT_WAITING || c->tokenless) return;
  wait_for(c, 0);
}

void coho_client_pause(coho_client *c) {
  if (c->freed) return;
  c->paused = true;
  coho_timer_stop(c->answer);
  if (c->state == COHO_CLIENT_OPEN) coho_pause(c->conn);
}

void coho_client_resume(coho_client *c) {
  if (c->freed) return;
  c->paused = false;
  if (c->asked.count) await_answer(c);
  if (c->state == COHO_CLIENT_OPEN) coho_resume(c->conn);
}

int coho_client_set_token(coho_client *c, const char *token) {
  struct coho__view text = coho__view_of(token);
  if (c->freed || c->state == COHO_CLIENT_CLOSED) return COHO_ECLOSED;
  if (text.len > TOKEN_MOST || !coho__http1_is_field_value(text)) return COHO_EINVAL;
  char *copy = token && *token ? coho__strdup(token) : NULL;
  if (token && *token && !copy) return COHO_ENOMEM;
  coho__wipe_str(c->token);
  c->token = copy;
  c->token_new = true;
  if (c->conn)
    c->auth_due = copy != NULL;
  else
    coho__follows_retry(c, true);
  if (c->tokenless && copy) wait_for(c, c->after_ms);
  coho__hub_client_pump(c);
  return 0;
}

/* ---- life ----------------------------------------------------------------------------------- */

static int read_options(coho_client *c, const coho_client_options *opt, const size_t sizes[2]) {
  coho_options connection = {.user = NULL};
  coho_client_options *set = &c->set;
  int err = coho__sized_read(set, sizeof *set, opt, sizes[0]);
  if (!err) err = coho__sized_read(&connection, sizeof connection, set->connection, sizes[1]);
  if (!err) err = coho__retry_read(&set->retry, &set->retry);
  if (!err && (set->flags & ~(uint32_t)COHO_TOKEN_MESSAGE || connection.protocols ||
               connection.flags & COHO_STREAM))
    err = COHO_EOPTION;
  if (err) return err;
  if (!set->max_queue_bytes) set->max_queue_bytes = 4 * MIB;
  if (!set->max_queue) set->max_queue = 1000;
  if (!set->max_follows) set->max_follows = 100;
  if (!set->publish_timeout_ms) set->publish_timeout_ms = 240 * SECOND;
  if (!set->answer_timeout_ms) set->answer_timeout_ms = 30 * SECOND;
  if (!set->max_questions) set->max_questions = 100;
  if (!set->question_timeout_ms) set->question_timeout_ms = 30 * SECOND;
  if (!connection.max_message) connection.max_message = MESSAGE;
  return coho__options_new(COHO_CLIENT, &connection, sizeof connection, &c->connection);
}

static int make_parts(coho_client *c) {
  const char *token = c->set.token;
  int err = coho__outbox_init(c);
  if (coho__questions_init(c)) err = COHO_ENOMEM;
  c->wait = coho_timer_new(c->loop, on_wait, c);
  c->answer = coho_timer_new(c->loop, on_answer_timeout, c);
  c->again = coho_timer_new(c->loop, on_again, c);
  c->set.token = NULL;
  c->set.connection = NULL;
  if (err || !c->wait || !c->answer || !c->again) return COHO_ENOMEM;
  err = token ? coho_client_set_token(c, token) : 0;
  return err == COHO_EINVAL ? COHO_EOPTION : err;
}

static void free_parts(coho_client *c) {
  coho__follows_free(c);
  coho__hub_client_forget(c, &c->auth);
  coho__questions_free(c);
  coho__outbox_free(c);
  coho_timer_free(c->wait);
  coho_timer_free(c->answer);
  coho_timer_free(c->again);
  coho__map_free(&c->asked);
  coho__options_unref(c->connection);
  coho__wipe_str(c->token);
  coho__free_str(c->url);
  c->wait = c->answer = c->again = NULL;
  c->connection = NULL;
  c->token = c->url = NULL;
}

static void on_burial(struct coho__task *t) {
  coho_client *c = COHO_CONTAINER_OF(t, coho_client, burial);
  coho__free(c, sizeof *c);
}

static coho_client *make(coho_loop *loop) {
  uint64_t seed[2];
  coho_client *c = (coho_client *)coho__zalloc(sizeof *c);
  if (!c) return NULL;
  c->loop = loop;
  c->auth.kind = COHO_ASK_AUTH;
  c->state = COHO_CLIENT_CONNECTING;
  coho__random(seed, sizeof seed);
  coho__map_init(&c->asked, seed);
  coho__follows_init(&c->follows);
  coho__list_init(&c->outbox.unsent);
  coho__list_init(&c->outbox.sent);
  coho__list_init(&c->questions.all);
  coho__task_init(&c->burial, on_burial);
  return c;
}

int coho_client_new_sized(coho_loop *loop, const char *url, const coho_client_options *opt,
                          const size_t sizes[2], coho_client **out) {
  *out = NULL;
  if (!url) return COHO_EURL;
  coho_client *c = make(loop);
  if (!c) return COHO_ENOMEM;
  int err = read_options(c, opt, sizes);
  if (!err) err = make_parts(c);
  if (!err && !(c->url = coho__strdup(url))) err = COHO_ENOMEM;
  if (!err) err = dial(c);
  if (!err) {
    *out = c;
    return 0;
  }
  free_parts(c);
  coho__free(c, sizeof *c);
  return err;
}

void coho_client_free(coho_client *c) {
  if (!c || c->freed) return;
  c->freed = true;
  coho__outbox_end(c, COHO_ESTOPPED);
  coho__questions_end(c, COHO_ESTOPPED);
  if (c->conn) {
    coho_conn_set_user(c->conn, NULL);
    if (c->state != COHO_CLIENT_OPEN || coho_close(c->conn, 1000, NULL)) coho_abort(c->conn);
  }
  c->conn = NULL;
  free_parts(c);
  coho__loop_bury(c->loop, &c->burial);
}

void *coho_client_user(const coho_client *c) { return c->set.user; }
uint32_t coho_client_status(const coho_client *c) { return c->state; }

uint32_t coho_client_wait_ms(const coho_client *c) {
  uint64_t now_ms = coho__loop_time(c->loop);
  if (c->state != COHO_CLIENT_WAITING) return 0;
  if (c->tokenless) return UINT32_MAX;
  return c->due_ms > now_ms ? (uint32_t)(c->due_ms - now_ms) : 0;
}
