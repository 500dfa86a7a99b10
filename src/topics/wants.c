#include "topics/wants.h"

#include "base/alloc.h"
#include "base/utf8.h"
#include "proto/request.h"
#include "topics/cors.h"

#include <string.h>

/* The next `sub` of a query, as sent; false: there is none. */
static bool next_sub(struct coho__view *rest, struct coho__view *value) {
  while (rest->data) {
    *value = coho__view_split(rest, '&');
    struct coho__view name = coho__view_split(value, '=');
    if (coho__view_eq(name, VIEW("sub")) && value->data) return true;
  }
  return false;
}

static bool is_twice(const struct coho__wants *w, size_t i) {
  for (size_t k = 0; k < i; k++)
    if (coho__view_eq(w->list[k].path.follow, w->list[i].path.follow)) return true;
  return false;
}

static int check(struct coho__want *want, const struct coho__mount *m,
                 const struct coho__who *who) {
  if (want->path.place != COHO_PLACE_TOPIC && want->path.place != COHO_PLACE_PRESENCE)
    return COHO_ENAME;
  return coho__who_may(m, who, COHO_MAY_SUBSCRIBE, want->path.topic);
}

/* NAME or NAME@POS, which no name contains. */
static int read_sub(struct coho__want *want, coho_request *r, struct coho__view sub) {
  char *text = coho__request_keep(r, sub.data, sub.len);
  if (!text) return COHO_ENOMEM;
  ptrdiff_t len = coho__percent_decode(text, text, sub.len, true);
  if (len < 0 || !coho__utf8_valid(text, (size_t)len)) return COHO_ENAME;
  char *at = strrchr(text, '@');
  if (at) *at = '\0';
  want->name = text;
  want->path = coho__path_read(coho__view_of(text));
  if (!at) return 0;
  want->since = &want->at;
  return coho_pos_parse(at + 1, &want->at);
}

static int make_room(struct coho__wants *w, size_t count) {
  w->list = count ? (struct coho__want *)coho__zalloc(count * sizeof *w->list) : NULL;
  if (count && !w->list) return COHO_ENOMEM;
  w->count = count;
  return 0;
}

static int read_many(struct coho__wants *w, const struct coho__mount *m, coho_request *r,
                     const struct coho__who *who) {
  struct coho__view query = coho__view_of(coho_request_query_string(r)), rest = query, sub;
  size_t count = 0;
  if (coho__who_needs_token(m, who)) return COHO_ENOTOKEN;
  while (next_sub(&rest, &sub))
    if (++count > m->opt.max_subscriptions) return COHO_ETOOMANY;
  int err = make_room(w, count);
  rest = query;
  for (size_t i = 0; i < w->count && !err && next_sub(&rest, &sub); i++) {
    err = read_sub(&w->list[i], r, sub);
    w->list[i].err = err;
    if (err != COHO_ENOMEM) err = 0;
    if (!w->list[i].err) w->list[i].err = check(&w->list[i], m, who);
    if (!w->list[i].err && is_twice(w, i)) w->list[i].err = COHO_EEXISTS;
  }
  return err;
}

static int read_one(struct coho__wants *w, const struct coho__mount *m, coho_request *r,
                    const struct coho__path *p, const struct coho__who *who) {
  int err = make_room(w, 1);
  if (err) return err;
  w->list->path = *p;
  w->list->name = p->follow.data;
  err = check(w->list, m, who);
  return err ? err : coho__since_of(r, &w->list->at, &w->list->since);
}

int coho__wants_read(struct coho__wants *w, const struct coho__mount *m, coho_request *r,
                     const struct coho__path *p, const struct coho__who *who) {
  *w = (struct coho__wants){.many = p->place == COHO_PLACE_ROOT};
  return w->many ? read_many(w, m, r, who) : read_one(w, m, r, p, who);
}

void coho__wants_free(struct coho__wants *w) {
  coho__free(w->list, w->count * sizeof *w->list);
  *w = (struct coho__wants){.list = NULL};
}

void coho__wants_serve(struct coho__mount *m, coho_request *r, const struct coho__path *p,
                       int (*fn)(struct coho__mount *m, coho_request *r,
                                 const struct coho__wants *w, const struct coho__who *who)) {
  struct coho__who who;
  struct coho__wants wants;
  int err = coho__who_of(m, r, &who);
  if (err) {
    coho__refuse(r, err);
    return;
  }
  err = coho__wants_read(&wants, m, r, p, &who);
  if (!err) err = fn(m, r, &wants, &who);
  coho__wants_free(&wants);
  coho__who_free(&who);
  if (err) coho__refuse(r, err);
}
