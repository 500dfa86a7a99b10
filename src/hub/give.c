#include "hub/give.h"

#include "hub/hub.h"
#include "ws/conn.h"

enum { CLOSE_LOST = 4408 };

const char *coho__give_pattern(struct coho__subs *of) {
  return of->pattern ? coho__subs_name(of) : NULL;
}

/* ---- connections: a message is a frame ------------------------------------------------------- */

static int insert(coho_conn *c, const struct coho__delivery *d) {
  struct coho__message *m = d->message;
  if (d->live) return coho__conn_insert_framed(c, m->live->framed);
  struct coho__framed *framed = coho__framed_over(m->frame, &m->msg);
  if (!framed) return COHO_ENOMEM;
  int err = coho__conn_insert_framed(c, framed);
  coho__framed_free(framed);
  return err;
}

/* One that is being closed gets nothing more, and is not too slow either. */
static bool takes(const coho_conn *c) {
  return coho__conn_alive(c) && coho__engine_open(&c->engine);
}

static int give_conn(coho_conn *c, const struct coho__delivery *d) {
  if (!takes(c)) return COHO_ECLOSED;
  if (!coho__conn_room(c)) return COHO_EFULL;
  int err = insert(c, d);
  if (err == COHO_EFULL)
    c->want_room = true;
  else if (err == COHO_ETOOBIG)
    coho__conn_overflow(c, err);
  else if (err == COHO_ENOMEM)
    coho__conn_doom(c, err);
  return err;
}

static int gap_conn(coho_conn *c, const struct coho__leaf *l, uint64_t lost, coho_pos pos) {
  const coho_hub_options *opt = &l->topic->hub->opt;
  if (!takes(c)) return COHO_ECLOSED;
  if (!coho__conn_room(c)) return COHO_EFULL;
  coho__conn_dropped(c, lost == COHO_LOST_UNKNOWN ? 1 : lost);
  if (opt->on_gap) {
    opt->on_gap(c, l->topic->name, lost, pos);
    return 0;
  }
  /* Where only the latest value counts, there is nothing to come back for. */
  if (coho__topic_conflates(l->topic)) return 0;
  (void)coho_close(c, CLOSE_LOST, "messages were lost; come back with the last position");
  return COHO_ECLOSED;
}

/* ---- both ------------------------------------------------------------------------------------ */

int coho__give(const struct coho__shelf *s, const struct coho__sub *sub,
               const struct coho__delivery *d) {
  struct coho__subscriber who = coho__subscriber_of(s, sub);
  return who.conn ? give_conn(who.conn, d) : who.sink->ops->message(who.sink, d);
}

static void count_gap(const struct coho__leaf *l, uint64_t lost) {
  struct coho__topic *t = l->topic;
  uint64_t n = lost == COHO_LOST_UNKNOWN ? 0 : lost;
  coho__hub_lock(t->hub);
  t->dropped += n;
  t->hub->stats.dropped += n;
  t->hub->stats.gaps++;
  coho__hub_unlock(t->hub);
}

static int gap_sink(struct coho__sink *sink, const struct coho__leaf *l,
                    const struct coho__sub *sub, uint64_t lost, coho_pos pos) {
  const char *pattern = coho__give_pattern(coho__subs_of(l->part->shelf, sub));
  return sink->ops->gap(sink, l->topic->name, pattern, lost, pos);
}

int coho__give_gap(const struct coho__leaf *l, const struct coho__sub *sub, uint64_t lost,
                   coho_pos pos) {
  struct coho__subscriber who = coho__subscriber_of(l->part->shelf, sub);
  int err = who.conn ? gap_conn(who.conn, l, lost, pos) : gap_sink(who.sink, l, sub, lost, pos);
  if (err != COHO_EFULL) count_gap(l, lost);
  return err;
}

void coho__give_close(const struct coho__shelf *s, const struct coho__sub *sub, int err) {
  struct coho__subscriber who = coho__subscriber_of(s, sub);
  if (!who.conn)
    who.sink->ops->close(who.sink, err);
  else if (err == COHO_EFULL)
    coho__conn_overflow(who.conn, err);
  else
    coho__conn_doom(who.conn, err);
}
