#include "base/outq.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/view.h"

#include <coho/error.h>
#include <stdatomic.h>
#include <string.h>

struct coho__slice {
  struct coho__chunk *chunk; /* one reference per slice */
  size_t offset, len;
};

/*
 * A chunk for copies is about as large as what waits already, so that a queue never holds much
 * more than twice its bytes: a peer that is a little late costs 1 KiB, and only one that is far
 * behind gets the full size. 16 KiB is what one TLS record carries, 64 of them are a writev(2) of
 * 1 MiB, and malloc takes them from its heap, not from mmap(2).
 */
#ifdef COHO_HARD
enum { CHUNK_MIN = 32, CHUNK_MAX = 64, RING_MIN = 1 };
#else
enum { CHUNK_MIN = 1024, CHUNK_MAX = 16 * 1024, RING_MIN = 4 };
#endif

static struct coho__slice *slice_at(const struct coho__outq *q, size_t i) {
  return &q->slices[(q->head + i) & (q->cap - 1)];
}

void coho__outq_init(struct coho__outq *q) { *q = (struct coho__outq){NULL, 0, 0, 0, 0}; }

static void free_ring(struct coho__outq *q) {
  coho__free(q->slices, q->cap * sizeof *q->slices);
  coho__outq_init(q);
}

void coho__outq_free(struct coho__outq *q) {
  for (size_t i = 0; i < q->count; i++)
    coho__chunk_unref(slice_at(q, i)->chunk);
  free_ring(q);
}

/* Makes room for n more slices. */
static int grow_ring(struct coho__outq *q, size_t n) {
  size_t cap = COHO_MAX(q->cap, (size_t)RING_MIN);
  if (q->cap - q->count >= n) return 0;
  while (cap - q->count < n)
    cap *= 2;
  struct coho__slice *slices = (struct coho__slice *)coho__alloc(cap * sizeof *slices);
  if (slices == NULL) return COHO_ENOMEM;
  for (size_t i = 0; i < q->count; i++)
    slices[i] = *slice_at(q, i);
  coho__free(q->slices, q->cap * sizeof *slices);
  q->slices = slices;
  q->head = 0;
  q->cap = cap;
  return 0;
}

/* There is a place; the slice's reference becomes the queue's. */
static void append_slice(struct coho__outq *q, struct coho__slice s) {
  *slice_at(q, q->count) = s;
  q->count++;
  q->bytes += s.len;
}

static void drop_first(struct coho__outq *q) {
  struct coho__chunk *c = slice_at(q, 0)->chunk;
  q->head = (q->head + 1) & (q->cap - 1);
  q->count--;
  coho__chunk_unref(c);
}

/* How many bytes the last chunk takes: none when anybody else may be reading it. */
static size_t tail_room(const struct coho__outq *q) {
  if (q->count == 0) return 0;
  const struct coho__slice *s = slice_at(q, q->count - 1);
  const struct coho__chunk *c = s->chunk;
  if (s->offset + s->len != c->len) return 0;
  if (atomic_load_explicit(&c->refs, memory_order_acquire) != 1) return 0;
  return c->cap - c->len;
}

/* Copies n bytes of the two pieces, taken as one, to the end of c. */
static void gather(struct coho__chunk *c, const struct coho__view pieces[2], size_t from,
                   size_t n) {
  for (size_t i = 0; i < 2; i++) {
    size_t skip = COHO_MIN(from, pieces[i].len);
    size_t take = COHO_MIN(n, pieces[i].len - skip);
    if (take > 0) memcpy(c->data + c->len, pieces[i].data + skip, take);
    c->len += take;
    from -= skip;
    n -= take;
  }
}

/* A chunk with at least len bytes and a place for its slice; NULL when out of memory. */
static struct coho__chunk *new_tail(struct coho__outq *q, size_t len) {
  size_t size = COHO_MIN(COHO_MAX(q->bytes, (size_t)CHUNK_MIN), (size_t)CHUNK_MAX);
  size_t usual = size - sizeof(struct coho__chunk);
  struct coho__chunk *c = coho__chunk_new(COHO_MAX(len, usual));
  if (c == NULL || grow_ring(q, 1) == 0) return c;
  coho__chunk_unref(c);
  return NULL;
}

int coho__outq_copy2(struct coho__outq *q, const void *a, size_t a_len, const void *b,
                     size_t b_len) {
  const struct coho__view pieces[2] = {{(const char *)a, a_len}, {(const char *)b, b_len}};
  size_t into_tail = COHO_MIN(tail_room(q), a_len + b_len);
  size_t rest = a_len + b_len - into_tail;
  struct coho__chunk *fresh = NULL;
  if (rest > 0 && (fresh = new_tail(q, rest)) == NULL) return COHO_ENOMEM;
  if (into_tail > 0) {
    struct coho__slice *tail = slice_at(q, q->count - 1);
    gather(tail->chunk, pieces, 0, into_tail);
    tail->len += into_tail;
    q->bytes += into_tail;
  }
  if (fresh != NULL) {
    gather(fresh, pieces, into_tail, rest);
    append_slice(q, (struct coho__slice){fresh, 0, rest});
  }
  return 0;
}

int coho__outq_copy(struct coho__outq *q, const void *data, size_t len) {
  return coho__outq_copy2(q, data, len, NULL, 0);
}

int coho__outq_share(struct coho__outq *q, struct coho__chunk *c, size_t offset, size_t len) {
  COHO_ASSERT(offset <= c->len && len <= c->len - offset);
  if (len == 0) return 0;
  if (grow_ring(q, 1) != 0) return COHO_ENOMEM;
  append_slice(q, (struct coho__slice){coho__chunk_ref(c), offset, len});
  return 0;
}

int coho__outq_splice(struct coho__outq *q, struct coho__outq *src) {
  COHO_ASSERT(q != src);
  if (q->count == 0) {
    *q = *src;
    coho__outq_init(src);
    return 0;
  }
  if (grow_ring(q, src->count) != 0) return COHO_ENOMEM;
  for (size_t i = 0; i < src->count; i++)
    append_slice(q, *slice_at(src, i));
  free_ring(src);
  return 0;
}

int coho__outq_iov(const struct coho__outq *q, struct iovec *iov, int max) {
  int n = 0;
  for (; n < max && (size_t)n < q->count; n++) {
    const struct coho__slice *s = slice_at(q, (size_t)n);
    iov[n].iov_base = s->chunk->data + s->offset;
    iov[n].iov_len = s->len;
  }
  return n;
}

void coho__outq_sent(struct coho__outq *q, size_t n) {
  COHO_ASSERT(n <= q->bytes);
  q->bytes -= n;
  while (n > 0) {
    struct coho__slice *s = slice_at(q, 0);
    if (n < s->len) {
      s->offset += n;
      s->len -= n;
      return;
    }
    n -= s->len;
    drop_first(q);
  }
  if (q->count == 0) free_ring(q);
}

void coho__outq_check(const struct coho__outq *q) {
  size_t bytes = 0;
  COHO_ASSERT((q->slices == NULL) == (q->count == 0));
  COHO_ASSERT((q->cap == 0) == (q->count == 0));
  COHO_ASSERT(q->count <= q->cap && (q->cap & (q->cap - 1)) == 0);
  for (size_t i = 0; i < q->count; i++) {
    const struct coho__slice *s = slice_at(q, i);
    COHO_ASSERT(s->len > 0 && s->offset + s->len <= s->chunk->len);
    COHO_ASSERT(s->chunk->len <= s->chunk->cap && s->chunk->refs > 0);
    bytes += s->len;
  }
  COHO_ASSERT(bytes == q->bytes);
}
