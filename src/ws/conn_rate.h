/*
 * How fast the peer of a connection may send, where the options say so: token buckets for messages,
 * frames and bytes.
 *
 * Above a rate a connection is not read until its bucket has filled a little again, which the peer
 * feels as TCP's back-pressure; nothing is lost. What was read is delivered as far as the messages'
 * and frames' buckets allow, and the rest is kept: so reads of such a connection are small. Bytes
 * are not read before there are tokens for them. With COHO_RATE_CLOSE the first message, frame or
 * read too many ends the connection, and is not delivered; but what piled up while the program or a
 * full queue kept the connection from being read comes at once through no fault of the peer's, and is
 * slowed down.
 *
 * Once the closing handshake began, rates are over: its deadline is short.
 */
#ifndef COHO_WS_CONN_RATE_H
#define COHO_WS_CONN_RATE_H

#include <coho/coho.h>
#include <stdbool.h>

struct coho__conn_rate;

/* 0 and *out, which is NULL when the options set no rate; or COHO_ENOMEM. */
int coho__conn_rate_new(const coho_options *set, uint64_t now_ms, struct coho__conn_rate **out);
void coho__conn_rate_free(struct coho__conn_rate *r); /* NULL is fine */

/* The rest is for connections that have one. */

/* It is read again after it was not for a while; and all that came meanwhile was read. */
void coho__conn_rate_behind(struct coho__conn_rate *r);
void coho__conn_rate_caught_up(struct coho__conn_rate *r);

/* How many bytes to read at most, at least 1. */
size_t coho__conn_rate_room(const coho_conn *c);
/* So many bytes came. False: too many, the connection is to end with COHO_ERATE. */
bool coho__conn_rate_bytes(coho_conn *c, size_t n);
/* What the engine made of them: ev, or NULL once it has used them up. False as above; true: ev may be
   delivered, but when c->stop is set now, no other one. */
bool coho__conn_rate_event(coho_conn *c, const coho_event *ev);
/* ms until the connection may be read again, 0: now. */
uint64_t coho__conn_rate_wait(const coho_conn *c, uint64_t now_ms);

#endif
