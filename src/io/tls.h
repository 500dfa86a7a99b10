/*
 * coho_tls of tls.h for the rest of coho: shared by servers, connections and streams, by reference.
 * What it was read into (tls_set.h) is replaced as a whole by coho_tls_reload().
 *
 * OpenSSL is known to the files tls*.c and stream_tls.c only, and to the headers for those.
 */
#ifndef COHO_IO_TLS_H
#define COHO_IO_TLS_H

#include <coho/tls.h>
#include <stdbool.h>

coho_tls *coho__tls_ref(coho_tls *t); /* any thread; NULL gives NULL */
void coho__tls_unref(coho_tls *t);    /* any thread; NULL is fine */
coho_tls *coho__tls_default(void);    /* that of clients without one; any thread; NULL: no memory */
bool coho__tls_serves(const coho_tls *t); /* it has a certificate; NULL has none */

#endif
