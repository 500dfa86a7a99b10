/*
 * A client and a server of TLS on one loop, over a stream in memory. Each side reads what comes as
 * the edge rule of stream.h says, writes what it was given, and notes how it ended.
 */
#ifndef COHO_TESTS_UNIT_TLS_PAIR_H
#define COHO_TESTS_UNIT_TLS_PAIR_H

#include "io/stream_tls.h"
#include "io/tls_set.h"
#include "support/certs.h"

struct tls_side {
  struct coho__stream *s; /* NULL: closed */
  char *in;               /* what came */
  size_t len, cap;
  const char *out; /* what is to be sent */
  size_t out_len, out_done;
  size_t asks;     /* bytes per read */
  size_t piece;    /* the size of the pieces it writes; 0: all as one */
  unsigned events; /* that came */
  ssize_t end;     /* what reading gave when it ended: 0 or an error; 1: it has not */
  ssize_t broken;  /* an error of writing */
  bool hold;       /* does not read */
  bool shuts;      /* shuts down after out */
};

struct tls_pair {
  coho_loop *loop;
  struct coho__stream *inner[2]; /* the ends of the stream in memory */
  struct tls_side client, server;
};

/* What a test sets before; zero is the default. */
struct tls_pair_spec {
  coho_tls *client, *server;
  const char *host;    /* "localhost" */
  size_t room;         /* of the stream in memory in each direction, 64 KiB */
  size_t piece;        /* bytes that arrive together; 0: any */
  uint32_t timeout_ms; /* of the server; never */
};

/* Makes both sides; nothing has been sent. */
void tls_pair_open(struct tls_pair *p, const struct tls_pair_spec *spec);
/* Only one side; the other end of the stream in memory is the test's. */
void tls_pair_open_server(struct tls_pair *p, const struct tls_pair_spec *spec);
void tls_pair_open_client(struct tls_pair *p, const struct tls_pair_spec *spec);
/* Turns until nothing is left to do but wait. */
void tls_pair_settle(struct tls_pair *p);
/* Gives a side something to send. */
void tls_side_send(struct tls_side *x, const void *data, size_t len);
void tls_side_close(struct tls_side *x, bool reset);
/* Closes what is open and frees the loop. */
void tls_pair_close(struct tls_pair *p);

/* Why it failed, "" for no reason. */
const char *tls_side_trouble(const struct tls_side *x);

/* A server for localhost, and a client that trusts it. */
struct tls_trust {
  struct cert root, leaf;
  coho_tls *server, *client;
};

void tls_trust_make(struct tls_trust *t);
void tls_trust_free(struct tls_trust *t);

#endif
