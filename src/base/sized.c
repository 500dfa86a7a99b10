#include "base/sized.h"

#include <coho/error.h>
#include <string.h>

int coho__sized_read(void *dst, size_t dst_size, const void *src, size_t src_size) {
  const char *bytes = (const char *)src;
  memset(dst, 0, dst_size);
  if (!src) return 0;
  for (size_t i = dst_size; i < src_size; i++)
    if (bytes[i] != 0) return COHO_EOPTION;
  memcpy(dst, src, src_size < dst_size ? src_size : dst_size);
  return 0;
}
