/* The authority of an http or ws URL without user: host and port (RFC 3986 3.2). */
#ifndef COHO_PROTO_HOST_H
#define COHO_PROTO_HOST_H

#include "base/view.h"

#include <stdbool.h>
#include <stdint.h>

struct coho__host {
  struct coho__view name; /* a name, an IPv4 address, or an IPv6 address without its brackets */
  uint16_t port;
  bool has_port; /* "host:" has none (RFC 3986 3.2.3) */
  bool ipv6;
};

/* host[:port], host not empty, port up to 65,535. False: not the grammar. */
bool coho__host_parse(struct coho__view authority, struct coho__host *out);
bool coho__host_is_ipv4(struct coho__view v); /* four numbers without leading zeros */
bool coho__host_is_ipv6(struct coho__view v); /* without brackets or zone */

#endif
