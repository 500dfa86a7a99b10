/*
 * A ws or wss URL (RFC 6455 3, RFC 3986), taken apart and made ready for the wire; and, where the mode
 * allows it, one of a unix socket, for which there is no standard: ws+unix:/PATH or wss+unix:/PATH of the
 * file, then, behind a colon, the path and query of the request, as in ws+unix:/run/a.sock:/chat?q.
 */
#ifndef COHO_PROTO_URL_H
#define COHO_PROTO_URL_H

#include <stdbool.h>
#include <stdint.h>

struct coho__url {
  char *text;         /* owns the bytes of the members below, all terminated */
  const char *file;   /* of a unix socket, absolute; NULL: it is TCP. Then host is "localhost" */
  const char *host;   /* lower case, without brackets; "" only where COHO_URL_LISTEN allows it */
  const char *target; /* path and query as they go into the request line; at least "/" */
  uint16_t port;      /* 80 or 443 where the URL has none; 0 only with COHO_URL_LISTEN */
  bool secure;        /* wss */
  bool ipv6;          /* host is an IPv6 literal */
};

enum coho__url_mode {
  COHO_URL_CONNECT,
  COHO_URL_LISTEN,      /* host may be empty (all addresses), port may be 0, no query */
  COHO_URL_CONNECT_ANY, /* the same with unix sockets */
  COHO_URL_LISTEN_ANY
};

/* Strict: scheme ws or wss (any case), no userinfo, no fragment, host a name of DNS, an IPv4 or a
   bracketed IPv6 address, port 1 to 65535, only characters that RFC 3986 allows. Bytes above 0x7f
   in path and query are percent-encoded when they are UTF-8; in the host they are refused (no
   IDNA). An empty query is dropped (RFC 6455 3). The path of a file is taken as it is written, nothing
   in it is decoded; it has no colon and at most 107 bytes. 0, COHO_EURL, COHO_ENOMEM; *why then points to a
   static sentence for people. */
int coho__url_parse(struct coho__url *url, const char *text, enum coho__url_mode mode,
                    const char **why);
void coho__url_free(struct coho__url *url);
/* "host", "host:port" or "[::1]:port" as the Host field wants it, terminated; returns dst, which
   has room for strlen(host) + 9 bytes. */
const char *coho__url_authority(const struct coho__url *url, char *dst);

#endif
