/* Tokens and keys for tests, made by OpenSSL. A failure ends the process. */
#ifndef TESTS_SUPPORT_TOKENS_H
#define TESTS_SUPPORT_TOKENS_H

#include "base/view.h"

#include <openssl/evp.h>

enum { TOKEN_MOST = 20000 };

/* A signer: one of both. */
struct token_key {
  EVP_PKEY *pkey;
  const char *secret;
};

/* Base64url into dst, terminated; returns dst. */
char *token_base64url(char *dst, const void *data, size_t len);
/* HEADER.PAYLOAD.SIGNATURE of texts; the algorithm follows the key. In a buffer of four that take
   turns. */
const char *token_make(const struct token_key *key, const char *header, const char *payload);
/* A signature only; its length. */
size_t token_sign(const struct token_key *key, const char *text, unsigned char *out);

EVP_PKEY *token_rsa(unsigned bits);
EVP_PKEY *token_ec(const char *curve);
/* A public key as PEM or as a JWK; members such as ",\"kid\":\"a\"" go into it. Freed by free(). */
char *token_pem(const EVP_PKEY *pkey);
char *token_jwk(const EVP_PKEY *pkey, const char *members);

#endif
