/*
 * One end of a TLS connection, as OpenSSL's callbacks find it: SSL_get_app_data() of its SSL. Holds
 * its coho_tls, and what that was read into when the connection began until the handshake is over.
 */
#ifndef COHO_IO_TLS_END_H
#define COHO_IO_TLS_END_H

#include "io/tls_set.h"

/* Memory that OpenSSL takes for a connection, which its own allocator does not tell us: measured, and
   counted as ours while there is an SSL. */
enum {
  COHO_TLS_SHAKING = 46 * 1024, /* until the handshake is over */
  COHO_TLS_OPEN = 15 * 1024     /* while no record is decrypted or encrypted */
};

struct coho__tls_end {
  coho_tls *tls;                /* a reference */
  struct coho__tls_set *set;    /* a reference, until the handshake is over */
  SSL *ssl;                     /* NULL before it began */
  char *host;                   /* client: who is verified */
  char *trouble;                /* why it failed, as soon as that is known */
  struct coho__session_key key; /* client: what its sessions are kept for */
  uint32_t generation;
  /* Records that carry no data, since: they cost work and nothing else would count them. */
  uint32_t extras;
  uint64_t extras_ms;
  uint32_t counted; /* COHO_TLS_SHAKING, COHO_TLS_OPEN, or 0 */
  bool server;
  bool open; /* the handshake is over */
};

void coho__tls_end_init(struct coho__tls_end *e, coho_tls *tls, bool server);
void coho__tls_end_free(struct coho__tls_end *e);
/* Makes the SSL of a server, or of a client to host and port. 0, COHO_ENOMEM, COHO_ENOTLS, COHO_EMEMORY:
   a server whose memory is tight begins no handshake. */
int coho__tls_end_accept(struct coho__tls_end *e);
int coho__tls_end_connect(struct coho__tls_end *e, const char *host, uint16_t port);
/* The handshake is over. */
void coho__tls_end_opened(struct coho__tls_end *e);
/* Keeps a sentence, the first one; the error queue of OpenSSL when words is NULL. */
void coho__tls_end_trouble(struct coho__tls_end *e, const char *words);
/* "TLSv1.3 TLS_AES_128_GCM_SHA256", and the subject of the peer's verified certificate or ""; when it
   is over. cap is at least 1. */
void coho__tls_end_cipher(const struct coho__tls_end *e, char *buf, size_t cap);
void coho__tls_end_subject(const struct coho__tls_end *e, char *buf, size_t cap);
/* Another record without data came. */
void coho__tls_end_extra(struct coho__tls_end *e);
/* More of them came than an honest peer sends. */
bool coho__tls_end_flooded(const struct coho__tls_end *e);

#endif
