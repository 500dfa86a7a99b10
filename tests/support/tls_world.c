#include "support/tls_world.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE = 4 * 1024 * 1024 };

coho_tls_options tls_serves(const struct cert *c) {
  return (coho_tls_options){.cert = certs_cert("server.pem", c),
                            .key = certs_key("server-key.pem", c)};
}

coho_tls_options tls_trusts(const struct cert *authority) {
  char name[64];
  snprintf(name, sizeof name, "trusted-%p.pem", (const void *)authority);
  return (coho_tls_options){.ca = certs_cert(name, authority)};
}

coho_tls *tls_of(const coho_tls_options *o) {
  char why[256];
  coho_tls *t;
  if (coho_tls_new(o, &t, why, sizeof why)) fail_msg("%s", why);
  return t;
}

void tls_world_open(struct tls_world *t, const coho_tls_options *o, const coho_server_options *so) {
  coho_server_options set = {.drain_timeout_ms = 10000};
  memset(t, 0, sizeof *t);
  if (so) set = *so;
  t->server.message = probe_echo;
  coho_options opt = probe_options(&t->server);
  opt.max_message = MESSAGE;
  opt.deflate.mode = COHO_DEFLATE_OFF; /* what is sent is what goes through TLS */
  set.tls = t->tls = tls_of(o);
  set.loop = t->w.loop = coho_loop_new();
  t->w.server = coho_server_new(&set);
  assert_non_null(t->w.server);
  assert_int_equal(coho_route_ws(t->w.server, "/", &opt), 0);
  assert_int_equal(coho_server_listen(t->w.server, "wss://127.0.0.1:0"), 0);
  assert_int_equal(coho_server_start(t->w.server), 0);
  const char *url = coho_server_url(t->w.server, 0);
  assert_memory_equal(url, "wss://127.0.0.1:", 16);
  t->w.port = (uint16_t)strtoul(strrchr(url, ':') + 1, NULL, 10);
}

void tls_world_close(struct tls_world *t) {
  world_close(&t->w);
  coho_tls_free(t->tls);
  assert_int_equal(ERR_peek_error(), 0); /* the program's own use of OpenSSL sees nothing of ours */
}

void tls_world_dial(struct tls_world *t, const char *host, coho_tls *tls) {
  char url[256];
  memset(&t->client, 0, sizeof t->client);
  coho_options opt = probe_options(&t->client);
  opt.tls = tls;
  opt.max_message = MESSAGE;
  snprintf(url, sizeof url, "wss://%s:%u/", host, t->w.port);
  assert_int_equal(coho_connect(t->w.loop, url, &opt, NULL), 0);
  UNTIL(&t->w, t->client.opens || t->client.closes);
}

void tls_world_dial_with(struct tls_world *t, const char *host, const coho_tls_options *o) {
  coho_tls *tls = tls_of(o);
  tls_world_dial(t, host, tls);
  coho_tls_free(tls); /* the connection keeps it */
}

void tls_world_part(struct tls_world *t) {
  if (t->client.conn) (void)coho_close(t->client.conn, 1000, NULL);
  UNTIL(&t->w, t->client.closes);
}
