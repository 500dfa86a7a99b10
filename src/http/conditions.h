/* Conditional requests (RFC 9110 13): what the fields If-... say about the file as it is now. */
#ifndef COHO_HTTP_CONDITIONS_H
#define COHO_HTTP_CONDITIONS_H

#include "proto/http1.h"

struct coho__validators {
  const char *etag; /* strong, with its quotes */
  int64_t modified; /* seconds since 1970; -1: not known */
};

/* For a GET or HEAD, in the order of RFC 9110 13.2.2: 0 to go on, 304 or 412. */
int coho__conditions_check(const struct coho__http1 *head, const struct coho__validators *now);
/* Whether a Range is to be looked at: no If-Range, or one that the file still matches. */
bool coho__conditions_range(const struct coho__http1 *head, const struct coho__validators *now);

#endif
