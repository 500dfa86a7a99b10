#include "topics/ask.h"

#include "hub/members.h"
#include "topics/access.h"
#include "topics/answer.h"
#include "topics/cors.h"
#include "topics/document.h"
#include "topics/frames.h"

/* Of the path's topic. */
static int may_look(const struct coho__mount *m, coho_request *r, const struct coho__path *p) {
  struct coho__who who;
  int err = coho__who_of(m, r, &who);
  if (err) return err;
  err = coho__who_may(m, &who, COHO_MAY_SUBSCRIBE, p->topic);
  coho__who_free(&who);
  return err;
}

/* {what is in out} */
static void answer(coho_request *r, struct coho__buf *out, int err) {
  if (!err) err = coho__buf_append_str(out, "}");
  if (!err) err = coho__document_reply(r, 200, out);
  if (err) coho__refuse(r, err);
  coho__buf_release(out);
}

/* A field of the query that is a number; without it *n stays. */
static int read_number(coho_request *r, const char *name, uint64_t most, uint64_t *n) {
  const char *text = coho_request_query(r, name);
  if (!text) return 0;
  return coho__view_number(coho__view_of(text), most, n) ? 0 : COHO_EREQUEST;
}

static int read_limit(coho_request *r, uint64_t most, uint64_t *limit) {
  int err = read_number(r, "limit", most, limit);
  return err || *limit ? err : COHO_EREQUEST;
}

void coho__ask_history(struct coho__mount *m, coho_request *r, const struct coho__path *p) {
  struct coho__buf out = COHO_BUF(SIZE_MAX / 4);
  struct coho__look_back back = {.bytes = COHO_ANSWER_BYTES};
  uint64_t limit = COHO_HISTORY_DEFAULT;
  int err = may_look(m, r, p);
  if (!err) err = read_limit(r, COHO_HISTORY_MOST, &limit);
  if (!err) err = coho__buf_append_str(&out, "{");
  back.count = (size_t)limit;
  if (!err) err = coho__frame_history(&out, m->hub, p->topic, back, "next");
  answer(r, &out, err);
}

void coho__ask_presence(struct coho__mount *m, coho_request *r, const struct coho__path *p) {
  struct coho__buf out = COHO_BUF(SIZE_MAX / 4);
  struct coho__look_around around = {.bytes = COHO_ANSWER_BYTES};
  uint64_t limit = COHO_MEMBERS_MOST;
  int err = may_look(m, r, p);
  if (!err) err = read_limit(r, COHO_MEMBERS_MOST, &limit);
  if (!err) err = read_number(r, "after", INT64_MAX, &around.after);
  if (!err) err = coho__buf_append_str(&out, "{");
  around.count = (size_t)limit;
  if (!err) err = coho__frame_members(&out, m->hub, p->topic, around);
  answer(r, &out, err);
}
