#include "io/tls_why.h"

#include <stdarg.h>
#include <stdio.h>

int coho__why_set(const struct coho__why *why, int err, const char *format, ...) {
  va_list args;
  if (!why->buf || !why->cap) return err;
  va_start(args, format);
  if (vsnprintf(why->buf, why->cap, format, args) < 0) why->buf[0] = '\0';
  va_end(args);
  return err;
}
