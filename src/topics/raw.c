#include "topics/raw.h"

#include "base/alloc.h"
#include "hub/look.h"
#include "topics/badge.h"
#include "topics/cors.h"
#include "topics/held.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char RAW_PROTOCOL[] = "coho.raw.v1";

struct raw {
  struct coho__seat seat;
  struct coho__badge badge;
  coho_pos start;
  bool follows, publishes;
  char topic[]; /* what it follows, terminated */
};

static struct raw *raw_of(struct coho__seat *s) { return COHO_CONTAINER_OF(s, struct raw, seat); }

/* ---- handlers -------------------------------------------------------------------------------- */

static void on_open(struct coho__seat *s) {
  struct raw *raw = raw_of(s);
  coho_start start = {.lost = 0};
  if (!raw->follows) return;
  int err = coho_subscribe_from(s->mount->hub, s->conn, raw->topic, raw->start, &start);
  if (err)
    coho__seat_close(s, err);
  else if (start.lost)
    (void)coho_close(s->conn, 4408, "messages were lost; come back with the last position");
}

static void on_message(struct coho__seat *s, coho_msg m) {
  const struct raw *raw = raw_of(s);
  int err = raw->publishes ? 0 : COHO_EFORBIDDEN;
  if (!err && m.len > s->mount->opt.max_message) err = COHO_ETOOBIG;
  m.flags = 0;
  const coho_publish_options plain = {.key = NULL};
  coho_pos pos;
  if (!err) err = coho__held_publish(s, raw->topic, m, &plain, NULL, &pos);
  if (err < 0) coho__seat_close(s, err);
}

static void on_held(struct coho__seat *s, const json_t *id, const char *topic, int err,
                    coho_pos pos) {
  (void)id;
  (void)topic;
  (void)pos;
  if (err) coho__seat_close(s, err);
}

/* There is no way to say it but the Close to come. */
static void on_expiring(struct coho__seat *s, uint64_t seconds) {
  (void)s;
  (void)seconds;
}

static void on_free(struct coho__seat *s) {
  struct raw *raw = raw_of(s);
  coho__badge_leave(&raw->badge);
  coho__seat_end(s);
  coho__free(raw, sizeof *raw + strlen(raw->topic) + 1);
}

static const struct coho__seat_ops ops = {.open = on_open,
                                          .message = on_message,
                                          .expiring = on_expiring,
                                          .held = on_held,
                                          .free = on_free};

/* ---- admission ------------------------------------------------------------------------------- */

static int tell_start(coho_request *r, const coho_start *start) {
  char text[COHO_POS_MAX];
  int err = coho_reply_header(r, "Coho-Position", coho_pos_text(start->pos, text, sizeof text));
  if (err || !start->lost) return err;
  if (start->lost == COHO_LOST_UNKNOWN) return coho_reply_header(r, "Coho-Gap", "unknown");
  (void)snprintf(text, sizeof text, "%" PRIu64, start->lost);
  return coho_reply_header(r, "Coho-Gap", text);
}

/* Who may only publish follows nothing. */
static int find_rights(struct raw *raw, const struct coho__path *p) {
  const struct coho__seat *s = &raw->seat;
  int follow = coho__who_may(s->mount, &s->who, COHO_MAY_SUBSCRIBE, p->topic);
  int publish = p->place == COHO_PLACE_TOPIC
                    ? coho__who_may(s->mount, &s->who, COHO_MAY_PUBLISH, p->topic)
                    : COHO_EFORBIDDEN;
  raw->follows = !follow;
  raw->publishes = !publish;
  return follow && publish ? follow : 0;
}

static int prepare(struct raw *raw, coho_request *r, const struct coho__path *p) {
  struct coho__mount *m = raw->seat.mount;
  const coho_pos *since;
  coho_pos at;
  coho_start start;
  int err = find_rights(raw, p);
  if (!err) err = coho__since_of(r, &at, &since);
  if (err || !raw->follows) return err;
  err = coho__hub_start(m->hub, p->follow, since, &start);
  if (!err) err = tell_start(r, &start);
  if (err) return err;
  raw->start = start.pos;
  return coho__badge_enter(&raw->badge, m, &raw->seat.who, p->topic,
                           coho__view_of(coho_request_query(r, "as")),
                           coho__view_of(coho_request_query(r, "info")));
}

struct coho__seat *coho__raw_admit(struct coho__mount *m, coho_request *r,
                                   const struct coho__path *p, struct coho__who *who) {
  struct raw *raw = (struct raw *)coho__zalloc(sizeof *raw + p->follow.len + 1);
  if (!raw) {
    coho__refuse(r, COHO_ENOMEM);
    return NULL;
  }
  coho__seat_init(&raw->seat, &ops, m, who);
  memcpy(raw->topic, p->follow.data, p->follow.len);
  (void)coho_request_choose(r, RAW_PROTOCOL); /* when it is offered */
  int err = prepare(raw, r, p);
  if (!err) return &raw->seat;
  on_free(&raw->seat);
  coho__refuse(r, err);
  return NULL;
}
