#include "io/signals.h"

#include "base/alloc.h"
#include "io/sock.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { SIGNALS = 65 }; /* 1 to 64 on Linux */

/* Of a loop that has or had signals. */
struct coho__signals {
  coho_loop *loop;
  struct coho__io io;
  struct coho__teardown teardown;
};

struct entry {
  coho_loop *loop; /* NULL: nobody's */
  void (*fn)(void *arg, int signo);
  void *arg;
  struct sigaction before;
};

static struct {
  pthread_mutex_t lock;
  struct entry entries[SIGNALS];
} table = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* All that the handler touches. */
static atomic_uint caught[SIGNALS];
static atomic_int wake_fd = -1;

_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "a signal handler may use lock-free atomics only");

static void handler(int signo) {
  int saved = errno;
  uint64_t one = 1;
  atomic_fetch_add(&caught[signo], 1);
  ssize_t n = write(atomic_load(&wake_fd), &one, sizeof one);
  (void)n; /* fails only when the counter is full, after 2^64 signals */
  errno = saved;
}

/* ---- the loop's side ------------------------------------------------------------------------ */

/* Where to deliver to one signal that was caught; false when none was, or it is not this loop's. */
static bool take_one(coho_loop *loop, int signo, struct entry *out) {
  pthread_mutex_lock(&table.lock);
  *out = table.entries[signo];
  bool mine = out->loop == loop && atomic_load(&caught[signo]) > 0;
  if (mine) atomic_fetch_sub(&caught[signo], 1);
  pthread_mutex_unlock(&table.lock);
  return mine;
}

static void on_event(struct coho__io *io, unsigned events) {
  (void)events;
  coho_loop *loop = COHO_CONTAINER_OF(io, struct coho__signals, io)->loop;
  struct entry e;
  for (int signo = 1; signo < SIGNALS; signo++) {
    while (take_one(loop, signo, &e))
      e.fn(e.arg, signo);
  }
}

static void on_loop_free(struct coho__teardown *t) {
  struct coho__signals *s = COHO_CONTAINER_OF(t, struct coho__signals, teardown);
  coho_loop *loop = s->loop;
  coho__signals_drop(loop);
  coho__loop_hold(loop);
  coho__io_remove(loop, &s->io);
  loop->signals = NULL;
  coho__free(s, sizeof *s);
}

static int open_wake_fd(void) {
  if (atomic_load(&wake_fd) >= 0) return 0;
  int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) return coho__error_of_errno(errno);
  atomic_store(&wake_fd, fd);
  return 0;
}

/* Makes the loop watch; table.lock is held. */
static int watch(coho_loop *loop) {
  if (loop->signals) return 0;
  int err = open_wake_fd();
  if (err) return err;
  struct coho__signals *s = (struct coho__signals *)coho__zalloc(sizeof *s);
  err = s ? coho__io_add(loop, &s->io, atomic_load(&wake_fd), on_event) : COHO_ENOMEM;
  if (err) {
    coho__free(s, sizeof *s);
    return err;
  }
  coho__loop_release(loop); /* a signal that may come keeps no loop running */
  s->loop = loop;
  s->teardown.run = on_loop_free;
  coho__loop_on_free(loop, &s->teardown);
  loop->signals = s;
  return 0;
}

/* ---- the table; its lock is held ------------------------------------------------------------ */

static int take_signal(struct entry *e, int signo) {
  struct sigaction act = {.sa_handler = handler, .sa_flags = SA_RESTART};
  sigemptyset(&act.sa_mask);
  if (sigaction(signo, &act, &e->before) == 0) return 0;
  return errno == EINVAL ? COHO_EINVAL : COHO_ESYSTEM;
}

static void give_back(struct entry *e, int signo) {
  sigaction(signo, &e->before, NULL);
  e->loop = NULL;
  atomic_store(&caught[signo], 0);
}

static int set_entry(struct entry *e, coho_loop *loop, int signo, void (*fn)(void *arg, int signo),
                     void *arg) {
  bool mine = e->loop == loop;
  if (e->loop && !mine) return fn ? COHO_EEXISTS : COHO_ENOTFOUND;
  if (!fn) {
    if (mine) give_back(e, signo);
    return mine ? 0 : COHO_ENOTFOUND;
  }
  int err = mine ? 0 : watch(loop);
  if (!err && !mine) err = take_signal(e, signo);
  if (err) return err;
  e->loop = loop;
  e->fn = fn;
  e->arg = arg;
  return 0;
}

void coho__signals_drop(coho_loop *loop) {
  pthread_mutex_lock(&table.lock);
  for (int signo = 1; signo < SIGNALS; signo++) {
    if (table.entries[signo].loop == loop) give_back(&table.entries[signo], signo);
  }
  pthread_mutex_unlock(&table.lock);
}

int coho_loop_signal(coho_loop *loop, int signo, void (*fn)(void *arg, int signo), void *arg) {
  if (signo < 1 || signo >= SIGNALS) return COHO_EINVAL;
  pthread_mutex_lock(&table.lock);
  int err = set_entry(&table.entries[signo], loop, signo, fn, arg);
  pthread_mutex_unlock(&table.lock);
  return err;
}
