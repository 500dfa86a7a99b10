#include "topics/jwk.h"

#include "base/alloc.h"
#include "base/check.h"
#include "topics/base64url.h"

#include <coho/error.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <string.h>

enum {
  NUMBER_MOST = COHO_RSA_MOST / 8 + 1, /* bytes of a number of a key */
  COORDINATE = 32,                     /* bytes of one of P-256 (RFC 7518 6.2.1.2) */
  UNCOMPRESSED = 4                     /* what a point begins with (SEC 1, 2.3.3) */
};

static int refuse(const char **wrong, const char *text) {
  *wrong = text;
  return COHO_EKEYS;
}

/* ---- is it for us --------------------------------------------------------------------------- */

static enum coho__alg alg_of_type(struct coho__view kty) {
  if (coho__view_eq(kty, VIEW("oct"))) return COHO_HS256;
  if (coho__view_eq(kty, VIEW("RSA"))) return COHO_RS256;
  return coho__view_eq(kty, VIEW("EC")) ? COHO_ES256 : COHO_ALG_NONE;
}

/* RFC 7517 4.2, 4.3, 4.4. */
static int check_purpose(const json_t *jwk, enum coho__alg alg, const char **wrong) {
  struct coho__view use, name;
  const json_t *ops = json_object_get(jwk, "key_ops");
  if (!coho__json_string(jwk, "use", &use) || (use.data && !coho__view_eq(use, VIEW("sig"))))
    return refuse(wrong, "its \"use\" is not \"sig\"");
  if (!coho__json_string(jwk, "alg", &name) || (name.data && coho__alg_of(name) != alg))
    return refuse(wrong, "its \"alg\" is not accepted, or not of its \"kty\"");
  if (ops && !(coho__json_strings(ops) && coho__json_has(ops, VIEW("verify"))))
    return refuse(wrong, "its \"key_ops\" lack \"verify\"");
  return 0;
}

/* ---- numbers -------------------------------------------------------------------------------- */

/* The bytes of a member into buf; -1: none, malformed or too long. */
static ptrdiff_t read_bytes(const json_t *jwk, const char *name, void *buf, size_t cap) {
  struct coho__view text;
  if (!coho__json_string(jwk, name, &text) || !text.data) return -1;
  if (COHO_BASE64URL_BYTES(text.len) > cap) return -1;
  return coho__base64url_decode(buf, text);
}

static BIGNUM *read_number(const json_t *jwk, const char *name) {
  unsigned char bytes[NUMBER_MOST];
  ptrdiff_t len = read_bytes(jwk, name, bytes, sizeof bytes);
  return len > 0 ? BN_bin2bn(bytes, (int)len, NULL) : NULL;
}

/* NULL: OpenSSL does not take it. */
static EVP_PKEY *key_of(const char *type, OSSL_PARAM_BLD *build) {
  EVP_PKEY *pub = NULL;
  OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
  EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
  if (params && c && EVP_PKEY_fromdata_init(c) == 1)
    (void)EVP_PKEY_fromdata(c, &pub, EVP_PKEY_PUBLIC_KEY, params);
  EVP_PKEY_CTX_free(c);
  OSSL_PARAM_free(params);
  return pub;
}

/* ---- kinds ---------------------------------------------------------------------------------- */

static EVP_PKEY *read_rsa(const json_t *jwk) {
  EVP_PKEY *pub = NULL;
  BIGNUM *n = read_number(jwk, "n"), *e = read_number(jwk, "e");
  OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
  if (n && e && build && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
      OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1)
    pub = key_of("RSA", build);
  OSSL_PARAM_BLD_free(build);
  BN_free(n);
  BN_free(e);
  return pub;
}

static EVP_PKEY *read_ec(const json_t *jwk) {
  unsigned char point[1 + 2 * COORDINATE] = {UNCOMPRESSED};
  EVP_PKEY *pub = NULL;
  struct coho__view curve;
  if (!coho__json_string(jwk, "crv", &curve) || !coho__view_eq(curve, VIEW("P-256"))) return NULL;
  if (read_bytes(jwk, "x", point + 1, COORDINATE) != COORDINATE) return NULL;
  if (read_bytes(jwk, "y", point + 1 + COORDINATE, COORDINATE) != COORDINATE) return NULL;
  OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
  if (build &&
      OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) == 1 &&
      OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point) == 1)
    pub = key_of("EC", build);
  OSSL_PARAM_BLD_free(build);
  return pub;
}

static int read_secret(const json_t *jwk, struct coho__key *out, const char **wrong) {
  char bytes[COHO_SECRET_MOST];
  ptrdiff_t len = read_bytes(jwk, "k", bytes, sizeof bytes);
  if (len < 0) return refuse(wrong, "its \"k\" is malformed or too long");
  int err = coho__key_secret(out, (struct coho__view){bytes, (size_t)len}, wrong);
  OPENSSL_cleanse(bytes, sizeof bytes);
  return err;
}

static int read_material(const json_t *jwk, enum coho__alg alg, struct coho__key *out,
                         const char **wrong) {
  if (alg == COHO_HS256) return read_secret(jwk, out, wrong);
  EVP_PKEY *pub = alg == COHO_RS256 ? read_rsa(jwk) : read_ec(jwk);
  ERR_clear_error();
  if (!pub) return refuse(wrong, "it is malformed, or of another curve than P-256");
  return coho__key_public(out, pub, wrong);
}

int coho__jwk_read(const json_t *jwk, bool secrets, struct coho__key *out, const char **wrong) {
  struct coho__view kty, kid;
  *out = (struct coho__key){.alg = COHO_ALG_NONE};
  if (!coho__json_string(jwk, "kty", &kty)) return refuse(wrong, "its \"kty\" is malformed");
  enum coho__alg alg = alg_of_type(kty);
  if (alg == COHO_ALG_NONE) return refuse(wrong, "its \"kty\" is none of RSA, EC and oct");
  if (alg == COHO_HS256 && !secrets)
    return refuse(wrong, "it is a secret, which others can read too");
  if (!coho__json_string(jwk, "kid", &kid) || kid.len > COHO_KID_MOST)
    return refuse(wrong, "its \"kid\" is malformed");
  int err = check_purpose(jwk, alg, wrong);
  if (!err) err = read_material(jwk, alg, out, wrong);
  if (!err && kid.data) err = coho__key_name(out, kid);
  if (err) coho__key_free(out);
  return err;
}
