#define _GNU_SOURCE
#include "ws/stop.h"

#include "io/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

static _Atomic int bell = -1;
static _Atomic unsigned count;

/* Opened when it is needed first; of two threads that do so one wins. */
static int open_bell(int *fd) {
  *fd = atomic_load(&bell);
  if (*fd >= 0) return 0;
  int fresh = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fresh < 0) return coho__error_of_errno(errno);
  if (atomic_compare_exchange_strong(&bell, fd, fresh))
    *fd = fresh;
  else
    close(fresh);
  return 0;
}

static void on_event(struct coho__io *io, unsigned events) {
  struct coho__stop_watch *w = COHO_CONTAINER_OF(io, struct coho__stop_watch, io);
  (void)events;
  w->on_ring(w);
}

int coho__stop_watch(struct coho__stop_watch *w, coho_loop *loop,
                     void (*on_ring)(struct coho__stop_watch *w)) {
  int fd;
  int err = open_bell(&fd);
  if (err) return err;
  /* epoll takes a descriptor once, and a loop may have several watches. */
  fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (fd < 0) return coho__error_of_errno(errno);
  w->loop = loop;
  w->on_ring = on_ring;
  err = coho__io_add(loop, &w->io, fd, on_event);
  if (err)
    close(fd);
  else
    coho__loop_release(loop);
  return err;
}

void coho__stop_unwatch(struct coho__stop_watch *w) {
  int fd = w->io.fd;
  coho__loop_hold(w->loop);
  coho__io_remove(w->loop, &w->io);
  close(fd);
}

void coho__stop_ring(void) {
  int fd = atomic_load(&bell);
  int saved = errno;
  uint64_t one = 1;
  /* It fails only when the counter is full, which takes centuries. */
  ssize_t n = fd >= 0 ? write(fd, &one, sizeof one) : 0;
  (void)n;
  errno = saved;
}

unsigned coho__stop_count(void) { return atomic_load(&count); }

void coho_stop(void) {
  atomic_fetch_add(&count, 1);
  coho__stop_ring();
}
