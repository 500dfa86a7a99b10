/*
 * The options of a connection, read with the size they had when the program was compiled, with all
 * defaults filled in. Shared by the connections of a route, on all loops, and never changed.
 */
#ifndef COHO_WS_OPTIONS_H
#define COHO_WS_OPTIONS_H

#include "proto/engine.h"

#include <coho/coho.h>
#include <stdatomic.h>

struct coho__options {
  struct coho__engine_conf engine;
  coho_options set; /* its lists and strings are those below */
  char **lists[3];  /* protocols, origins, headers */
  char *origin;
  char *route; /* the pattern of a server's; NULL: none */
  /* Reading pauses while more than this waits: the low mark, less when a further message of
     max_message would not fit then. */
  uint64_t pause_mark;
  size_t cork_mark; /* so many bytes collected are written before a read is handled to its end */
  _Atomic uint32_t refs;
};

/* One reference. 0, COHO_EOPTION, COHO_ENOMEM. opt NULL: all defaults. */
int coho__options_new(coho_role role, const coho_options *opt, size_t size,
                      struct coho__options **out);
struct coho__options *coho__options_ref(struct coho__options *o); /* any thread */
void coho__options_unref(struct coho__options *o);                /* any thread; NULL is fine */

/* Server options with their defaults. 0 or COHO_EOPTION. */
int coho__server_options_read(coho_server_options *out, const coho_server_options *opt,
                              size_t size);

#endif
