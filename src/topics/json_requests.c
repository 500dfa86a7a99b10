#include "topics/json_requests.h"

#include "base/alloc.h"
#include "base/base64.h"
#include "hub/members.h"
#include "topics/answer.h"
#include "topics/held.h"
#include "topics/json.h"

#include <inttypes.h>
#include <string.h>

enum { ID_MOST = 64, KEY_MOST = 255 };

/* A request and what is used of it by several. */
struct asked {
  struct coho__json_session *session;
  const json_t *object, *id;
  struct coho__view topic, pattern; /* no data: not there */
  const char *wrong;                /* which member is, and how; NULL: the error says all */
};

static struct coho__mount *mount_of(const struct asked *a) { return a->session->seat.mount; }

static int wrong(struct asked *a, const char *text) {
  a->wrong = text;
  return COHO_EREQUEST;
}

/* ---- reading --------------------------------------------------------------------------------- */

static bool read_id(struct asked *a) {
  a->id = json_object_get(a->object, "id");
  return !a->id || json_is_integer(a->id) ||
         (json_is_string(a->id) && json_string_length(a->id) <= ID_MOST);
}

/* Exactly one of topic and pattern. */
static int read_name(struct asked *a) {
  if (!coho__json_string(a->object, "topic", &a->topic) ||
      !coho__json_string(a->object, "pattern", &a->pattern) ||
      (a->topic.data != NULL) == (a->pattern.data != NULL))
    return wrong(a, "topic or pattern: one of them, a string");
  bool valid = a->pattern.data ? coho__pattern_valid(a->pattern)
                               : coho__path_read(a->topic).place != COHO_PLACE_NONE;
  return valid ? 0 : COHO_ENAME;
}

/* A topic itself, not its companion. */
static int read_topic(struct asked *a) {
  if (!coho__json_string(a->object, "topic", &a->topic) || !a->topic.data)
    return wrong(a, "topic: a string");
  return coho__topic_name_valid(a->topic) ? 0 : COHO_ENAME;
}

/* *since NULL: from now on. */
static int read_since(const struct asked *a, coho_pos *at, const coho_pos **since) {
  const json_t *value = json_object_get(a->object, "since");
  *since = NULL;
  if (!value) return 0;
  if (!json_is_string(value) && !(json_is_integer(value) && json_integer_value(value) == 0))
    return COHO_EPOSITION;
  int err = coho_pos_parse(json_is_string(value) ? json_string_value(value) : "0", at);
  if (!err) *since = at;
  return err;
}

/* ---- presence -------------------------------------------------------------------------------- */

void coho__json_leave(struct coho__json_session *s, struct coho__json_badge **link) {
  struct coho__json_badge *b = *link;
  (void)s;
  *link = b->next;
  coho__badge_leave(&b->badge);
  coho__free(b, sizeof *b);
}

static void leave_topic(struct coho__json_session *s, const char *topic) {
  for (struct coho__json_badge **link = &s->badges; *link; link = &(*link)->next) {
    if (strcmp((*link)->badge.topic, topic) != 0) continue;
    coho__json_leave(s, link);
    return;
  }
}

static int badge_refused(struct asked *a, int err) {
  if (err == COHO_EREQUEST) return wrong(a, "as: id or info is empty or too long");
  if (err == COHO_EFORBIDDEN)
    a->wrong = "as: id is the sub of the token; without one it begins with ~";
  return err;
}

/* `as`: {"id":"ann","info":{}} */
static int enter(struct asked *a) {
  const json_t *as = json_object_get(a->object, "as");
  struct coho__json_session *s = a->session;
  struct coho__view id;
  if (!as) return 0;
  if (!a->topic.data || coho__path_read(a->topic).place != COHO_PLACE_TOPIC ||
      !coho__json_string(as, "id", &id) || !id.data)
    return wrong(a, "as: an object with id, a string; not for presence itself");
  struct coho__json_badge *b = (struct coho__json_badge *)coho__zalloc(sizeof *b);
  const json_t *info = json_object_get(as, "info");
  char *text = info ? json_dumps(info, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
  int err = b && (text || !info) ? 0 : COHO_ENOMEM;
  if (!err)
    err =
        coho__badge_enter(&b->badge, mount_of(a), &s->seat.who, a->topic, id, coho__view_of(text));
  free(text);
  if (err) {
    coho__free(b, sizeof *b);
    return badge_refused(a, err);
  }
  b->next = s->badges;
  s->badges = b;
  return 0;
}

/* ---- sub, unsub ------------------------------------------------------------------------------ */

static int may_follow(const struct asked *a) {
  const struct coho__who *who = &a->session->seat.who;
  if (a->pattern.data) return coho__who_may_pattern(mount_of(a), who, a->pattern);
  return coho__who_may(mount_of(a), who, COHO_MAY_SUBSCRIBE, coho__path_read(a->topic).topic);
}

static void answer_sub(struct asked *a, const coho_start *start) {
  struct coho__json_session *s = a->session;
  coho__json_answer(s, coho__frame_ok(&s->out, a->id, a->topic.data, a->pattern.data,
                                      a->topic.data ? &start->pos : NULL));
  if (start->lost)
    coho__json_answer(s, coho__frame_gap(&s->out, a->topic.data, NULL, start->lost, start->pos));
  coho__sink_ready(&s->sink);
}

static int join(struct asked *a, const coho_pos *since, coho_start *start) {
  struct coho__json_session *s = a->session;
  coho_hub *hub = mount_of(a)->hub;
  if (s->sink.count >= mount_of(a)->opt.max_subscriptions) return COHO_ETOOMANY;
  if (a->pattern.data) return coho__sink_subscribe_pattern(hub, &s->sink, a->pattern);
  return coho__sink_subscribe(hub, &s->sink, a->topic, since, start);
}

static int on_sub(struct asked *a) {
  coho_start start = {.lost = 0};
  const coho_pos *since = NULL;
  coho_pos at;
  int err = read_name(a);
  if (!err) err = read_since(a, &at, &since);
  /* Who follows a pattern is nowhere, and comes from nowhere. */
  bool placed = since || json_object_get(a->object, "as");
  if (!err && placed && a->pattern.data) err = wrong(a, "since, as: not with a pattern");
  if (!err) err = may_follow(a);
  if (!err) err = join(a, since, &start);
  if (err) return err;
  err = enter(a);
  if (err) {
    (void)coho__sink_unsubscribe(mount_of(a)->hub, &a->session->sink, a->topic);
    return err;
  }
  answer_sub(a, &start);
  return 0;
}

static int on_unsub(struct asked *a) {
  struct coho__json_session *s = a->session;
  int err = read_name(a);
  if (err) return err;
  err = a->pattern.data ? coho__sink_unsubscribe_pattern(mount_of(a)->hub, &s->sink, a->pattern)
                        : coho__sink_unsubscribe(mount_of(a)->hub, &s->sink, a->topic);
  if (err) return err;
  if (a->topic.data) leave_topic(s, a->topic.data);
  coho__json_answer(s, coho__frame_ok(&s->out, a->id, a->topic.data, a->pattern.data, NULL));
  return 0;
}

/* ---- pub ------------------------------------------------------------------------------------- */

/* The bytes of data64 into buf. */
static int decode(struct asked *a, struct coho__view text, struct coho__buf *buf) {
  char *dst = coho__buf_reserve(buf, text.len / 4 * 3 + 1);
  if (!dst) return COHO_ENOMEM;
  ptrdiff_t n = coho__base64_decode(dst, text.data, text.len);
  if (n < 0) return wrong(a, "data64: base64");
  buf->len = (size_t)n;
  return 0;
}

static int read_message(struct asked *a, struct coho__buf *buf, coho_msg *m) {
  struct coho__view data, data64;
  if (!coho__json_string(a->object, "data", &data) ||
      !coho__json_string(a->object, "data64", &data64) ||
      (data.data != NULL) == (data64.data != NULL))
    return wrong(a, "data or data64: one of them, a string");
  int err = data64.data ? decode(a, data64, buf) : 0;
  if (err) return err;
  *m = data64.data ? coho_binary(buf->data, buf->len) : coho_text_n(data.data, data.len);
  return m->len > mount_of(a)->opt.max_message ? COHO_ETOOBIG : 0;
}

static int publish(struct asked *a, coho_msg m, coho_pos *pos) {
  struct coho__view key, idem;
  if (!coho__json_string(a->object, "key", &key) || key.len > KEY_MOST)
    return wrong(a, "key: a string of at most 255 bytes");
  if (!coho__json_string(a->object, "idem", &idem) || idem.len > KEY_MOST ||
      (idem.data && !idem.len))
    return wrong(a, "idem: a string of 1 to 255 bytes");
  coho_publish_options opt = {.key = key.data, .idempotency_key = idem.data};
  return coho__held_publish(&a->session->seat, a->topic.data, m, &opt, a->id, pos);
}

void coho__json_published(struct coho__seat *seat, const json_t *id, const char *topic, int err,
                          coho_pos pos) {
  struct coho__json_session *s = COHO_CONTAINER_OF(seat, struct coho__json_session, seat);
  if (err)
    coho__json_fail(s, id, topic, NULL, err, NULL);
  else
    coho__json_answer(s, coho__frame_ok(&s->out, id, topic, NULL, &pos));
}

static int on_pub(struct asked *a) {
  const struct coho__who *who = &a->session->seat.who;
  struct coho__buf buf = COHO_BUF(SIZE_MAX / 4);
  coho_pos pos;
  coho_msg m;
  int err = read_topic(a);
  if (!err) err = coho__who_may(mount_of(a), who, COHO_MAY_PUBLISH, a->topic);
  if (!err) err = read_message(a, &buf, &m);
  if (!err) err = publish(a, m, &pos);
  coho__buf_release(&buf);
  if (!err) coho__json_published(&a->session->seat, a->id, a->topic.data, 0, pos);
  return err < 0 ? err : 0; /* or the answer comes later */
}

/* ---- the others ------------------------------------------------------------------------------ */

static int may_look(struct asked *a) {
  int err = read_topic(a);
  if (err) return err;
  return coho__who_may(mount_of(a), &a->session->seat.who, COHO_MAY_SUBSCRIBE, a->topic);
}

/* Of the queue, so that an answer finds a place behind what waits there. */
static size_t answer_most(const struct asked *a) {
  return (size_t)COHO_MIN(mount_of(a)->opt.max_queue / 2, (uint64_t)COHO_ANSWER_BYTES);
}

/* A member that is a number from min to max; without it *n stays. */
static bool read_number(const struct asked *a, const char *name, json_int_t min, json_int_t max,
                        json_int_t *n) {
  const json_t *value = json_object_get(a->object, name);
  if (!value) return true;
  *n = json_integer_value(value);
  return json_is_integer(value) && *n >= min && *n <= max;
}

/* err: of making it. That the hub has no room for the topic is no fault of the connection. */
static int answer_list(struct coho__json_session *s, int err) {
  if (err != COHO_EFULL) coho__json_answer(s, err);
  return err == COHO_EFULL ? err : 0;
}

static int on_presence(struct asked *a) {
  struct coho__json_session *s = a->session;
  json_int_t limit = COHO_MEMBERS_MOST, after = 0;
  int err = may_look(a);
  if (err) return err;
  if (!read_number(a, "limit", 1, COHO_MEMBERS_MOST, &limit))
    return wrong(a, "limit: a whole number, neither 0 nor too large");
  if (!read_number(a, "after", 0, INT64_MAX, &after)) return wrong(a, "after: a whole number");
  const struct coho__look_around around = {(uint64_t)after, (size_t)limit, answer_most(a)};
  err = coho__frame_begin(&s->out, "presence", a->id, a->topic.data);
  if (!err) err = coho__buf_append_str(&s->out, ",");
  if (!err) err = coho__frame_members(&s->out, mount_of(a)->hub, a->topic, around);
  if (!err) err = coho__buf_append_str(&s->out, "}");
  return answer_list(s, err);
}

static int on_history(struct asked *a) {
  struct coho__json_session *s = a->session;
  json_int_t limit = COHO_HISTORY_DEFAULT;
  int err = may_look(a);
  if (err) return err;
  if (!read_number(a, "limit", 1, COHO_HISTORY_MOST, &limit))
    return wrong(a, "limit: a whole number from 1 to 1000");
  const struct coho__look_back back = {(size_t)limit, answer_most(a)};
  err = coho__frame_begin(&s->out, "history", a->id, a->topic.data);
  if (!err) err = coho__buf_append_str(&s->out, ",");
  if (!err) err = coho__frame_history(&s->out, mount_of(a)->hub, a->topic, back, "pos");
  if (!err) err = coho__buf_append_str(&s->out, "}");
  return answer_list(s, err);
}

/* What the new token does not allow ends. */
static void recheck(void *ctx, struct coho__view name, bool pattern) {
  struct asked *a = (struct asked *)ctx;
  struct coho__json_session *s = a->session;
  struct asked sub = {.session = s, .object = a->object};
  *(pattern ? &sub.pattern : &sub.topic) = name;
  if (!may_follow(&sub)) return;
  if (pattern) {
    (void)coho__sink_unsubscribe_pattern(mount_of(a)->hub, &s->sink, name);
  } else {
    leave_topic(s, name.data);
    (void)coho__sink_unsubscribe(mount_of(a)->hub, &s->sink, name);
  }
  coho__json_answer(
      s, coho__frame_error(&s->out, NULL, sub.topic.data, sub.pattern.data, COHO_EFORBIDDEN));
}

static int on_auth(struct asked *a) {
  struct coho__json_session *s = a->session;
  char peer[COHO_ADDR_MAX];
  struct coho__view token;
  if (!coho__json_string(a->object, "token", &token) || !token.data)
    return wrong(a, "token: a string");
  int err = coho__who_becomes(mount_of(a), &s->seat.who, token,
                              coho_conn_peer(s->seat.conn, peer, sizeof peer));
  if (err) {
    coho__seat_close(&s->seat, err);
    return 0;
  }
  s->seat.warned = false;
  uint64_t until = coho__who_until(&s->seat.who);
  err = coho__frame_begin(&s->out, "ok", a->id, NULL);
  if (!err && until != COHO_CLAIMS_NEVER)
    err = coho__buf_printf(&s->out, ",\"expires\":%" PRIu64, until / 1000);
  if (!err) err = coho__buf_append_str(&s->out, "}");
  coho__json_answer(s, err);
  coho__sink_each(&s->sink, recheck, a);
  coho__seat_retime(&s->seat);
  return 0;
}

static int on_ping(struct asked *a) {
  struct coho__json_session *s = a->session;
  int err = coho__frame_begin(&s->out, "pong", a->id, NULL);
  if (!err) err = coho__buf_append_str(&s->out, "}");
  coho__json_answer(s, err);
  return 0;
}

static const struct request {
  const char *op;
  int (*fn)(struct asked *a); /* 0: it has answered */
} requests[] = {
    {"sub", on_sub},         {"unsub", on_unsub}, {"pub", on_pub},   {"presence", on_presence},
    {"history", on_history}, {"auth", on_auth},   {"ping", on_ping},
};

static const struct request *find(struct coho__view op) {
  for (size_t i = 0; op.data && i < COHO_COUNT(requests); i++)
    if (strcmp(requests[i].op, op.data) == 0) return &requests[i];
  return NULL;
}

void coho__json_request(struct coho__json_session *s, const json_t *object) {
  struct asked a = {.session = s, .object = object};
  struct coho__view op;
  if (!read_id(&a)) {
    coho__json_fail(s, NULL, NULL, NULL, COHO_EREQUEST,
                    "id: a whole number, or a string of at most 64 bytes");
    return;
  }
  bool text = coho__json_string(object, "op", &op);
  const struct request *request = text ? find(op) : NULL;
  int err = request ? request->fn(&a) : wrong(&a, "op: one that is known");
  s->out.len = err ? 0 : s->out.len;
  if (err) coho__json_fail(s, a.id, a.topic.data, a.pattern.data, err, a.wrong);
}
