/*
 * A token, as text or as header and payload of an input that is then signed, so that what lies behind
 * the signature is reached. Whatever is let in has one form, is signed by our key, and gives its bearer
 * valid patterns only.
 */
#include "topics/token.h"

#include "base/base64.h"
#include "support/claim.h"
#include "support/input.h"
#include "support/memory.h"
#include "topics/jws.h"

#include <openssl/hmac.h>
#include <string.h>

#define SECRET "0123456789abcdef0123456789abcdef"

enum { PART_MOST = 8192, TEXT_MOST = COHO_BASE64_LEN(PART_MOST) + 1 };

static const uint64_t NOW = 1700000000000;

static coho_keys *keys_new(void) {
  coho_keys *k = NULL;
  coho_key_source secret = {.kind = COHO_KEY_SECRET, .data = SECRET, .len = sizeof SECRET - 1};
  CLAIM(coho_keys_new(NULL, &k) == 0);
  CLAIM(coho_keys_add(k, &secret, NULL, 0) == 0);
  return k;
}

/* ---- what is claimed ------------------------------------------------------------------------ */

static size_t put_base64url(char *dst, const void *data, size_t len) {
  size_t n = COHO_BASE64_LEN(len);
  coho__base64_encode(dst, data, len);
  while (n && dst[n - 1] == '=')
    n--;
  for (size_t i = 0; i < n; i++)
    dst[i] = dst[i] == '+' ? '-' : dst[i] == '/' ? '_' : dst[i];
  return n;
}

static void sign(struct coho__view text, unsigned char *sum) {
  unsigned len = 0;
  CLAIM(HMAC(EVP_sha256(), SECRET, sizeof SECRET - 1, (const unsigned char *)text.data, text.len,
             sum, &len) != NULL);
  CLAIM(len == 32);
}

static void claim_signed(struct coho__view token) {
  unsigned char sum[EVP_MAX_MD_SIZE];
  char last[64];
  size_t at = token.len;
  while (token.data[at - 1] != '.')
    at--;
  sign((struct coho__view){token.data, at - 1}, sum);
  size_t n = put_base64url(last, sum, 32);
  CLAIM(n == token.len - at && memcmp(token.data + at, last, n) == 0);
}

static void claim_claims(const struct coho__claims *c) {
  size_t all = (size_t)c->count[0] + c->count[1];
  CLAIM(c->count[0] <= COHO_GRANTS_MOST && c->count[1] <= COHO_GRANTS_MOST);
  for (size_t i = 0; i < all; i++) {
    CLAIM(coho__pattern_valid(c->patterns[i]));
    if (i < c->count[0]) CLAIM(coho__claims_may_pattern(c, c->patterns[i]));
  }
  CLAIM(c->subject.len <= COHO_SUBJECT_MOST && c->subject.data[c->subject.len] == '\0');
  CLAIM(c->expires + 30000 == c->until && c->until > NOW);
}

static void verify(struct coho__view token) {
  struct coho__claims *claims = NULL;
  coho_keys *k = keys_new();
  int err = coho__token_verify(k, token, NOW, &claims);
  CLAIM((err == 0) == (claims != NULL));
  CLAIM(err <= 0);
  if (claims) claim_signed(token);
  if (claims) claim_claims(claims);
  coho__claims_unref(claims);
  coho_keys_free(k);
}

/* ---- an input ------------------------------------------------------------------------------- */

static void verify_exactly(struct input text) {
  uint8_t *block = input_copy(text);
  verify((struct coho__view){(const char *)block, text.len});
  free(block);
}

/* HEADER, a zero byte, PAYLOAD. */
static void verify_signed(struct input in) {
  static char text[3 * TEXT_MOST];
  unsigned char sum[EVP_MAX_MD_SIZE];
  struct input header = input_until(&in, '\0');
  if (header.len > PART_MOST || in.len > PART_MOST) return;
  size_t len = put_base64url(text, header.data, header.len);
  text[len++] = '.';
  len += put_base64url(text + len, in.data, in.len);
  sign((struct coho__view){text, len}, sum);
  text[len++] = '.';
  len += put_base64url(text + len, sum, 32);
  verify_exactly((struct input){(const uint8_t *)text, len});
}

/* The first byte: as it is, or to be signed. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct input in = {data, size};
  if (input_byte(&in) == 'S')
    verify_signed(in);
  else
    verify_exactly(in);
  memory_claim_empty();
  return 0;
}
