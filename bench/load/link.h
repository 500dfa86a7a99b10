/* A connection of the generator: a non-blocking socket, plain or with TLS. */
#ifndef BENCH_LINK_H
#define BENCH_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct link {
  int fd;
  void *ssl; /* NULL: plain */
};

enum { LINK_AGAIN = -1 };

_Noreturn void link_die(const char *what); /* with the system's reason */
_Noreturn void link_fail(const char *what);

/* Begins to connect to the loopback; each source address has its own ports. */
void link_start(struct link *l, size_t index, int port, bool tls);
/* The socket is connected: true once bytes of the program may flow. */
bool link_shake(struct link *l);
/* Bytes, or LINK_AGAIN; ends the program otherwise. */
ssize_t link_send(struct link *l, const char *data, size_t len);
ssize_t link_recv(struct link *l, char *data, size_t cap);

#endif
