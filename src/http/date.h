/* Dates as HTTP writes them (RFC 9110 5.6.7). No locale, no time zone of the machine. */
#ifndef COHO_HTTP_DATE_H
#define COHO_HTTP_DATE_H

#include "base/view.h"

enum { COHO_DATE_SIZE = 30 }; /* with the terminator */

/* "Sun, 06 Nov 1994 08:49:37 GMT". seconds since 1970, years 1970 to 9999. Returns dst. */
const char *coho__date_format(char dst[COHO_DATE_SIZE], int64_t seconds);
/* The three forms a recipient must understand. False: none of them. */
bool coho__date_parse(struct coho__view text, int64_t *seconds);

#endif
