/* Why TLS failed, in words for people. Text of a peer is escaped. */
#ifndef COHO_IO_TLS_WORDS_H
#define COHO_IO_TLS_WORDS_H

#include <openssl/ssl.h>

enum { COHO_TLS_WORDS = 320 };

/* What OpenSSL's error queue says, which is empty afterwards. */
void coho__tls_words_error(char dst[COHO_TLS_WORDS]);
/* What the verification of a certificate found, inside its callback. host: who it should be for. */
void coho__tls_words_verify(char dst[COHO_TLS_WORDS], X509_STORE_CTX *found, const char *host);

#endif
