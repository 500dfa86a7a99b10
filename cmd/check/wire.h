/*
 * A byte stream to the other side, TCP or TLS, blocking, with a deadline on each operation. While it
 * sends it takes in what arrives, so that two sides which both send cannot block each other.
 * Deadlines are of now_ms().
 */
#ifndef COHO_CMD_CHECK_WIRE_H
#define COHO_CMD_CHECK_WIRE_H

#include "bytes.h"
#include "tape.h"

#include <stdbool.h>

struct ssl_st;
struct ssl_ctx_st;

enum wire_status {
  WIRE_OK,
  WIRE_TIMEOUT, /* the deadline came first */
  WIRE_END,     /* the other side closed its direction */
  WIRE_RESET,   /* the connection is gone: reset, or broken in TLS */
  WIRE_FULL     /* more came than anybody should send */
};

struct wire {
  int fd;             /* -1: none */
  struct ssl_st *ssl; /* NULL: plain */
  struct bytes inbox; /* received; the first `taken` bytes are done with */
  size_t taken;
  enum wire_status state; /* of receiving: OK, END, RESET or FULL */
  bool broken;            /* nothing can be sent any more */
  bool deaf;              /* sending takes nothing in: for a peer that does not read */
  struct tape sent, received;
};

#define WIRE_NONE ((struct wire){.fd = -1})

uint64_t now_ms(void); /* monotonic */

struct wire_tls {
  struct ssl_ctx_st *context; /* NULL: plain */
  char *name; /* for SNI and the certificate; not const, for OpenSSL's macro takes that away */
};

/* Both: 0, or -1 with a sentence without full stop in why. A wire that failed needs no
   wire_close(). */
struct addrinfo;
int wire_connect(struct wire *w, const struct addrinfo *to, const struct wire_tls *tls,
                 uint64_t deadline, char *why, size_t cap);
/* tls NULL: plain. */
int wire_accepted(struct wire *w, int fd, struct ssl_ctx_st *tls, uint64_t deadline, char *why,
                  size_t cap);

/* All of it, in writes of at most chop bytes (0: as large as they can be). */
enum wire_status wire_send(struct wire *w, const void *data, size_t len, size_t chop,
                           uint64_t deadline);
/* Waits until at least `least` bytes are there to be taken. */
enum wire_status wire_fill(struct wire *w, size_t least, uint64_t deadline);
const uint8_t *wire_bytes(const struct wire *w); /* what is there; valid until the next call */
size_t wire_count(const struct wire *w);
void wire_take(struct wire *w, size_t len); /* the first len of them are done with */
void wire_half_close(struct wire *w);       /* says that nothing more will be sent */
void wire_close(struct wire *w);            /* and frees; the tapes stay */

#endif
