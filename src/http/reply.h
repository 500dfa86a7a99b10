/* The head of a reply and what follows it (RFC 9112 4, RFC 9110 15). */
#ifndef COHO_HTTP_REPLY_H
#define COHO_HTTP_REPLY_H

#include "http/conn.h"

/* One of body and source, or neither. */
struct coho__answer {
  int status;
  const char *type;           /* NULL: none */
  struct coho__view body;     /* copied or written before the call returns */
  struct coho__source source; /* its descriptor is taken in any case; left is the length */
  bool parts;                 /* the body follows in parts (parts.h) */
};

/* The request is a HEAD: nothing follows the head. */
bool coho__reply_is_head(const struct coho__http_conn *c);
/* May be sent as a Content-Type. */
bool coho__reply_type_ok(const char *type);
/* Adds a field of our own to the reply to come. 0, COHO_ENOMEM, COHO_EFULL. */
int coho__reply_field(struct coho__http_conn *c, const char *name, const char *value);
/* The reply to come has such a field, of ours or of the program. */
bool coho__reply_says(const struct coho__http_conn *c, const char *name);
/* Queues the reply. The length and the type of the body are said also where there is none to send
   (HEAD); a status without body (204, 304) says neither. 0, COHO_EBUSY (there is one), COHO_ECLOSED,
   COHO_ENOMEM and COHO_EFULL (nothing of it was sent, so another reply may follow), an error of the
   stream (there is none). */
int coho__reply(struct coho__http_conn *c, const struct coho__answer *a);
/* A short text that says the status, or the given sentence; that of a refusal is not to be stored. */
int coho__reply_text(struct coho__http_conn *c, int status, const char *text);
/* Lets a route, which may be NULL, reply to what is refused with this error, or add fields. */
void coho__reply_refusing(struct coho__http_conn *c, const struct coho__route *route, int err);
/* Replies with the answer of an error, and the connection ends; one line in the log. Also when the
   request is not complete. */
void coho__reply_refuse(struct coho__http_conn *c, int err);
/* "100 Continue" before the rest of the request (RFC 9110 10.1.1). */
int coho__reply_continue(struct coho__http_conn *c);

#endif
