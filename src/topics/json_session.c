#include "topics/json_session.h"

#include "base/alloc.h"
#include "hub/lag.h"
#include "topics/cors.h"
#include "topics/json_requests.h"
#include "ws/conn.h"

#include <string.h>

static const char PROTOCOL[] = "coho.json.v1";

enum {
  FORM = 0,          /* place of a message's frame among its forms */
  ERRORS_MOST = 100, /* then it is no use to go on */
  CLOSE_KIND = 1003, /* RFC 6455 7.4.1 */
  CLOSE_DATA = 1007,
  CLOSE_POLICY = 1008
};

static struct coho__json_session *session_of(struct coho__seat *s) {
  return COHO_CONTAINER_OF(s, struct coho__json_session, seat);
}

static struct coho__json_session *of_sink(struct coho__sink *s) {
  return COHO_CONTAINER_OF(s, struct coho__json_session, sink);
}

/* ---- what it is given ------------------------------------------------------------------------ */

struct form {
  struct coho__form base;
  struct coho__framed *framed;
};

static void free_form(struct coho__form *base) {
  struct form *f = COHO_CONTAINER_OF(base, struct form, base);
  coho__framed_free(f->framed);
  coho__free(f, sizeof *f);
}

/* The frame of a message. NULL: out of memory. */
static struct coho__framed *make_framed(const struct coho__delivery *d) {
  struct coho__buf text = COHO_BUF(SIZE_MAX / 4);
  struct coho__framed *framed = NULL;
  if (!coho__frame_message(&text, d)) {
    coho_msg m = coho_text_n(text.data, text.len);
    framed = coho__framed_new(&m);
  }
  coho__buf_release(&text);
  return framed;
}

/* That which all share who subscribed the topic itself. NULL: out of memory. */
static struct coho__framed *shared(const struct coho__delivery *d) {
  struct coho__form *known = coho__message_form(d->message, FORM);
  if (known) return COHO_CONTAINER_OF(known, struct form, base)->framed;
  struct form *mine = (struct form *)coho__alloc(sizeof *mine);
  if (!mine) return NULL;
  *mine = (struct form){.base = {free_form}, .framed = make_framed(d)};
  if (!mine->framed) {
    coho__free(mine, sizeof *mine);
    return NULL;
  }
  known = coho__message_set_form(d->message, FORM, &mine->base);
  return COHO_CONTAINER_OF(known, struct form, base)->framed;
}

/* Results as of a sink's functions. */
static int after_insert(coho_conn *c, int err) {
  if (err == COHO_EFULL)
    c->want_room = true;
  else if (err == COHO_ETOOBIG)
    coho__conn_overflow(c, err);
  else if (err == COHO_ENOMEM)
    coho__conn_doom(c, err);
  return err;
}

static int on_message(struct coho__sink *sink, const struct coho__delivery *d) {
  coho_conn *c = of_sink(sink)->seat.conn;
  bool share = d->live && !d->pattern;
  if (!coho__conn_room(c)) return COHO_EFULL;
  struct coho__framed *framed = share ? shared(d) : make_framed(d);
  int err = framed ? coho__conn_insert_framed(c, framed) : COHO_ENOMEM;
  if (!share) coho__framed_free(framed);
  return after_insert(c, err);
}

static int on_gap(struct coho__sink *sink, const char *topic, const char *pattern, uint64_t lost,
                  coho_pos pos) {
  struct coho__json_session *s = of_sink(sink);
  if (!coho__conn_room(s->seat.conn)) return COHO_EFULL;
  coho__conn_dropped(s->seat.conn, lost == COHO_LOST_UNKNOWN ? 1 : lost);
  s->out.len = 0;
  int err = coho__frame_gap(&s->out, topic, pattern, lost, pos);
  return coho__json_send(s, err);
}

static void on_close(struct coho__sink *sink, int err) {
  coho_conn *c = of_sink(sink)->seat.conn;
  if (err == COHO_EFULL)
    coho__conn_overflow(c, err);
  else
    coho__conn_doom(c, err);
}

static const struct coho__sink_ops sink_ops = {
    .message = on_message, .gap = on_gap, .close = on_close};

/* ---- what it says ---------------------------------------------------------------------------- */

int coho__json_send(struct coho__json_session *s, int err) {
  coho_conn *c = s->seat.conn;
  coho_msg m = coho_text_n(s->out.data, s->out.len);
  if (!err) err = coho__conn_insert(c, &m);
  s->out.len = 0;
  if (s->out.cap > COHO_JSON_KEEP) coho__buf_release(&s->out);
  return after_insert(c, err);
}

void coho__json_answer(struct coho__json_session *s, int err) {
  err = coho__json_send(s, err);
  /* Who asks without reading the answers. */
  if (err == COHO_EFULL) coho__conn_overflow(s->seat.conn, err);
}

void coho__json_fail(struct coho__json_session *s, const json_t *id, const char *topic,
                     const char *pattern, int err, const char *text) {
  if (++s->errors > ERRORS_MOST) {
    (void)coho_close(s->seat.conn, CLOSE_POLICY, "too many errors");
    return;
  }
  coho__json_answer(s, coho__frame_fault(&s->out, id, topic, pattern, err, text));
}

/* ---- handlers -------------------------------------------------------------------------------- */

static void on_open(struct coho__seat *seat) {
  struct coho__json_session *s = session_of(seat);
  coho__sink_init(&s->sink, &sink_ops, coho_conn_loop(seat->conn));
  if (coho__sink_bind(&s->sink, seat->conn)) coho__conn_doom(seat->conn, COHO_ENOMEM);
}

static void on_frame(struct coho__seat *seat, coho_msg m) {
  struct coho__json_session *s = session_of(seat);
  if (m.type == COHO_BINARY) {
    (void)coho_close(seat->conn, CLOSE_KIND, "coho.json.v1 is text");
    return;
  }
  json_t *object = coho__json_object((struct coho__view){m.data, m.len});
  if (object)
    coho__json_request(s, object);
  else
    (void)coho_close(seat->conn, CLOSE_DATA, "not a JSON object");
  json_decref(object);
}

static void on_expiring(struct coho__seat *seat, uint64_t seconds) {
  struct coho__json_session *s = session_of(seat);
  coho__json_answer(s, coho__buf_printf(&s->out, "{\"op\":\"expiring\",\"in\":%llu}",
                                        (unsigned long long)seconds));
}

static void on_free(struct coho__seat *seat) {
  struct coho__json_session *s = session_of(seat);
  if (s->sink.ops) coho__sink_end(&s->sink);
  while (s->badges)
    coho__json_leave(s, &s->badges);
  coho__buf_release(&s->out);
  coho__seat_end(seat);
  coho__free(s, sizeof *s);
}

static const struct coho__seat_ops ops = {.open = on_open,
                                          .message = on_frame,
                                          .expiring = on_expiring,
                                          .held = coho__json_published,
                                          .free = on_free};

struct coho__seat *coho__json_admit(struct coho__mount *m, coho_request *r, struct coho__who *who) {
  struct coho__json_session *s = NULL;
  int err = coho_request_choose(r, PROTOCOL) ? COHO_EREQUEST : 0;
  if (!err) {
    s = (struct coho__json_session *)coho__zalloc(sizeof *s);
    err = s ? 0 : COHO_ENOMEM;
  }
  if (err) {
    coho__refuse(r, err);
    return NULL;
  }
  coho__buf_init(&s->out, SIZE_MAX / 4);
  coho__seat_init(&s->seat, &ops, m, who);
  return &s->seat;
}
