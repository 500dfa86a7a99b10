/* The options of a role line: name=value for numbers and texts, a bare word for a flag. */
#ifndef WIRE_OPTIONS_H
#define WIRE_OPTIONS_H

#include "script.h"
#include "tokens.h"

/* The names are those of coho_ws_options and of coho_deflate, whose mode is `deflate`; `header` may be
   repeated. `extensions` is of the peer. False: an unknown one. */
bool options_read(struct options *o, struct tokens *t);
/* What the engine is made with. Borrows from o. */
coho_ws_options options_get(const struct options *o);
void options_free(struct options *o);

#endif
