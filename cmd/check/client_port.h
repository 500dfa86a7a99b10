/* Where clients under test connect to: a listening socket, taken from with a deadline. */
#ifndef COHO_CMD_CHECK_CLIENT_PORT_H
#define COHO_CMD_CHECK_CLIENT_PORT_H

#include <stddef.h>
#include <stdint.h>

struct client_port {
  int fd; /* -1: none */
  uint16_t number;
};

/* host "": all addresses; number 0: a free one. 0, or -1 with a sentence without full stop in why. */
int client_port_open(struct client_port *p, const char *host, uint16_t number, char *why,
                     size_t cap);
void client_port_close(struct client_port *p);

enum port_event { PORT_CAME, PORT_LATE, PORT_GONE };
/* The next connection into *fd: PORT_CAME. PORT_LATE: none came until the deadline. PORT_GONE: the
   other descriptor (-1: none) became readable first. */
enum port_event client_port_take(const struct client_port *p, int other, uint64_t deadline,
                                 int *fd);

#endif
