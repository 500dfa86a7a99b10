/* IP addresses without sockets, and lists of networks. */
#ifndef COHO_BASE_IP_H
#define COHO_BASE_IP_H

#include "base/view.h"

/* An IPv4 address is ::ffff:a.b.c.d, so that both ways to write it are the same. */
struct coho__ip {
  uint8_t bytes[16];
};

struct coho__ip coho__ip_of_v4(const void *four_bytes);
bool coho__ip_is_v4(const struct coho__ip *ip);
/* "192.0.2.1" or "2001:db8::1": no brackets, zone or port, no number with a leading zero. */
bool coho__ip_parse(struct coho__ip *ip, struct coho__view text);
/* The same with what an HTTP proxy may add: brackets, ":port". *port is 0 without one. */
bool coho__ip_parse_node(struct coho__ip *ip, uint16_t *port, struct coho__view text);

struct coho__cidr {
  struct coho__ip ip;
  uint8_t bits; /* of all 128: "10.0.0.0/8" has 104 */
};

/* "10.0.0.0/8", "2001:db8::/32", or one address. False: that is none, or bits beyond the prefix are
   set, which would mean another network than it says. */
bool coho__cidr_parse(struct coho__cidr *c, struct coho__view text);
/* An IPv4 address is in no IPv6 network, unless that is one of ::ffff:0:0/96. */
bool coho__cidr_has(const struct coho__cidr *c, const struct coho__ip *ip);

/* Networks, and perhaps those who come by a unix socket. */
struct coho__cidrs {
  struct coho__cidr *items;
  size_t count, room;
  bool local; /* "unix" is one of them */
};

/* From a list of texts that ends with NULL; NULL is an empty list. 0, COHO_EOPTION, COHO_ENOMEM. */
int coho__cidrs_read(struct coho__cidrs *list, const char *const *texts);
void coho__cidrs_free(struct coho__cidrs *list);
bool coho__cidrs_has(const struct coho__cidrs *list, const struct coho__ip *ip);
static inline bool coho__cidrs_empty(const struct coho__cidrs *list) {
  return list->count == 0 && !list->local;
}

#endif
