#include "subject.h"

#include "escape.h"

#include <string.h>

static struct hub_session *session_of(const struct subject *t) { return &t->subscriber->session; }

static const struct sub_values *values_of(const struct subject *t) { return t->subscriber->values; }

static bool is_over(const struct subject *t) { return session_of(t)->over; }

/* err is not 0. */
static void fail(struct subject *t, int err) {
  if (is_over(t)) return;
  hub_session_fail(session_of(t), "%s: %s%s", t->name, coho_strerror(err),
                   hub_session_advice(session_of(t), err));
}

/* The last one ends it all. */
static void reach(struct subject *t) {
  if (t->reached) return;
  t->reached = true;
  if (--t->subscriber->waits_for == 0) hub_session_end(session_of(t), EXIT_FINE);
}

/* ---- what both kinds tell ------------------------------------------------------------------- */

static struct subject *subject_of(const coho_follow *f) {
  return (struct subject *)coho_follow_user(f);
}

static void on_error(coho_follow *f, int err, const char *text) {
  struct subject *t = subject_of(f);
  char words[512];
  bool for_now = err == COHO_EFULL || err == COHO_EUNAVAILABLE; /* too many stay too many */
  escape_line(words, sizeof words, coho__view_of(text));
  if (is_over(t)) return;
  if (for_now)
    hub_session_note(session_of(t), "%s: %s; asking again later", t->name, words);
  else
    hub_session_fail(session_of(t), "%s: %s%s", t->name, words,
                     hub_session_advice(session_of(t), err));
}

static void match_message(coho_follow *f, const char *topic, coho_pos pos, coho_msg m) {
  struct subject *t = subject_of(f);
  const struct sub_subject of = {topic, t->name};
  if (!is_over(t)) subscriber_message(t->subscriber, &of, pos, m);
}

static void match_gap(coho_follow *f, const char *topic, uint64_t lost, coho_pos pos) {
  struct subject *t = subject_of(f);
  const struct sub_subject of = {topic, t->name};
  if (!is_over(t)) subscriber_gap(t->subscriber, &of, lost, pos);
}

static int follow_pattern(struct subject *t) {
  coho_pattern_options opt = {
      .on_message = match_message, .on_gap = match_gap, .on_error = on_error, .user = t};
  return coho_client_follow_pattern(session_of(t)->client, t->name, &opt, NULL);
}

/* ---- a topic -------------------------------------------------------------------------------- */

static int ask_history(struct subject *t, uint64_t limit);

static bool is_behind(const struct subject *t, coho_pos pos) {
  return pos.epoch == t->end.epoch && pos.offset >= t->end.offset;
}

/* Whether all is printed that was there. In another life of the topic that is something else. */
static void look(struct subject *t, coho_pos pos) {
  if (!values_of(t)->no_follow || t->asking || is_over(t)) return;
  int err = pos.epoch == t->end.epoch ? 0 : ask_history(t, 1);
  if (err) fail(t, err);
  if (is_behind(t, pos)) reach(t);
}

static void on_message(coho_follow *f, coho_pos pos, coho_msg m) {
  struct subject *t = subject_of(f);
  const struct sub_subject of = {t->name, NULL};
  if (is_over(t) || t->reached) return;
  subscriber_message(t->subscriber, &of, pos, m);
  look(t, pos);
}

static void on_gap(coho_follow *f, uint64_t lost, coho_pos pos) {
  struct subject *t = subject_of(f);
  const struct sub_subject of = {t->name, NULL};
  if (is_over(t) || t->reached) return;
  subscriber_gap(t->subscriber, &of, lost, pos);
  look(t, pos);
}

static void on_start(coho_follow *f) {
  struct subject *t = subject_of(f);
  coho_pos pos;
  if (is_over(t) || t->reached || coho_follow_pos(f, &pos)) return;
  bookmarks_set(&t->subscriber->marks, t->name, pos);
  look(t, pos);
}

/* since NULL: from now on. */
static int follow_topic(struct subject *t, const char *since) {
  coho_follow_options opt = {.on_message = on_message,
                             .on_gap = on_gap,
                             .on_start = on_start,
                             .on_error = on_error,
                             .user = t,
                             .since = since,
                             .as = values_of(t)->as,
                             .info = values_of(t)->info};
  return coho_client_follow(session_of(t)->client, t->name, &opt, NULL);
}

/* Where it begins, without --last. */
static const char *since_of(const struct subject *t) {
  const char *mark = bookmarks_get(&t->subscriber->marks, t->name);
  if (mark) return mark;
  return values_of(t)->since || !values_of(t)->no_follow ? values_of(t)->since : "0";
}

static void on_held(void *ctx, coho_pos pos, coho_msg m) {
  struct subject *t = (struct subject *)ctx;
  (void)m;
  if (!t->found) t->first = (coho_pos){pos.epoch, pos.offset - 1};
  t->found = true;
}

static void on_history(void *ctx, int err, coho_pos pos) {
  struct subject *t = (struct subject *)ctx;
  coho_follow *f = coho_client_find(session_of(t)->client, t->name);
  char since[COHO_POS_MAX];
  t->asking = false;
  t->end = pos;
  if (is_over(t)) return;
  if (!err && f) {
    if (!coho_follow_pos(f, &pos) && is_behind(t, pos)) reach(t);
  } else if (!err && values_of(t)->last && !bookmarks_get(&t->subscriber->marks, t->name)) {
    (void)coho_pos_text(t->found ? t->first : pos, since, sizeof since);
    err = follow_topic(t, since);
  } else if (!err) {
    err = follow_topic(t, since_of(t));
  }
  if (err) fail(t, err);
}

static int ask_history(struct subject *t, uint64_t limit) {
  coho_client_history_options opt = {
      .on_message = on_held, .done = on_history, .ctx = t, .limit = limit};
  t->asking = true;
  return coho_client_history(session_of(t)->client, t->name, &opt);
}

/* ---- who is present ------------------------------------------------------------------------- */

static void ask_presence(struct subject *t);

static void on_member(void *ctx, const char *id, const char *info) {
  struct subject *t = (struct subject *)ctx;
  const struct sub_event here = {.word = "here", .id = id, .info = info};
  if (!is_over(t)) subscriber_event(t->subscriber, t->name, &here);
}

static void on_event(coho_follow *f, coho_pos pos, uint32_t event, const char *id,
                     const char *info) {
  static const char *const words[] = {
      [COHO_JOIN] = "join", [COHO_UPDATE] = "update", [COHO_LEAVE] = "leave"};
  struct subject *t = subject_of(f);
  const struct sub_event told = {.word = words[event], .id = id, .info = info, .pos = &pos};
  if (!is_over(t)) subscriber_event(t->subscriber, t->name, &told);
}

/* Who is here has to be told again then. */
static void on_event_gap(coho_follow *f, uint64_t lost, coho_pos pos) {
  struct subject *t = subject_of(f);
  const struct sub_subject of = {t->companion, NULL};
  if (is_over(t)) return;
  subscriber_gap(t->subscriber, &of, lost, pos);
  if (!is_over(t)) ask_presence(t);
}

static int watch(struct subject *t, coho_pos pos) {
  char since[COHO_POS_MAX];
  coho_follow_options opt = {.on_presence = on_event,
                             .on_gap = on_event_gap,
                             .on_error = on_error,
                             .user = t,
                             .since = coho_pos_text(pos, since, sizeof since)};
  t->watched = true;
  return coho_client_follow(session_of(t)->client, t->companion, &opt, NULL);
}

static void on_members(void *ctx, int err, coho_pos pos) {
  struct subject *t = (struct subject *)ctx;
  if (is_over(t)) return;
  if (!err && values_of(t)->no_follow)
    reach(t);
  else if (!err && !t->watched)
    err = watch(t, pos);
  if (err) fail(t, err);
}

static void ask_presence(struct subject *t) {
  coho_client_presence_options opt = {.on_member = on_member, .done = on_members, .ctx = t};
  int err = coho_client_presence(session_of(t)->client, t->name, &opt);
  if (err) fail(t, err);
}

/* Who shows up has to be in the topic, whose messages are not shown. */
static int show_up(struct subject *t) {
  coho_follow_options opt = {
      .on_error = on_error, .user = t, .as = values_of(t)->as, .info = values_of(t)->info};
  return opt.as ? coho_client_follow(session_of(t)->client, t->name, &opt, NULL) : 0;
}

/* ---- the beginning -------------------------------------------------------------------------- */

void subject_begin(struct subject *t, struct subscriber *s, const char *name) {
  const struct sub_values *v = s->values;
  *t = (struct subject){.subscriber = s, .name = name, .is_pattern = strpbrk(name, "+#") != NULL};
  (void)snprintf(t->companion, sizeof t->companion, "%s" COHO_COMPANION, name);
  s->waits_for += v->no_follow;
  int err = 0;
  if (t->is_pattern) {
    err = follow_pattern(t);
  } else if (v->presence) {
    err = show_up(t);
    if (!err) ask_presence(t);
  } else if (v->last || v->no_follow) {
    err = ask_history(t, v->last ? v->last : 1);
  } else {
    err = follow_topic(t, since_of(t));
  }
  if (err) fail(t, err);
}
