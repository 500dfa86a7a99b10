#include "http/output.h"

#include "base/log.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#ifdef COHO_HARD
enum { PLACES = 2, PIECE = 5, COPY_MOST = 16, FLUSH_MOST = 64 };
#else
enum {
  PLACES = 16, /* slices of the queue in one write */
  /* Of a file in one write: on the stack, and read again from the page cache when the stream took
     less, so that nothing has to be kept. */
  PIECE = 32 * 1024,
  COPY_MOST = 16 * 1024,   /* a larger body goes to the stream before the rest is copied */
  FLUSH_MOST = 1024 * 1024 /* bytes in one turn, so that one download does not stop the rest */
};
#endif

/* iovec is not const: the stream only reads. */
static struct iovec iov_of(struct coho__view v) {
  union {
    const char *from;
    void *to;
  } base = {.from = v.data};
  return (struct iovec){.iov_base = base.to, .iov_len = v.len};
}

void coho__output_init(struct coho__output *o) {
  coho__outq_init(&o->queue);
  o->source = COHO_SOURCE_NONE;
  o->sent = 0;
}

void coho__source_drop(struct coho__source *s) {
  if (s->fd >= 0) close(s->fd);
  *s = COHO_SOURCE_NONE;
}

void coho__output_free(struct coho__output *o) {
  coho__outq_free(&o->queue);
  coho__source_drop(&o->source);
}

bool coho__output_empty(const struct coho__output *o) {
  return o->queue.bytes == 0 && o->source.left == 0;
}

void coho__output_restart(struct coho__output *o) { o->sent = 0; }

void coho__output_source(struct coho__output *o, struct coho__source source) {
  coho__source_drop(&o->source);
  o->source = source;
  if (source.left == 0) coho__source_drop(&o->source);
}

/* The part of v behind its first n bytes. */
static struct coho__view behind(struct coho__view v, size_t n) {
  return n < v.len ? (struct coho__view){v.data + n, v.len - n} : (struct coho__view){NULL, 0};
}

int coho__output_put(struct coho__output *o, struct coho__stream *s, struct coho__view head,
                     struct coho__view body) {
  if (body.len > COPY_MOST && coho__output_empty(o)) {
    struct iovec iov[2];
    iov[0] = iov_of(head);
    iov[1] = iov_of(body);
    ssize_t n = coho__stream_writev(s, iov, 2);
    if (n < 0 && n != COHO_STREAM_AGAIN) return (int)n;
    size_t taken = n > 0 ? (size_t)n : 0;
    o->sent += taken;
    body = behind(body, taken > head.len ? taken - head.len : 0);
    head = behind(head, taken);
  }
  return coho__outq_copy2(&o->queue, head.data, head.len, body.data, body.len);
}

/* Views the next piece of the source, read into buf when it is a file. False: it is broken, also
   when the file became shorter than its Content-Length said. */
static bool next_piece(struct coho__source *source, char buf[PIECE], struct iovec *iov) {
  size_t want = source->left < PIECE ? (size_t)source->left : (size_t)PIECE;
  ssize_t n;
  if (source->data) {
    *iov = iov_of((struct coho__view){source->data + source->offset, want});
    return true;
  }
  do {
    n = pread(source->fd, buf, want, (off_t)source->offset);
  } while (n < 0 && errno == EINTR);
  if (n < 0) coho__log(COHO_LOG_ERROR, "cannot read a file that is served: %s", strerror(errno));
  if (n <= 0) return false;
  *iov = iov_of((struct coho__view){buf, (size_t)n});
  return true;
}

static void account(struct coho__output *o, size_t queued, size_t taken) {
  size_t of_queue = COHO_MIN(queued, taken);
  o->sent += taken;
  coho__outq_sent(&o->queue, of_queue);
  o->source.offset += taken - of_queue;
  o->source.left -= taken - of_queue;
  if (o->source.left == 0) coho__source_drop(&o->source);
}

enum coho__output_state coho__output_flush(struct coho__output *o, struct coho__stream *s) {
  char buf[PIECE];
  size_t flushed = 0;
  while (!coho__output_empty(o)) {
    struct iovec iov[PLACES + 1];
    size_t queued = 0;
    if (flushed >= FLUSH_MOST) {
      coho__stream_again(s, COHO_IO_WRITE);
      return COHO_OUTPUT_BLOCKED;
    }
    int count = coho__outq_iov(&o->queue, iov, PLACES);
    for (int i = 0; i < count; i++)
      queued += iov[i].iov_len;
    size_t total = queued;
    if (queued == o->queue.bytes && o->source.left) {
      if (!next_piece(&o->source, buf, &iov[count])) return COHO_OUTPUT_FAILED;
      total += iov[count++].iov_len;
    }
    ssize_t n = coho__stream_writev(s, iov, count);
    if (n == COHO_STREAM_AGAIN) return COHO_OUTPUT_BLOCKED;
    if (n < 0) return COHO_OUTPUT_FAILED;
    account(o, queued, (size_t)n);
    if ((size_t)n < total) return COHO_OUTPUT_BLOCKED;
    flushed += (size_t)n;
  }
  return COHO_OUTPUT_DONE;
}
