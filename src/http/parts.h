/*
 * The body of a reply in parts, as they come: chunks in HTTP/1.1 (RFC 9112 7.1), the plain bytes in
 * 1.0. They are written at the end of the turn, and what the peer does not read waits up to a cap.
 */
#ifndef COHO_HTTP_PARTS_H
#define COHO_HTTP_PARTS_H

#include "base/chunk.h"
#include "http/conn.h"

/* A part that many replies share: its bytes between what makes a chunk of them. */
struct coho__part {
  struct coho__chunk *chunk; /* size line, bytes, CRLF; the maker's reference */
  size_t offset, len;        /* of the bytes */
};

/* Of the pieces, taken as one; not empty. 0, COHO_EINVAL, COHO_ENOMEM. coho__chunk_unref(p->chunk)
   gives it back. */
int coho__part_make(struct coho__part *p, const struct coho__view *pieces, size_t count);
/* coho_reply_part() with bytes that are not copied: each reply refers to the chunk. */
int coho__reply_share(coho_request *r, const struct coho__part *p);

/* What may wait of a deferred reply, other than the server's max_reply_queue. */
void coho__reply_limit(coho_request *r, uint64_t max);

size_t coho__parts_cap(const struct coho__http_conn *c); /* what may wait */

#endif
