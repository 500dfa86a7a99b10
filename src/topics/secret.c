#include "topics/secret.h"

#include "base/alloc.h"

#include <openssl/crypto.h>
#include <string.h>

void coho__wipe(void *p, size_t n) { OPENSSL_cleanse(p, n); }

void coho__wipe_str(char *s) {
  if (!s) return;
  size_t n = strlen(s) + 1;
  OPENSSL_cleanse(s, n);
  coho__free(s, n);
}
