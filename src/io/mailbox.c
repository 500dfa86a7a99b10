#include "io/mailbox.h"

#include "base/alloc.h"
#include "io/sock.h"

#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct queue {
  struct coho__letter *first, *last;
};

/*
 * Posting locks, but only the other side of the same mailbox ever waits for it. count is changed
 * under the lock and read without it, so that a turn without letters costs one load.
 */
struct coho__mailbox {
  _Atomic size_t refs;
  _Atomic size_t count; /* letters that wait, in either queue */
  int wake_fd;          /* an eventfd: edge-triggered, so nobody has to read it */
  pthread_mutex_t lock;
  bool dead;           /* locked */
  size_t bytes;        /* locked */
  struct queue posted; /* locked */
  struct queue taken;  /* the loop's thread: from posted, to be run */
  struct coho__io io;
};

static struct {
  pthread_mutex_t lock;
  struct coho__mailbox *living[COHO_LOOPS_MAX];
  uint32_t generation[COHO_LOOPS_MAX];
} loops = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- letters -------------------------------------------------------------------------------- */

static void queue_append(struct queue *q, struct coho__letter *l) {
  l->next = NULL;
  if (q->last)
    q->last->next = l;
  else
    q->first = l;
  q->last = l;
}

static struct coho__letter *queue_pop(struct queue *q) {
  struct coho__letter *l = q->first;
  if (!l) return NULL;
  q->first = l->next;
  if (!q->first) q->last = NULL;
  return l;
}

static void queue_splice(struct queue *q, struct queue *src) {
  if (!src->first) return;
  if (q->last)
    q->last->next = src->first;
  else
    q->first = src->first;
  q->last = src->last;
  *src = (struct queue){NULL, NULL};
}

/* ---- life ----------------------------------------------------------------------------------- */

struct coho__mailbox *coho__mailbox_of(coho_loop *loop) {
  return loop->mailbox;
}

struct coho__mailbox *coho__mailbox_hold(struct coho__mailbox *m) {
  atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
  return m;
}

void coho__mailbox_drop(struct coho__mailbox *m) {
  if (atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) > 1) return;
  close(m->wake_fd);
  pthread_mutex_destroy(&m->lock);
  coho__free(m, sizeof *m);
}

struct coho__mailbox *coho__mailbox_find(uint32_t loop_index) {
  if (loop_index >= COHO_LOOPS_MAX) return NULL;
  pthread_mutex_lock(&loops.lock);
  struct coho__mailbox *m = loops.living[loop_index];
  if (m) coho__mailbox_hold(m);
  pthread_mutex_unlock(&loops.lock);
  return m;
}

uint32_t coho__loop_generation(uint32_t index) {
  COHO_ASSERT(index < COHO_LOOPS_MAX);
  pthread_mutex_lock(&loops.lock);
  uint32_t generation = loops.generation[index];
  pthread_mutex_unlock(&loops.lock);
  return generation;
}

void coho__loop_set_generation(uint32_t index, uint32_t next) {
  COHO_ASSERT(index < COHO_LOOPS_MAX);
  pthread_mutex_lock(&loops.lock);
  loops.generation[index] = next;
  pthread_mutex_unlock(&loops.lock);
}

/* The event only ends the wait: letters have a phase of the turn of their own. */
static void on_wake(struct coho__io *io, unsigned events) {
  (void)io;
  (void)events;
}

static int watch(coho_loop *loop, struct coho__mailbox *m) {
  m->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (m->wake_fd < 0) return coho__error_of_errno(errno);
  int err = coho__io_add(loop, &m->io, m->wake_fd, on_wake);
  if (err) {
    close(m->wake_fd);
    return err;
  }
  coho__loop_release(loop); /* an empty mailbox keeps no loop running */
  return 0;
}

static void unwatch(coho_loop *loop, struct coho__mailbox *m) {
  coho__loop_hold(loop);
  coho__io_remove(loop, &m->io);
}

static int enter_table(coho_loop *loop, struct coho__mailbox *m) {
  int err = COHO_EMFILE;
  pthread_mutex_lock(&loops.lock);
  for (uint32_t i = 0; err && i < COHO_LOOPS_MAX; i++) {
    if (loops.living[i]) continue;
    loops.living[i] = m;
    loop->index = i;
    err = 0;
  }
  pthread_mutex_unlock(&loops.lock);
  return err;
}

int coho__mailbox_open(coho_loop *loop) {
  struct coho__mailbox *m = (struct coho__mailbox *)coho__zalloc(sizeof *m);
  if (!m) return COHO_ENOMEM;
  int err = watch(loop, m);
  if (err) {
    coho__free(m, sizeof *m);
    return err;
  }
  atomic_init(&m->refs, 1);
  pthread_mutex_init(&m->lock, NULL);
  err = enter_table(loop, m);
  if (err) {
    unwatch(loop, m);
    coho__mailbox_drop(m);
    return err;
  }
  loop->mailbox = m;
  return 0;
}

void coho__mailbox_close(coho_loop *loop) {
  struct coho__mailbox *m = loop->mailbox;
  pthread_mutex_lock(&loops.lock);
  loops.living[loop->index] = NULL;
  pthread_mutex_unlock(&loops.lock);

  pthread_mutex_lock(&m->lock);
  m->dead = true;
  queue_splice(&m->taken, &m->posted);
  atomic_store(&m->count, 0);
  pthread_mutex_unlock(&m->lock);

  struct coho__letter *l;
  while ((l = queue_pop(&m->taken)))
    l->drop(l);
  unwatch(loop, m);
  coho__mailbox_drop(m);
}

/* ---- the two sides -------------------------------------------------------------------------- */

void coho__mailbox_wake(const struct coho__mailbox *m) {
  int saved = errno;
  uint64_t one = 1;
  ssize_t n = write(m->wake_fd, &one, sizeof one);
  (void)n; /* fails only when the counter is full, after 2^64 letters */
  errno = saved;
}

static int refusal(const struct coho__mailbox *m, const struct coho__letter *l) {
  if (m->dead) return COHO_ESTALE;
  bool fits = m->count < COHO_MAILBOX_LETTERS && m->bytes <= COHO_MAILBOX_BYTES &&
              l->bytes <= COHO_MAILBOX_BYTES - m->bytes; /* answers may have gone beyond */
  return fits ? 0 : COHO_EFULL;
}

static int put(struct coho__mailbox *m, struct coho__letter *l, bool bounded) {
  pthread_mutex_lock(&m->lock);
  int err = refusal(m, l);
  if (err == COHO_EFULL && !bounded) err = 0;
  bool first = !m->posted.first;
  if (!err) {
    queue_append(&m->posted, l);
    m->bytes += l->bytes;
    m->count++;
  }
  pthread_mutex_unlock(&m->lock);
  if (!err && first) coho__mailbox_wake(m);
  return err;
}

int coho__mailbox_post(struct coho__mailbox *m, struct coho__letter *l) { return put(m, l, true); }

int coho__mailbox_answer(struct coho__mailbox *m, struct coho__letter *l) {
  return put(m, l, false);
}

bool coho__mailbox_waiting(const struct coho__mailbox *m) {
  return atomic_load_explicit(&m->count, memory_order_acquire) > 0;
}

void coho__mailbox_turn(coho_loop *loop) {
  struct coho__mailbox *m = loop->mailbox;
  if (!coho__mailbox_waiting(m)) return;
  pthread_mutex_lock(&m->lock);
  queue_splice(&m->taken, &m->posted);
  pthread_mutex_unlock(&m->lock);

  size_t count = 0, bytes = 0;
  struct coho__letter *l;
  while (count < COHO_MAILBOX_TURN && (l = queue_pop(&m->taken))) {
    count++;
    bytes += l->bytes;
    l->run(loop, l);
  }

  pthread_mutex_lock(&m->lock);
  m->count -= count;
  m->bytes -= bytes;
  pthread_mutex_unlock(&m->lock);
}

void coho__mailbox_empty(coho_loop *loop) {
  size_t count = atomic_load(&loop->mailbox->count);
  for (size_t done = 0; done < count; done += COHO_MAILBOX_TURN)
    coho__mailbox_turn(loop);
}
