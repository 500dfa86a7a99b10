/*
 * A peer of TLS that is OpenSSL and nothing of coho's, in memory: what comes is put in, what it says
 * is taken out. What either side sends as data is pattern(): so each can tell whether what arrives is
 * what was sent, from the first byte on.
 */
#ifndef FUZZ_TLS_PEER_H
#define FUZZ_TLS_PEER_H

#include "support/tape.h"

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

enum tls_side { FROM_SERVER, FROM_CLIENT };

/* The i-th byte that a side sends. */
uint8_t tls_pattern(enum tls_side from, size_t i);

/* Makes OpenSSL draw the same bytes from here on as after every other call, so that an input always
   comes to the same. */
void tls_no_chance(void);

struct tls_peer {
  SSL *ssl;
  BIO *in, *out;    /* of ssl */
  struct tape wire; /* what it says, from wire_at on not yet taken */
  size_t wire_at;
  enum tls_side side;
  size_t sent, received; /* data */
  bool open, ended;      /* the handshake is over; close_notify came */
  bool broken;           /* what came is wrong */
};

/* most: TLS1_2_VERSION or TLS1_3_VERSION. before: a session to resume, or NULL. */
void tls_peer_open(struct tls_peer *p, enum tls_side side, int most, SSL_SESSION *before);
void tls_peer_close(struct tls_peer *p);

/* Bytes of the wire came. */
void tls_peer_input(struct tls_peer *p, const void *data, size_t len);
void tls_peer_send(struct tls_peer *p, size_t len); /* data; nothing before it is open */
void tls_peer_rekey(struct tls_peer *p);            /* KeyUpdate, or a new handshake of TLS 1.2 */
void tls_peer_ticket(struct tls_peer *p);           /* a server's, of TLS 1.3 */
void tls_peer_end(struct tls_peer *p);              /* close_notify */

#endif
