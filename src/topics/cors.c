#include "topics/cors.h"

#include "http/reply.h"
#include "proto/upgrade_server.h"
#include "topics/document.h"
#include "topics/frames.h"

#include <stdio.h>
#include <string.h>

static const char EXPOSED[] = "Coho-Position, Coho-Gap, Retry-After";
static const char ACCEPTED[] =
    "Authorization, Content-Type, Idempotency-Key, Coho-Key, Last-Event-ID, Cache-Control";
static const char JSON[] = "application/json";

enum {
  RETRY_FULL_S = 5,   /* soon, but not at once */
  RETRY_RATE_S = 1,   /* even the lowest rate lets one pass in a second */
  RETRY_TOKENS_S = 6, /* one of ten in a minute */
  REFUSAL_MOST = 512
};

struct field {
  const char *name, *value;
};

static int add_fields(coho_request *r, const struct field *fields, size_t count) {
  int err = 0;
  for (size_t i = 0; i < count && !err; i++)
    err = coho_reply_header(r, fields[i].name, fields[i].value);
  return err;
}

/* ---- origins --------------------------------------------------------------------------------- */

/* Without an Origin no page asks that could be another one's. "null" is whoever likes to be. */
bool coho__cors_trusts(const struct coho__mount *m, coho_request *r) {
  const char *origin = coho_request_header(r, "Origin");
  if (!coho__upgrade_origin(r, NULL, false)) return true;
  if (!origin || strcmp(origin, "null") == 0) return false;
  for (const char *const *list = m->opt.origins; list && *list; list++) {
    const char *const one[] = {*list, NULL};
    if (strcmp(*list, "*") != 0 && !coho__upgrade_origin(r, one, false)) return true;
  }
  return false;
}

static int let_in(const struct coho__mount *m, coho_request *r) {
  const char *origin = coho_request_header(r, "Origin");
  if (!origin) return 0;
  bool trusted = coho__cors_trusts(m, r);
  bool null = strcmp(origin, "null") == 0;
  const struct field fields[] = {
      {"Access-Control-Allow-Origin", trusted || null ? origin : "*"},
      {"Access-Control-Expose-Headers", EXPOSED},
      {"Access-Control-Allow-Credentials", "true"},
  };
  return add_fields(r, fields, trusted ? COHO_COUNT(fields) : COHO_COUNT(fields) - 1);
}

static int add_common(coho_request *r) {
  static const struct field fields[] = {
      {"Cache-Control", "no-store"}, {"X-Content-Type-Options", "nosniff"}, {"Vary", "Origin"}};
  return add_fields(r, fields, COHO_COUNT(fields));
}

int coho__cors(const struct coho__mount *m, coho_request *r) {
  bool foreign = coho__upgrade_origin(r, m->opt.origins, false) != 0;
  int err = add_common(r);
  if (!err && foreign) err = COHO_EORIGIN;
  return err ? err : let_in(m, r);
}

/* ---- methods --------------------------------------------------------------------------------- */

static const char *methods_of(const struct coho__path *p) {
  bool post = p->place == COHO_PLACE_ROOT || p->place == COHO_PLACE_TOPIC;
  return post ? "GET, HEAD, POST, OPTIONS" : "GET, HEAD, OPTIONS";
}

void coho__cors_preflight(coho_request *r, const struct coho__path *p) {
  const struct field fields[] = {{"Allow", methods_of(p)},
                                 {"Access-Control-Allow-Methods", methods_of(p)},
                                 {"Access-Control-Allow-Headers", ACCEPTED},
                                 {"Access-Control-Max-Age", "600"}};
  bool page = coho_request_header(r, "Origin") != NULL;
  int err = add_fields(r, fields, page ? COHO_COUNT(fields) : 1);
  if (!err) err = coho_reply(r, 204, NULL, NULL, 0);
  if (err) coho__http_refuse(r, err);
}

void coho__cors_wrong_method(coho_request *r, const struct coho__path *p) {
  static const char body[] =
      "{\"error\":{\"code\":\"bad-request\",\"text\":\"this method is not served here\"}}\n";
  int err = coho_reply_header(r, "Allow", methods_of(p));
  if (!err) err = coho_reply(r, 405, JSON, body, sizeof body - 1);
  if (err) coho__http_refuse(r, err);
}

/* ---- refusals -------------------------------------------------------------------------------- */

/* RFC 6750 3. */
static const char *challenge_of(int err) {
  if (err == COHO_EFORBIDDEN) return "Bearer realm=\"topics\", error=\"insufficient_scope\"";
  if (err == COHO_ENOTOKEN) return "Bearer realm=\"topics\"";
  return coho__fault_of(err)->status == 401 ? "Bearer realm=\"topics\", error=\"invalid_token\""
                                            : NULL;
}

static int retry_of(int err) {
  int status = coho__fault_of(err)->status;
  if (err == COHO_ETOKENRATE) return RETRY_TOKENS_S;
  return status == 503 ? RETRY_FULL_S : status == 429 ? RETRY_RATE_S : 0;
}

static int add_reasons(coho_request *r, int err) {
  char seconds[16];
  const char *challenge = challenge_of(err);
  int retry = retry_of(err), failed = 0;
  if (challenge) failed = coho_reply_header(r, "WWW-Authenticate", challenge);
  if (failed || !retry) return failed;
  (void)snprintf(seconds, sizeof seconds, "%d", retry);
  return coho_reply_header(r, "Retry-After", seconds);
}

/* The answer to come has those of all. */
static bool has_common(const coho_request *r) {
  return coho__reply_says(coho__http_conn_of(r), "X-Content-Type-Options");
}

static int try_refuse(coho_request *r, int err) {
  struct coho__buf body = COHO_BUF(REFUSAL_MOST);
  int failed = has_common(r) ? 0 : add_common(r);
  if (!failed) failed = add_reasons(r, err);
  if (!failed) failed = coho__frame_refusal(&body, err);
  int status = coho__fault_of(err)->status;
  if (!failed) failed = coho__document_reply(r, status, &body);
  coho__buf_release(&body);
  return failed;
}

void coho__refuse(coho_request *r, int err) {
  int failed = try_refuse(r, err);
  if (failed) coho__http_refuse(r, failed);
}

int coho__refuse_early(const struct coho__mount *m, coho_request *r, int err) {
  int failed = coho__cors(m, r);
  if (failed && failed != COHO_EORIGIN) return failed;
  if (!failed && err == COHO_EBODYTOOBIG) failed = COHO_ETOOBIG;
  if (!failed && err == COHO_ENOTFOUND) failed = COHO_ENAME;
  return failed ? try_refuse(r, failed) : 0;
}
