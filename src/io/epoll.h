/* The loop's half that talks to the kernel: waits for events and hands them to their coho__io. */
#ifndef COHO_IO_EPOLL_H
#define COHO_IO_EPOLL_H

#include "io/loop.h"

int coho__epoll_open(coho_loop *loop); /* 0 or an error */
void coho__epoll_close(coho_loop *loop);
/* The number of events, which coho__epoll_dispatch() delivers, or an error. */
int coho__epoll_wait(coho_loop *loop, int timeout_ms);
/* These events, then what coho__io_again() put off in an earlier turn. */
void coho__epoll_dispatch(coho_loop *loop, int count);

#endif
