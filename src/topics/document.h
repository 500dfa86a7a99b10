/* JSON as the body of an HTTP answer. */
#ifndef COHO_TOPICS_DOCUMENT_H
#define COHO_TOPICS_DOCUMENT_H

#include "base/buf.h"

#include <coho/coho.h>

/* As coho_reply(), with a line end behind it, for who reads it in a terminal. */
int coho__document_reply(coho_request *r, int status, struct coho__buf *body);

#endif
