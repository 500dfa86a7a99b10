/*
 * What systemd offers to a service: sockets that it opened (sd_listen_fds(3)), and a socket to tell it how
 * the service does (sd_notify(3)). Both are a few environment variables and one datagram, so there is no
 * library for them here. Under anything else every function does nothing.
 */
#ifndef COHO_CMD_SYSTEMD_H
#define COHO_CMD_SYSTEMD_H

#include <coho/coho.h>
#include <stdbool.h>
#include <stddef.h>

/* Sockets that are ours. */
size_t systemd_sockets(void);
/* One of them; its name as the unit has it, "" for none. The descriptor is not inherited any more. */
int systemd_socket(size_t index, char *name, size_t cap);
/* The scheme that a socket serves: "wss" when that is its name, else "ws". */
const char *systemd_scheme(size_t index);

/* One datagram of lines "NAME=VALUE". False: it was not sent, or nobody asked. */
bool systemd_tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Tells that the server is ready, with this status, once its first loop runs; and from then on, if
   systemd wants to know, that all of its loops turn. 0 or an error. */
int systemd_start(coho_server *s, const char *status);
/* Around reading the configuration again. */
void systemd_reloading(void);
void systemd_ready(void);
/* The server stops. */
void systemd_stopping(void);
/* Before the server is freed. */
void systemd_end(void);

#endif
