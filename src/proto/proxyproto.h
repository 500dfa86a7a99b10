/*
 * The PROXY protocol, versions 1 and 2: what a proxy that forwards connections says first about the
 * client, before TLS and HTTP. The receiver knows beforehand whether to expect it and from whom; it is
 * never guessed from the bytes.
 *
 * Version 1 is one line of at most 107 bytes, version 2 a binary head with addresses and further
 * fields, of which only the checksum is looked at. Both are read as the bytes come, none is kept but
 * those of the addresses.
 */
#ifndef COHO_PROTO_PROXYPROTO_H
#define COHO_PROTO_PROXYPROTO_H

#include "base/ip.h"

enum {
  COHO_PROXY_LINE = 107,    /* of version 1, CR LF included */
  COHO_PROXY_ADDRESSES = 36 /* of version 2 that are kept: two IPv6 addresses and ports */
};

enum coho__proxy_kind {
  COHO_PROXY_LOCAL, /* the proxy itself, or it does not know: the socket's own address counts */
  COHO_PROXY_IP,
  COHO_PROXY_UNIX /* the client came by a unix socket */
};

struct coho__proxy {
  /* When it is complete. */
  enum coho__proxy_kind kind;
  struct coho__ip ip;
  uint16_t port;
  /* Private. */
  uint8_t state;
  uint8_t family;   /* version 2: the 14th byte; 0 also where the block is not looked at */
  uint16_t len;     /* bytes in data */
  uint32_t left;    /* version 2: bytes behind the first 16 that did not come yet */
  uint32_t value;   /* of the present field */
  uint32_t crc;     /* of what came, running */
  uint32_t claimed; /* what the checksum field says */
  uint8_t type;     /* of the present field */
  bool has_claim;
  unsigned char data[COHO_PROXY_LINE];
};

void coho__proxy_init(struct coho__proxy *p);
/* Takes bytes, *used of them: 1 when the header is complete, 0 when all are used and more has to come,
   or COHO_EPROXY (final). */
int coho__proxy_input(struct coho__proxy *p, const void *bytes, size_t len, size_t *used);

#endif
