/*
 * What the options of coho serve say, as the library takes it: when it starts, and again when the
 * configuration is read again.
 */
#ifndef COHO_CMD_SERVE_PARTS_H
#define COHO_CMD_SERVE_PARTS_H

#include "demo.h"
#include "serve_options.h"

/* Points into itself: it is not copied. */
struct serve_parts {
  coho_server_options server; /* limits and times */
  coho_options conn;
  struct topics_common topics;
  struct demo_options demo;
};

/* All but the server of the demo. Texts and lists are lent by v. */
void serve_parts_set(struct serve_parts *p, const struct serve_values *v);
/* For coho_set_log(). */
int serve_log_level(const struct serve_values *v);

#endif
