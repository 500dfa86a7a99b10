/* The server's side of the opening handshake (RFC 6455 4.2): check a request, write an answer. */
#ifndef COHO_PROTO_UPGRADE_SERVER_H
#define COHO_PROTO_UPGRADE_SERVER_H

#include "base/buf.h"
#include "proto/request.h"

/* The request asks for WebSocket at all: Upgrade has the token "websocket" (and HTTP/1.1). */
bool coho__upgrade_wanted(const struct coho_request *r);
/* Everything section 4.2.1 demands, in the order method, version of HTTP, Upgrade, Connection, version,
   key, subprotocols (at most 32), extensions, body; the Origin is not looked at. 0 or the error of
   the first rule that is broken. */
int coho__upgrade_check(const struct coho_request *r);
bool coho__upgrade_offers(const struct coho_request *r, const char *protocol);
/* Sets r->protocol to the first of ours (NULL: none) that the client offers, "" if there is none.
   0, or COHO_ENOPROTOCOL when required. */
int coho__upgrade_choose(struct coho_request *r, const char *const *ours, bool required);
/*
 * The Origin against the policy: list NULL means the request's own authority, "*" any. 0 or
 * COHO_EORIGIN (foreign, or absent while need is set); COHO_EFIELD (repeated).
 *
 * Origins are equal when scheme, host and port are, the first two without ASCII case, and an absent
 * port is the scheme's default: 80 of http and ws, 443 of https and wss. What cannot be taken apart
 * that way equals only an entry of the same bytes; so "null" is foreign unless it is listed.
 *
 * The request's own authority has no scheme: an Origin of http or https is our own when its host is
 * and its port is, where a Host without port means the default of the Origin's scheme. So behind a
 * proxy that ends TLS, http://h and https://h both match "Host: h", and https://h matches
 * "Host: h:443" but neither "Host: h:80" nor "Host: h:8080".
 */
int coho__upgrade_origin(const struct coho_request *r, const char *const *list, bool need);
/* Appends the whole 101 answer; extensions is the value of Sec-WebSocket-Extensions or "", fields is
   "Name: value\r\n..." or empty; both have been checked. 0, COHO_ENOMEM, COHO_EFULL; then nothing was
   written. */
int coho__upgrade_accept(const struct coho_request *r, const char *extensions,
                         struct coho__view fields, struct coho__buf *out);
/* Appends the fields that belong to a refusal with this error (no GET: Allow; 426: Upgrade,
   Connection and Sec-WebSocket-Version; malformed version: Sec-WebSocket-Version). The caller's
   own "Connection: close" may stand beside. 0, COHO_ENOMEM, COHO_EFULL; then nothing was written. */
int coho__upgrade_refusal(int err, struct coho__buf *out);

#endif
