/* Which content codings the client of a request takes (RFC 9110 12.5.3). */
#ifndef COHO_HTTP_ENCODING_H
#define COHO_HTTP_ENCODING_H

#include "proto/http1.h"

/* Whether it takes gzip. Without Accept-Encoding it would, too, but who does not ask gets it plain. */
bool coho__encoding_takes_gzip(const struct coho__http1 *head);

#endif
