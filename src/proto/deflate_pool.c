#include "proto/deflate_pool.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/check.h"
#include "proto/deflate_isal.h"
#include "proto/deflate_zlib.h"

#include <coho/error.h>

enum {
  WINDOW_MIN = 8,
  WINDOW_MAX = 15,
  LEVEL = 1, /* zlib's for shared states: fast */
  MEMORY = 8,
  IDLE_MOST = 4, /* of messages that come in pieces few are under way at a time */
  FACTOR = 4,    /* text shrinks to a quarter or so */
#ifdef COHO_HARD
  FIRST = 1,
  KEPT = 64
#else
  FIRST = 4 * 1024, /* of a buffer */
  KEPT = 64 * 1024  /* what a buffer may keep between messages */
#endif
};

struct coho__deflate_pool {
  struct coho__isal *isal; /* NULL where there is none; then one of zlib for each window */
  struct coho__deflater *deflaters[WINDOW_MAX - WINDOW_MIN + 1];
  struct coho__inflater *idle[IDLE_MOST];
  size_t idle_count;
  struct coho__buf packed, unpacked;
};

/* ---- life ---------------------------------------------------------------------------------- */

struct coho__deflate_pool *coho__deflate_pool_new(void) {
  return (struct coho__deflate_pool *)coho__zalloc(sizeof(struct coho__deflate_pool));
}

void coho__deflate_pool_free(struct coho__deflate_pool *pool) {
  if (!pool) return;
#ifdef COHO_ISAL
  coho__isal_free(pool->isal);
#endif
  for (size_t i = 0; i < COHO_COUNT(pool->deflaters); i++)
    coho__deflater_free(pool->deflaters[i]);
  while (pool->idle_count)
    coho__inflater_free(pool->idle[--pool->idle_count]);
  coho__buf_release(&pool->packed);
  coho__buf_release(&pool->unpacked);
  coho__free(pool, sizeof *pool);
}

/* ---- buffers ------------------------------------------------------------------------------- */

static void trim(struct coho__buf *b) {
  if (b->cap > KEPT) coho__buf_release(b);
}

void coho__deflate_pool_trim_unpacked(struct coho__deflate_pool *pool) { trim(&pool->unpacked); }

void coho__deflate_pool_trim(struct coho__deflate_pool *pool) {
  trim(&pool->packed);
  trim(&pool->unpacked);
}

/* Empties the buffer; then it has room for so many bytes, and if it is large not for many more, or is
   NULL. */
static char *make_room(struct coho__buf *b, size_t room) {
  if (b->cap / 4 > room) trim(b);
  if (b->cap < room) {
    size_t more = COHO_MIN(COHO_MAX(b->cap * 2, (size_t)FIRST), (size_t)KEPT);
    coho__buf_release(b); /* so that nothing is copied */
    b->max = SIZE_MAX;
    (void)coho__buf_reserve(b, COHO_MAX(room, more));
  }
  b->len = 0;
  return b->data;
}

/* Room for more behind what is there, up to limit bytes. 0 or COHO_ENOMEM. */
static int grow(struct coho__buf *b, size_t limit) {
  b->max = limit;
  return coho__buf_reserve(b, 1) ? 0 : COHO_ENOMEM;
}

/* ---- packing ------------------------------------------------------------------------------- */

/* The length; 0: it does not shrink, or no memory. */
static size_t pack_shared(struct coho__deflate_pool *pool, unsigned window,
                          struct coho__view message, char *dst) {
#ifdef COHO_ISAL
  if (!pool->isal) pool->isal = coho__isal_new();
  if (!pool->isal) return 0;
  return coho__isal_run(pool->isal, window, message.data, message.len, dst);
#else
  struct coho__deflater **d = &pool->deflaters[window - WINDOW_MIN];
  if (!*d) *d = coho__deflater_new(window, MEMORY, LEVEL);
  if (!*d) return 0;
  coho__deflater_reset(*d);
  return coho__deflater_run(*d, message.data, message.len, dst);
#endif
}

bool coho__deflate_pool_pack(struct coho__deflate_pool *pool, struct coho__deflater *own,
                             unsigned window, struct coho__view message,
                             struct coho__view *packed) {
  char *dst = make_room(&pool->packed, message.len + COHO_DEFLATE_TAIL);
  if (!dst) return false;
  *packed = (struct coho__view){.data = dst};
  packed->len = own ? coho__deflater_run(own, message.data, message.len, dst)
                    : pack_shared(pool, window, message, dst);
  return packed->len > 0;
}

/* ---- unpacking ----------------------------------------------------------------------------- */

struct coho__inflater *coho__deflate_pool_borrow(struct coho__deflate_pool *pool) {
  return pool->idle_count ? pool->idle[--pool->idle_count] : coho__inflater_new(WINDOW_MAX);
}

void coho__deflate_pool_return(struct coho__deflate_pool *pool, struct coho__inflater *f) {
  if (pool->idle_count == IDLE_MOST) {
    coho__inflater_free(f);
    return;
  }
  coho__inflater_reset(f);
  pool->idle[pool->idle_count++] = f;
}

/* Into the buffer, where it may not reach limit: then it is too big, and growing ends. */
static int unpack(struct coho__inflater *f, struct coho__view packed, struct coho__buf *b,
                  size_t limit) {
  const uint8_t *data = (const uint8_t *)packed.data;
  for (;;) {
    size_t room = COHO_MIN(b->cap, limit) - b->len;
    ssize_t n = coho__inflater_run(f, &data, &packed.len, b->data + b->len, room);
    if (n < 0) return (int)n;
    b->len += (size_t)n;
    if ((size_t)n < room) return coho__inflater_end(f);
    if (b->len == limit) return COHO_ETOOBIG;
    int err = grow(b, limit);
    if (err) return err;
  }
}

static int unpack_shared(struct coho__deflate_pool *pool, struct coho__view packed, size_t limit) {
  struct coho__inflater *f = coho__deflate_pool_borrow(pool);
  if (!f) return COHO_ENOMEM;
  int err = unpack(f, packed, &pool->unpacked, limit);
  coho__deflate_pool_return(pool, f);
  return err;
}

int coho__deflate_pool_unpack(struct coho__deflate_pool *pool, struct coho__inflater *own,
                              struct coho__view packed, uint64_t max, struct coho__view *message) {
  struct coho__buf *b = &pool->unpacked;
  size_t limit = max < SIZE_MAX ? (size_t)max + 1 : SIZE_MAX;
  size_t likely = packed.len < limit / FACTOR ? packed.len * FACTOR : limit;
  if (!make_room(b, COHO_MAX(likely, (size_t)1))) return COHO_ENOMEM;
  int err = own ? unpack(own, packed, b, limit) : unpack_shared(pool, packed, limit);
  if (err) trim(b);
  if (!err) *message = (struct coho__view){b->data, b->len};
  return err;
}
