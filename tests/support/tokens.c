#include "support/tokens.h"
#include "support/text.h"

#include "base/base64.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER = 32, SIGNATURE_MOST = 2048, NUMBER_MOST = 2048 };

static void must(bool fine, const char *what) {
  if (fine) return;
  fprintf(stderr, "tokens: %s failed\n", what);
  abort();
}

char *token_base64url(char *dst, const void *data, size_t len) {
  size_t n = COHO_BASE64_LEN(len);
  coho__base64_encode(dst, data, len);
  while (n && dst[n - 1] == '=')
    n--;
  dst[n] = '\0';
  for (char *c = dst; *c; c++) {
    if (*c == '+') *c = '-';
    if (*c == '/') *c = '_';
  }
  return dst;
}

/* ---- signatures ----------------------------------------------------------------------------- */

/* DER to the two numbers of RFC 7518 3.4. */
static size_t plain(unsigned char *signature, size_t len) {
  const unsigned char *at = signature;
  ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &at, (long)len);
  must(s != NULL, "d2i_ECDSA_SIG");
  must(BN_bn2binpad(ECDSA_SIG_get0_r(s), signature, NUMBER) == NUMBER, "r");
  must(BN_bn2binpad(ECDSA_SIG_get0_s(s), signature + NUMBER, NUMBER) == NUMBER, "s");
  ECDSA_SIG_free(s);
  return (size_t)2 * NUMBER;
}

static size_t sign_public(EVP_PKEY *pkey, const char *text, unsigned char *out) {
  size_t len = SIGNATURE_MOST;
  EVP_MD_CTX *c = EVP_MD_CTX_new();
  must(c && EVP_DigestSignInit(c, NULL, EVP_sha256(), NULL, pkey) == 1, "EVP_DigestSignInit");
  must(EVP_DigestSign(c, out, &len, (const unsigned char *)text, strlen(text)) == 1,
       "EVP_DigestSign");
  EVP_MD_CTX_free(c);
  bool p256 = EVP_PKEY_get_base_id(pkey) == EVP_PKEY_EC && EVP_PKEY_get_bits(pkey) == 256;
  return p256 ? plain(out, len) : len;
}

size_t token_sign(const struct token_key *key, const char *text, unsigned char *out) {
  unsigned len = 0;
  if (key->pkey) return sign_public(key->pkey, text, out);
  must(HMAC(EVP_sha256(), key->secret, (int)strlen(key->secret), (const unsigned char *)text,
            strlen(text), out, &len) != NULL,
       "HMAC");
  return len;
}

const char *token_make(const struct token_key *key, const char *header, const char *payload) {
  static char tokens[4][TOKEN_MOST];
  static unsigned turn;
  unsigned char signature[SIGNATURE_MOST];
  char *token = tokens[turn++ % 4];
  must((strlen(header) + strlen(payload)) * 2 + SIGNATURE_MOST * 2 < TOKEN_MOST, "room");
  token_base64url(token, header, strlen(header));
  text_add(token, ".");
  token_base64url(token + strlen(token), payload, strlen(payload));
  size_t len = token_sign(key, token, signature);
  text_add(token, ".");
  token_base64url(token + strlen(token), signature, len);
  return token;
}

/* ---- keys ----------------------------------------------------------------------------------- */

EVP_PKEY *token_rsa(unsigned bits) {
  EVP_PKEY *pkey = EVP_RSA_gen(bits);
  must(pkey != NULL, "EVP_RSA_gen");
  return pkey;
}

EVP_PKEY *token_ec(const char *curve) {
  EVP_PKEY *pkey = EVP_EC_gen(curve);
  must(pkey != NULL, "EVP_EC_gen");
  return pkey;
}

char *token_pem(const EVP_PKEY *pkey) {
  BIO *bio = BIO_new(BIO_s_mem());
  char *data = NULL;
  must(bio && PEM_write_bio_PUBKEY(bio, pkey) == 1, "PEM_write_bio_PUBKEY");
  long len = BIO_get_mem_data(bio, &data);
  char *text = strndup(data, (size_t)len);
  must(text != NULL, "strndup");
  BIO_free(bio);
  return text;
}

static void number(const EVP_PKEY *pkey, const char *name, int least, char *out) {
  unsigned char bytes[NUMBER_MOST];
  BIGNUM *n = NULL;
  must(EVP_PKEY_get_bn_param(pkey, name, &n) == 1, name);
  int len = BN_num_bytes(n) > least ? BN_num_bytes(n) : least;
  must(BN_bn2binpad(n, bytes, len) == len, name);
  BN_free(n);
  token_base64url(out, bytes, (size_t)len);
}

char *token_jwk(const EVP_PKEY *pkey, const char *members) {
  char a[NUMBER_MOST * 2], b[NUMBER_MOST * 2];
  char *jwk = (char *)malloc(TOKEN_MOST);
  bool rsa = EVP_PKEY_get_base_id(pkey) == EVP_PKEY_RSA;
  must(jwk != NULL, "malloc");
  number(pkey, rsa ? OSSL_PKEY_PARAM_RSA_N : OSSL_PKEY_PARAM_EC_PUB_X, rsa ? 0 : NUMBER, a);
  number(pkey, rsa ? OSSL_PKEY_PARAM_RSA_E : OSSL_PKEY_PARAM_EC_PUB_Y, rsa ? 0 : NUMBER, b);
  if (rsa)
    (void)snprintf(jwk, TOKEN_MOST, "{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"%s}", a, b, members);
  else
    (void)snprintf(jwk, TOKEN_MOST,
                   "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\"%s}", a, b, members);
  return jwk;
}
