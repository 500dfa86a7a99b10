/* JSON of strangers (RFC 8259), read by jansson, whose memory is not coho's allocator's. */
#ifndef COHO_TOPICS_JSON_H
#define COHO_TOPICS_JSON_H

#include "base/view.h"

#include <jansson.h>

enum { COHO_JSON_DEPTH = 8 };

/* An object and nothing else, at most COHO_JSON_DEPTH deep, without a member that is there twice or
   a NUL in a string. Freed by json_decref(). NULL: it is none, or out of memory. */
json_t *coho__json_object(struct coho__view text);

/* A member. False: it is there, but no string. NULL data: it is not there. */
bool coho__json_string(const json_t *object, const char *name, struct coho__view *out);
/* Whether array is one, of strings only, and has this one. */
bool coho__json_strings(const json_t *array);
bool coho__json_has(const json_t *array, struct coho__view string);

#endif
