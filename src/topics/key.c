#include "topics/key.h"

#include "base/alloc.h"
#include "base/check.h"

#include <coho/error.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/obj_mac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>

enum {
  DIGEST_LEN = 32,   /* of SHA-256 */
  NUMBER_LEN = 32,   /* of an ECDSA signature of P-256 each of two (RFC 7518 3.4) */
  EXPONENT_BITS = 64 /* of RSA: more only costs time */
};

enum coho__alg coho__alg_of(struct coho__view name) {
  if (coho__view_eq(name, VIEW("HS256"))) return COHO_HS256;
  if (coho__view_eq(name, VIEW("RS256"))) return COHO_RS256;
  return coho__view_eq(name, VIEW("ES256")) ? COHO_ES256 : COHO_ALG_NONE;
}

/* ---- life ----------------------------------------------------------------------------------- */

static int refuse(const char **wrong, const char *text) {
  *wrong = text;
  return COHO_EKEYS;
}

/* An even exponent is none, and with 1 the text is its own signature. */
static bool fair_exponent(const EVP_PKEY *pub) {
  BIGNUM *e = NULL;
  bool fair = EVP_PKEY_get_bn_param(pub, OSSL_PKEY_PARAM_RSA_E, &e) == 1 && BN_is_odd(e) &&
              !BN_is_one(e) && BN_num_bits(e) <= EXPONENT_BITS;
  BN_free(e);
  return fair;
}

/* NULL: it is fine. */
static const char *rsa_objection(const EVP_PKEY *pub) {
  if (EVP_PKEY_get_bits(pub) < COHO_RSA_LEAST) return "RSA of less than 2,048 bits is too short";
  if (EVP_PKEY_get_bits(pub) > COHO_RSA_MOST) return "RSA of more than 8,192 bits is too long";
  return fair_exponent(pub) ? NULL : "the exponent of the RSA key is unfit";
}

/* By its name: parameters that are spelled out are somebody's own. */
static bool is_p256(EVP_PKEY *pub) {
  char group[32];
  int spelled = 0;
  (void)EVP_PKEY_get_int_param(pub, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &spelled);
  if (spelled || EVP_PKEY_get_utf8_string_param(pub, OSSL_PKEY_PARAM_GROUP_NAME, group,
                                                sizeof group, NULL) != 1)
    return false;
  return OBJ_txt2nid(group) == NID_X9_62_prime256v1;
}

/* A point that is not on the curve is none of P-256. */
static bool on_curve(EVP_PKEY *pub) {
  EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(NULL, pub, NULL);
  bool fine = c && EVP_PKEY_public_check(c) == 1;
  EVP_PKEY_CTX_free(c);
  return fine;
}

static const char *ec_objection(EVP_PKEY *pub) {
  if (!is_p256(pub)) return "the elliptic curve is not P-256";
  return on_curve(pub) ? NULL : "the point is not on the curve";
}

int coho__key_public(struct coho__key *k, EVP_PKEY *pub, const char **wrong) {
  int type = EVP_PKEY_get_base_id(pub);
  const char *objection = "the key is neither RSA nor P-256";
  if (type == EVP_PKEY_RSA) objection = rsa_objection(pub);
  if (type == EVP_PKEY_EC) objection = ec_objection(pub);
  ERR_clear_error();
  if (objection) {
    EVP_PKEY_free(pub);
    return refuse(wrong, objection);
  }
  k->alg = type == EVP_PKEY_RSA ? COHO_RS256 : COHO_ES256;
  k->pub = pub;
  return 0;
}

int coho__key_secret(struct coho__key *k, struct coho__view secret, const char **wrong) {
  static const struct coho__view armour = {"-----BEGIN ", 11};
  if (secret.len < COHO_SECRET_LEAST) return refuse(wrong, "a secret has 32 bytes at least");
  if (secret.len > COHO_SECRET_MOST) return refuse(wrong, "a secret has 4,096 bytes at most");
  if (!memcmp(secret.data, armour.data, armour.len))
    return refuse(wrong, "a PEM file is no secret: what everybody knows would sign tokens");
  k->secret = (char *)coho__alloc(secret.len);
  if (!k->secret) return COHO_ENOMEM;
  memcpy(k->secret, secret.data, secret.len);
  k->secret_len = secret.len;
  k->alg = COHO_HS256;
  return 0;
}

/* Nobody is asked: OpenSSL would do so on the terminal. The parameters are OpenSSL's:
   NOLINTNEXTLINE(readability-non-const-parameter) */
static int no_passphrase(char *buf, int size, int writing, void *unused) {
  (void)buf;
  (void)size;
  (void)writing;
  (void)unused;
  return -1;
}

int coho__key_pem(struct coho__key *k, struct coho__view pem, const char **wrong) {
  BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
  if (!bio) return COHO_ENOMEM;
  EVP_PKEY *pub = PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL);
  EVP_PKEY *more = pub ? PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL) : NULL;
  BIO_free(bio);
  ERR_clear_error();
  EVP_PKEY_free(more);
  if (!pub) return refuse(wrong, "there is no public key in PEM form (BEGIN PUBLIC KEY)");
  if (!more) return coho__key_public(k, pub, wrong);
  EVP_PKEY_free(pub);
  return refuse(wrong, "there is more than one key");
}

int coho__key_name(struct coho__key *k, struct coho__view kid) {
  if (kid.len > COHO_KID_MOST) return COHO_EKEYS;
  k->kid = coho__strndup(kid.data, kid.len);
  return k->kid ? 0 : COHO_ENOMEM;
}

void coho__key_free(struct coho__key *k) {
  coho__free_str(k->kid);
  EVP_PKEY_free(k->pub);
  if (k->secret) OPENSSL_cleanse(k->secret, k->secret_len);
  coho__free(k->secret, k->secret_len);
  *k = (struct coho__key){COHO_ALG_NONE, NULL, NULL, NULL, 0};
}

/* ---- signatures ----------------------------------------------------------------------------- */

static const unsigned char *bytes_of(struct coho__view v) { return (const unsigned char *)v.data; }

static int verify_secret(const struct coho__key *k, struct coho__view text,
                         struct coho__view signature) {
  unsigned char sum[EVP_MAX_MD_SIZE];
  unsigned len = 0;
  if (!HMAC(EVP_sha256(), k->secret, (int)k->secret_len, bytes_of(text), text.len, sum, &len))
    return COHO_ENOMEM;
  bool same = len == DIGEST_LEN && signature.len == DIGEST_LEN &&
              CRYPTO_memcmp(sum, signature.data, DIGEST_LEN) == 0;
  OPENSSL_cleanse(sum, sizeof sum);
  return same ? 0 : COHO_ESIGNATURE;
}

static int verify_public(EVP_PKEY *pub, struct coho__view text, struct coho__view signature) {
  EVP_MD_CTX *c = EVP_MD_CTX_new();
  if (!c) return COHO_ENOMEM;
  bool fine =
      EVP_DigestVerifyInit(c, NULL, EVP_sha256(), NULL, pub) == 1 &&
      EVP_DigestVerify(c, bytes_of(signature), signature.len, bytes_of(text), text.len) == 1;
  EVP_MD_CTX_free(c);
  return fine ? 0 : COHO_ESIGNATURE;
}

/* The two numbers as OpenSSL takes them: DER. NULL: out of memory. */
static unsigned char *der_of(struct coho__view signature, int *len) {
  unsigned char *der = NULL;
  ECDSA_SIG *s = ECDSA_SIG_new();
  BIGNUM *a = BN_bin2bn(bytes_of(signature), NUMBER_LEN, NULL);
  BIGNUM *b = BN_bin2bn(bytes_of(signature) + NUMBER_LEN, NUMBER_LEN, NULL);
  bool fine = s && a && b && ECDSA_SIG_set0(s, a, b) == 1;
  if (fine) *len = i2d_ECDSA_SIG(s, &der);
  if (!fine) {
    BN_free(a);
    BN_free(b);
  }
  ECDSA_SIG_free(s);
  return der;
}

static int verify_curve(EVP_PKEY *pub, struct coho__view text, struct coho__view signature) {
  int len = 0;
  if (signature.len != (size_t)2 * NUMBER_LEN) return COHO_ESIGNATURE;
  unsigned char *der = der_of(signature, &len);
  if (!der) return COHO_ENOMEM;
  int err = verify_public(pub, text, (struct coho__view){(const char *)der, (size_t)len});
  OPENSSL_free(der);
  return err;
}

static int verify(const struct coho__key *k, struct coho__view text, struct coho__view signature) {
  switch (k->alg) {
  case COHO_HS256: return verify_secret(k, text, signature);
  case COHO_RS256: return verify_public(k->pub, text, signature);
  case COHO_ES256: return verify_curve(k->pub, text, signature);
  case COHO_ALG_NONE: break;
  }
  return COHO_ESIGNATURE;
}

int coho__key_verify(const struct coho__key *k, struct coho__view text,
                     struct coho__view signature) {
  int err = verify(k, text, signature);
  ERR_clear_error();
  return err;
}
