/* The fields that a program may add to the answer of a request. */
#ifndef COHO_PROTO_ANSWER_FIELD_H
#define COHO_PROTO_ANSWER_FIELD_H

#include "base/view.h"

/* The name is a token, the value has no control character, and it is no field that coho sets itself
   or that changes the framing: Connection, Content-Length, Content-Type, Date and their like. */
bool coho__answer_field_ok(struct coho__view name, struct coho__view value);

#endif
