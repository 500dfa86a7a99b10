/*
 * A key that tokens are verified with. It has one algorithm, by what it is: RSA is RS256, P-256 is
 * ES256, a secret is HS256.
 *
 * OpenSSL is known to this file and jwk.c only.
 */
#ifndef COHO_TOPICS_KEY_H
#define COHO_TOPICS_KEY_H

#include "base/view.h"

#include <openssl/types.h>

enum coho__alg { COHO_ALG_NONE, COHO_HS256, COHO_RS256, COHO_ES256 };

enum {
  COHO_SECRET_LEAST = 32, /* bytes (RFC 7518 3.2) */
  COHO_SECRET_MOST = 4096,
  COHO_RSA_LEAST = 2048, /* bits (RFC 7518 3.3) */
  COHO_RSA_MOST = 8192,  /* more only costs time */
  COHO_KID_MOST = 255
};

struct coho__key {
  enum coho__alg alg;
  char *kid;     /* NULL: none */
  EVP_PKEY *pub; /* of RS256 and ES256 */
  char *secret;  /* of HS256 */
  size_t secret_len;
};

/* COHO_ALG_NONE: another name. */
enum coho__alg coho__alg_of(struct coho__view name);

/* Takes a public key over, which is freed when it is refused. 0, or COHO_EKEYS with what is wrong in
   *wrong: "RSA of 1,024 bits is too short". */
int coho__key_public(struct coho__key *k, EVP_PKEY *pub, const char **wrong);
/* Copies a secret. As above, and COHO_ENOMEM. */
int coho__key_secret(struct coho__key *k, struct coho__view secret, const char **wrong);
/* Of one public key in PEM form and nothing else. */
int coho__key_pem(struct coho__key *k, struct coho__view pem, const char **wrong);
int coho__key_name(struct coho__key *k, struct coho__view kid); /* 0, COHO_EKEYS, COHO_ENOMEM */
void coho__key_free(struct coho__key *k);                       /* what it holds, wiped */

/* Whether k signed this: 0, COHO_ESIGNATURE, COHO_ENOMEM. Any thread. */
int coho__key_verify(const struct coho__key *k, struct coho__view text,
                     struct coho__view signature);

#endif
