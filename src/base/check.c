#include "base/check.h"

#include <stdlib.h>

/* The core has nowhere to print to; the log, where it is linked in, replaces this one. */
__attribute__((weak)) void coho__assert_print(const char *what, const char *file, int line) {
  (void)what;
  (void)file;
  (void)line;
}

_Noreturn void coho__assert_failed(const char *what, const char *file, int line) {
  coho__assert_print(what, file, line);
  abort();
}
