/*
 * The keys under which a server seals its session tickets (RFC 8446 4.6.1, RFC 5077 4), so that it
 * need not remember sessions. The newest seals for half a day, then opens for another half: a
 * ticket that is stolen together with the key of its time tells about a day at most. The keys are
 * the process's own and stay when certificates are reloaded. Any thread.
 */
#ifndef COHO_IO_TLS_TICKETS_H
#define COHO_IO_TLS_TICKETS_H

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum {
  COHO_TICKET_NAME = 16,
  COHO_TICKET_SECRET = 32,
  COHO_TICKET_KEYS = 2,
  COHO_TICKET_SEAL_MS = 12 * 60 * 60 * 1000,
  COHO_TICKET_OPEN_MS = 24 * 60 * 60 * 1000
};

struct coho__ticket_key {
  unsigned char name[COHO_TICKET_NAME];
  unsigned char cipher[COHO_TICKET_SECRET];
  unsigned char mac[COHO_TICKET_SECRET];
  uint64_t born_ms; /* 0: no key */
};

struct coho__tls_tickets {
  pthread_mutex_t lock;
  struct coho__ticket_key keys[COHO_TICKET_KEYS]; /* newest first */
};

void coho__tls_tickets_init(struct coho__tls_tickets *t);
void coho__tls_tickets_free(struct coho__tls_tickets *t); /* wipes the keys */
/* The key to seal with, a fresh one when it is time. False: there is no randomness. Wiped by the
   caller. */
bool coho__tls_tickets_sealing(struct coho__tls_tickets *t, uint64_t now_ms,
                               struct coho__ticket_key *out);
/* The key with this name; *renew: the ticket should be replaced. False: unknown or too old. */
bool coho__tls_tickets_opening(struct coho__tls_tickets *t, uint64_t now_ms,
                               const unsigned char name[COHO_TICKET_NAME],
                               struct coho__ticket_key *out, bool *renew);

/* What SSL_CTX_set_tlsext_ticket_key_evp_cb() asks for, on top of these two. */
int coho__tls_tickets_use(struct coho__tls_tickets *t, unsigned char name[COHO_TICKET_NAME],
                          unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int seal);

#endif
