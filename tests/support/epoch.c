#include "support/epoch.h"

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include <stdbool.h>
#include <string.h>

uint64_t epoch_of(coho_hub *hub) {
  coho_pos pos;
  assert_int_equal(coho_publish_with(hub, "epoch", coho_text(""), NULL, &pos), 0);
  return pos.epoch;
}

/* As text with its point; returns the length. */
static size_t text_of_epoch(uint64_t epoch, char text[COHO_POS_MAX]) {
  coho_pos_text((coho_pos){epoch, 0}, text, COHO_POS_MAX);
  size_t len = strlen(text) - 1;
  text[len] = '\0';
  return len;
}

/* A position may begin behind this: not a part of another word, such as a version. */
static bool before_position(char c) { return strchr("\"=@ \n", c) != NULL; }

/* `len` bytes at `at` become these. */
static void replace(char *at, size_t len, const char *by, size_t by_len) {
  memmove(at + by_len, at + len, strlen(at + len) + 1);
  memcpy(at, by, by_len);
}

size_t epoch_put(uint64_t epoch, char *text, size_t cap) {
  char known[COHO_POS_MAX];
  size_t len = text_of_epoch(epoch, known);
  for (char *at = text; *at && (at = strstr(at + 1, "E.")) != NULL;) {
    if (!before_position(at[-1])) continue;
    assert_true(strlen(text) + len < cap);
    replace(at, 2, known, len);
  }
  return strlen(text);
}

size_t epoch_hide(uint64_t epoch, char *text) {
  char known[COHO_POS_MAX];
  size_t len = text_of_epoch(epoch, known);
  for (char *at = text; epoch && (at = strstr(at, known)) != NULL; at++)
    if (at == text || before_position(at[-1])) replace(at, len, "E.", 2);
  return strlen(text);
}
