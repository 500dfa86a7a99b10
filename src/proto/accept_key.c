#include "proto/accept_key.h"

#include "base/base64.h"
#include "base/check.h"
#include "base/sha1.h"

#include <string.h>

void coho__accept_key(struct coho__view key, char accept[COHO_ACCEPT_LEN + 1]) {
  static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  char text[COHO_KEY_LEN + sizeof guid - 1];
  uint8_t digest[20];
  COHO_ASSERT(key.len == COHO_KEY_LEN);
  memcpy(text, key.data, COHO_KEY_LEN);
  memcpy(text + COHO_KEY_LEN, guid, sizeof guid - 1);
  coho__sha1(text, sizeof text, digest);
  coho__base64_encode(accept, digest, sizeof digest);
  accept[COHO_ACCEPT_LEN] = '\0';
}
