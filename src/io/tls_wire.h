/*
 * The encrypted side of a TLS stream: a BIO for OpenSSL on top of another stream.
 *
 * In: one receive into the loop's shared buffer, from which OpenSSL is given whole records only, so
 * that it never holds a buffer for one that is under way. What is left when a call ends, mostly a
 * part of a record, is kept here, as many bytes as came.
 *
 * Out: what OpenSSL writes collects in the loop's shared buffer, and one writev sends it; what the
 * stream below does not take is kept here, and goes first.
 *
 * The shared buffers are in use within a call only.
 */
#ifndef COHO_IO_TLS_WIRE_H
#define COHO_IO_TLS_WIRE_H

#include "base/bucket.h"
#include "base/buf.h"
#include "io/stream.h"

struct bio_st; /* OpenSSL's BIO */

enum { COHO_WIRE_HEAD = 5 }; /* of a record: type, version, length (RFC 8446 5.1) */

#ifdef COHO_HARD
enum { COHO_WIRE_IN = 64, COHO_WIRE_LEAST = 16, COHO_WIRE_PLAIN = 512, COHO_WIRE_BURST = 700 };
#else
enum {
  COHO_WIRE_PLAIN = 16384,     /* data in one record (RFC 8446 5.1) */
  COHO_WIRE_IN = 512 * 1024,   /* as much as COHO_LOOP_RECV */
  COHO_WIRE_LEAST = 20 * 1024, /* received at least, so that a small rest of the caller's buffer
                                   does not cost a system call for each few bytes */
  COHO_WIRE_BURST = 128 * 1024 /* data that is encrypted, then sent */
};
#endif
enum {
  COHO_WIRE_RECORD = 16384 + 2048 + COHO_WIRE_HEAD, /* the longest there may be (RFC 5246 6.2.3) */
  COHO_WIRE_OUT = COHO_WIRE_BURST + COHO_WIRE_BURST / 64 + 4096 /* with what records add */
};

/* A loop's. */
struct coho__wire_buffers {
  size_t out_len; /* bytes in out */
  /* Lines that the log may get about streams. */
  struct coho__bucket failures, knocks;
  struct coho__buf spare;      /* memory for what is kept */
  char plain[COHO_WIRE_PLAIN]; /* small pieces that become one record */
  char in[COHO_WIRE_IN];
  char out[COHO_WIRE_OUT];
};

struct coho__wire {
  struct coho__stream *inner;
  struct coho__wire_buffers *shared;
  struct coho__buf in; /* kept, from in_at on */
  size_t in_at;
  struct coho__buf out; /* kept, from out_at on */
  size_t out_at;
  const char *fresh; /* received in this call, behind what was kept */
  size_t fresh_len;
  size_t ready; /* of both, the bytes of whole records */
  int err;      /* why nothing can be written any more */
  bool drained; /* the last receive got less than it asked for */
  bool whole;   /* the end of a record came; set back by the owner */
};

/* The stream below stays the caller's. 0 or COHO_ENOMEM. */
int coho__wire_init(struct coho__wire *w, struct coho__stream *inner);
void coho__wire_free(struct coho__wire *w);
struct bio_st *coho__wire_bio(struct coho__wire *w); /* the caller's; NULL: out of memory */

/* Receives at most about `want` bytes; those that were there before stay. What coho__stream_read()
   returned, or an error of coho__wire_keep(). */
ssize_t coho__wire_receive(struct coho__wire *w, size_t want);
/* Before the call ends: keeps what was received and not used. 0, COHO_ENOMEM, or COHO_EMEMORY: memory is
   tight, and it is more than COHO_MEMORY_SMALL. */
int coho__wire_keep(struct coho__wire *w);
/* All that came is of no use any more. */
void coho__wire_drop(struct coho__wire *w);
/* Bytes that were received and not used, and one of them. */
size_t coho__wire_unread(const struct coho__wire *w);
unsigned coho__wire_byte(const struct coho__wire *w, size_t at);

/* Sends what collected. The bytes that went out, or an error, which lasts; COHO_ENOMEM and COHO_EMEMORY
   as above. */
ssize_t coho__wire_send(struct coho__wire *w);
/* Bytes wait for the stream below. */
static inline bool coho__wire_blocked(const struct coho__wire *w) { return w->out.len > 0; }

/* When the loop is freed. */
void coho__wire_buffers_free(coho_loop *loop);

#endif
