/* The framing of an HTTP/1.1 request body (RFC 9112 6 and 7): none, a length, or chunks. */
#ifndef COHO_PROTO_BODY_H
#define COHO_PROTO_BODY_H

#include "base/view.h"
#include "proto/http1.h"

struct coho__body {
  uint64_t left;    /* of the body, or of the present chunk */
  uint64_t total;   /* payload seen so far */
  uint64_t max;     /* more is COHO_EBODYTOOBIG */
  uint16_t ignored; /* bytes of chunk extensions and trailers without separators, at most 16,384 */
  uint8_t taken;    /* digits of the present chunk size; 1 inside the name of a trailer */
  uint8_t state;    /* private to body.c */
  bool chunked;
};

/* From a complete request head. 0, COHO_EBODYLENGTH (malformed or ambiguous), COHO_ECODING (other
   than chunked), COHO_EBODYTOOBIG (announced). Whatever two parsers could read differently is
   refused, also where RFC 9112 lets it be repaired: repeated lengths, a length beside a coding, a
   coding on HTTP/1.0. */
int coho__body_init(struct coho__body *b, const struct coho__http1 *head, uint64_t max);
/* Another maximum, before any byte was taken. 0, COHO_EBODYTOOBIG (announced). */
int coho__body_limit(struct coho__body *b, uint64_t max);
bool coho__body_done(const struct coho__body *b);
/* Takes bytes: *used of them, of which *payload (a view into data, perhaps empty) belongs to the
   body. Call again while bytes are left and the body is not done. Chunk extensions and trailers
   are checked and dropped. 0, or COHO_ECHUNK, COHO_EBODYTOOBIG (final). */
int coho__body_input(struct coho__body *b, const char *data, size_t len, size_t *used,
                     struct coho__view *payload);

#endif
