/* Server-Sent Events (text/event-stream, HTML 9.2): a writer, and a reader for our own clients. */
#ifndef COHO_PROTO_SSE_H
#define COHO_PROTO_SSE_H

#include "base/buf.h"
#include "base/view.h"

/* ---- writing -------------------------------------------------------------------------------- */

/* What is written in one block. A view without bytes to point at (data NULL) is left out, an empty one
   is written. Without data the receiver fires no event, but takes id and retry. */
struct coho__sse_event {
  struct coho__view data;    /* UTF-8; the receiver gets CR and CRLF as LF, all else as it is */
  struct coho__view id;      /* empty: the receiver forgets its last one */
  struct coho__view type;    /* left out: "message" */
  struct coho__view comment; /* UTF-8, in lines of its own, ignored: a heartbeat, padding */
  uint32_t retry_ms;         /* before the receiver connects again; 0: left out */
};

/* Appends the block with its empty line, whole or not at all. 0, COHO_EINVAL (CR, LF or NUL in id or
   type), COHO_EUTF8, COHO_EFULL, COHO_ENOMEM. */
int coho__sse_event(struct coho__buf *b, const struct coho__sse_event *e);

/* ---- reading -------------------------------------------------------------------------------- */

/* Valid until the next call for their reader. */
struct coho__sse_message {
  struct coho__view data; /* lines joined by LF */
  struct coho__view type; /* "message" when the stream named none */
  struct coho__view id;   /* the last one, of this event or one before; empty: none */
};

struct coho__sse_reader {
  struct coho__buf line, data, type;
  struct coho__buf id;   /* takes effect with the block that it is in */
  struct coho__buf last; /* the id that took effect: what Last-Event-ID says when we come back */
  uint64_t retry_ms;     /* what the stream asked for last */
  bool has_retry;
  bool has_data, has_type, has_id; /* in the present block */
  bool begun;                      /* behind the BOM, or where one could be */
  bool comment, after_cr;
};

/* max: bytes of a line, and of an event's data; what is larger is an error. */
void coho__sse_reader_init(struct coho__sse_reader *r, size_t max);
void coho__sse_reader_free(struct coho__sse_reader *r);
/* Takes bytes, *used of them: 1 and a message (call again for the rest), 0 when all are used, or
   COHO_ETOOBIG, COHO_EUTF8, COHO_ENOMEM (final). A block that the end of the stream cuts is no event. */
int coho__sse_read(struct coho__sse_reader *r, const char *bytes, size_t len, size_t *used,
                   struct coho__sse_message *message);

#endif
