/* TLS streams whose peer is old, weak, confused or hostile. */
#include "io/tls_wire.h"
#include "support/alloc_fail.h"
#include "tls_peer.h"

#include <coho/log.h>
#include <openssl/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { EXTRAS = 32 }; /* records without data that a peer may send in a minute */

static struct tls_trust trust;
static struct tls_pair p;
static struct tls_peer peer;
static char pattern[100 * 1000];

static int setup(void **state) {
  (void)state;
  tls_trust_make(&trust);
  for (size_t i = 0; i < sizeof pattern; i++)
    pattern[i] = (char)(i * 31 + i / 251);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  tls_trust_free(&trust);
  return 0;
}

/* A server of ours, and its client that is not ours; and the other way round. */
static void open_server(void) {
  tls_pair_open_server(&p, &(struct tls_pair_spec){.server = trust.server});
  tls_peer_client(&peer, &p);
}

static void open_client(void) {
  tls_pair_open_client(&p, &(struct tls_pair_spec){.client = trust.client});
  tls_peer_server(&peer, &p, &trust.leaf);
}

static void open_server_for_bytes(void) {
  tls_pair_open_server(&p, &(struct tls_pair_spec){.server = trust.server});
  tls_peer_bytes(&peer, &p, false);
}

static void refused(const struct tls_side *x, const char *words) {
  assert_int_equal(x->end, COHO_ETLS);
  if (!strstr(tls_side_trouble(x), words)) fail_msg("not so: %s", tls_side_trouble(x));
  assert_int_equal(x->len, 0);
}

/* ---- what is offered ------------------------------------------------------------------------ */

struct offer {
  int version; /* the highest; 0: all */
  const char *ciphers, *suites, *groups, *name;
  const char *alpn;  /* as in the message */
  const char *words; /* of the server; NULL: the handshake succeeds */
  int alert;
  const char *chosen; /* by ALPN */
};

/* OpenSSL's macros want them writable. */
static char *writable(const char *text) {
  static char copy[64];
  snprintf(copy, sizeof copy, "%s", text);
  return copy;
}

static void make_offer(const struct offer *o) {
  const unsigned char *alpn = (const unsigned char *)o->alpn;
  if (o->version) SSL_set_max_proto_version(peer.ssl, o->version);
  if (o->ciphers) assert_int_equal(SSL_set_cipher_list(peer.ssl, o->ciphers), 1);
  if (o->suites) assert_int_equal(SSL_set_ciphersuites(peer.ssl, o->suites), 1);
  if (o->groups) assert_int_equal(SSL_set1_groups_list(peer.ssl, writable(o->groups)), 1);
  if (o->name) SSL_set_tlsext_host_name(peer.ssl, writable(o->name));
  if (alpn) SSL_set_alpn_protos(peer.ssl, alpn, (unsigned)strlen(o->alpn));
}

static void judge_offer(const struct offer *o) {
  const unsigned char *chosen;
  unsigned len;
  open_server();
  make_offer(o);
  tls_peer_settle(&peer);
  SSL_get0_alpn_selected(peer.ssl, &chosen, &len);
  assert_int_equal(peer.alert, o->alert);
  if (o->words) {
    refused(&p.server, o->words);
  } else {
    assert_int_equal(p.server.end, 1);
    assert_true(p.server.events > 0);
    assert_int_equal(len, o->chosen ? strlen(o->chosen) : 0);
    if (o->chosen) assert_memory_equal(chosen, o->chosen, len);
  }
  assert_int_equal(ERR_peek_error(), 0);
  tls_peer_close(&peer);
}

/* A20: security level 0, as with `openssl s_client -tls1_1 -cipher DEFAULT@SECLEVEL=0`. */
static void test_SE_06_A20_old_and_weak_offers(void **state) {
  (void)state;
  static const char old[] = "no version of TLS from 1.2 on", cipher[] = "no cipher in common";
  static const char group[] = "no key exchange in common";
  const struct offer offers[] = {
      {.version = TLS1_VERSION, .words = old, .alert = 70},
      {.version = TLS1_1_VERSION, .words = old, .alert = 70},
      {.version = TLS1_2_VERSION},
      {.version = TLS1_3_VERSION},
      {.version = TLS1_2_VERSION, .ciphers = "kRSA:@SECLEVEL=0", .words = cipher, .alert = 40},
      {.version = TLS1_2_VERSION, .ciphers = "eNULL:@SECLEVEL=0", .words = cipher, .alert = 40},
      {.version = TLS1_2_VERSION, .ciphers = "aNULL:@SECLEVEL=0", .words = cipher, .alert = 40},
      {.version = TLS1_2_VERSION,
       .ciphers = "ECDHE-ECDSA-AES128-SHA",
       .words = cipher,
       .alert = 40},
      {.version = TLS1_2_VERSION,
       .ciphers = "ECDHE-ECDSA-AES256-SHA384",
       .words = cipher,
       .alert = 40},
      {.version = TLS1_2_VERSION, .ciphers = "ECDHE-ECDSA-CHACHA20-POLY1305"},
      {.suites = "TLS_AES_256_GCM_SHA384"},
      {.suites = "TLS_AES_128_CCM_SHA256", .ciphers = "kRSA", .words = cipher, .alert = 40},
      {.groups = "X25519"},
      {.groups = "P-384"},
      {.groups = "P-521", .words = group, .alert = 40},
      {.groups = "ffdhe8192", .words = group, .alert = 40},
  };
  for (size_t i = 0; i < sizeof offers / sizeof offers[0]; i++)
    judge_offer(&offers[i]);
}

/* RFC 7301 3.2: 120 is no_application_protocol. */
static void test_alpn(void **state) {
  (void)state;
  static const char none[] = "no protocol in common (ALPN)";
  const struct offer offers[] = {
      {.alpn = NULL},
      {.alpn = "\x08http/1.1", .chosen = "http/1.1"},
      {.alpn = "\x02h2\x08http/1.1", .chosen = "http/1.1"},
      {.alpn = "\x02h2", .words = none, .alert = 120},
      {.alpn = "\x08http/1.0", .words = none, .alert = 120},
      {.alpn = "\x09http/1.1x", .words = none, .alert = 120},
      {.alpn = "\x07http/1.", .words = none, .alert = 120},
      {.alpn = "\x02h2\x08http/1.1", .version = TLS1_2_VERSION, .chosen = "http/1.1"},
      {.alpn = "\x02h2", .version = TLS1_2_VERSION, .words = none, .alert = 120},
  };
  for (size_t i = 0; i < sizeof offers / sizeof offers[0]; i++)
    judge_offer(&offers[i]);
}

/* RFC 6066 3: 112 is unrecognized_name. What the client sends comes escaped. */
static void test_HA_01_sni_for_which_there_is_nothing(void **state) {
  (void)state;
  const struct offer offers[] = {
      {.name = "localhost"},
      {.name = "LOCALHOST."},
      {.name = "127.0.0.1"},
      {.name = "other.example",
       .words = "no certificate for the name \"other.example\"",
       .alert = 112},
      {.name = "x\n\x1b[31m", .words = "\"x\\x0a\\x1b[31m\"", .alert = 112},
      {.name = "other.example", .version = TLS1_2_VERSION, .words = "other.example", .alert = 112},
  };
  for (size_t i = 0; i < sizeof offers / sizeof offers[0]; i++)
    judge_offer(&offers[i]);
}

static void test_SE_06_A20_a_client_refuses_old_servers(void **state) {
  (void)state;
  const struct {
    int version;
    const char *ciphers, *words;
  } table[] = {
      {TLS1_1_VERSION, NULL, "the peer refuses TLS from 1.2 on"},
      {TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA", "handshake failure"},
      {TLS1_2_VERSION, "kRSA:aNULL:@SECLEVEL=0", "handshake failure"},
  };
  for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
    open_client();
    SSL_set_max_proto_version(peer.ssl, table[i].version);
    if (table[i].ciphers) assert_int_equal(SSL_set_cipher_list(peer.ssl, table[i].ciphers), 1);
    tls_peer_settle(&peer);
    refused(&p.client, table[i].words);
    tls_peer_close(&peer);
  }
}

/* ---- what is no TLS ------------------------------------------------------------------------- */

static unsigned lines;
static char line_text[512];

static void on_log(void *ctx, int level, const char *line) {
  (void)ctx;
  (void)level;
  lines++;
  snprintf(line_text, sizeof line_text, "%s", line);
}

static void begin_log(void) {
  lines = 0;
  coho_set_log(on_log, NULL, COHO_LOG_INFO);
}

/* One line, with these words. */
static void end_log(const char *words) {
  coho_set_log(NULL, NULL, COHO_LOG_WARN);
  assert_int_equal(lines, 1);
  if (!strstr(line_text, words)) fail_msg("not so: %s", line_text);
}

static void test_plain_http_gets_a_400(void **state) {
  (void)state;
  open_server_for_bytes();
  begin_log();
  tls_peer_put(&peer, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 36);
  tls_peer_settle(&peer);
  assert_memory_equal(peer.bytes, "HTTP/1.1 400 ", 13);
  assert_non_null(strstr(peer.bytes, "\r\n\r\nThis port speaks TLS"));
  assert_true(peer.ended);
  refused(&p.server, "plain HTTP");
  end_log("plain HTTP");
  tls_peer_close(&peer);
}

/* Each is refused at the first byte that shows it, with an alert, and no OpenSSL is made for it. */
static void test_11_what_is_no_client_hello(void **state) {
  (void)state;
  const struct {
    const char *bytes;
    size_t len;
    const char *words;
  } table[] = {
      {"\0", 1, "not TLS"},
      {"g", 1, "not TLS"},
      {"\x80", 1, "not TLS"}, /* SSL 2 */
      {"\x15", 1, "not TLS"}, /* an alert */
      {"\x17", 1, "not TLS"},
      {"\x16\x02", 2, "not TLS"},
      {"\x16\x03\x01\0\x01\x02", 6, "not TLS"},                     /* a ServerHello */
      {"\x16\x03\x01\0\0", 5, "not TLS"},                           /* an empty record */
      {"\x16\x03\x01\0\x01\x01\x17\x03\x01\0\x01x", 12, "not TLS"}, /* another one between */
      {"\x16\x03\x01\xff\xff", 5, "not TLS"},
      {"\x16\x03\x01\0\x04\x01\xff\xff\xff", 9, "too long"},
      {"\x16\x03\x01\0\x04\x01\0\x40\x01", 9, "too long"},
  };
  for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
    open_server_for_bytes();
    tls_peer_put(&peer, table[i].bytes, table[i].len - 1);
    tls_peer_settle(&peer);
    assert_int_equal(p.server.end, 1);
    size_t before = alloc_live();
    begin_log();
    tls_peer_put(&peer, table[i].bytes + table[i].len - 1, 1);
    tls_peer_settle(&peer);
    refused(&p.server, table[i].words);
    assert_int_equal(peer.len, 7);
    assert_memory_equal(peer.bytes, "\x15\x03\x03\0\x02\x02\x32", 7);
    assert_true(alloc_live() < before + 256);
    end_log(table[i].words);
    tls_peer_close(&peer);
  }
}

/* What comes behind is discarded, so that the client sees the answer, but not for ever. */
static void test_who_is_refused_and_goes_on(void **state) {
  (void)state;
  open_server_for_bytes();
  peer.lingers = true;
  tls_peer_put(&peer, "what is this", 12);
  tls_peer_settle(&peer);
  assert_int_equal(peer.len, 7);
  assert_int_equal(p.server.end, 1);
  assert_in_range(coho_loop_timeout(p.loop), 1, 1000);
  tls_peer_put(&peer, pattern, 60000);
  tls_peer_settle(&peer);
  assert_int_equal(p.server.end, 1);
  tls_peer_put(&peer, pattern, 10000);
  tls_peer_settle(&peer);
  assert_int_equal(p.server.end, COHO_ETLS);
  tls_peer_close(&peer);
}

static void test_who_leaves_during_the_handshake(void **state) {
  (void)state;
  char hello[4096];
  open_server();
  SSL_do_handshake(peer.ssl);
  int len = BIO_read(SSL_get_wbio(peer.ssl), hello, sizeof hello);
  tls_peer_close(&peer);
  for (int cut = 0; cut <= len; cut += 1 + len / 20) {
    open_server_for_bytes();
    tls_peer_put(&peer, hello, (size_t)cut);
    coho__stream_shutdown(peer.inner);
    tls_peer_settle(&peer);
    refused(&p.server, "closed during the TLS handshake");
    tls_peer_close(&peer);
  }
}

/* Each byte of the ClientHello in a record of its own. */
static void test_a_client_hello_in_crumbs(void **state) {
  (void)state;
  char hello[4096];
  open_server();
  SSL_do_handshake(peer.ssl);
  int len = BIO_read(SSL_get_wbio(peer.ssl), hello, sizeof hello);
  for (int i = COHO_WIRE_HEAD; i < len; i++) {
    const char record[] = {hello[0], hello[1], hello[2], 0, 1, hello[i]};
    tls_peer_put(&peer, record, sizeof record);
    if (i % 7 == 0) tls_pair_settle(&p);
  }
  tls_peer_settle(&peer);
  assert_true(SSL_is_init_finished(peer.ssl));
  assert_int_equal(p.server.end, 1);
  tls_peer_close(&peer);
}

/* ---- A03: slow handshakes ------------------------------------------------------------------- */

static void test_A03_the_handshake_has_a_deadline(void **state) {
  (void)state;
  for (int sends = 0; sends < 3; sends++) {
    tls_pair_open_server(&p, &(struct tls_pair_spec){.server = trust.server, .timeout_ms = 30});
    tls_peer_bytes(&peer, &p, false);
    begin_log();
    if (sends) tls_peer_put(&peer, "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03", sends == 1 ? 3 : 10);
    while (p.server.end == 1)
      coho_loop_turn(p.loop, 1000);
    assert_int_equal(p.server.end, COHO_ETIMEDOUT);
    assert_string_equal(tls_side_trouble(&p.server), "the TLS handshake was not complete in time");
    if (sends) end_log("not complete in time");
    coho_set_log(NULL, NULL, COHO_LOG_WARN);
    assert_int_equal(lines, sends ? 1 : 0); /* who only knocks is no news */
    tls_peer_close(&peer);
  }
}

static void test_the_deadline_ends_with_the_handshake(void **state) {
  (void)state;
  tls_pair_open_server(&p, &(struct tls_pair_spec){.server = trust.server, .timeout_ms = 60000});
  tls_peer_client(&peer, &p);
  tls_pair_settle(&p);
  assert_in_range(coho_loop_timeout(p.loop), 1, 60000);
  tls_peer_settle(&peer);
  assert_true(p.server.events > 0);
  assert_int_equal(coho_loop_timeout(p.loop), -1);
  tls_peer_close(&peer);
}

/* ---- A21: work without data ----------------------------------------------------------------- */

/* Changes keys n times, a record each. */
static void update_keys(int n) {
  for (int i = 0; i < n; i++) {
    assert_int_equal(SSL_key_update(peer.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
    assert_int_equal(SSL_do_handshake(peer.ssl), 1);
  }
}

static void flood_with_keys(struct tls_side *x) {
  char back[8] = "";
  tls_peer_settle(&peer);
  update_keys(EXTRAS);
  tls_peer_write(&peer, "fine", 4, 4);
  tls_peer_settle(&peer);
  assert_int_equal(x->len, 4);
  tls_side_send(x, "so far", 6); /* under the key that was asked for */
  tls_peer_settle(&peer);
  assert_int_equal(tls_peer_read(&peer, back, sizeof back), 6);
  x->len = 0;
  begin_log();
  update_keys(1);
  tls_peer_settle(&peer);
  refused(x, "too many records without data");
  coho_set_log(NULL, NULL, COHO_LOG_WARN);
  assert_int_equal(lines, x == &p.server ? 1 : 0); /* a client's owner is told */
  tls_peer_close(&peer);
}

static void test_A21_a_flood_of_key_updates(void **state) {
  (void)state;
  open_server();
  flood_with_keys(&p.server);
  open_client();
  SSL_set_num_tickets(peer.ssl, 0);
  flood_with_keys(&p.client);
}

static void test_A21_a_flood_of_tickets(void **state) {
  (void)state;
  open_client();
  tls_peer_settle(&peer);
  for (int i = 0; i < EXTRAS; i++) {
    assert_int_equal(SSL_new_session_ticket(peer.ssl), 1);
    assert_int_equal(SSL_do_handshake(peer.ssl), 1);
  }
  tls_peer_settle(&peer);
  refused(&p.client, "too many records without data");
  tls_peer_close(&peer);
}

/* The handshake is not done a second time. The alert no_renegotiation is only a warning; OpenSSL, which
   gets it here, takes it for the end. */
static void renegotiate(const struct tls_side *x) {
  SSL_set_max_proto_version(peer.ssl, TLS1_2_VERSION);
  tls_peer_settle(&peer);
  assert_int_equal(SSL_version(peer.ssl), TLS1_2_VERSION);
  unsigned events = x->events;
  assert_int_equal(SSL_renegotiate(peer.ssl), 1);
  tls_peer_settle(&peer);
  assert_int_equal(peer.reason, SSL_R_NO_RENEGOTIATION);
  assert_true(x->events > events);
  refused(x, "'handshake failure'");
  tls_peer_close(&peer);
}

static void test_A21_renegotiation_is_refused(void **state) {
  (void)state;
  open_server();
  renegotiate(&p.server);
  open_client();
  renegotiate(&p.client);
}

static void test_A21_records_of_one_byte(void **state) {
  (void)state;
  for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
    open_server();
    SSL_set_max_proto_version(peer.ssl, version);
    tls_peer_settle(&peer);
    size_t live[2];
    for (int i = 0; i < 2; i++) {
      p.server.len = 0;
      tls_peer_write(&peer, pattern, 20000, 1);
      tls_peer_settle(&peer);
      assert_int_equal(p.server.len, 20000);
      assert_memory_equal(p.server.in, pattern, 20000);
      live[i] = alloc_live();
    }
    assert_int_equal(live[1], live[0]);
    tls_peer_close(&peer);
  }
}

/* One read does not go on for ever because there is nearly no data. */
static void test_A21_others_have_their_turn(void **state) {
  (void)state;
  enum { ROOM = 4 * 1024 * 1024, DATA = 90000 };
  tls_pair_open_server(&p, &(struct tls_pair_spec){.server = trust.server, .room = ROOM});
  tls_peer_client(&peer, &p);
  tls_peer_settle(&peer);
  p.server.asks = COHO_WIRE_IN;
  unsigned events = p.server.events;
  tls_peer_write(&peer, pattern, DATA, 1);
  tls_peer_settle(&peer);
  assert_int_equal(p.server.len, DATA);
  assert_memory_equal(p.server.in, pattern, DATA);
  assert_true(p.server.events >= events + 2);
  tls_peer_close(&peer);
}

/* ---- broken records ------------------------------------------------------------------------- */

/* A byte that changes on its way is an error at its record; what came before it counts. */
static void test_a_changed_byte(void **state) {
  (void)state;
  char records[256];
  open_server();
  tls_peer_settle(&peer);
  tls_peer_write(&peer, "whole", 5, 5);
  tls_peer_write(&peer, "broken", 6, 6);
  int len = BIO_read(SSL_get_wbio(peer.ssl), records, sizeof records);
  records[len - 1] ^= 1;
  begin_log();
  tls_peer_put(&peer, records, (size_t)len);
  tls_peer_settle(&peer);
  assert_int_equal(p.server.len, 5);
  assert_int_equal(p.server.end, COHO_ETLS);
  assert_int_equal(peer.alert, 20); /* bad_record_mac */
  struct iovec iov = {pattern, 1};
  assert_true(coho__stream_writev(p.server.s, &iov, 1) < 0);
  end_log("bad record mac");
  assert_int_equal(ERR_peek_error(), 0);
  tls_peer_close(&peer);
}

static void test_a_record_that_is_too_long(void **state) {
  (void)state;
  open_server();
  tls_peer_settle(&peer);
  size_t before = alloc_live();
  tls_peer_put(&peer, "\x17\x03\x03\x48\x01", 5); /* 18,433 bytes are announced */
  tls_peer_settle(&peer);
  refused(&p.server, "");
  assert_int_equal(peer.alert, 22); /* record_overflow */
  assert_true(alloc_live() < before + 256);
  tls_peer_close(&peer);
}

/* Memory comes with the bytes, not with their announcement. */
static void test_a_record_that_does_not_end(void **state) {
  (void)state;
  open_server();
  tls_peer_settle(&peer);
  size_t before = alloc_live();
  tls_peer_put(&peer, "\x17\x03\x03\x40\x01", 5);
  tls_peer_settle(&peer);
  assert_true(alloc_live() < before + 256);
  tls_peer_put(&peer, pattern, 1000);
  tls_peer_settle(&peer);
  assert_true(alloc_live() < before + 4096);
  assert_int_equal(p.server.end, 1);
  assert_int_equal(p.server.len, 0);
  tls_peer_close(&peer);
}

/* RFC 8446 6.1: what comes behind close_notify is nothing. */
static void test_data_behind_the_end(void **state) {
  (void)state;
  open_server();
  tls_peer_settle(&peer);
  tls_peer_write(&peer, "last", 4, 4);
  SSL_shutdown(peer.ssl);
  tls_peer_settle(&peer);
  assert_int_equal(p.server.len, 4);
  assert_int_equal(p.server.end, 0);
  tls_peer_put(&peer, "\x17\x03\x03\0\x20more", 9);
  tls_peer_settle(&peer);
  assert_int_equal(p.server.len, 4);
  tls_peer_close(&peer);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_SE_06_A20_old_and_weak_offers),
      cmocka_unit_test(test_alpn),
      cmocka_unit_test(test_HA_01_sni_for_which_there_is_nothing),
      cmocka_unit_test(test_SE_06_A20_a_client_refuses_old_servers),
      cmocka_unit_test(test_plain_http_gets_a_400),
      cmocka_unit_test(test_11_what_is_no_client_hello),
      cmocka_unit_test(test_who_is_refused_and_goes_on),
      cmocka_unit_test(test_who_leaves_during_the_handshake),
      cmocka_unit_test(test_a_client_hello_in_crumbs),
      cmocka_unit_test(test_A03_the_handshake_has_a_deadline),
      cmocka_unit_test(test_the_deadline_ends_with_the_handshake),
      cmocka_unit_test(test_A21_a_flood_of_key_updates),
      cmocka_unit_test(test_A21_a_flood_of_tickets),
      cmocka_unit_test(test_A21_renegotiation_is_refused),
      cmocka_unit_test(test_A21_records_of_one_byte),
      cmocka_unit_test(test_A21_others_have_their_turn),
      cmocka_unit_test(test_a_changed_byte),
      cmocka_unit_test(test_a_record_that_is_too_long),
      cmocka_unit_test(test_a_record_that_does_not_end),
      cmocka_unit_test(test_data_behind_the_end),
  };
  alloc_fail_at(0);
  return cmocka_run_group_tests(tests, setup, teardown);
}
