#include "io/tls_tickets.h"

#include "base/clock.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

void coho__tls_tickets_init(struct coho__tls_tickets *t) {
  memset(t->keys, 0, sizeof t->keys);
  pthread_mutex_init(&t->lock, NULL);
}

void coho__tls_tickets_free(struct coho__tls_tickets *t) {
  OPENSSL_cleanse(t->keys, sizeof t->keys);
  pthread_mutex_destroy(&t->lock);
}

/* ---- keys ----------------------------------------------------------------------------------- */

static bool alive(const struct coho__ticket_key *k, uint64_t now_ms, uint64_t most_ms) {
  return k->born_ms && now_ms - k->born_ms < most_ms;
}

static bool make_key(struct coho__ticket_key *k, uint64_t now_ms) {
  k->born_ms = now_ms ? now_ms : 1;
  return RAND_bytes(k->name, sizeof k->name) == 1 &&
         RAND_priv_bytes(k->cipher, sizeof k->cipher) == 1 &&
         RAND_priv_bytes(k->mac, sizeof k->mac) == 1;
}

static bool rotate(struct coho__tls_tickets *t, uint64_t now_ms) {
  struct coho__ticket_key fresh;
  bool fine = make_key(&fresh, now_ms);
  if (fine) {
    for (size_t i = COHO_TICKET_KEYS - 1; i > 0; i--)
      t->keys[i] = t->keys[i - 1];
    t->keys[0] = fresh;
  }
  OPENSSL_cleanse(&fresh, sizeof fresh);
  return fine;
}

bool coho__tls_tickets_sealing(struct coho__tls_tickets *t, uint64_t now_ms,
                               struct coho__ticket_key *out) {
  pthread_mutex_lock(&t->lock);
  bool fine = alive(&t->keys[0], now_ms, COHO_TICKET_SEAL_MS) || rotate(t, now_ms);
  if (fine) *out = t->keys[0];
  pthread_mutex_unlock(&t->lock);
  return fine;
}

bool coho__tls_tickets_opening(struct coho__tls_tickets *t, uint64_t now_ms,
                               const unsigned char name[COHO_TICKET_NAME],
                               struct coho__ticket_key *out, bool *renew) {
  bool found = false;
  pthread_mutex_lock(&t->lock);
  for (size_t i = 0; i < COHO_TICKET_KEYS && !found; i++) {
    const struct coho__ticket_key *k = &t->keys[i];
    found = alive(k, now_ms, COHO_TICKET_OPEN_MS) && !memcmp(k->name, name, COHO_TICKET_NAME);
    if (found) *out = *k;
    if (found) *renew = !alive(k, now_ms, COHO_TICKET_SEAL_MS);
  }
  pthread_mutex_unlock(&t->lock);
  return found;
}

/* ---- what OpenSSL asks for ------------------------------------------------------------------ */

static bool set_mac(EVP_MAC_CTX *mac, struct coho__ticket_key *k) {
  char digest[] = "SHA256";
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, k->mac, sizeof k->mac),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_END};
  return EVP_MAC_CTX_set_params(mac, params) == 1;
}

static bool seal_with(struct coho__ticket_key *k, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                      EVP_MAC_CTX *mac) {
  const EVP_CIPHER *aes = EVP_aes_256_cbc();
  return RAND_bytes(iv, EVP_CIPHER_get_iv_length(aes)) == 1 &&
         EVP_EncryptInit_ex(cipher, aes, NULL, k->cipher, iv) == 1 && set_mac(mac, k);
}

static bool open_with(struct coho__ticket_key *k, const unsigned char *iv, EVP_CIPHER_CTX *cipher,
                      EVP_MAC_CTX *mac) {
  return EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, k->cipher, iv) == 1 && set_mac(mac, k);
}

/* 1 fine, 2 fine and to be renewed, 0 do without a ticket, -1 trouble. */
int coho__tls_tickets_use(struct coho__tls_tickets *t, unsigned char name[COHO_TICKET_NAME],
                          unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int seal) {
  struct coho__ticket_key k;
  bool renew = false, fine;
  uint64_t now_ms = coho__clock_ns() / 1000000;
  if (seal) {
    if (!coho__tls_tickets_sealing(t, now_ms, &k)) return -1;
    memcpy(name, k.name, sizeof k.name);
    fine = seal_with(&k, iv, cipher, mac);
  } else {
    if (!coho__tls_tickets_opening(t, now_ms, name, &k, &renew)) return 0;
    fine = open_with(&k, iv, cipher, mac);
  }
  OPENSSL_cleanse(&k, sizeof k);
  if (!fine) return -1;
  return renew ? 2 : 1;
}
