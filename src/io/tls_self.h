/* A certificate for this machine that signs itself, for trying things. */
#ifndef COHO_IO_TLS_SELF_H
#define COHO_IO_TLS_SELF_H

#include "io/tls_pem.h"

#include <stdbool.h>

/* For localhost, 127.0.0.1 and ::1, with a fresh key of P-256. 0 or COHO_ENOMEM. */
int coho__tls_self_make(struct coho__pem_pair *out);
/* It should be replaced soon. */
bool coho__tls_self_stale(const struct coho__pem_pair *p);

#endif
