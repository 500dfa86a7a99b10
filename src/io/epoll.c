#include "io/epoll.h"

#include "base/alloc.h"
#include "io/sock.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS_SIZE (COHO_LOOP_EVENTS * sizeof(struct epoll_event))

int coho__epoll_open(coho_loop *loop) {
  loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  if (loop->epoll_fd < 0) return coho__error_of_errno(errno);
  loop->events = (struct epoll_event *)coho__alloc(EVENTS_SIZE);
  return loop->events ? 0 : COHO_ENOMEM;
}

void coho__epoll_close(coho_loop *loop) {
  if (loop->epoll_fd >= 0) close(loop->epoll_fd);
  coho__free(loop->events, EVENTS_SIZE);
}

void coho__io_init(struct coho__io *io, void (*on_event)(struct coho__io *io, unsigned events)) {
  coho__list_init(&io->ready);
  io->on_event = on_event;
  io->fd = -1;
  io->pending = 0;
  io->hangup = 0;
}

int coho__io_add(coho_loop *loop, struct coho__io *io, int fd,
                 void (*on_event)(struct coho__io *io, unsigned events)) {
  coho__io_init(io, on_event);
  struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = io};
  if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &e) < 0) return coho__error_of_errno(errno);
  io->fd = fd;
  loop->active++;
  return 0;
}

void coho__io_remove(coho_loop *loop, struct coho__io *io) {
  coho__list_remove(&io->ready);
  io->pending = 0;
  if (io->fd < 0) return;
  /* Closing alone would not do: while a forked child holds a copy of the descriptor, its events
     would go on to come for memory that is freed. */
  struct epoll_event none = {.events = 0};
  (void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, io->fd, &none);
  io->fd = -1; /* also tells dispatch to skip what it still has for it */
  loop->active--;
}

void coho__io_bury(coho_loop *loop, struct coho__io *io,
                   void (*free_owner)(struct coho__io *io, unsigned events)) {
  coho__io_remove(loop, io);
  io->on_event = free_owner;
  coho__list_append(&loop->dead_ios, &io->ready);
}

void coho__io_again(coho_loop *loop, struct coho__io *io, unsigned events) {
  io->pending = (uint16_t)(io->pending | events);
  if (coho__list_empty(&io->ready)) coho__list_append(&loop->ready, &io->ready);
}

int coho__epoll_wait(coho_loop *loop, int timeout_ms) {
  int n = epoll_wait(loop->epoll_fd, loop->events, COHO_LOOP_EVENTS, timeout_ms);
  if (n >= 0) return n;
  return errno == EINTR ? 0 : coho__error_of_errno(errno);
}

static unsigned events_of(uint32_t e) {
  unsigned events = 0;
  if (e & EPOLLIN) events |= COHO_IO_READ;
  if (e & EPOLLOUT) events |= COHO_IO_WRITE;
  if (e & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) events |= COHO_IO_READ | COHO_IO_HANGUP;
  return events;
}

/* What was put off comes together with new events, once. */
static unsigned take_pending(struct coho__io *io) {
  unsigned events = io->pending | io->hangup;
  io->pending = 0;
  coho__list_remove(&io->ready);
  return events;
}

void coho__epoll_dispatch(coho_loop *loop, int count) {
  struct coho__list ready; /* what handlers put off from now on is for the next turn */
  coho__list_init(&ready);
  coho__list_splice(&ready, &loop->ready);
  for (int i = 0; i < count; i++) {
    struct coho__io *io = (struct coho__io *)loop->events[i].data.ptr;
    if (io->fd < 0) continue;
    unsigned events = events_of(loop->events[i].events);
    if (events & COHO_IO_HANGUP) io->hangup = COHO_IO_HANGUP;
    if (io->pending) events |= take_pending(io);
    io->on_event(io, events);
  }
  while (!coho__list_empty(&ready)) {
    struct coho__io *io = COHO_LIST_ENTRY(ready.next, struct coho__io, ready);
    io->on_event(io, take_pending(io));
  }
}
