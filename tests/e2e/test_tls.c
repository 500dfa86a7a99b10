/* wss:// from end to end: who is trusted, who is let in, what is resumed. */
#include "support/tls_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGE = 3 * 1024 * 1024 };

static struct tls_world t;
static struct cert root, leaf, foreign_root, foreign;
static char tls_text[128], subject_text[128];

static int setup(void **state) {
  (void)state;
  cert_make(&root, &(struct cert_spec){.name = "root", .authority = true});
  cert_make(&leaf, &(struct cert_spec){
                       .name = "leaf", .alt = "DNS:localhost,IP:127.0.0.1", .issuer = &root});
  cert_make(&foreign_root, &(struct cert_spec){.name = "stranger's", .authority = true});
  cert_make(&foreign, &(struct cert_spec){.alt = "DNS:localhost", .issuer = &foreign_root});
  /* The system's trust, for clients without a coho_tls; read when the first of them connects. */
  setenv("SSL_CERT_FILE", certs_cert("system.pem", &root), 1);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  cert_free(&foreign);
  cert_free(&foreign_root);
  cert_free(&leaf);
  cert_free(&root);
  certs_clean();
  return 0;
}

static void note_facts(struct probe *p, coho_conn *c) {
  (void)p;
  char again[128];
  coho_conn_tls(c, tls_text, sizeof tls_text);
  coho_conn_tls_subject(c, subject_text, sizeof subject_text);
  coho_request *r = coho_conn_request(c);
  assert_string_equal(coho_request_tls(r, again, sizeof again), tls_text);
  assert_string_equal(coho_request_tls_subject(r, again, sizeof again), subject_text);
}

/* ---- talking -------------------------------------------------------------------------------- */

static void test_CO_08_echo(void **state) {
  (void)state;
  coho_tls_options so = tls_serves(&leaf), co = tls_trusts(&root);
  char text[128];
  tls_world_open(&t, &so, NULL);
  t.server.opened = note_facts;
  tls_world_dial_with(&t, "localhost", &co);
  assert_int_equal(t.client.opens, 1);
  assert_string_equal(tls_text, "TLSv1.3 TLS_AES_128_GCM_SHA256");
  assert_string_equal(subject_text, "");
  assert_string_equal(coho_conn_tls(t.client.conn, text, sizeof text), tls_text);
  assert_string_equal(coho_conn_tls_subject(t.client.conn, text, sizeof text), "CN=leaf");
  coho_send(t.client.conn, coho_text("hello"));
  UNTIL(&t.w, t.client.messages == 1);
  assert_string_equal(t.client.last, "hello");
  coho_close(t.client.conn, 1000, "bye");
  UNTIL(&t.w, t.client.closes == 1 && t.server.closes == 1);
  assert_int_equal(t.client.ending.err, 0);
  assert_int_equal(t.server.ending.err, 0);
  assert_int_equal(t.server.ending.code, 1000);
  tls_world_close(&t);
}

static void test_large_messages(void **state) {
  (void)state;
  coho_tls_options so = tls_serves(&leaf), co = tls_trusts(&root);
  char *data = (char *)malloc(LARGE);
  for (size_t i = 0; i < LARGE; i++)
    data[i] = (char)(i * 7 + i / 4093);
  tls_world_open(&t, &so, NULL);
  tls_world_dial_with(&t, "127.0.0.1", &co);
  for (size_t len = 1; len < LARGE; len = len * 9 + 1) {
    t.client.bytes = 0;
    assert_true(coho_send(t.client.conn, coho_binary(data, len)) >= 0);
    UNTIL(&t.w, t.client.bytes == len);
    assert_memory_equal(t.client.last, data, len < 4095 ? len : 4095);
  }
  tls_world_part(&t);
  tls_world_close(&t);
  free(data);
}

/* The queue, its limit and on_drain work as without TLS. */
static void test_a_reader_that_pauses(void **state) {
  (void)state;
  coho_tls_options so = tls_serves(&leaf), co = tls_trusts(&root);
  static char data[60000];
  unsigned sent = 0;
  tls_world_open(&t, &so, NULL);
  tls_world_dial_with(&t, "localhost", &co);
  UNTIL(&t.w, t.server.opens);
  coho_pause(t.client.conn);
  int got;
  while ((got = coho_send(t.server.conn, coho_binary(data, sizeof data))) >= 0)
    sent++;
  assert_int_equal(got, COHO_EFULL);
  assert_true(coho_conn_queued(t.server.conn) > 0);
  for (int i = 0; i < 20; i++)
    world_turn(&t.w);
  assert_int_equal(t.server.drains, 0);
  coho_resume(t.client.conn);
  UNTIL(&t.w, t.client.messages == sent);
  UNTIL(&t.w, t.server.drains == 1);
  assert_int_equal(t.client.bytes, sent * sizeof data);
  tls_world_part(&t);
  tls_world_close(&t);
}

static void test_both_kinds_of_listeners(void **state) {
  (void)state;
  coho_tls_options so = tls_serves(&leaf), co = tls_trusts(&root);
  tls_world_open(&t, &so, NULL);
  assert_int_equal(coho_server_listen(t.w.server, "ws://127.0.0.1:0"), 0);
  t.server.opened = note_facts;
  const char *plain = coho_server_url(t.w.server, 1);
  assert_memory_equal(plain, "ws://127.0.0.1:", 15);
  coho_options opt = probe_options(&t.client);
  assert_int_equal(coho_connect(t.w.loop, plain, &opt, NULL), 0);
  UNTIL(&t.w, t.client.opens == 1 && t.server.opens == 1);
  assert_string_equal(tls_text, "");
  tls_world_part(&t);
  tls_world_dial_with(&t, "localhost", &co);
  assert_int_equal(t.client.opens, 1);
  tls_world_part(&t);
  tls_world_close(&t);
}

static void test_a_listener_needs_a_certificate(void **state) {
  (void)state;
  coho_tls *trust = tls_of(NULL);
  coho_server *s = coho_server_new(NULL);
  assert_int_equal(coho_server_listen(s, "wss://127.0.0.1:0"), COHO_ENOTLS);
  coho_server_free(s);
  s = coho_server_new(&(coho_server_options){.tls = trust});
  assert_int_equal(coho_server_listen(s, "wss://127.0.0.1:0"), COHO_ENOTLS);
  coho_server_free(s);
  coho_tls_free(trust);
  assert_int_equal(coho_serve("wss://127.0.0.1:0", NULL), COHO_ENOTLS);
}

static void test_the_own_origin(void **state) {
  (void)state;
  coho_tls_options so = tls_serves(&leaf);
  char url[64], origin[64];
  tls_world_open(&t, &so, NULL);
  coho_options opt = probe_options(&t.client);
  snprintf(url, sizeof url, "wss://localhost:%u/", t.w.port);
  snprintf(origin, sizeof origin, "https://localhost:%u", t.w.port);
  opt.origin = origin;
  assert_int_equal(coho_connect(t.w.loop, url, &opt, NULL), 0);
  UNTIL(&t.w, t.client.opens);
  tls_world_part(&t);
  memset(&t.client, 0, sizeof t.client);
  opt.origin = "https://localhost:1";
  assert_int_equal(coho_connect(t.w.loop, url, &opt, NULL), 0);
  UNTIL(&t.w, t.client.closes);
  assert_int_equal(t.client.ending.status, 403);
  tls_world_close(&t);
}

/* ---- whom a client trusts ------------------------------------------------------------------- */

/* What a client says of a server with this certificate; words NULL: it connects. */
struct verdict {
  struct cert_spec cert;
  const char *host;
  coho_tls_options trust;
  const char *words[2];
};

static void judge(const struct verdict *v) {
  struct cert c;
  char place[64];
  cert_make(&c, &v->cert);
  coho_tls_options so = tls_serves(&c);
  so.flags = COHO_TLS_ANY_NAME; /* so that the client is who refuses */
  tls_world_open(&t, &so, NULL);
  tls_world_dial_with(&t, v->host, &v->trust);
  if (!v->words[0]) {
    if (!t.client.opens) fail_msg("%s", t.client.detail);
    tls_world_part(&t);
  } else {
    assert_int_equal(t.client.opens, 0);
    assert_int_equal(t.client.ending.err, COHO_ECERT);
    assert_int_equal(t.client.ending.code, 1006);
    snprintf(place, sizeof place, "%s:%u: ", v->host, t.w.port);
    assert_memory_equal(t.client.detail, place, strlen(place));
    for (size_t i = 0; i < 2 && v->words[i]; i++)
      if (!strstr(t.client.detail, v->words[i])) fail_msg("not so: %s", t.client.detail);
  }
  tls_world_close(&t);
  cert_free(&c);
}

static void test_whom_a_client_trusts(void **state) {
  (void)state;
  coho_tls_options ours = tls_trusts(&root), strangers = tls_trusts(&foreign_root);
  coho_tls_options insecure = {.flags = COHO_TLS_INSECURE};
  coho_tls_options named = ours, misnamed = ours;
  named.name = "other.example";
  misnamed.name = "third.example";
  struct cert_spec good = {.name = "s", .alt = "DNS:localhost", .issuer = &root};
  struct cert_spec address = {.name = "s", .alt = "IP:127.0.0.1", .issuer = &root};
  struct cert_spec misplaced = {.alt = "DNS:127.0.0.1", .issuer = &root};
  struct cert_spec elsewhere = {.alt = "DNS:other.example,DNS:*.x.example", .issuer = &root};
  struct cert_spec common = {.name = "localhost", .issuer = &root};
  struct cert_spec expired = {.alt = "DNS:localhost", .issuer = &root, .days = -2};
  struct cert_spec early = {.alt = "DNS:localhost", .issuer = &root, .starts = 2};
  struct cert_spec self = {.name = "me", .alt = "DNS:localhost"};
  const struct verdict table[] = {
      {good, "localhost", ours, {NULL}},
      {good, "LocalHost", ours, {NULL}},
      {address, "127.0.0.1", ours, {NULL}},
      {elsewhere, "localhost", named, {NULL}},
      {good, "localhost", strangers, {"unknown authority", "CN=root"}},
      {good, "127.0.0.1", ours, {"not for 127.0.0.1", "but for localhost"}},
      {address, "localhost", ours, {"not for localhost", "but for 127.0.0.1"}},
      {misplaced, "127.0.0.1", ours, {"names 127.0.0.1 as a host name, not as an address", NULL}},
      {elsewhere, "localhost", ours, {"not for localhost", "other.example, *.x.example"}},
      {elsewhere, "localhost", misnamed, {"not for third.example", NULL}},
      {common, "localhost", ours, {"not for localhost", "no host"}},
      {expired, "localhost", ours, {"expired on 20", NULL}},
      {early, "localhost", ours, {"not valid before 20", NULL}},
      {self, "localhost", ours, {"self-signed", NULL}},
      {self, "localhost", insecure, {NULL}},
      {expired, "localhost", insecure, {NULL}},
      {elsewhere, "localhost", insecure, {NULL}},
  };
  for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
    judge(&table[i]);
}

/* The certificate itself may be what is trusted. */
static void test_a_pinned_certificate(void **state) {
  (void)state;
  struct cert self;
  cert_make(&self, &(struct cert_spec){.name = "me", .alt = "DNS:localhost"});
  coho_tls_options so = tls_serves(&self), co = {.ca = certs_cert("pinned.pem", &self)};
  tls_world_open(&t, &so, NULL);
  tls_world_dial_with(&t, "localhost", &co);
  assert_int_equal(t.client.opens, 1);
  tls_world_part(&t);
  tls_world_close(&t);
  so = tls_serves(&leaf); /* whose issuer is nobody's business */
  co.ca = certs_cert("pinned.pem", &leaf);
  tls_world_open(&t, &so, NULL);
  tls_world_dial_with(&t, "localhost", &co);
  assert_int_equal(t.client.opens, 1);
  tls_world_part(&t);
  tls_world_close(&t);
  cert_free(&self);
}

static void test_intermediates_are_sent(void **state) {
  (void)state;
  struct cert between, end;
  cert_make(&between, &(struct cert_spec){.name = "m", .issuer = &root, .authority = true});
  cert_make(&end, &(struct cert_spec){.alt = "DNS:localhost", .issuer = &between});
  coho_tls_options so = tls_serves(&end), co = tls_trusts(&root);
  tls_world_open(&t, &so, NULL);
  tls_world_dial_with(&t, "localhost", &co);
  assert_int_equal(t.client.opens, 1);
  tls_world_part(&t);
  tls_world_close(&t);
  cert_free(&end);
  cert_free(&between);
}

static void test_the_trust_of_the_system(void **state) {
  (void)state;
  coho_tls_options so = tls_serves(&leaf);
  tls_world_open(&t, &so, NULL);
  tls_world_dial(&t, "localhost", NULL);
  if (!t.client.opens) fail_msg("%s", t.client.detail);
  tls_world_part(&t);
  tls_world_close(&t);
  so = tls_serves(&foreign);
  tls_world_open(&t, &so, NULL);
  tls_world_dial(&t, "localhost", NULL);
  assert_int_equal(t.client.ending.err, COHO_ECERT);
  tls_world_close(&t);
}

static unsigned requests;

static void count_request(void *ctx, const char *line) {
  (void)ctx;
  (void)line;
  requests++;
}

/* RFC 6455 4.1: nothing is sent when the TLS handshake fails. */
static void test_CO_06_no_request_without_trust(void **state) {
  (void)state;
  coho_tls_options so = tls_serves(&foreign), co = tls_trusts(&root);
  coho_stats stats;
  requests = 0;
  tls_world_open(&t, &so, &(coho_server_options){.access_log = count_request});
  tls_world_dial_with(&t, "localhost", &co);
  assert_int_equal(t.client.ending.err, COHO_ECERT);
  UNTIL(&t.w, (coho_server_stats(t.w.server, &stats), stats.sockets == 0));
  assert_int_equal(requests, 0);
  assert_int_equal(t.server.opens, 0);
  tls_world_close(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_CO_08_echo),
      cmocka_unit_test(test_large_messages),
      cmocka_unit_test(test_a_reader_that_pauses),
      cmocka_unit_test(test_both_kinds_of_listeners),
      cmocka_unit_test(test_a_listener_needs_a_certificate),
      cmocka_unit_test(test_the_own_origin),
      cmocka_unit_test(test_whom_a_client_trusts),
      cmocka_unit_test(test_a_pinned_certificate),
      cmocka_unit_test(test_intermediates_are_sent),
      cmocka_unit_test(test_the_trust_of_the_system),
      cmocka_unit_test(test_CO_06_no_request_without_trust),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
