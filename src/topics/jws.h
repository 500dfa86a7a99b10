/*
 * A token in its compact form (RFC 7515 7.1): header, payload and signature, base64url with dots
 * between. What the header says about keys other than "kid" is not looked at: whoever made the token
 * does not say where the key comes from.
 */
#ifndef COHO_TOPICS_JWS_H
#define COHO_TOPICS_JWS_H

#include "topics/json.h"
#include "topics/key.h"

enum { COHO_TOKEN_MOST = 8192, COHO_SIGNATURE_MOST = COHO_RSA_MOST / 8 };

struct coho__jws {
  enum coho__alg alg;
  char kid[COHO_KID_MOST];
  size_t kid_len;
  bool has_kid;
  struct coho__view text; /* what is signed, in the token */
  json_t *payload;        /* unverified */
  size_t signature_len;
  char signature[COHO_SIGNATURE_MOST];
};

/* 0; COHO_ETOKEN, COHO_ETOKENALG. The payload is freed by coho__jws_free(), also after an error. */
int coho__jws_read(struct coho__view token, struct coho__jws *out);
void coho__jws_free(struct coho__jws *j);

#endif
