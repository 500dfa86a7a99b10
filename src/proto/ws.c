/*
 * The public engine: the opening handshake of either role, then the engine of frames, with an
 * output buffer of its own.
 */
#include "base/alloc.h"
#include "base/check.h"
#include "base/error.h"
#include "base/sized.h"
#include "base/strlist.h"
#include "proto/answer_field.h"
#include "proto/close_code.h"
#include "proto/engine.h"
#include "proto/frame.h"
#include "proto/upgrade_client.h"
#include "proto/upgrade_server.h"
#include "proto/url.h"

#include <coho/core.h>

enum stage {
  AWAIT_REQUEST,
  DECIDE, /* COHO_REQUEST was delivered; accepted unless rejected */
  AWAIT_ANSWER,
  OPENED, /* the engine has the word */
  FAILED, /* the handshake; COHO_ERROR is due */
  DYING,  /* COHO_CLOSE is due */
  FINISHED
};

enum {
  MIB = 1024 * 1024,
  CLOSE_ROOM = COHO_ENGINE_CLOSE_ROOM, /* kept for the Close, whatever waits */
  FIELDS_MOST = 16 * 1024,             /* of an answer, as much as a request's head */
  OUTPUT_MIN = 64 * 1024,              /* the handshake and control frames always have room */
  OUTPUT_KEPT = 1024 /* bytes that an idle engine may keep, so that small talk allocates nothing */
};

struct coho_ws {
  struct coho__engine engine;
  struct coho__engine_conf conf;
  coho_deflate deflate;
  struct coho__deflate_pool *pool; /* NULL before there is compression */
  bool own_pool;
  char extensions[COHO_DEFLATE_TEXT];
  struct coho__buf out;
  size_t out_sent; /* of out, what coho_ws_sent() told */
  coho_event event;
  enum stage stage;
  int err; /* of the handshake */
  char *in;
  size_t in_len; /* lent and not used by the handshake */
  char **protocols, **origins;
  char *protocol;          /* agreed on; NULL before it is open */
  struct coho__buf fields; /* of the answer to the request in hand */
  bool protocol_required, origin_required;
  uint32_t handshake_timeout_ms;
  uint64_t handshake_since; /* ms; UINT64_MAX until the first look at the clock */
  union {                   /* until it is open */
    struct coho_request request;
    struct coho__upgrade_client answer;
  };
};

/* ---- life ---------------------------------------------------------------------------------- */

static uint32_t or_default(uint32_t value, uint32_t fallback) { return value ? value : fallback; }

static void configure(coho_ws *ws, coho_role role, const coho_ws_options *opt) {
  uint64_t max_message = opt->max_message ? opt->max_message : MIB;
  ws->conf = (struct coho__engine_conf){
      .max_message = max_message,
      .max_fragments = UINT32_MAX, /* what they cost is the limit */
      .max_frame = opt->max_frame ? opt->max_frame : max_message,
      .message_timeout_ms = or_default(opt->message_timeout_ms, 120000),
      .ping_interval_ms = or_default(opt->ping_interval_ms, 20000),
      .pong_timeout_ms = or_default(opt->pong_timeout_ms, 10000),
      .close_timeout_ms = or_default(opt->close_timeout_ms, 5000),
      .role = (uint8_t)role,
      .stream = (opt->flags & COHO_STREAM) != 0,
      .random = opt->random,
      .random_ctx = opt->random_ctx,
  };
  size_t max_output = opt->max_output;
  if (!max_output) max_output = max_message < SIZE_MAX / 4 ? (size_t)max_message * 4 : SIZE_MAX;
  if (max_output < OUTPUT_MIN) max_output = OUTPUT_MIN;
  if (max_output > SIZE_MAX - CLOSE_ROOM) max_output = SIZE_MAX - CLOSE_ROOM;
  coho__buf_init(&ws->out, max_output + CLOSE_ROOM);
  coho__buf_init(&ws->fields, FIELDS_MOST);
  ws->protocol_required = (opt->flags & COHO_PROTOCOL_REQUIRED) != 0;
  ws->origin_required = (opt->flags & COHO_ORIGIN_REQUIRED) != 0;
  ws->handshake_timeout_ms = or_default(opt->handshake_timeout_ms, 10000);
  ws->handshake_since = UINT64_MAX;
}

static int start_client(coho_ws *ws, const coho_ws_options *opt) {
  struct coho__url url;
  const char *why;
  if (!opt->url) return COHO_EURL;
  int err = coho__url_parse(&url, opt->url, COHO_URL_CONNECT, &why);
  if (err) return err;
  unsigned char nonce[16];
  coho__engine_random(&ws->conf, nonce, sizeof nonce);
  struct coho__upgrade_request request = {.url = &url,
                                          .protocols = (const char *const *)ws->protocols,
                                          .headers = opt->headers,
                                          .origin = opt->origin,
                                          .deflate = &ws->deflate,
                                          .protocol_required = ws->protocol_required};
  err = coho__upgrade_client_init(&ws->answer, &request, nonce, &ws->out);
  coho__url_free(&url);
  return err;
}

static int start(coho_ws *ws, coho_role role, const coho_ws_options *opt) {
  configure(ws, role, opt);
  coho__engine_init(&ws->engine, &ws->conf);
  ws->stage = role == COHO_CLIENT ? AWAIT_ANSWER : AWAIT_REQUEST;
  if (role == COHO_SERVER) coho__request_init(&ws->request, NULL);
  ws->pool = (struct coho__deflate_pool *)opt->deflate_pool;
  int err = coho__deflate_conf_read(role, &opt->deflate, &ws->deflate);
  if (!err) err = coho__strlist_copy(&ws->protocols, opt->protocols);
  if (!err) err = coho__strlist_copy(&ws->origins, opt->origins);
  if (!err && role == COHO_CLIENT) err = start_client(ws, opt);
  return err;
}

coho_ws *coho_ws_new_sized(coho_role role, const coho_ws_options *opt, size_t size) {
  static const uint32_t known = COHO_STREAM | COHO_PROTOCOL_REQUIRED | COHO_ORIGIN_REQUIRED;
  coho_ws_options o;
  if (role != COHO_SERVER && role != COHO_CLIENT) return NULL;
  if (coho__sized_read(&o, sizeof o, opt, size) || (o.flags & ~known)) return NULL;
  coho_ws *ws = (coho_ws *)coho__zalloc(sizeof *ws);
  if (ws && start(ws, role, &o)) {
    coho_ws_free(ws);
    return NULL;
  }
  return ws;
}

static void drop_handshake(coho_ws *ws) {
  coho__buf_release(&ws->fields);
  if (ws->conf.role == COHO_SERVER) {
    coho__request_free(&ws->request);
  } else {
    coho__upgrade_client_free(&ws->answer);
  }
}

void coho_ws_free(coho_ws *ws) {
  if (!ws) return;
  if (ws->stage != OPENED) drop_handshake(ws);
  coho__free_str(ws->protocol);
  coho__engine_free(&ws->engine);
  if (ws->own_pool) coho__deflate_pool_free(ws->pool);
  coho__strlist_free(ws->protocols);
  coho__strlist_free(ws->origins);
  coho__buf_release(&ws->out);
  coho__free(ws, sizeof *ws);
}

/* ---- the handshake ------------------------------------------------------------------------- */

static void handshake_failed(coho_ws *ws, int err) {
  ws->err = err;
  ws->stage = FAILED;
  ws->in_len = 0;
}

/* The head of a refusal, with the fields that belong to it and those of the program. */
static int append_refusal(coho_ws *ws, int err, int status, size_t content) {
  struct coho__buf *out = &ws->out;
  /* RFC 9110 15.5.22: a 426 names the protocol, whoever chose it. */
  int cause = err == COHO_EREFUSED && status == 426 ? COHO_ENOUPGRADE : err;
  int failed = coho__buf_printf(out, "HTTP/1.1 %d %s\r\n", status, coho__http1_reason(status));
  if (!failed) failed = coho__upgrade_refusal(cause, out);
  if (!failed) failed = coho__buf_append(out, ws->fields.data, ws->fields.len);
  if (failed) return failed;
  return coho__buf_printf(out,
                          "Content-Type: text/plain; charset=utf-8\r\nContent-Length: %zu\r\n"
                          "Connection: close\r\n\r\n",
                          content);
}

/* Answers with an HTTP error; of a failure to write it the peer only sees the end. */
static void refuse(coho_ws *ws, int err, int status) {
  size_t before = ws->out.len;
  const char *text = status == 500 ? coho__http1_reason(500) : coho_strerror(err);
  /* What is no request at all has no method either; an answer to HEAD has no content. */
  bool head = ws->request.head.complete && !strcmp(coho_request_method(&ws->request), "HEAD");
  int failed = append_refusal(ws, err, status, strlen(text) + 1);
  if (!failed && !head) failed = coho__buf_printf(&ws->out, "%s\n", text);
  if (failed) ws->out.len = before;
  handshake_failed(ws, err);
}

static int check_request(coho_ws *ws) {
  struct coho_request *r = &ws->request;
  int err = coho__request_parse(r);
  if (!err) err = coho__upgrade_check(r);
  if (!err) err = coho__upgrade_origin(r, (const char *const *)ws->origins, ws->origin_required);
  if (!err)
    err = coho__upgrade_choose(r, (const char *const *)ws->protocols, ws->protocol_required);
  return err;
}

static void read_request(coho_ws *ws) {
  size_t used = 0;
  int got = coho__http1_input(&ws->request.head, ws->in, ws->in_len, &used);
  ws->in += used;
  ws->in_len -= used;
  if (got == 0) return;
  int err = got < 0 ? got : check_request(ws);
  if (err) {
    refuse(ws, err, coho__error_status(err));
    return;
  }
  ws->stage = DECIDE;
  ws->event = (coho_event){.type = COHO_REQUEST, .request = &ws->request};
}

/* The engine goes on with what came behind the head. */
static void opened(coho_ws *ws) {
  drop_handshake(ws);
  ws->stage = OPENED;
  ws->event = (coho_event){.type = COHO_OPEN};
  coho__engine_input(&ws->engine, ws->in, ws->in_len);
  ws->in_len = 0;
}

/* The handshake's strings do not live as long as the connection. */
static int keep_protocol(coho_ws *ws, const char *protocol) {
  ws->protocol = coho__strdup(protocol);
  return ws->protocol ? 0 : COHO_ENOMEM;
}

/* Takes over what the terms hold, in any case. 0 or COHO_ENOMEM. */
static int start_deflate(coho_ws *ws, struct coho__deflate_terms *terms) {
  if (!terms->agreed) return 0;
  (void)coho__deflate_answer(terms, ws->extensions);
  ws->own_pool = !ws->pool;
  if (ws->own_pool) ws->pool = coho__deflate_pool_new();
  if (ws->pool)
    ws->engine.permessage =
        coho__permessage_new(ws->pool, (coho_role)ws->conf.role, terms, &ws->deflate);
  if (ws->engine.permessage) {
    *terms = (struct coho__deflate_terms){.agreed = false}; /* it is the codec's now */
    return 0;
  }
  ws->extensions[0] = '\0';
  coho__deflate_terms_drop(terms);
  return COHO_ENOMEM;
}

static int agree_on_deflate(coho_ws *ws) {
  struct coho__deflate_terms terms;
  int err = coho__deflate_accept(&ws->request.head, &ws->deflate, &terms);
  return err ? err : start_deflate(ws, &terms);
}

static int append_acceptance(coho_ws *ws) {
  struct coho__view fields = {ws->fields.data, ws->fields.len};
  int err = 0;
  if (coho__http1_has_token(&ws->request.head, "Expect", "100-continue"))
    err = coho__buf_append_str(&ws->out, "HTTP/1.1 100 Continue\r\n\r\n"); /* RFC 9110 7.8 */
  return err ? err : coho__upgrade_accept(&ws->request, ws->extensions, fields, &ws->out);
}

static void accept_request(coho_ws *ws) {
  size_t before = ws->out.len;
  /* The 101 comes last: once it is written nothing may fail. */
  int err = keep_protocol(ws, ws->request.protocol);
  if (!err) err = agree_on_deflate(ws);
  if (!err) err = append_acceptance(ws);
  if (!err) {
    opened(ws);
    return;
  }
  ws->out.len = before;
  ws->fields.len = 0; /* what the program wanted to say belongs to another answer */
  refuse(ws, err, coho__error_status(err));
}

static void read_answer(coho_ws *ws) {
  size_t used = 0;
  int got = coho__upgrade_client_input(&ws->answer, ws->in, ws->in_len, &used);
  ws->in += used;
  ws->in_len -= used;
  if (got == 0) return;
  int err = got < 0 ? got : keep_protocol(ws, coho__upgrade_client_protocol(&ws->answer));
  if (!err) err = start_deflate(ws, &ws->answer.terms);
  if (err)
    handshake_failed(ws, err);
  else
    opened(ws);
}

/* The events of a handshake that failed: COHO_ERROR, then COHO_CLOSE. */
static void report_failure(coho_ws *ws) {
  bool first = ws->stage == FAILED;
  ws->event = (coho_event){.type = first ? COHO_ERROR : COHO_CLOSE, .err = ws->err};
  if (first && ws->conf.role == COHO_CLIENT) ws->event.status = ws->answer.head.status;
  if (!first) ws->event.code = COHO_CODE_ABNORMAL;
  ws->stage = first ? DYING : FINISHED;
}

/* One step; sets the event if there is one. */
static void advance(coho_ws *ws) {
  switch (ws->stage) {
  case AWAIT_REQUEST:
    if (ws->in_len) read_request(ws);
    break;
  case DECIDE: accept_request(ws); break;
  case AWAIT_ANSWER:
    if (ws->in_len) read_answer(ws);
    break;
  case OPENED:
    if (!coho__engine_next(&ws->engine, &ws->out, &ws->event)) ws->event.type = 0;
    break;
  case FAILED:
  case DYING: report_failure(ws); break;
  case FINISHED: break;
  }
}

coho_deflate_pool *coho_deflate_pool_new(void) {
  return (coho_deflate_pool *)coho__deflate_pool_new();
}

void coho_deflate_pool_free(coho_deflate_pool *pool) {
  coho__deflate_pool_free((struct coho__deflate_pool *)pool);
}

/* ---- the public face ----------------------------------------------------------------------- */

static size_t waiting(const coho_ws *ws) { return ws->out.len - ws->out_sent; }

/* What was sent gives up its room. */
static void compact(coho_ws *ws) {
  coho__buf_consume(&ws->out, ws->out_sent);
  ws->out_sent = 0;
}

/* What the engine says by itself, a pong and a Close at most, does not fail for bytes that are sent. */
static void room_for_replies(coho_ws *ws) {
  if (ws->out_sent && ws->out.max - ws->out.len < 2 * CLOSE_ROOM) compact(ws);
}

int coho_ws_input(coho_ws *ws, void *data, size_t len) {
  if (ws->in_len || coho__engine_unread(&ws->engine)) return COHO_EBUSY;
  if (ws->stage == FAILED || ws->stage == DYING || ws->stage == FINISHED) return 0;
  if (ws->stage == OPENED) {
    coho__engine_input(&ws->engine, data, len);
    return 0;
  }
  ws->in = (char *)data;
  ws->in_len = len;
  return 0;
}

void coho_ws_eof(coho_ws *ws) {
  if (ws->stage == OPENED)
    coho__engine_eof(&ws->engine, 0);
  else if (ws->stage < OPENED)
    handshake_failed(ws, COHO_EABNORMAL);
}

const coho_event *coho_ws_next(coho_ws *ws) {
  room_for_replies(ws);
  /* Half of the output's room is for what the program sends. */
  if (waiting(ws) > ws->out.max / 2) ws->engine.blocked = true;
  ws->event.type = 0;
  enum stage before;
  do {
    before = ws->stage;
    advance(ws);
  } while (!ws->event.type && ws->stage != before);
  return ws->event.type ? &ws->event : NULL;
}

const char *coho_ws_protocol(const coho_ws *ws) { return ws->protocol ? ws->protocol : ""; }

const char *coho_ws_extensions(const coho_ws *ws) {
  return ws->stage == OPENED ? ws->extensions : "";
}

coho_bytes coho_ws_output(const coho_ws *ws) {
  coho_bytes b = {.len = waiting(ws)};
  b.data = b.len ? ws->out.data + ws->out_sent : "";
  return b;
}

void coho_ws_sent(coho_ws *ws, size_t n) {
  COHO_ASSERT(n <= waiting(ws));
  ws->out_sent += n;
  if (ws->out_sent == ws->out.len) {
    if (ws->out.cap > OUTPUT_KEPT) coho__buf_release(&ws->out);
    ws->out.len = ws->out_sent = 0;
  } else if (ws->out_sent > ws->out.len / 2) {
    /* Moving the smaller half now and then keeps the room behind it usable. */
    compact(ws);
  }
  if (ws->engine.blocked && waiting(ws) <= ws->out.max / 4)
    (void)coho__engine_unblock(&ws->engine, &ws->out);
}

int coho_ws_finished(const coho_ws *ws) {
  return ws->stage == FINISHED || (ws->stage == OPENED && coho__engine_ended(&ws->engine));
}

int coho_ws_accept(coho_ws *ws, const char *protocol) {
  if (ws->stage != DECIDE) return COHO_EBUSY;
  if (!protocol) {
    ws->request.protocol = "";
    return 0;
  }
  if (!coho__upgrade_offers(&ws->request, protocol)) return COHO_ENOPROTOCOL;
  const char *kept = coho__request_keep(&ws->request, protocol, strlen(protocol));
  if (!kept) return COHO_ENOMEM;
  ws->request.protocol = kept;
  return 0;
}

int coho_ws_reject(coho_ws *ws, int status) {
  if (ws->stage != DECIDE) return COHO_EBUSY;
  if (status < 400 || status > 599) return COHO_EINVAL;
  refuse(ws, COHO_EREFUSED, status);
  return 0;
}

int coho_ws_reply_header(coho_ws *ws, const char *name, const char *value) {
  if (!name || !value) return COHO_EINVAL;
  if (!coho__answer_field_ok(coho__view_of(name), coho__view_of(value))) return COHO_EINVAL;
  if (ws->stage != DECIDE) return COHO_EBUSY;
  return coho__buf_printf(&ws->fields, "%s: %s\r\n", name, value);
}

/* 0 when a frame of the program's own may join the output. */
static int make_room(coho_ws *ws, size_t len) {
  if (ws->stage != OPENED) return COHO_ECLOSED;
  size_t header = coho__frame_header_size(len, ws->conf.role == COHO_CLIENT);
  size_t max = ws->out.max - CLOSE_ROOM;
  size_t free_bytes = max - COHO_MIN(waiting(ws), max);
  if (header > free_bytes || len > free_bytes - header) return COHO_EFULL;
  if (ws->out_sent && header + len > ws->out.max - ws->out.len) compact(ws);
  return 0;
}

int coho_ws_send(coho_ws *ws, coho_msg m) {
  coho_msg wire;
  int err = coho__engine_may_send(&ws->engine, &m);
  if (!err) err = make_room(ws, m.len);
  if (err) return err;
  coho__engine_pack(&ws->engine, &m, &wire);
  err = coho__engine_send(&ws->engine, &ws->out, wire);
  if (err) coho__engine_forget(&ws->engine);
  return err;
}

int coho_ws_ping(coho_ws *ws, const void *data, size_t len) {
  int err = make_room(ws, len);
  if (err) return err;
  return coho__engine_ping(&ws->engine, &ws->out, data, len);
}

int coho_ws_pong(coho_ws *ws, const void *data, size_t len) {
  int err = make_room(ws, len);
  if (err) return err;
  return coho__engine_pong(&ws->engine, &ws->out, data, len);
}

int coho_ws_close(coho_ws *ws, int code, const char *reason) {
  if (ws->stage != OPENED) return COHO_ECLOSED;
  if (ws->out_sent) compact(ws);
  return coho__engine_close(&ws->engine, &ws->out, code, reason);
}

uint64_t coho_ws_tick(coho_ws *ws, uint64_t now_ms) {
  room_for_replies(ws);
  if (ws->stage == OPENED) return coho__engine_tick(&ws->engine, &ws->out, now_ms);
  if (ws->stage > OPENED || ws->handshake_timeout_ms == COHO_NEVER) return UINT64_MAX;
  if (ws->handshake_since == UINT64_MAX) ws->handshake_since = now_ms;
  uint64_t deadline = ws->handshake_since + ws->handshake_timeout_ms;
  if (now_ms < deadline) return deadline;
  if (ws->conf.role == COHO_CLIENT)
    handshake_failed(ws, COHO_EHANDSHAKETIMEOUT);
  else
    refuse(ws, COHO_EHEADTIMEOUT, coho__error_status(COHO_EHEADTIMEOUT));
  return now_ms;
}
