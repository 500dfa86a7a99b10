/* Which certificate a server shows, whom it asks for one, and what is resumed. */
#include "io/tls_set.h"
#include "support/alloc_fail.h"
#include "support/tls_world.h"

#include <coho/log.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct tls_world t;
static struct cert root, leaf, other, guests, ann, foreign_root, foreign, former;

static int setup(void **state) {
  (void)state;
  cert_make(&root, &(struct cert_spec){.name = "root", .authority = true});
  cert_make(&leaf, &(struct cert_spec){
                       .name = "leaf", .alt = "DNS:localhost,IP:127.0.0.1", .issuer = &root});
  cert_make(&other, &(struct cert_spec){.name = "other",
                                        .alt = "DNS:other.example,DNS:*.wild.example",
                                        .issuer = &root});
  cert_make(&guests, &(struct cert_spec){.name = "guests", .authority = true});
  cert_make(&ann, &(struct cert_spec){.name = "ann", .issuer = &guests});
  cert_make(&former, &(struct cert_spec){.name = "former", .issuer = &guests, .days = -1});
  cert_make(&foreign_root, &(struct cert_spec){.name = "strangers", .authority = true});
  cert_make(&foreign, &(struct cert_spec){.name = "ann", .issuer = &foreign_root});
  return 0;
}

static int teardown(void **state) {
  (void)state;
  cert_free(&foreign);
  cert_free(&foreign_root);
  cert_free(&former);
  cert_free(&ann);
  cert_free(&guests);
  cert_free(&other);
  cert_free(&leaf);
  cert_free(&root);
  certs_clean();
  return 0;
}

/* Who the other side is, as the last connection saw it. */
static const char *server_of_client(void) {
  static char text[128];
  return coho_conn_tls_subject(t.client.conn, text, sizeof text);
}

static const char *client_of_server(void) {
  static char text[128];
  return coho_conn_tls_subject(t.server.conn, text, sizeof text);
}

static void echo_once(void) {
  unsigned before = t.client.messages;
  assert_true(coho_send(t.client.conn, coho_text("there and back")) >= 0);
  UNTIL(&t.w, t.client.messages > before);
  assert_string_equal(t.client.last, "there and back");
}

/* ---- which certificate ---------------------------------------------------------------------- */

static void ask_for(const char *name, const char *subject) {
  coho_tls_options co = tls_trusts(&root);
  co.name = name;
  co.flags = COHO_TLS_INSECURE; /* whatever comes is looked at here */
  tls_world_dial_with(&t, "127.0.0.1", &co);
  if (!subject) {
    assert_int_equal(t.client.opens, 0);
    assert_int_equal(t.client.ending.err, COHO_ETLS);
    assert_non_null(strstr(t.client.detail, "'unrecognized name'"));
    return;
  }
  assert_int_equal(t.client.opens, 1);
  tls_world_part(&t);
}

/* Verified, so that the subject is told. */
static void verify(const char *name, const char *subject) {
  coho_tls_options co = tls_trusts(&root);
  co.name = name;
  tls_world_dial_with(&t, "127.0.0.1", &co);
  if (!t.client.opens) fail_msg("%s: %s", name, t.client.detail);
  assert_string_equal(server_of_client(), subject);
  tls_world_part(&t);
}

static void test_CO_07_several_certificates(void **state) {
  (void)state;
  coho_tls_options so = tls_serves(&leaf);
  const coho_tls_pair pairs[] = {
      {certs_cert("other.pem", &other), certs_key("other-key.pem", &other)}, {NULL, NULL}};
  so.pairs = pairs;
  tls_world_open(&t, &so, NULL);
  verify("localhost", "CN=leaf");
  verify(NULL, "CN=leaf"); /* an address asks for no name */
  verify("other.example", "CN=other");
  verify("OTHER.example", "CN=other");
  verify("a.wild.example", "CN=other");
  ask_for("wild.example", NULL);
  ask_for("a.b.wild.example", NULL);
  ask_for("third.example", NULL);
  tls_world_close(&t);
  so.flags = COHO_TLS_ANY_NAME;
  tls_world_open(&t, &so, NULL);
  ask_for("third.example", "CN=leaf");
  verify("other.example", "CN=other");
  tls_world_close(&t);
}

static void test_a_certificate_that_signs_itself(void **state) {
  (void)state;
  coho_tls_options so = {.flags = COHO_TLS_SELF_SIGNED}, insecure = {.flags = COHO_TLS_INSECURE};
  coho_tls_options co = tls_trusts(&root);
  struct cert self = {NULL, NULL, NULL};
  static const char *const hosts[] = {"localhost", "127.0.0.1"};
  tls_world_open(&t, &so, NULL);
  tls_world_dial_with(&t, "localhost", &insecure);
  assert_int_equal(t.client.opens, 1);
  echo_once();
  assert_string_equal(server_of_client(), ""); /* nobody verified it */
  tls_world_part(&t);
  tls_world_dial_with(&t, "localhost", &co);
  assert_int_equal(t.client.ending.err, COHO_ECERT);
  assert_non_null(strstr(t.client.detail, "self-signed"));
  /* Who is given it trusts it, for all it names; also after a reload. */
  struct coho__tls_set *set = coho__tls_current(t.tls);
  self.x = set->pairs[0].pem.leaf;
  co.ca = certs_cert("self.pem", &self);
  coho__tls_set_unref(set);
  assert_int_equal(coho_tls_reload(t.tls, NULL, 0), 0);
  for (size_t i = 0; i < 2; i++) {
    tls_world_dial_with(&t, hosts[i], &co);
    if (!t.client.opens) fail_msg("%s", t.client.detail);
    tls_world_part(&t);
  }
  tls_world_close(&t);
}

/* ---- A24: mutual TLS ------------------------------------------------------------------------ */

static coho_tls_options lets_in(uint64_t flags) {
  coho_tls_options so = tls_serves(&leaf);
  so.client_ca = certs_cert("guests.pem", &guests);
  so.flags = flags;
  return so;
}

static coho_tls_options shows(const struct cert *c) {
  coho_tls_options co = tls_trusts(&root);
  if (!c) return co;
  co.cert = certs_cert("client.pem", c);
  co.key = certs_key("client-key.pem", c);
  return co;
}

static char line_text[512];
static unsigned lines;

static void on_log(void *ctx, int level, const char *line) {
  (void)ctx;
  (void)level;
  if (strstr(line, "localhost:")) return; /* the client's own */
  lines++;
  snprintf(line_text, sizeof line_text, "%s", line);
}

/* words: of the server's log; NULL: the client is let in, as `subject`. */
static void knock(const struct cert *c, const char *subject, const char *words) {
  lines = 0;
  coho_tls_options co = shows(c);
  coho_tls *tls = tls_of(&co);
  coho_set_log(on_log, NULL, COHO_LOG_INFO);
  tls_world_dial(&t, "localhost", tls);
  coho_tls_free(tls);
  if (words) {
    coho_stats stats;
    UNTIL(&t.w, t.client.closes && (coho_server_stats(t.w.server, &stats), stats.sockets == 0));
    assert_int_equal(t.client.opens, 0);
    assert_int_equal(t.client.ending.err, COHO_ETLS);
    if (!strstr(t.client.detail, c ? "the peer refused with the alert" : "the peer "))
      fail_msg("not so: %s", t.client.detail);
    assert_int_equal(lines, 1);
    if (!strstr(line_text, words)) fail_msg("not so: %s", line_text);
  } else {
    if (!t.client.opens) fail_msg("%s", t.client.detail);
    UNTIL(&t.w, t.server.conn);
    assert_string_equal(client_of_server(), subject);
    echo_once();
    tls_world_part(&t);
  }
  coho_set_log(NULL, NULL, COHO_LOG_WARN);
}

static void knock_all(int version) {
  coho_tls_options so = lets_in(0);
  tls_world_open(&t, &so, NULL);
  struct coho__tls_set *set = coho__tls_current(t.tls);
  SSL_CTX_set_max_proto_version(set->pairs[0].context, version);
  coho__tls_set_unref(set);
  knock(&ann, "CN=ann", NULL);
  knock(NULL, NULL, "the client showed no certificate");
  knock(&foreign, NULL, "unknown authority: CN=strangers");
  tls_world_close(&t);
}

static void test_A24_clients_need_a_certificate(void **state) {
  (void)state;
  knock_all(TLS1_2_VERSION);
  knock_all(TLS1_3_VERSION);
  coho_tls_options so = lets_in(0);
  tls_world_open(&t, &so, NULL);
  coho_set_log(on_log, NULL, COHO_LOG_INFO); /* not for its own warning */
  coho_tls_options co = shows(&former);
  coho_tls *tls = tls_of(&co);
  tls_world_dial(&t, "localhost", tls);
  coho_tls_free(tls);
  assert_int_equal(t.client.opens, 0);
  assert_non_null(strstr(t.client.detail, "'certificate expired'"));
  assert_non_null(strstr(line_text, "certificate expired on 20"));
  coho_set_log(NULL, NULL, COHO_LOG_WARN);
  tls_world_close(&t);
}

static void test_A24_clients_may_have_a_certificate(void **state) {
  (void)state;
  coho_tls_options so = lets_in(COHO_TLS_CLIENT_OPTIONAL);
  tls_world_open(&t, &so, NULL);
  knock(NULL, "", NULL);
  knock(&ann, "CN=ann", NULL);
  knock(&foreign, NULL, "unknown authority: CN=strangers");
  tls_world_close(&t);
}

/* ---- resumption ----------------------------------------------------------------------------- */

/* Of all connections to the present set of the server. */
static long resumed(void) {
  struct coho__tls_set *set = coho__tls_current(t.tls);
  long n = SSL_CTX_sess_hits(set->pairs[0].context);
  coho__tls_set_unref(set);
  return n;
}

static void visit(const char *host, coho_tls *tls) {
  tls_world_dial(&t, host, tls);
  if (!t.client.opens) fail_msg("%s", t.client.detail);
  UNTIL(&t.w, t.server.conn);
  echo_once();
  tls_world_part(&t);
  UNTIL(&t.w, !t.server.conn);
}

static void limit(int version) {
  struct coho__tls_set *set = coho__tls_current(t.tls);
  SSL_CTX_set_max_proto_version(set->pairs[0].context, version);
  coho__tls_set_unref(set);
}

static void resume(int version) {
  coho_tls_options so = tls_serves(&leaf), co = tls_trusts(&root);
  coho_tls *client = tls_of(&co);
  tls_world_open(&t, &so, NULL);
  limit(version);
  visit("localhost", client);
  assert_int_equal(resumed(), 0);
  for (int i = 1; i < 5; i++) {
    visit("localhost", client);
    assert_int_equal(resumed(), i);
  }
  visit("127.0.0.1", client); /* another name to verify */
  assert_int_equal(resumed(), 4);
  /* The server's new certificates do not matter, what the client trusts now does. */
  assert_int_equal(coho_tls_reload(t.tls, NULL, 0), 0);
  limit(version);
  visit("localhost", client);
  assert_int_equal(resumed(), 1);
  assert_int_equal(coho_tls_reload(client, NULL, 0), 0);
  visit("localhost", client);
  assert_int_equal(resumed(), 1);
  tls_world_close(&t);
  coho_tls_free(client);
}

static void test_sessions_are_resumed(void **state) {
  (void)state;
  resume(TLS1_2_VERSION);
  resume(TLS1_3_VERSION);
}

/* A ticket carries who the client is, but only to a server that lets the same clients in. */
static void resume_a_guest(int version) {
  coho_tls_options so = lets_in(0), co = shows(&ann);
  coho_tls *client = tls_of(&co);
  tls_world_open(&t, &so, NULL);
  limit(version);
  visit("localhost", client);
  tls_world_dial(&t, "localhost", client);
  UNTIL(&t.w, t.server.conn);
  assert_int_equal(resumed(), 1);
  assert_string_equal(client_of_server(), "CN=ann");
  tls_world_part(&t);
  certs_cert("guests.pem", &foreign_root);
  assert_int_equal(coho_tls_reload(t.tls, NULL, 0), 0);
  limit(version);
  tls_world_dial(&t, "localhost", client);
  assert_int_equal(t.client.opens, 0);
  assert_int_equal(resumed(), 0);
  tls_world_close(&t);
  coho_tls_free(client);
}

static void test_A24_guests_are_resumed(void **state) {
  (void)state;
  resume_a_guest(TLS1_2_VERSION);
  resume_a_guest(TLS1_3_VERSION);
}

/* ---- reading again -------------------------------------------------------------------------- */

static void test_reload(void **state) {
  (void)state;
  char why[256];
  struct cert second;
  struct tls_world *old = &t;
  struct probe first_client = {0};
  cert_make(&second,
            &(struct cert_spec){.name = "second", .alt = "DNS:localhost", .issuer = &root});
  coho_tls_options so = tls_serves(&leaf), co = tls_trusts(&root);
  tls_world_open(&t, &so, NULL);
  /* One that stays. */
  coho_options opt = probe_options(&first_client);
  opt.tls = tls_of(&co);
  char url[64];
  snprintf(url, sizeof url, "wss://localhost:%u/", t.w.port);
  assert_int_equal(coho_connect(old->w.loop, url, &opt, NULL), 0);
  coho_tls_free(opt.tls);
  UNTIL(&t.w, first_client.opens);
  /* A pair that does not match changes nothing. */
  certs_cert("server.pem", &second);
  assert_int_equal(coho_tls_reload(t.tls, why, sizeof why), COHO_EKEYMATCH);
  assert_non_null(strstr(why, "server-key.pem does not belong to the certificate in "));
  verify("localhost", "CN=leaf");
  certs_key("server-key.pem", &second);
  assert_int_equal(coho_tls_reload(t.tls, why, sizeof why), 0);
  verify("localhost", "CN=second");
  assert_true(coho_send(first_client.conn, coho_text("still here")) >= 0);
  UNTIL(&t.w, first_client.messages == 1);
  assert_string_equal(first_client.last, "still here");
  coho_close(first_client.conn, 1000, NULL);
  UNTIL(&t.w, first_client.closes);
  tls_world_close(&t);
  cert_free(&second);
}

/* ---- memory --------------------------------------------------------------------------------- */

#ifndef COHO_HARD
/* coho's own code allocates nothing for a message there and back. */
static void test_messages_cost_no_memory(void **state) {
  (void)state;
  coho_tls_options so = tls_serves(&leaf), co = tls_trusts(&root);
  static char data[3000];
  tls_world_open(&t, &so, NULL);
  tls_world_dial_with(&t, "localhost", &co);
  t.client.message = probe_echo; /* from now on it goes back and forth by itself */
  assert_true(coho_send(t.client.conn, coho_binary(data, sizeof data)) >= 0);
  UNTIL(&t.w, t.client.messages >= 10);
  alloc_fail_at(0);
  UNTIL(&t.w, t.client.messages >= 1000);
  assert_int_equal(alloc_calls(), 0);
  tls_world_part(&t);
  tls_world_close(&t);
}
#endif

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_CO_07_several_certificates),
      cmocka_unit_test(test_a_certificate_that_signs_itself),
      cmocka_unit_test(test_A24_clients_need_a_certificate),
      cmocka_unit_test(test_A24_clients_may_have_a_certificate),
      cmocka_unit_test(test_sessions_are_resumed),
      cmocka_unit_test(test_A24_guests_are_resumed),
      cmocka_unit_test(test_reload),
#ifndef COHO_HARD
      cmocka_unit_test(test_messages_cost_no_memory),
#endif
  };
  alloc_fail_at(0);
  return cmocka_run_group_tests(tests, setup, teardown);
}
