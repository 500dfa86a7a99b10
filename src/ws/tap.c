/*
 * A tap has two sides. The connection's is a watch of its meter: it collects records in a batch, and
 * posts the batch at the end of the turn to the loop of the observer, whose side is the letters that
 * arrive there. What both sides use is atomic or constant; each side, and each letter under way, holds
 * a reference. The connection's side ends with the connection or by a letter of the observer's, and
 * tells with a last letter, after which nothing comes.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/sized.h"
#include "io/mailbox.h"
#include "ws/conn.h"

#include <coho/inspect.h>
#include <string.h>

enum {
  PAYLOAD = 256,
  PAYLOAD_MOST = 64 * 1024,
  WAITING = 1024,
  WAITING_MOST = 65536,
  BYTES_MOST = 16 * 1024 * 1024 /* of payload that wait */
};

/* Records on their way. Their data are offsets in bytes until they arrive. */
struct batch {
  struct coho__letter letter;
  coho_tap *tap;
  size_t count;
  struct coho__buf records; /* coho_tapped */
  struct coho__buf bytes;
};

struct coho_tap {
  _Atomic uint32_t refs;
  _Atomic bool stopped;     /* by the observer */
  _Atomic uint32_t waiting; /* records that the observer has not seen */
  coho_tap_options opt;
  struct coho__mailbox *mailbox; /* held: the observer's */
  coho_id id;
  struct coho__letter begin, stop, end;

  /* The connection's side. */
  struct coho__watch watch;
  struct coho__task task; /* posts the batch */
  coho_loop *loop;
  struct batch *batch; /* NULL: empty */
  uint64_t lost;       /* since the last record */
  bool attached;
  /* The frame that arrives. */
  bool arriving;
  coho_tapped half; /* its data are in `head` */
  uint64_t at;      /* bytes of it so far */
  struct coho__buf head;
};

/* ---- references ----------------------------------------------------------------------------- */

static void unref(coho_tap *t) {
  if (atomic_fetch_sub(&t->refs, 1) > 1) return;
  coho__mailbox_drop(t->mailbox);
  coho__buf_release(&t->head);
  coho__free(t, sizeof *t);
}

static void ref(coho_tap *t) { atomic_fetch_add(&t->refs, 1); }

/* ---- batches -------------------------------------------------------------------------------- */

static void free_batch(struct batch *b) {
  coho__buf_release(&b->records);
  coho__buf_release(&b->bytes);
  unref(b->tap);
  coho__free(b, sizeof *b);
}

static void drop_batch(struct coho__letter *l) {
  free_batch(COHO_CONTAINER_OF(l, struct batch, letter));
}

static void run_batch(coho_loop *loop, struct coho__letter *l) {
  struct batch *b = COHO_CONTAINER_OF(l, struct batch, letter);
  coho_tap *t = b->tap;
  coho_tapped *records = (coho_tapped *)(void *)b->records.data;
  (void)loop;
  for (size_t i = 0, at = 0; i < b->count; at += records[i++].data_len)
    records[i].data = b->bytes.data ? b->bytes.data + at : "";
  atomic_fetch_sub(&t->waiting, (uint32_t)b->count);
  if (!atomic_load(&t->stopped)) t->opt.on_frames(t->opt.ctx, records, b->count);
  free_batch(b);
}

static struct batch *batch_of(coho_tap *t) {
  if (t->batch) return t->batch;
  struct batch *b = (struct batch *)coho__zalloc(sizeof *b);
  if (!b) return NULL;
  b->letter = (struct coho__letter){.run = run_batch, .drop = drop_batch};
  b->tap = t;
  coho__buf_init(&b->records, t->opt.max_waiting * sizeof(coho_tapped));
  coho__buf_init(&b->bytes, BYTES_MOST);
  ref(t);
  t->batch = b;
  coho__loop_soon(t->loop, &t->task);
  return b;
}

static bool add(struct batch *b, const coho_tapped *r) {
  size_t len = b->bytes.len;
  if (coho__buf_append(&b->bytes, r->data, r->data_len)) return false;
  if (coho__buf_append(&b->records, r, sizeof *r)) {
    b->bytes.len = len;
    return false;
  }
  b->count++;
  return true;
}

static void record(coho_tap *t, coho_tapped *r) {
  bool room = atomic_load(&t->waiting) < t->opt.max_waiting;
  struct batch *b = room ? batch_of(t) : NULL;
  r->lost = t->lost;
  if (b && add(b, r)) {
    t->lost = 0;
    atomic_fetch_add(&t->waiting, 1);
  } else {
    t->lost++;
  }
}

/* What could not be posted is lost; the numbers say so. */
static void give_up(coho_tap *t, struct batch *b) {
  const coho_tapped *records = (const coho_tapped *)(const void *)b->records.data;
  for (size_t i = 0; i < b->count; i++)
    t->lost += records[i].lost + 1;
  atomic_fetch_sub(&t->waiting, (uint32_t)b->count);
  free_batch(b);
}

static int post_batch(coho_tap *t) {
  struct batch *b = t->batch;
  t->batch = NULL;
  if (!b) return 0;
  b->letter.bytes = sizeof *b + b->records.cap + b->bytes.cap;
  int err = coho__mailbox_post(t->mailbox, &b->letter);
  if (err) give_up(t, b);
  return err;
}

/* ---- the connection's side ------------------------------------------------------------------ */

/* The last letter takes over the reference. */
static void finish(coho_tap *t) {
  if (t->attached) coho__task_cancel(&t->task);
  t->attached = false;
  (void)post_batch(t);
  if (!coho__mailbox_answer(t->mailbox, &t->end)) return;
  unref(t); /* the observer's loop is gone, and with it the observer's side */
  unref(t);
}

static void detach(coho_tap *t) {
  if (!t->attached) return;
  coho__meter_unwatch(&t->watch);
  finish(t);
}

static void on_gone(struct coho__watch *w) { finish(COHO_CONTAINER_OF(w, coho_tap, watch)); }

static void on_task(struct coho__task *task) {
  coho_tap *t = COHO_CONTAINER_OF(task, coho_tap, task);
  int err = post_batch(t);
  if (err == COHO_ESTALE || atomic_load(&t->stopped)) detach(t);
}

static coho_tap *tap_of(struct coho__watch *w) { return COHO_CONTAINER_OF(w, coho_tap, watch); }

static uint16_t flags_of(const struct coho__frame *f, bool out) {
  return (uint16_t)((out ? COHO_TAPPED_OUT : 0) | (f->fin ? COHO_TAPPED_FIN : 0) |
                    (f->rsv1 ? COHO_TAPPED_RSV1 : 0));
}

static coho_tapped header_of(const struct coho__frame *f, bool out) {
  return (coho_tapped){.time_us = coho__clock_wall_us(),
                       .len = f->len,
                       .data = "",
                       .opcode = f->opcode,
                       .flags = flags_of(f, out)};
}

static void record_whole(coho_tap *t, const struct coho__frame *f, const void *data, bool out,
                         enum coho_tapped_flag more) {
  coho_tapped r = header_of(f, out);
  r.flags |= (uint16_t)more;
  if (f->len) r.data = (const char *)data;
  r.data_len = (uint32_t)COHO_MIN(f->len, (uint64_t)t->opt.max_payload);
  record(t, &r);
}

static void on_sent(struct coho__watch *w, const struct coho__frame *f, const void *payload) {
  record_whole(tap_of(w), f, payload, true, COHO_TAPPED_OUT);
}

static void on_message(struct coho__watch *w, const struct coho__frame *f, const void *data,
                       bool out) {
  record_whole(tap_of(w), f, data, out, COHO_TAPPED_MESSAGE);
}

static void on_arrives(struct coho__watch *w, const struct coho__frame *f) {
  coho_tap *t = tap_of(w);
  t->arriving = true;
  t->at = 0;
  t->head.len = 0;
  t->half = header_of(f, false);
}

/* The frame is complete, its first bytes are these. */
static void arrived(coho_tap *t, const void *data, size_t len) {
  t->arriving = false;
  if (len) t->half.data = (const char *)data;
  t->half.data_len = (uint32_t)len;
  record(t, &t->half);
  coho__buf_release(&t->head);
}

static void on_piece(struct coho__watch *w, const void *data, size_t n, uint64_t left) {
  coho_tap *t = tap_of(w);
  if (!t->arriving) return;
  size_t most = (size_t)COHO_MIN(t->half.len, (uint64_t)t->opt.max_payload);
  if (left == 0 && t->at == 0) {
    arrived(t, data, most);
    return;
  }
  uint64_t again = t->at - (t->half.len - left - n); /* bytes that came before */
  if (n > again && t->head.len < most) {
    size_t fresh = COHO_MIN((size_t)(n - again), most - t->head.len);
    /* Without memory it is shorter. */
    (void)coho__buf_append(&t->head, (const char *)data + again, fresh);
  }
  t->at = COHO_MAX(t->at, t->half.len - left);
  if (left == 0) arrived(t, t->head.data, t->head.len);
}

static bool attach(coho_tap *t, coho_conn *c) {
  struct coho__meter *m = coho__engine_meter(&c->engine);
  if (!m || atomic_load(&t->stopped)) return false;
  t->loop = c->home->loop;
  t->attached = true;
  coho__meter_watch(m, &t->watch);
  return true;
}

/* ---- letters -------------------------------------------------------------------------------- */

static void run_begin(coho_loop *loop, struct coho__letter *l) {
  coho_tap *t = COHO_CONTAINER_OF(l, coho_tap, begin);
  const struct coho__conn_table *table = (const struct coho__conn_table *)loop->conns;
  coho_conn *c = table ? coho__conn_table_find(table, t->id) : NULL;
  if (!c || !attach(t, c)) finish(t);
}

static void drop_begin(struct coho__letter *l) { finish(COHO_CONTAINER_OF(l, coho_tap, begin)); }

static void run_stop(coho_loop *loop, struct coho__letter *l) {
  coho_tap *t = COHO_CONTAINER_OF(l, coho_tap, stop);
  (void)loop;
  detach(t);
  unref(t);
}

static void drop_stop(struct coho__letter *l) { unref(COHO_CONTAINER_OF(l, coho_tap, stop)); }

static void run_end(coho_loop *loop, struct coho__letter *l) {
  coho_tap *t = COHO_CONTAINER_OF(l, coho_tap, end);
  (void)loop;
  if (!atomic_exchange(&t->stopped, true) && t->opt.on_end) t->opt.on_end(t->opt.ctx, t->lost);
  unref(t);
  unref(t);
}

static void drop_end(struct coho__letter *l) {
  coho_tap *t = COHO_CONTAINER_OF(l, coho_tap, end);
  unref(t);
  unref(t);
}

/* ---- the observer's side -------------------------------------------------------------------- */

static int read_options(coho_tap_options *out, const coho_tap_options *opt, size_t size) {
  int err = coho__sized_read(out, sizeof *out, opt, size);
  if (err) return err;
  if (!out->max_payload) out->max_payload = PAYLOAD;
  if (!out->max_waiting) out->max_waiting = WAITING;
  if (!out->loop || !out->on_frames) return COHO_EINVAL;
  bool fine = out->max_payload <= PAYLOAD_MOST && out->max_waiting <= WAITING_MOST &&
              out->max_payload <= BYTES_MOST / out->max_waiting;
  return fine ? 0 : COHO_EOPTION;
}

static coho_tap *tap_new(coho_id id, const coho_tap_options *opt) {
  coho_tap *t = (coho_tap *)coho__zalloc(sizeof *t);
  if (!t) return NULL;
  atomic_init(&t->refs, 2); /* one for each side */
  t->opt = *opt;
  t->id = id;
  t->mailbox = coho__mailbox_hold(coho__mailbox_of(opt->loop));
  t->begin = (struct coho__letter){.run = run_begin, .drop = drop_begin, .bytes = sizeof *t};
  t->stop = (struct coho__letter){.run = run_stop, .drop = drop_stop};
  t->end = (struct coho__letter){.run = run_end, .drop = drop_end};
  t->watch.arrives = on_arrives;
  t->watch.piece = on_piece;
  t->watch.sent = on_sent;
  t->watch.message = on_message;
  t->watch.gone = on_gone;
  coho__task_init(&t->task, on_task);
  coho__buf_init(&t->head, opt->max_payload);
  return t;
}

int coho_tap_start_sized(coho_id id, const coho_tap_options *opt, size_t size, coho_tap **out) {
  coho_tap_options set;
  if (!opt || !out) return COHO_EINVAL;
  int err = read_options(&set, opt, size);
  if (err) return err;
  coho_tap *t = tap_new(id, &set);
  if (!t) return COHO_ENOMEM;
  *out = t; /* before its first letter can arrive */
  err = coho__conn_table_post(id, 0, &t->begin);
  if (!err) return 0;
  *out = NULL;
  unref(t);
  unref(t);
  return err;
}

void coho_tap_stop(coho_tap *t) {
  if (!t) return;
  ref(t);
  atomic_store(&t->stopped, true);
  /* Where this fails the connection has ended, or its next frame finds out. */
  if (coho__conn_table_post(t->id, 0, &t->stop)) unref(t);
}
