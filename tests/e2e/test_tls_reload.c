/* Certificates are read again, by another thread, while connections come and go on several loops. */
#include "support/tls_world.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOOPS = 2, STAYING = 4, VISITS = 150, RELOADS = 30 };

static struct cert root, certs[2];
static coho_server *server;
static coho_tls *server_tls, *client_tls;
static struct world w;

/* ---- the server ----------------------------------------------------------------------------- */

static void echo(coho_conn *c, coho_msg m) {
  if (coho_send(c, m) < 0) coho_abort(c);
}

static void start_server(void) {
  coho_tls_options so = tls_serves(&certs[0]), co = tls_trusts(&root);
  const coho_options opt = {.on_message = echo};
  server_tls = tls_of(&so);
  client_tls = tls_of(&co);
  server = coho_server_new(
      &(coho_server_options){.threads = LOOPS, .drain_timeout_ms = 10000, .tls = server_tls});
  assert_non_null(server);
  assert_int_equal(coho_route_ws(server, "/", &opt), 0);
  assert_int_equal(coho_server_listen(server, "wss://127.0.0.1:0"), 0);
  assert_int_equal(coho_server_start(server), 0);
}

static void end_server(void) {
  coho_server_stop(server);
  coho_server_free(server);
  coho_tls_free(server_tls);
  coho_tls_free(client_tls);
}

/* ---- who reads again ------------------------------------------------------------------------ */

static atomic_bool over;
static atomic_uint reloads, refusals;

/* In between the files do not match: nobody may notice. */
static void *read_again(void *arg) {
  char why[256];
  (void)arg;
  for (unsigned i = 1; !over; i++) {
    certs_cert("server.pem", &certs[i % 2]);
    if (coho_tls_reload(server_tls, why, sizeof why) == COHO_EKEYMATCH) refusals++;
    certs_key("server-key.pem", &certs[i % 2]);
    if (coho_tls_reload(server_tls, why, sizeof why) == 0) reloads++;
    if (i % 4 == 0) (void)coho_tls_reload(client_tls, NULL, 0);
    sched_yield();
  }
  return NULL;
}

/* ---- clients -------------------------------------------------------------------------------- */

static struct probe staying[STAYING], visitor;
static unsigned seen[2]; /* visits that saw each of the certificates */

static void dial(struct probe *p) {
  coho_options opt = probe_options(p);
  opt.tls = client_tls;
  char url[96];
  snprintf(url, sizeof url, "wss://localhost%s", strrchr(coho_server_url(server, 0), ':'));
  assert_int_equal(coho_connect(w.loop, url, &opt, NULL), 0);
}

static void stay(void) {
  for (size_t i = 0; i < STAYING; i++) {
    staying[i].message = probe_echo; /* back and forth for ever */
    dial(&staying[i]);
    UNTIL(&w, staying[i].opens);
    assert_true(coho_send(staying[i].conn, coho_text("round and round")) >= 0);
  }
}

static void visit(void) {
  char subject[64];
  memset(&visitor, 0, sizeof visitor);
  dial(&visitor);
  UNTIL(&w, visitor.opens || visitor.closes);
  if (!visitor.opens) fail_msg("%s", visitor.detail);
  coho_conn_tls_subject(visitor.conn, subject, sizeof subject);
  assert_memory_equal(subject, "CN=", 3);
  seen[subject[3] == 'b']++;
  assert_true(coho_send(visitor.conn, coho_text("hello")) >= 0);
  UNTIL(&w, visitor.messages == 1 || visitor.closes);
  assert_int_equal(visitor.messages, 1);
  assert_int_equal(coho_close(visitor.conn, 1000, NULL), 0);
  UNTIL(&w, visitor.closes);
  assert_int_equal(visitor.ending.err, 0);
}

static void part(void) {
  for (size_t i = 0; i < STAYING; i++) {
    unsigned before = staying[i].messages;
    UNTIL(&w, staying[i].messages > before || staying[i].closes);
    assert_int_equal(staying[i].closes, 0);
  }
  for (size_t i = 0; i < STAYING; i++) {
    coho_close(staying[i].conn, 1000, NULL);
    UNTIL(&w, staying[i].closes);
    assert_int_equal(staying[i].ending.err, 0);
  }
}

static void test_reload_loses_no_connection(void **state) {
  (void)state;
  pthread_t reader;
  w.loop = coho_loop_new();
  start_server();
  stay();
  assert_int_equal(pthread_create(&reader, NULL, read_again, NULL), 0);
  for (unsigned i = 0; i < VISITS || reloads < RELOADS || !refusals || !seen[0] || !seen[1]; i++)
    visit();
  over = true;
  pthread_join(reader, NULL);
  part();
  coho_loop_free(w.loop);
  end_server();
}

static int setup(void **state) {
  (void)state;
  cert_make(&root, &(struct cert_spec){.name = "root", .authority = true});
  cert_make(&certs[0], &(struct cert_spec){.name = "a", .alt = "DNS:localhost", .issuer = &root});
  cert_make(&certs[1], &(struct cert_spec){.name = "b", .alt = "DNS:localhost", .issuer = &root});
  return 0;
}

static int teardown(void **state) {
  (void)state;
  cert_free(&certs[0]);
  cert_free(&certs[1]);
  cert_free(&root);
  certs_clean();
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_reload_loses_no_connection)};
  return cmocka_run_group_tests(tests, setup, teardown);
}
