/* Keys by JWKS, PEM or as a secret. Whatever is taken is fit for its algorithm, and nobody signs with a
   guess; reading again gives the same. */
#include "topics/keys.h"

#include "support/claim.h"
#include "support/input.h"
#include "support/memory.h"

#include <coho/log.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

static void ignore_line(void *ctx, int level, const char *line) {
  (void)ctx;
  (void)level;
  CLAIM(strlen(line) <= 1024);
}

static void claim_public(const struct coho__key *k) {
  int bits = EVP_PKEY_get_bits(k->pub);
  bool rsa = k->alg == COHO_RS256;
  CLAIM(!k->secret);
  CLAIM(EVP_PKEY_get_base_id(k->pub) == (rsa ? EVP_PKEY_RSA : EVP_PKEY_EC));
  CLAIM(rsa ? bits >= COHO_RSA_LEAST && bits <= COHO_RSA_MOST : bits == 256);
}

static void claim_key(const struct coho__key *k, bool secrets) {
  static const char guess[64] = {0};
  if (k->alg == COHO_ALG_NONE) {
    CLAIM(!k->pub && !k->secret && !k->kid);
    return;
  }
  CLAIM(!k->kid || strlen(k->kid) <= COHO_KID_MOST);
  if (k->alg == COHO_HS256)
    CLAIM(secrets && !k->pub && k->secret_len >= COHO_SECRET_LEAST &&
          k->secret_len <= COHO_SECRET_MOST);
  else
    claim_public(k);
  CLAIM(coho__key_verify(k, VIEW("text"), (struct coho__view){guess, sizeof guess}) < 0);
}

static uint32_t claim_ring(const coho_keys *k, bool secrets) {
  uint32_t usable = 0;
  for (uint32_t i = 0; i < k->ring->count; i++)
    for (uint32_t j = 0; j < k->ring->sets[i]->count; j++) {
      claim_key(&k->ring->sets[i]->keys[j], secrets);
      usable += k->ring->sets[i]->keys[j].alg != COHO_ALG_NONE;
    }
  return usable;
}

/* The first byte: the kind, and whether a JWKS is public. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct input in = {data, size};
  uint8_t how = input_byte(&in);
  uint8_t *block = input_copy(in);
  char why[256];
  coho_keys *k = NULL;
  coho_key_source source = {.data = block,
                            .len = in.len,
                            .kind = (uint64_t)(COHO_KEY_SECRET + how % 3),
                            .flags = how & 0x80 ? COHO_KEY_PUBLIC : 0};
  bool secrets = source.kind != COHO_KEY_JWKS || !source.flags;
  coho_set_log(ignore_line, NULL, COHO_LOG_DEBUG);
  CLAIM(coho_keys_new(NULL, &k) == 0);
  int err = coho_keys_add(k, &source, why, sizeof why);
  CLAIM((err == 0) == (claim_ring(k, secrets) > 0));
  CLAIM((err == 0) == (*why == '\0'));
  CLAIM(coho_keys_reload(k, why, sizeof why) == 0);
  CLAIM((err == 0) == (claim_ring(k, secrets) > 0));
  CLAIM(ERR_peek_error() == 0);
  coho_keys_free(k);
  free(block);
  memory_claim_empty();
  return 0;
}
