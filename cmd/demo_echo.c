/* /echo: every message comes back. */
#include "demo.h"

static void on_message(coho_conn *c, coho_msg m) { coho_send(c, m); }

int demo_echo_start(const struct demo_options *opt) {
  coho_options o = *opt->base;
  o.on_message = on_message;
  o.max_message = opt->max_message;
  return coho_route_ws(opt->server, "/echo", &o);
}
