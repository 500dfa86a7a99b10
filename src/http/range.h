/* The Range field (RFC 9110 14): one range of bytes, or nothing. */
#ifndef COHO_HTTP_RANGE_H
#define COHO_HTTP_RANGE_H

#include "base/view.h"

enum coho__range_kind {
  COHO_RANGE_WHOLE, /* no range of ours: other unit, malformed, or several */
  COHO_RANGE_PART,
  COHO_RANGE_BEYOND /* 416 */
};

struct coho__range {
  uint64_t first, len;
};

/* What value asks of a file of size bytes; *out is set for a part. Positions of any length are
   understood. Several ranges count as none (RFC 9110 14.2 allows it): they are a way to make a
   small request costly. */
enum coho__range_kind coho__range_parse(struct coho__view value, uint64_t size,
                                        struct coho__range *out);

#endif
