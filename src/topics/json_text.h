/* JSON as coho writes it: strings, and bytes in base64. */
#ifndef COHO_TOPICS_JSON_TEXT_H
#define COHO_TOPICS_JSON_TEXT_H

#include "base/buf.h"
#include "base/view.h"

/* What the next one appends, at most. */
size_t coho__json_string_size(struct coho__view text);
/* text, which is UTF-8, with its quotes. 0, COHO_EFULL, COHO_ENOMEM. */
int coho__json_put_string(struct coho__buf *out, struct coho__view text);
int coho__json_put_base64(struct coho__buf *out, struct coho__view bytes);

#endif
