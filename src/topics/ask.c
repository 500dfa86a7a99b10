#include "topics/ask.h"

#include "hub/topic.h"
#include "topics/access.h"
#include "topics/answer.h"
#include "topics/cors.h"
#include "topics/frames.h"

#include <string.h>

static const char JSON[] = "application/json";

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
  if (!err) err = coho_reply(r, 200, JSON, out->data, out->len);
  if (err) coho__refuse(r, err);
  coho__buf_release(out);
}

static int read_limit(coho_request *r, uint64_t *limit) {
  const char *text = coho_request_query(r, "limit");
  *limit = COHO_HISTORY_DEFAULT;
  if (!text) return 0;
  bool valid = coho__view_number(coho__view_of(text), COHO_HISTORY_MOST, limit) && *limit;
  return valid ? 0 : COHO_EREQUEST;
}

void coho__ask_history(struct coho__mount *m, coho_request *r, const struct coho__path *p) {
  struct coho__buf out = COHO_BUF(SIZE_MAX / 4);
  struct coho__look_back back = {.bytes = COHO_ANSWER_BYTES};
  uint64_t limit = 0;
  int err = may_look(m, r, p);
  if (!err) err = read_limit(r, &limit);
  if (!err) err = coho__buf_append_str(&out, "{");
  back.count = (size_t)limit;
  if (!err) err = coho__frame_history(&out, m->hub, p->topic, back, "next");
  answer(r, &out, err);
}

void coho__ask_presence(struct coho__mount *m, coho_request *r, const struct coho__path *p) {
  char topic[COHO_TOPIC_NAME_MAX + 1];
  struct coho__buf out = COHO_BUF(SIZE_MAX / 4);
  int err = may_look(m, r, p);
  COHO_ASSERT(p->topic.len < sizeof topic);
  memcpy(topic, p->topic.data, p->topic.len);
  topic[p->topic.len] = '\0';
  if (!err) err = coho__buf_append_str(&out, "{");
  if (!err) err = coho__frame_members(&out, m->hub, topic);
  answer(r, &out, err);
}
