/*
 * Which of several certificates serves a host name: a map from the names in them, in lower case, of
 * which "*.example.com" stands for one label more (RFC 9525 6.3).
 */
#ifndef COHO_IO_TLS_NAMES_H
#define COHO_IO_TLS_NAMES_H

#include "base/map.h"

#include <openssl/x509v3.h>

/* Adds the DNS names of a certificate, or its common name when there are none. A name that is there
   already stays with the value it has. 0 or COHO_ENOMEM. */
int coho__tls_names_add(struct coho__map *names, X509 *leaf, void *value);
/* The value for a host name as a client sends it; NULL: none. */
void *coho__tls_names_find(const struct coho__map *names, const char *host);

#endif
