/*
 * The TLS sessions that clients may resume, by host and port, a few for each. In fixed places, so
 * that strangers cannot make it grow. Any thread.
 */
#ifndef COHO_IO_TLS_SESSIONS_H
#define COHO_IO_TLS_SESSIONS_H

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdint.h>

#ifdef COHO_HARD
enum { COHO_SESSIONS_MOST = 4, COHO_SESSIONS_EACH = 2, COHO_SESSION_TICKET = 16 * 1024 };
#else
enum {
  COHO_SESSIONS_MOST = 256,
  COHO_SESSIONS_EACH = 4,         /* of one host and port */
  COHO_SESSION_TICKET = 16 * 1024 /* a session with a longer ticket is not kept */
};
#endif

/* Stands for a host, a port and the name that is verified. */
struct coho__session_key {
  uint64_t hash[2];
};

struct coho__session_place {
  struct coho__session_key key;
  SSL_SESSION *session; /* NULL: free */
  uint64_t kept;        /* counts up */
};

struct coho__tls_sessions {
  pthread_mutex_t lock;
  uint64_t seeds[2][2];
  uint64_t count;      /* of sessions kept so far */
  uint32_t generation; /* of the trust they were made under */
  struct coho__session_place places[COHO_SESSIONS_MOST];
};

void coho__tls_sessions_init(struct coho__tls_sessions *t);
void coho__tls_sessions_free(struct coho__tls_sessions *t);
struct coho__session_key coho__tls_sessions_key(const struct coho__tls_sessions *t,
                                                const char *host, uint16_t port, const char *name);
uint32_t coho__tls_sessions_generation(struct coho__tls_sessions *t);
/* Forgets all, and does not keep what belongs to an earlier generation. */
void coho__tls_sessions_forget(struct coho__tls_sessions *t);
/* Takes the reference to the session in any case. */
void coho__tls_sessions_keep(struct coho__tls_sessions *t, const struct coho__session_key *key,
                             uint32_t generation, SSL_SESSION *session);
/* The newest for this key, which is the caller's then; NULL: none. A session is used once, so that
   an onlooker cannot tell that two connections belong together (RFC 8446 C.4). */
SSL_SESSION *coho__tls_sessions_take(struct coho__tls_sessions *t,
                                     const struct coho__session_key *key);

#endif
