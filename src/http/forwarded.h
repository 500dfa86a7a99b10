/*
 * Whom a request is from when a trusted proxy brings it: the right-most address of X-Forwarded-For
 * that is not itself a trusted proxy's. What stands to the left of it anybody may have written.
 *
 * Only this field is read, from these peers. RFC 7239's Forwarded is not: a proxy that knows one of
 * the two passes on the other as the client wrote it, so believing both is believing the client.
 */
#ifndef COHO_HTTP_FORWARDED_H
#define COHO_HTTP_FORWARDED_H

#include "base/ip.h"
#include "http/conn.h"

/* port 0: not told. False: no address was told, or none that can be read. */
bool coho__forwarded_find(const struct coho__http1 *head, const struct coho__cidrs *trusted,
                          struct coho__ip *ip, uint16_t *port);

/* After a head is complete: from now on the request's client counts, in limits and in logs. 0, or
   COHO_EADDRESSFULL, COHO_EOVERLOAD. */
int coho__forwarded_enter(struct coho__http_conn *c);
/* Its peer is a trusted proxy, which did not tell of a client: who it is nobody knows. */
bool coho__forwarded_untold(const struct coho__http_conn *c);
/* The request is answered. */
void coho__forwarded_leave(struct coho__http_conn *c);
/* The stream is given away and takes the address along. */
void coho__forwarded_give(struct coho__http_conn *c);

#endif
