/*
 * The other side of a TLS stream, made of OpenSSL alone: it may offer and do what coho never does. Or
 * without OpenSSL: bytes.
 */
#ifndef COHO_TESTS_UNIT_TLS_PEER_H
#define COHO_TESTS_UNIT_TLS_PEER_H

#include "support/certs.h"
#include "tls_pair.h"

enum { TLS_PEER_ROOM = 256 * 1024 };

struct tls_peer {
  struct tls_pair *p;
  struct coho__stream *inner;
  SSL_CTX *context; /* any version and cipher */
  SSL *ssl;         /* NULL: bytes only */
  int alert;        /* that was received, and was fatal; 0: none */
  int reason;       /* of OpenSSL's error; 0: none */
  bool ended;       /* the stream below: nothing more comes */
  bool lingers;     /* does not close then */
  size_t len;       /* bytes only: what came */
  char bytes[TLS_PEER_ROOM];
};

/* On the end that tls_pair_open_server() or tls_pair_open_client() left free. */
void tls_peer_client(struct tls_peer *x, struct tls_pair *p);
void tls_peer_server(struct tls_peer *x, struct tls_pair *p, const struct cert *c);
void tls_peer_bytes(struct tls_peer *x, struct tls_pair *p, bool server);
void tls_peer_close(struct tls_peer *x); /* and the pair */

/* Shakes hands and turns, until nothing is left to do but wait. */
void tls_peer_settle(struct tls_peer *x);
/* One record for each `piece` bytes, not sent before tls_peer_settle(). */
void tls_peer_write(struct tls_peer *x, const void *data, size_t len, size_t piece);
/* What came, decrypted. */
size_t tls_peer_read(struct tls_peer *x, void *buf, size_t cap);
/* Past OpenSSL. */
void tls_peer_put(struct tls_peer *x, const void *data, size_t len);

#endif
