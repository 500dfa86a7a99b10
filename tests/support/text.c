#include "support/text.h"

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include <stdbool.h>
#include <stdio.h>

enum { TEXT_MOST = 1 << 16 };

static char *next_buffer(void) {
  static char texts[16][TEXT_MOST];
  static unsigned turn;
  return texts[turn++ % 16];
}

const char *text_of(const char *format, ...) {
  char *text = next_buffer();
  va_list args;
  va_start(args, format);
  int n = vsnprintf(text, TEXT_MOST, format, args);
  va_end(args);
  assert_true(n >= 0 && n < TEXT_MOST);
  return text;
}

const char *text_json(const char *text) {
  char *made = next_buffer();
  assert_true(strlen(text) < TEXT_MOST);
  text_put(made, text);
  for (char *at = made; (at = strchr(at, '\'')) != NULL;)
    *at = '"';
  return made;
}
