/* A request understood: target, authority, query, cookies, connection options (RFC 9110, 9112). */
#ifndef COHO_PROTO_REQUEST_H
#define COHO_PROTO_REQUEST_H

#include "base/buf.h"
#include "proto/http1.h"

#include <coho/core.h>

enum { COHO_REQUEST_PARAMS = 8 }; /* ":name" segments of a route's pattern */

struct coho_request {
  struct coho__http1 head;
  struct coho__view authority; /* host[:port] of the target's absolute form, else of Host; empty
                                  when a request of HTTP/1.0 names none */
  const char *path;            /* decoded, terminated; "/" for "OPTIONS *" */
  const char *query;           /* as sent, terminated, in the head */
  const char *protocol; /* chosen subprotocol, "" for none, an element of an offer or route */
  char *text;           /* the path; room for text_len bytes */
  size_t text_len;
  struct coho__list_text
      *decoded; /* results of _query, _cookie and _offer, freed with the request */
  struct {
    struct coho__view name; /* in the route's pattern */
    const char *value;      /* decoded, terminated */
  } params[COHO_REQUEST_PARAMS];
  uint8_t param_count;
  bool keep_alive; /* the client allows a further request (RFC 9112 9.3) */
  void *owner;     /* http's exchange; NULL for a request of an engine of core.h */
};

void coho__request_init(struct coho_request *r, const struct coho__http1_limits *limits);
void coho__request_free(struct coho_request *r);
void coho__request_reset(struct coho_request *r); /* for the next request; owner stays */
/* After the head is complete: checks and takes apart what every request must have right. The target
   is a path with or without query, an absolute http or https URL, or "*" of OPTIONS; CONNECT is no
   request to an origin server. Host is wanted once on HTTP/1.1, also beside an absolute URL, which
   wins (RFC 9112 3.2). 0, COHO_ETARGET, COHO_EHOST, COHO_ENOMEM. */
int coho__request_parse(struct coho_request *r);
/* Gives back what is not needed for method, path, query and parameters; they move. */
void coho__request_forget(struct coho_request *r);
/* Keeps a terminated copy until the request is freed; NULL: out of memory. */
char *coho__request_keep(struct coho_request *r, const char *data, size_t len);
/* Percent-decodes once into dst (room for len + 1; may be data itself), terminated. Length, or -1:
   bad escape or NUL. */
ptrdiff_t coho__percent_decode(char *dst, const char *data, size_t len, bool plus_is_space);

#endif
