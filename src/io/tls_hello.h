/*
 * How a client begins, judged before anything is made for it: OpenSSL would make room for a
 * ClientHello of 128 KiB as soon as nine bytes announce it.
 */
#ifndef COHO_IO_TLS_HELLO_H
#define COHO_IO_TLS_HELLO_H

#include "io/tls_wire.h"

/* What is wrong with what came so far; "" nothing yet, NULL: a ClientHello begins. */
const char *coho__tls_hello_judge(const struct coho__wire *w);
/* Puts what a client gets that is wrong: an alert, or for plain HTTP a 400, which people can read. */
void coho__tls_hello_answer(struct coho__wire *w);

#endif
