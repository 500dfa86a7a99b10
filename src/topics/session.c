#include "topics/session.h"

#include "base/alloc.h"
#include "topics/cors.h"
#include "topics/json_session.h"
#include "topics/raw.h"
#include "ws/serve.h"

enum { ENVELOPE = 8 * 1024 /* of a frame around its data, a token included */ };

/* ---- a connection ---------------------------------------------------------------------------- */

static struct coho__seat *seat_of(const coho_conn *c) {
  return (struct coho__seat *)coho_conn_user(c);
}

static void on_open(coho_conn *c) {
  struct coho__seat *s = seat_of(c);
  s->conn = c;
  coho__seat_retime(s);
  s->ops->open(s);
}

static void on_message(coho_conn *c, coho_msg m) {
  struct coho__seat *s = seat_of(c);
  s->ops->message(s, m);
}

static void on_close(coho_conn *c, const coho_ending *how) {
  struct coho__seat *s = seat_of(c);
  (void)how;
  s->ops->free(s);
}

/* ---- the handshake --------------------------------------------------------------------------- */

/* No connection came of it. */
static void drop(void *user) {
  struct coho__seat *s = (struct coho__seat *)user;
  s->ops->free(s);
}

static struct coho__seat *admit(struct coho__mount *m, coho_request *r, struct coho__who *who) {
  struct coho__path p = coho__path_of(m, r);
  switch (p.place) {
  case COHO_PLACE_ROOT: return coho__json_admit(m, r, who);
  case COHO_PLACE_TOPIC:
  case COHO_PLACE_PRESENCE: return coho__raw_admit(m, r, &p, who);
  case COHO_PLACE_HISTORY:
  case COHO_PLACE_NONE: break;
  }
  coho__refuse(r, COHO_ENAME);
  return NULL;
}

static void admit_by(struct coho__mount *m, coho_request *r) {
  struct coho__who who;
  int err = coho__who_of(m, r, &who);
  if (err) {
    coho__refuse(r, err);
    return;
  }
  struct coho__seat *s = admit(m, r, &who);
  if (s) coho__http_give_user(r, s, drop);
  coho__who_free(&who);
}

static void on_upgrade(coho_request *r) {
  struct coho__mount *m = coho__site_mount((struct coho__site *)coho_request_user(r));
  coho_request_set_user(r, NULL);
  admit_by(m, r);
  coho__mount_unref(m);
}

/* ---- the route ------------------------------------------------------------------------------- */

static coho_options options_of(const struct coho__mount *m, struct coho__site *site,
                               const coho_options *conn) {
  const coho_topics_options *opt = &m->opt;
  coho_options o = *conn;
  o.on_upgrade = on_upgrade;
  o.on_open = on_open;
  o.on_message = on_message;
  o.on_drain = NULL;
  o.on_close = on_close;
  o.on_ping = o.on_pong = NULL;
  o.on_error = NULL;
  o.user = site;
  o.protocols = NULL; /* on_upgrade chooses */
  o.origins = opt->origins;
  o.flags &= ~(uint32_t)(COHO_STREAM | COHO_PROTOCOL_REQUIRED);
  /* Base64 in JSON. */
  o.max_message = opt->max_message * 2 + ENVELOPE;
  o.max_frame = 0;
  o.max_queue = opt->max_queue;
  o.low_mark = 0;
  if (opt->rate.per_second != UINT32_MAX) o.rate_messages = opt->rate;
  return o;
}

int coho__session_route(coho_server *s, const char *pattern, struct coho__site *site,
                        const coho_options *conn) {
  struct coho__mount *m = coho__site_mount(site);
  const coho_options o = options_of(m, site, conn);
  int err = coho_route_ws(s, pattern, &o);
  coho__mount_unref(m);
  return err;
}

int coho__session_update(coho_server *s, const char *pattern, struct coho__site *site,
                         const struct coho__mount *m, const coho_options *conn) {
  const coho_options o = options_of(m, site, conn);
  return coho_route_ws_update(s, pattern, &o);
}
