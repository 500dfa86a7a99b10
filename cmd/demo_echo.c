/* /echo: every message comes back. */
#include "demo.h"

/* A message is not lost in silence. */
static void on_message(coho_conn *c, coho_msg m) {
  if (coho_send(c, m) < 0) (void)coho_close(c, 1013, coho_strerror(COHO_EMEMORY));
}

int demo_echo_start(const struct demo_options *opt) {
  coho_options o = *opt->base;
  o.on_message = on_message;
  o.max_message = opt->max_message;
  return coho_route_ws(opt->server, "/echo", &o);
}
