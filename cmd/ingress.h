/* The options of coho serve about what stands in front of it: proxies, unix sockets. */
#ifndef COHO_CMD_INGRESS_H
#define COHO_CMD_INGRESS_H

#include "option.h"

#include <coho/coho.h>

#define PROXY_PROTOCOL_TEXT                                                                      \
  "every connection comes from this network, such as 10.0.0.0/8, or address of a proxy and "     \
  "begins "                                                                                      \
  "with a PROXY header of version 1 or 2, which tells of the client; others are closed; 'unix' " \
  "means unix sockets, which need none otherwise; may be repeated"

#define TRUST_PROXY_TEXT                                                                        \
  "believe the X-Forwarded-For of proxies in this network or with this address; the client is " \
  "the right-most address in it that is none of theirs; 'unix' means unix sockets; may be "     \
  "repeated"

#define UNIX_MODE_TEXT \
  "mode of the file of a unix socket, octal (660 by default): whoever may write to it may connect"

struct ingress {
  struct option_list proxies, trusted;
  const char *unix_mode;
};

/* 0, or EXIT_USAGE after a sentence. */
int ingress_check(const struct command *c, const struct ingress *in);
/* After the check. The lists are lent. */
void ingress_set(const struct ingress *in, coho_server_options *so);

#endif
