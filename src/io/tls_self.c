#include "io/tls_self.h"

#include <coho/error.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <time.h>

/* Longer than anybody tries things, shorter than what some refuse whatever signed it. */
enum { DAY = 24 * 60 * 60, VALID_DAYS = 397, STALE_DAYS = 30, SERIAL_BYTES = 16 };

static bool add(X509 *x, int nid, const char *value) {
  X509V3_CTX ctx;
  X509V3_set_ctx_nodb(&ctx);
  X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
  X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
  bool fine = e && X509_add_ext(x, e, -1) == 1;
  X509_EXTENSION_free(e);
  return fine;
}

static bool add_all(X509 *x) {
  return add(x, NID_basic_constraints, "critical,CA:FALSE") &&
         add(x, NID_key_usage, "critical,digitalSignature") &&
         add(x, NID_ext_key_usage, "serverAuth,clientAuth") &&
         add(x, NID_subject_key_identifier, "hash") &&
         add(x, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1");
}

static bool set_serial(X509 *x) {
  unsigned char bytes[SERIAL_BYTES];
  if (RAND_bytes(bytes, sizeof bytes) != 1) return false;
  bytes[0] = (unsigned char)((bytes[0] & 0x7f) | 0x40); /* positive (RFC 5280 4.1.2.2) */
  BIGNUM *n = BN_bin2bn(bytes, sizeof bytes, NULL);
  bool fine = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
  BN_free(n);
  return fine;
}

static bool fill(X509 *x, EVP_PKEY *key) {
  X509_NAME *name = X509_get_subject_name(x);
  return X509_set_version(x, X509_VERSION_3) == 1 && set_serial(x) &&
         X509_gmtime_adj(X509_getm_notBefore(x), -DAY) &&
         X509_gmtime_adj(X509_getm_notAfter(x), (long)VALID_DAYS * DAY) &&
         X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost",
                                    -1, -1, 0) == 1 &&
         X509_set_issuer_name(x, name) == 1 && X509_set_pubkey(x, key) == 1 && add_all(x) &&
         X509_sign(x, key, EVP_sha256()) > 0;
}

int coho__tls_self_make(struct coho__pem_pair *out) {
  out->key = EVP_EC_gen("P-256");
  out->leaf = X509_new();
  out->chain = sk_X509_new_null();
  if (out->key && out->leaf && out->chain && fill(out->leaf, out->key)) return 0;
  coho__pem_pair_free(out);
  return COHO_ENOMEM;
}

bool coho__tls_self_stale(const struct coho__pem_pair *p) {
  time_t soon = time(NULL) + (time_t)STALE_DAYS * DAY;
  return X509_cmp_time(X509_get0_notAfter(p->leaf), &soon) < 0;
}
