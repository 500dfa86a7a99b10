#include "base/alloc.h"
#include "base/sized.h"
#include "http/access.h"
#include "io/mailbox.h"
#include "ws/conn.h"
#include "ws/serve.h"

#include <coho/inspect.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
#ifdef COHO_HARD
  SLICE = 2,
#else
  SLICE = 512, /* connections looked at before the loop does something else: some 0.2 ms */
#endif
  LIMIT = 1000,
  LIMIT_MOST = 100000,
  TEXT_MOST = 1 << 30
};

/* A connection that may come into the list. */
struct pick {
  uint64_t key; /* the larger, the nearer to the front */
  coho_id id;
};

enum text { PEER, ROUTE, TARGET, PROTOCOL, EXTENSIONS, TLS, TOPICS, TEXTS };

struct row {
  struct pick pick;
  coho_conn_info info;
  size_t at[TEXTS]; /* of its strings, in the part's text */
};

struct query;

/* What is asked of one loop. First all connections are looked at and the best picked, then the picked
   ones are described. */
struct part {
  struct coho__letter letter; /* in the mailbox of the loop, until it has finished */
  struct query *query;
  struct coho__mailbox *mailbox; /* held */
  const struct coho__home *home; /* to compare with: it may be gone */
  uint32_t it;                   /* in the table of connections */
  bool picked;                   /* the picks are complete */
  size_t count, cap;             /* of picks: a heap with the least on top */
  struct pick *picks;
  size_t described;
  struct coho__buf rows; /* struct row */
  struct coho__buf text;
  size_t matched, total;
  int err;
};

struct query {
  struct coho__letter letter;    /* the answer */
  struct coho__mailbox *mailbox; /* held: where the answer goes */
  coho_conns_fn done;
  void *ctx;
  coho_conn_filter filter; /* match is its own */
  char *match;
  _Atomic size_t left; /* parts that have not finished */
  size_t count;
  struct part parts[];
};

/* ---- texts ---------------------------------------------------------------------------------- */

static const char *route_of(const coho_conn *c) { return c->opt->route ? c->opt->route : ""; }

/* As it may be shown: the page of an administrator is no place for tokens. */
static const char *target_of(const coho_conn *c, char dst[COHO_ACCESS_TARGET]) {
  const struct coho__note *n = c->more.note;
  return coho__access_target(dst, coho__view_of(n ? n->target : NULL));
}

static bool has_topics(const coho_conn *c) {
  const struct coho__attached_ops *ops = c->home->table->attached_ops;
  return c->attached && ops && ops->topics;
}

/* Terminated. 0, COHO_ENOMEM, COHO_EFULL. */
static int add_topics(const coho_conn *c, struct coho__buf *out) {
  int err = has_topics(c) ? c->home->table->attached_ops->topics(c, out) : 0;
  return err ? err : coho__buf_append(out, "", 1);
}

static int add_text(struct part *p, struct row *r, enum text which, const char *s) {
  r->at[which] = p->text.len;
  return coho__buf_append(&p->text, s, strlen(s) + 1);
}

static int add_texts(struct part *p, struct row *r, const coho_conn *c) {
  char peer[COHO_ADDR_MAX], extensions[COHO_EXTENSIONS_MAX], tls[128];
  char target[COHO_ACCESS_TARGET];
  const char *texts[TOPICS] = {
      [PEER] = coho_conn_peer(c, peer, sizeof peer),
      [ROUTE] = route_of(c),
      [TARGET] = target_of(c, target),
      [PROTOCOL] = c->protocol,
      [EXTENSIONS] = coho_conn_extensions(c, extensions, sizeof extensions),
      [TLS] = coho__stream_tell(c->stream, COHO_STREAM_TLS, tls, sizeof tls),
  };
  int err = 0;
  for (size_t i = 0; !err && i < TOPICS; i++)
    err = add_text(p, r, (enum text)i, texts[i]);
  r->at[TOPICS] = p->text.len;
  return err ? err : add_topics(c, &p->text);
}

static bool topics_match(const coho_conn *c, const char *what) {
  struct coho__buf b = COHO_BUF(TEXT_MOST);
  if (!has_topics(c)) return false;
  bool fits = add_topics(c, &b) == 0 && strstr(b.data, what);
  coho__buf_release(&b);
  return fits;
}

static bool texts_match(const coho_conn *c, const char *what) {
  char peer[COHO_ADDR_MAX], target[COHO_ACCESS_TARGET];
  return strstr(coho_conn_peer(c, peer, sizeof peer), what) || strstr(route_of(c), what) ||
         strstr(target_of(c, target), what) || strstr(c->protocol, what) || topics_match(c, what);
}

/* ---- one connection ------------------------------------------------------------------------- */

static uint64_t age_ms(const coho_conn *c) {
  uint32_t now = (uint32_t)(coho__loop_time(c->home->loop) / COHO_CONN_AGE_MS);
  return (uint64_t)(now - c->opened) * COHO_CONN_AGE_MS;
}

static uint64_t quiet_ms(const coho_conn *c) {
  return (uint32_t)coho__loop_time(c->home->loop) - c->talked_ms;
}

static uint32_t flags_of(const coho_conn *c) {
  return (c->stop & COHO_STOP_PAUSED ? (uint32_t)COHO_CONN_PAUSED : 0) |
         (c->stop & COHO_STOP_CHOKED ? (uint32_t)COHO_CONN_CHOKED : 0) |
         (c->stop & COHO_STOP_RATED ? (uint32_t)COHO_CONN_SLOWED : 0) |
         (c->blocked ? (uint32_t)COHO_CONN_BLOCKED : 0) |
         (c->engine.close_sent ? (uint32_t)COHO_CONN_CLOSING : 0);
}

static struct coho__meter meter_of(const coho_conn *c) {
  return c->engine.meter ? *c->engine.meter : (struct coho__meter){.drops = 0};
}

static coho_conn_info describe(const coho_conn *c) {
  struct coho__meter m = meter_of(c);
  return (coho_conn_info){.id = coho_conn_id(c),
                          .age_ms = age_ms(c),
                          .quiet_ms = quiet_ms(c),
                          .queued = coho_conn_queued(c),
                          .messages_in = m.messages_in,
                          .messages_out = m.messages_out,
                          .bytes_in = m.payload_in,
                          .bytes_out = m.payload_out,
                          .wire_in = m.wire_in,
                          .wire_out = m.wire_out,
                          .drops = m.drops,
                          .rtt_ms = coho__rtt_ms(c->rtts.last),
                          .rtt_smooth_ms = coho__rtt_ms(c->rtts.smooth),
                          .flags = flags_of(c)};
}

static uint64_t measure(const coho_conn *c, enum coho_conn_order order) {
  switch (order) {
  case COHO_BY_AGE: return age_ms(c);
  case COHO_BY_QUIET: return quiet_ms(c);
  case COHO_BY_RTT: return coho__rtt_unpack(c->rtts.smooth);
  case COHO_BY_QUEUED: return coho_conn_queued(c);
  case COHO_BY_DROPS: return meter_of(c).drops;
  case COHO_BY_MESSAGES_IN: return meter_of(c).messages_in;
  case COHO_BY_MESSAGES_OUT: return meter_of(c).messages_out;
  case COHO_BY_BYTES_IN: return meter_of(c).payload_in;
  case COHO_BY_BYTES_OUT: return meter_of(c).payload_out;
  }
  return 0;
}

static uint64_t key_of(const coho_conn *c, const coho_conn_filter *f) {
  enum coho_conn_order order = (enum coho_conn_order)f->order;
  uint64_t n = measure(c, order);
  if (order == COHO_BY_RTT && !c->rtts.smooth) return 0;
  return f->flags & COHO_ASK_ASCENDING ? UINT64_MAX - n : n;
}

/* ---- picking -------------------------------------------------------------------------------- */

/* Whether a comes before b in the list. */
static bool before(const struct pick *a, const struct pick *b) {
  return a->key != b->key ? a->key > b->key : a->id < b->id;
}

static void swap(struct pick *a, struct pick *b) {
  struct pick t = *a;
  *a = *b;
  *b = t;
}

/* The last one rises to where it belongs. */
static void sift_up(struct pick *heap, size_t i) {
  while (i && before(&heap[(i - 1) / 2], &heap[i])) {
    swap(&heap[i], &heap[(i - 1) / 2]);
    i = (i - 1) / 2;
  }
}

/* The first one sinks. */
static void sift_down(struct pick *heap, size_t count) {
  for (size_t i = 0, least; (least = 2 * i + 1) < count; i = least) {
    if (least + 1 < count && before(&heap[least], &heap[least + 1])) least++;
    if (!before(&heap[i], &heap[least])) return;
    swap(&heap[i], &heap[least]);
  }
}

static bool grow(struct part *p) {
  size_t cap = p->cap ? p->cap * 2 : 64;
  struct pick *picks =
      (struct pick *)coho__realloc(p->picks, p->cap * sizeof *picks, cap * sizeof *picks);
  if (!picks) return false;
  p->picks = picks;
  p->cap = cap;
  return true;
}

static void pick(struct part *p, const struct pick *one) {
  if (p->count == p->query->filter.limit) {
    if (!before(one, &p->picks[0])) return;
    p->picks[0] = *one;
    sift_down(p->picks, p->count);
    return;
  }
  if (p->count == p->cap && !grow(p)) {
    p->err = COHO_ENOMEM;
    return;
  }
  p->picks[p->count] = *one;
  sift_up(p->picks, p->count++);
}

static bool is_open(const coho_conn *c) {
  return c->state == COHO_CONN_OPEN && !(c->stop & COHO_STOP_ENDED);
}

static void look_at(struct part *p, const coho_conn *c) {
  const coho_conn_filter *f = &p->query->filter;
  if (c->home != p->home || !is_open(c)) return;
  p->total++;
  if (f->id && coho_conn_id(c) != f->id) return;
  if (f->with && !(flags_of(c) & f->with)) return;
  if (f->match && !texts_match(c, f->match)) return;
  p->matched++;
  pick(p, &(struct pick){.key = key_of(c, f), .id = coho_conn_id(c)});
}

/* True: there are more. */
static bool pick_some(struct part *p, const struct coho__conn_table *t) {
  for (int i = 0; i < SLICE; i++) {
    const coho_conn *c = coho__conn_table_next(t, &p->it);
    if (!c) return false;
    look_at(p, c);
  }
  return true;
}

/* ---- describing ----------------------------------------------------------------------------- */

static void ping(coho_conn *c) {
  uint8_t bytes[COHO_ENGINE_STAMP];
  if (!coho__conn_alive(c) || coho_conn_queued(c)) return;
  coho__rtt_stamp(bytes);
  (void)coho_ping(c, bytes, sizeof bytes);
}

static void describe_one(struct part *p, const struct pick *one, coho_conn *c) {
  struct row r = {.pick = *one, .info = describe(c)};
  size_t len = p->text.len;
  int err = add_texts(p, &r, c);
  if (!err) err = coho__buf_append(&p->rows, &r, sizeof r);
  if (err) {
    p->text.len = len;
    p->err = COHO_ENOMEM;
  } else if (p->query->filter.flags & COHO_ASK_PING) {
    ping(c);
  }
}

/* True: there are more. */
static bool describe_some(struct part *p, const struct coho__conn_table *t) {
  for (int i = 0; i < SLICE && p->described < p->count; i++) {
    const struct pick *one = &p->picks[p->described++];
    coho_conn *c = coho__conn_table_find(t, one->id);
    if (c) describe_one(p, one, c);
  }
  return p->described < p->count;
}

/* ---- the answer ----------------------------------------------------------------------------- */

static size_t query_size(size_t parts) {
  return sizeof(struct query) + parts * sizeof(struct part);
}

static void free_query(struct query *q) {
  for (size_t i = 0; i < q->count; i++) {
    struct part *p = &q->parts[i];
    coho__free(p->picks, p->cap * sizeof *p->picks);
    coho__buf_release(&p->rows);
    coho__buf_release(&p->text);
    if (p->mailbox) coho__mailbox_drop(p->mailbox);
  }
  coho__free_str(q->match);
  coho__mailbox_drop(q->mailbox);
  coho__free(q, query_size(q->count));
}

/* The offsets become strings. */
static void resolve(struct part *p) {
  struct row *rows = (struct row *)(void *)p->rows.data;
  for (size_t i = 0; i < p->rows.len / sizeof *rows; i++) {
    coho_conn_info *info = &rows[i].info;
    const char **texts[TEXTS] = {&info->peer,       &info->route, &info->target, &info->protocol,
                                 &info->extensions, &info->tls,   &info->topics};
    for (size_t k = 0; k < TEXTS; k++)
      *texts[k] = p->text.data + rows[i].at[k];
  }
}

/* One of the rows of all parts. */
struct place {
  const struct row *row;
};

static int compare(const void *a, const void *b) {
  const struct place *x = (const struct place *)a;
  const struct place *y = (const struct place *)b;
  return before(&x->row->pick, &y->row->pick) ? -1 : 1;
}

/* All rows in order. */
static void sort_rows(struct query *q, struct place *all) {
  size_t n = 0;
  for (size_t i = 0; i < q->count; i++) {
    struct part *p = &q->parts[i];
    const struct row *rows = (const struct row *)(const void *)p->rows.data;
    resolve(p);
    for (size_t k = 0; k < p->rows.len / sizeof *rows; k++)
      all[n++].row = &rows[k];
  }
  if (n) qsort(all, n, sizeof *all, compare);
}

static size_t sum_up(const struct query *q, coho_conn_list *list) {
  size_t rows = 0;
  for (size_t i = 0; i < q->count; i++) {
    const struct part *p = &q->parts[i];
    rows += p->rows.len / sizeof(struct row);
    list->matched += p->matched;
    list->total += p->total;
    if (!list->err) list->err = p->err;
    list->failed += p->err != 0;
  }
  return rows;
}

const coho_conn_info *coho_conn_list_at(const coho_conn_list *l, size_t index) {
  return index < l->count ? &l->conns[index] : NULL;
}

static void answer(struct query *q) {
  coho_conn_list list = {.err = 0};
  size_t rows = sum_up(q, &list);
  size_t count = COHO_MIN(rows, (size_t)q->filter.limit);
  struct place *all = (struct place *)coho__alloc(rows * sizeof *all);
  coho_conn_info *conns = (coho_conn_info *)coho__alloc(count * sizeof *conns);
  if (all && conns) {
    sort_rows(q, all);
    for (size_t i = 0; i < count; i++)
      conns[i] = all[i].row->info;
    list.conns = conns;
    list.count = count;
  } else {
    list.err = COHO_ENOMEM;
  }
  q->done(q->ctx, &list);
  coho__free(conns, count * sizeof *conns);
  coho__free(all, rows * sizeof *all);
}

static void run_answer(coho_loop *loop, struct coho__letter *l) {
  struct query *q = COHO_CONTAINER_OF(l, struct query, letter);
  (void)loop;
  answer(q);
  free_query(q);
}

static void drop_answer(struct coho__letter *l) {
  free_query(COHO_CONTAINER_OF(l, struct query, letter));
}

static void finish(struct part *p, int err) {
  struct query *q = p->query;
  if (err) p->err = err;
  if (atomic_fetch_sub(&q->left, 1) > 1) return;
  if (coho__mailbox_answer(q->mailbox, &q->letter)) free_query(q);
}

/* ---- the question --------------------------------------------------------------------------- */

static void run_part(coho_loop *loop, struct coho__letter *l) {
  struct part *p = COHO_CONTAINER_OF(l, struct part, letter);
  const struct coho__conn_table *t = (const struct coho__conn_table *)loop->conns;
  bool more = false;
  if (t && !p->picked) {
    p->picked = !pick_some(p, t);
    more = true;
  } else if (t) {
    more = describe_some(p, t);
  }
  if (!more || coho__mailbox_answer(p->mailbox, l)) finish(p, 0);
}

static void drop_part(struct coho__letter *l) {
  finish(COHO_CONTAINER_OF(l, struct part, letter), COHO_ESTALE);
}

static int read_filter(coho_conn_filter *out, const coho_conn_filter *filter, size_t size) {
  int err = coho__sized_read(out, sizeof *out, filter, size);
  if (err) return err;
  if (!out->limit) out->limit = LIMIT;
  bool fine = out->order <= COHO_BY_BYTES_OUT && out->limit <= LIMIT_MOST &&
              !(out->flags & ~(uint32_t)(COHO_ASK_ASCENDING | COHO_ASK_PING)) &&
              out->with < COHO_CONN_CLOSING * 2;
  return fine ? 0 : COHO_EOPTION;
}

static coho_loop *answer_loop(const coho_server *s, const coho_conn_filter *f) {
  struct coho__serve_loop *here = coho__serve_loop_here(s);
  if (f->loop) return f->loop;
  return here ? here->loop : s->loops[0].loop;
}

static void init_part(struct query *q, struct part *p, const struct coho__serve_loop *sl) {
  *p = (struct part){.letter = {.run = run_part, .drop = drop_part, .bytes = sizeof *p},
                     .query = q,
                     .home = &sl->host.home,
                     .rows = COHO_BUF(SIZE_MAX / 2),
                     .text = COHO_BUF(TEXT_MOST)};
  if (sl->loop) p->mailbox = coho__mailbox_hold(coho__mailbox_of(sl->loop));
}

static struct query *query_new(const coho_server *s, const coho_conn_filter *f) {
  struct query *q = (struct query *)coho__zalloc(query_size(s->loop_count));
  coho_loop *loop = answer_loop(s, f);
  char *match = f->match ? coho__strdup(f->match) : NULL;
  if (!q || !loop || (f->match && !match)) {
    coho__free_str(match);
    coho__free(q, query_size(s->loop_count));
    return NULL;
  }
  q->letter = (struct coho__letter){.run = run_answer, .drop = drop_answer, .bytes = sizeof *q};
  q->mailbox = coho__mailbox_hold(coho__mailbox_of(loop));
  q->filter = *f;
  q->filter.match = q->match = match;
  q->count = s->loop_count;
  atomic_init(&q->left, q->count);
  for (size_t i = 0; i < q->count; i++)
    init_part(q, &q->parts[i], &s->loops[i]);
  return q;
}

int coho_server_connections_sized(coho_server *s, const coho_conn_filter *filter, size_t size,
                                  coho_conns_fn done, void *ctx) {
  coho_conn_filter f;
  if (!done) return COHO_EINVAL;
  int err = read_filter(&f, filter, size);
  if (err) return err;
  struct query *q = query_new(s, &f);
  if (!q) return COHO_ENOMEM;
  q->done = done;
  q->ctx = ctx;
  /* Each may be the last one's end, and with it the query's. */
  size_t count = q->count;
  for (size_t i = 0; i < count; i++) {
    struct part *p = &q->parts[i];
    err = p->mailbox ? coho__mailbox_post(p->mailbox, &p->letter) : COHO_ESTALE;
    if (err) finish(p, err);
  }
  return 0;
}
