/* /echo: every message comes back. */
#include "demo.h"

static const char PATH[] = "/echo";

/* A message is not lost in silence. */
static void on_message(coho_conn *c, coho_msg m) {
  int err = coho_send(c, m);
  if (err < 0) (void)coho_close(c, err == COHO_ETOOBIG ? 1009 : 1013, coho_strerror(err));
}

static coho_options options_of(const struct demo_options *opt) {
  coho_options o = *opt->common->conn;
  o.on_message = on_message;
  o.max_message = opt->max_message;
  return o;
}

int demo_echo_start(const struct demo_options *opt) {
  const coho_options o = options_of(opt);
  return coho_route_ws(opt->server, PATH, &o);
}

int demo_echo_update(const struct demo_options *opt) {
  const coho_options o = options_of(opt);
  return coho_route_ws_update(opt->server, PATH, &o);
}
