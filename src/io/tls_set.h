/*
 * What a coho_tls was read into from its files: certificates, trust, and the contexts made of them.
 * Does not change; a reload makes another one.
 */
#ifndef COHO_IO_TLS_SET_H
#define COHO_IO_TLS_SET_H

#include "io/tls_context.h"
#include "io/tls_names.h"
#include "io/tls_sessions.h"
#include "io/tls_tickets.h"

#include <coho/tls.h>
#include <stdatomic.h>

/* Files of a pair. */
struct coho__tls_files {
  char *cert, *key;
};

/* coho_tls_options, copied. */
struct coho__tls_conf {
  struct coho__tls_files *pairs;
  size_t count;
  char *client_ca, *ca, *name;
  uint64_t flags;
};

struct coho__tls_pair {
  struct coho__pem_pair pem;
  SSL_CTX *context; /* a server's */
};

struct coho__tls_set {
  _Atomic uint32_t refs;
  struct coho__tls_pair *pairs;
  size_t count;
  struct coho__map names; /* of pairs */
  struct coho__tls_guests guests;
  X509_STORE *trust; /* client: NULL is the system's */
  SSL_CTX *client;   /* made when first needed */
};

/* Reads all files. before: the set it replaces, whose self-signed pair it takes over; may be NULL.
   Errors as those of coho_tls_new(). */
int coho__tls_set_read(const struct coho__tls_conf *conf, const struct coho__tls_set *before,
                       struct coho__tls_set **out, const struct coho__why *why);
void coho__tls_set_unref(struct coho__tls_set *s); /* any thread; NULL is fine */
/* The pair for a host name; NULL: none. */
struct coho__tls_pair *coho__tls_set_find(const struct coho__tls_set *s, const char *host);

struct coho_tls {
  _Atomic uint32_t refs;
  struct coho__tls_conf conf;
  pthread_mutex_t reading; /* one reload at a time */
  pthread_mutex_t lock;    /* over the pointer set, and its client */
  struct coho__tls_set *set;
  struct coho__tls_tickets tickets;
  struct coho__tls_sessions sessions;
};

/* The present set, with a reference. */
struct coho__tls_set *coho__tls_current(coho_tls *t);
/* The set's context for clients, made when there is none yet. NULL: out of memory. */
SSL_CTX *coho__tls_client_context(coho_tls *t, struct coho__tls_set *s);

#endif
