#include "http/reply.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "http/access.h"
#include "http/date.h"
#include "http/late.h"
#include "proto/answer_field.h"
#include "proto/upgrade_server.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
  FIELDS_MOST = 16 * 1024, /* what the fields of a reply may take, as much as a request's head */
  TYPE_MOST = 255,
  HEAD_MOST = FIELDS_MOST + 1024, /* with all that write_head() adds */
  TEXT_MOST = 256,
  RETRY_AFTER_S = 5, /* overload: soon, but not at once */
  RETRY_RATE_S = 1   /* even the lowest rate lets one pass in a second */
};

bool coho__reply_type_ok(const char *type) {
  struct coho__view v = coho__view_of(type);
  return v.len && v.len <= TYPE_MOST && coho__http1_is_field_value(v);
}

int coho__reply_field(struct coho__http_conn *c, const char *name, const char *value) {
  c->fields.max = FIELDS_MOST;
  return coho__buf_printf(&c->fields, "%s: %s\r\n", name, value);
}

/* Why no reply can be given now, or 0. */
static int unanswerable(const struct coho__http_conn *c) {
  if (c->replied || c->taken) return COHO_EBUSY;
  return c->state == COHO_HTTP_GONE || (c->late && c->late->cut) ? COHO_ECLOSED : 0;
}

int coho_reply_header(coho_request *r, const char *name, const char *value) {
  if (!r || !r->owner || !name || !value) return COHO_EINVAL;
  struct coho__http_conn *c = coho__http_conn_of(r);
  int err = unanswerable(c);
  if (err) return err;
  if (!coho__answer_field_ok(coho__view_of(name), coho__view_of(value))) return COHO_EINVAL;
  return coho__reply_field(c, name, value);
}

/* ---- the head -------------------------------------------------------------------------------- */

/* The present date, written once a second. */
static const char *date_now(struct coho__http *h) {
  uint64_t second = coho__clock_wall_ms() / 1000;
  if (second != h->date_second || !h->date[0]) {
    h->date_second = second;
    (void)coho__date_format(h->date, (int64_t)second);
  }
  return h->date;
}

/* RFC 9110 6.4.1. */
static bool has_body(int status) { return status != 204 && status != 304; }

bool coho__reply_is_head(const struct coho__http_conn *c) {
  return c->request.head.complete &&
         coho__view_eq(coho__http1_method(&c->request.head), VIEW("HEAD"));
}

/* RFC 9112 9.3: what the client allows, unless we are stopping, or bytes of its request are still
   to come, which nobody is going to read, or only the end of the connection is the end of the
   reply. */
static void decide_persistence(struct coho__http_conn *c, const struct coho__answer *a) {
  if (c->ending) return;
  c->ending = !c->request.keep_alive || c->http->draining || !coho__body_done(&c->framing) ||
              c->broken || (a->parts && c->request.head.minor == 0);
}

/* How the end of the body will be known (RFC 9112 6). */
static int write_length(const struct coho__http_conn *c, const struct coho__answer *a,
                        uint64_t length, struct coho__buf *out) {
  if (!a->parts) return coho__buf_printf(out, "Content-Length: %" PRIu64 "\r\n", length);
  if (c->request.head.minor == 0) return 0;
  return coho__buf_append_str(out, "Transfer-Encoding: chunked\r\n");
}

static int write_head(struct coho__http_conn *c, const struct coho__answer *a, uint64_t length,
                      struct coho__buf *out) {
  int err = coho__buf_printf(out, "HTTP/1.1 %d %s\r\nDate: %s\r\n", a->status,
                             coho__http1_reason(a->status), date_now(c->http));
  if (!err && has_body(a->status)) {
    err = write_length(c, a, length, out);
    if (!err && a->type) err = coho__buf_printf(out, "Content-Type: %s\r\n", a->type);
  }
  if (!err && c->ending) err = coho__buf_append_str(out, "Connection: close\r\n");
  /* A client of HTTP/1.0 has to be told (RFC 9112 9.3). */
  if (!err && !c->ending && c->request.head.minor == 0) {
    err = coho__buf_append_str(out, "Connection: keep-alive\r\n");
  }
  if (!err) err = coho__buf_append(out, c->fields.data, c->fields.len);
  return err ? err : coho__buf_append_str(out, "\r\n");
}

/* A failure has sent nothing, unless c->out.sent says otherwise. */
static int compose(struct coho__http_conn *c, const struct coho__answer *a) {
  struct coho__buf head = COHO_BUF(HEAD_MOST);
  uint64_t length = a->source.left ? a->source.left : a->body.len;
  bool bodiless = coho__reply_is_head(c) || !has_body(a->status);
  int err = write_head(c, a, length, &head);
  if (!err) {
    struct coho__view body = bodiless ? (struct coho__view){NULL, 0} : a->body;
    err = coho__output_put(&c->out, c->stream, (struct coho__view){head.data, head.len}, body);
  }
  coho__buf_release(&head);
  return err;
}

int coho__reply(struct coho__http_conn *c, const struct coho__answer *a) {
  struct coho__source source = a->source;
  int err = unanswerable(c);
  if (err) {
    coho__source_drop(&source);
    return err;
  }
  bool was_ending = c->ending;
  decide_persistence(c, a);
  coho__output_restart(&c->out);
  err = compose(c, a);
  if ((err == COHO_ENOMEM || err == COHO_EFULL) && c->out.sent == 0) {
    c->ending = was_ending;
    coho__source_drop(&source);
    return err;
  }
  c->broken = err != 0; /* no second attempt: bytes may be out already, or the stream failed */
  c->replied = true;
  c->status = (unsigned)a->status;
  c->parts = a->parts && !err;
  if (c->parts) coho__buf_release(&c->fields);
  if (err || coho__reply_is_head(c) || !has_body(a->status)) source.left = 0;
  coho__output_source(&c->out, source);
  if (err || a->parts) {
    coho__late_wake(c);
  } else {
    coho__late_done(c);
  }
  return err;
}

int coho_reply(coho_request *r, int status, const char *type, const void *body, size_t len) {
  if (!r || !r->owner || status < 200 || status > 599 || (len && (!body || !type)))
    return COHO_EINVAL;
  /* RFC 9110 15.3.5, 15.3.6, 15.4.5: these carry none. */
  if (len && (!has_body(status) || status == 205)) return COHO_EINVAL;
  if (type && !coho__reply_type_ok(type)) return COHO_EINVAL;
  struct coho__answer a = {.status = status,
                           .type = type,
                           .body = {(const char *)body, len},
                           .source = COHO_SOURCE_NONE};
  return coho__reply(coho__http_conn_of(r), &a);
}

bool coho__reply_says(const struct coho__http_conn *c, const char *name) {
  struct coho__view rest = {c->fields.data, c->fields.len};
  while (rest.len) {
    struct coho__view line = coho__view_split(&rest, '\n');
    if (coho__view_eq_nocase(coho__view_split(&line, ':'), coho__view_of(name))) return true;
  }
  return false;
}

int coho__reply_text(struct coho__http_conn *c, int status, const char *text) {
  char body[TEXT_MOST];
  /* RFC 9110 15.1: caches may keep some of them as they like. */
  bool refuses = status >= 400 && !coho__reply_says(c, "Cache-Control");
  int err = refuses ? coho__reply_field(c, "Cache-Control", "no-store") : 0;
  if (err) return err;
  (void)snprintf(body, sizeof body, "%s\n", text ? text : coho__http1_reason(status));
  struct coho__answer a = {.status = status,
                           .type = "text/plain; charset=utf-8",
                           .body = coho__view_of(body),
                           .source = COHO_SOURCE_NONE};
  return coho__reply(c, &a);
}

/* ---- errors ---------------------------------------------------------------------------------- */

static void log_refusal(const struct coho__http_conn *c, int err) {
  char peer[COHO_ADDR_MAX], request[COHO_ACCESS_REQUEST] = "-";
  const struct coho__http1 *head = &c->request.head;
  if (!coho__log_wants(COHO_LOG_INFO)) return;
  if (head->complete) {
    (void)coho__access_request(request, coho__http1_method(head), coho__http1_target(head));
  }
  coho__log(COHO_LOG_INFO, "%s \"%s\" refused: %s", coho__http_conn_peer(c, peer, sizeof peer),
            request, coho_strerror(err));
}

void coho__reply_refusing(struct coho__http_conn *c, const struct coho__route *route, int err) {
  if (!route || !route->refuse) return;
  if (route->refuse(&c->request, err, route->ctx) && !c->replied) c->fields.len = 0;
}

void coho__reply_refuse(struct coho__http_conn *c, int err) {
  char seconds[16];
  int status = coho__error_status(err);
  if (c->replied || c->state == COHO_HTTP_GONE) return;
  log_refusal(c, err);
  c->ending = true;
  c->fields.len = 0; /* what the program wanted to say belongs to another answer */
  coho__reply_refusing(c, c->route, err);
  if (c->replied) return;
  c->fields.max = FIELDS_MOST;
  int failed = coho__upgrade_refusal(err, &c->fields);
  if (!failed && (status == 503 || status == 429)) {
    (void)snprintf(seconds, sizeof seconds, "%d", status == 503 ? RETRY_AFTER_S : RETRY_RATE_S);
    failed = coho__reply_field(c, "Retry-After", seconds);
  }
  if (!failed) failed = coho__reply_text(c, status, status == 500 ? NULL : coho_strerror(err));
  if (!failed) return;
  c->replied = c->broken = true; /* not even that */
  coho__late_done(c);
}

int coho__reply_continue(struct coho__http_conn *c) {
  return coho__output_put(&c->out, c->stream, VIEW("HTTP/1.1 100 Continue\r\n\r\n"),
                          (struct coho__view){NULL, 0});
}
