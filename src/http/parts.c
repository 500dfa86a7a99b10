#include "http/parts.h"

#include "base/alloc.h"
#include "base/budget.h"
#include "http/late.h"
#include "http/reply.h"

#include <stdio.h>
#include <string.h>

#ifdef COHO_HARD
enum { FLUSH_AT = 64, ON_STACK = 16 };
#else
enum {
  /* As much is written before more is taken, so that a long reply made in one go does not first stand
     in memory. */
  FLUSH_AT = 64 * 1024,
  ON_STACK = 1024 /* larger parts get a chunk of their own */
};
#endif

enum { LINE_MOST = 2 * sizeof(size_t) + 3, QUEUE = 1024 * 1024 };

size_t coho__parts_cap(const struct coho__http_conn *c) {
  uint64_t max = c->http->conf->max_reply_queue ? c->http->conf->max_reply_queue : QUEUE;
  if (c->late && c->late->max_queue) max = c->late->max_queue;
  return max < SIZE_MAX ? (size_t)max : SIZE_MAX;
}

void coho__reply_limit(coho_request *r, uint64_t max) {
  struct coho__late *late = coho__http_conn_of(r)->late;
  if (late) late->max_queue = max;
}

/* RFC 9112 7.1. Returns the length of the line. */
static size_t size_line(char dst[LINE_MOST], size_t len) {
  return (size_t)snprintf(dst, LINE_MOST, "%zx\r\n", len);
}

/* ---- a chunk --------------------------------------------------------------------------------- */

static void put(char **at, const void *data, size_t len) {
  if (len) memcpy(*at, data, len);
  *at += len;
}

int coho__part_make(struct coho__part *p, const struct coho__view *pieces, size_t count) {
  char line[LINE_MOST];
  size_t len = 0;
  for (size_t i = 0; i < count; i++) {
    if (pieces[i].len > SIZE_MAX / 2 - len) return COHO_ENOMEM;
    len += pieces[i].len;
  }
  if (!len) return COHO_EINVAL;
  size_t offset = size_line(line, len);
  struct coho__chunk *chunk = coho__chunk_new(offset + len + 2);
  if (!chunk) return COHO_ENOMEM;
  char *at = chunk->data;
  put(&at, line, offset);
  for (size_t i = 0; i < count; i++)
    put(&at, pieces[i].data, pieces[i].len);
  put(&at, "\r\n", 2);
  chunk->len = chunk->cap;
  *p = (struct coho__part){chunk, offset, len};
  return 0;
}

/* ---- room ------------------------------------------------------------------------------------ */

/* The peer does not read what came before. */
static bool blocked(const struct coho__http_conn *c) { return c->wait == COHO_HTTP_WAIT_WRITE; }

static bool chunked(const struct coho__http_conn *c) { return c->request.head.minor > 0; }

static size_t framed_size(const struct coho__http_conn *c, size_t len) {
  char line[LINE_MOST];
  return chunked(c) ? size_line(line, len) + len + 2 : len;
}

/* While memory is tight, a queue that the peer does not read stays small. */
static bool has_room(const struct coho__http_conn *c, size_t size) {
  size_t waiting = c->out.queue.bytes, cap = coho__parts_cap(c);
  if (waiting > cap || size > cap - waiting) return false;
  return !waiting || waiting + size <= COHO_MEMORY_SMALL || coho__memory_spare(size);
}

static int make_room(struct coho__http_conn *c, size_t size) {
  if (size > coho__parts_cap(c)) return COHO_ETOOBIG;
  bool much = c->out.queue.bytes >= FLUSH_AT || !has_room(c, size);
  if (much && !blocked(c)) coho__http_conn_push(c);
  if (c->broken) return COHO_ECLOSED;
  if (has_room(c, size)) return 0;
  if (c->late) c->late->want_drain = true;
  return COHO_EFULL;
}

/* Whether there is a reply in parts that takes more, or why not. */
static int takes(const struct coho__http_conn *c) {
  if (c->state == COHO_HTTP_GONE || c->broken || (c->late && c->late->cut)) return COHO_ECLOSED;
  return c->parts ? 0 : COHO_EBUSY;
}

/* A part is in the queue. */
static int taken(struct coho__http_conn *c) {
  if (!blocked(c)) {
    coho__late_wake(c);
    return COHO_SENT;
  }
  if (c->late) c->late->want_drain = true;
  return COHO_QUEUED;
}

/* ---- parts ----------------------------------------------------------------------------------- */

static int queue_share(struct coho__http_conn *c, const struct coho__part *p) {
  bool bare = !chunked(c);
  return coho__outq_share(&c->out.queue, p->chunk, bare ? p->offset : 0,
                          bare ? p->len : p->chunk->len);
}

static int queue_large(struct coho__http_conn *c, const void *data, size_t len) {
  struct coho__part p;
  int err = coho__part_make(&p, &(struct coho__view){(const char *)data, len}, 1);
  if (err) return err;
  err = queue_share(c, &p);
  coho__chunk_unref(p.chunk);
  return err;
}

static int queue_copy(struct coho__http_conn *c, const void *data, size_t len) {
  char buf[LINE_MOST + ON_STACK + 2];
  if (!chunked(c)) return coho__outq_copy(&c->out.queue, data, len);
  if (len > ON_STACK) return queue_large(c, data, len);
  size_t line = size_line(buf, len);
  char *at = buf + line;
  put(&at, data, len);
  put(&at, "\r\n", 2);
  return coho__outq_copy(&c->out.queue, buf, line + len + 2);
}

/* One of data and p. */
static int add(struct coho__http_conn *c, const void *data, size_t len,
               const struct coho__part *p) {
  int err = takes(c);
  if (err || !len || coho__reply_is_head(c)) return err;
  err = make_room(c, framed_size(c, len));
  if (!err) err = p ? queue_share(c, p) : queue_copy(c, data, len);
  return err ? err : taken(c);
}

int coho_reply_part(coho_request *r, const void *data, size_t len) {
  if (!r || !r->owner || (len && !data) || len > SIZE_MAX / 2) return COHO_EINVAL;
  return add(coho__http_conn_of(r), data, len, NULL);
}

int coho__reply_share(coho_request *r, const struct coho__part *p) {
  return add(coho__http_conn_of(r), NULL, p->len, p);
}

/* ---- begin and end --------------------------------------------------------------------------- */

int coho_reply_begin(coho_request *r, int status, const char *type) {
  if (!r || !r->owner || status < 200 || status > 599) return COHO_EINVAL;
  if (status == 204 || status == 205 || status == 304) return COHO_EINVAL;
  if (type && !coho__reply_type_ok(type)) return COHO_EINVAL;
  struct coho__http_conn *c = coho__http_conn_of(r);
  /* A refused handshake is not the place for a stream. */
  if (c->route && c->route->kind != COHO_ROUTE_HTTP) return COHO_EINVAL;
  struct coho__answer a = {
      .status = status, .type = type, .source = COHO_SOURCE_NONE, .parts = true};
  return coho__reply(c, &a);
}

int coho_reply_end(coho_request *r) {
  if (!r || !r->owner) return COHO_EINVAL;
  struct coho__http_conn *c = coho__http_conn_of(r);
  int err = takes(c);
  if (!err && chunked(c) && !coho__reply_is_head(c))
    err = coho__outq_copy(&c->out.queue, "0\r\n\r\n", 5);
  if (err) return err;
  c->parts = false;
  coho__late_done(c);
  return 0;
}

size_t coho_reply_queued(const coho_request *r) {
  return r && r->owner ? coho__http_conn_of(r)->out.queue.bytes : 0;
}
