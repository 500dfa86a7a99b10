/* Sec-WebSocket-Extensions (RFC 6455 9.1): a list of extensions with parameters, as it is read. */
#ifndef COHO_PROTO_EXTENSION_H
#define COHO_PROTO_EXTENSION_H

#include "base/view.h"
#include "proto/http1.h"

enum { COHO_EXTENSION_PARAMS = 16, COHO_EXTENSIONS = 16 }; /* in one extension; in one header */

struct coho__extension {
  struct coho__view name;
  struct {
    struct coho__view name;
    struct coho__view value; /* data is NULL when the parameter has none; a quoted string's inside,
                                which is a token, so nothing is left to unescape but backslashes */
    bool quoted;
  } params[COHO_EXTENSION_PARAMS];
  size_t param_count;
};

/* Walks all lines of the field in order. it starts zeroed. 1: *ext is the next one, 0: end,
   COHO_EEXTENSION: not the grammar, or too many, or a field without any. */
int coho__extension_next(const struct coho__http1 *head, struct coho__http1_list *it,
                         struct coho__extension *ext);
/* The whole field is right: 0 or COHO_EEXTENSION. */
int coho__extension_check(const struct coho__http1 *head);

#endif
