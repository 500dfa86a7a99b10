/* What a peer over TLS can cost a server, from outside: its records are cut where no client cuts them. */
#include "base/alloc.h"
#include "support/clock.h"
#include "support/tls_world.h"

#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { MIB = 1024 * 1024, PING_MS = 20, PONG_MS = 5000 };

/* A client made of OpenSSL and a socket. */
struct peer {
  struct raw raw;
  SSL_CTX *context;
  SSL *ssl;
  bool ended;
  size_t len; /* decrypted */
  char in[16 * 1024];
};

static struct tls_world t;
static struct cert leaf;
static struct peer x;
static void *ballast;
static char data[16 * 1024];
static char record[20 * 1024];

static int setup(void **state) {
  (void)state;
  cert_make(&leaf, &(struct cert_spec){.alt = "DNS:localhost"});
  return 0;
}

static int teardown(void **state) {
  (void)state;
  cert_free(&leaf);
  certs_clean();
  return 0;
}

/* About 15/16 of the limit are in use: a little more or less changes nothing. */
static void make_tight(void) {
  ballast = coho__alloc(8 * MIB);
  assert_non_null(ballast);
  coho_set_memory_limit(coho_memory_used() / 15 * 16);
}

static int relax(void **state) {
  (void)state;
  coho_set_memory_limit(0);
  coho__free(ballast, ballast ? 8 * MIB : 0);
  ballast = NULL;
  return 0;
}

/* ---- the peer ------------------------------------------------------------------------------- */

/* What OpenSSL wrote goes out, or comes back instead. */
static size_t take_record(void) {
  int n = BIO_read(SSL_get_wbio(x.ssl), record, sizeof record);
  return n > 0 ? (size_t)n : 0;
}

static void send_out(void) {
  size_t n;
  while ((n = take_record()))
    raw_send(&x.raw, record, n);
}

/* Takes what is there. */
static void look(void) {
  char buf[4096];
  ssize_t n;
  size_t got;
  while ((n = recv(x.raw.fd, buf, sizeof buf, MSG_DONTWAIT)) > 0)
    assert_int_equal(BIO_write(SSL_get_rbio(x.ssl), buf, (int)n), n);
  if (n == 0) x.ended = true;
  if (!SSL_is_init_finished(x.ssl)) (void)SSL_do_handshake(x.ssl);
  if (SSL_is_init_finished(x.ssl))
    while (SSL_read_ex(x.ssl, x.in + x.len, sizeof x.in - x.len, &got) == 1)
      x.len += got;
  send_out();
}

static bool has(size_t n) {
  look();
  return x.len >= n || x.ended;
}

static void write_all(const void *bytes, size_t len) {
  assert_int_equal(SSL_write(x.ssl, bytes, (int)len), (int)len);
}

static void connect_it(void) {
  memset(&x, 0, sizeof x);
  raw_connect(&x.raw, &t.w);
  x.context = SSL_CTX_new(TLS_client_method());
  x.ssl = SSL_new(x.context);
  assert_non_null(x.ssl);
  SSL_set_bio(x.ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  BIO_set_mem_eof_return(SSL_get_rbio(x.ssl), -1);
  SSL_set_connect_state(x.ssl);
  UNTIL(&t.w, (look(), SSL_is_init_finished(x.ssl)));
}

static void leave(void) {
  raw_close(&x.raw);
  SSL_free(x.ssl);
  SSL_CTX_free(x.context);
}

static const char REQUEST[] = "GET / HTTP/1.1\r\n"
                              "Host: localhost\r\n"
                              "Upgrade: websocket\r\n"
                              "Connection: Upgrade\r\n"
                              "Sec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

static void upgrade(void) {
  connect_it();
  write_all(REQUEST, sizeof REQUEST - 1);
  send_out();
  UNTIL(&t.w, has(4) && !memcmp(x.in + x.len - 4, "\r\n\r\n", 4));
  assert_memory_equal(x.in, "HTTP/1.1 101 ", 13);
  x.len = 0;
}

/* A frame of so many bytes, in a record that is not sent; its size. */
static size_t make_frame(size_t len) {
  const unsigned char head[8] = {0x82, 0xfe, (unsigned char)(len >> 8), (unsigned char)len};
  memset(data, 0, sizeof data);
  memcpy(data, head, sizeof head);
  write_all(data, sizeof head + len);
  return take_record();
}

/* ---- a server ------------------------------------------------------------------------------- */

static void open_server(uint32_t ping_ms, uint32_t pong_ms) {
  coho_tls_options to = tls_serves(&leaf);
  memset(&t, 0, sizeof t);
  coho_options opt = probe_options(&t.server);
  opt.ping_interval_ms = ping_ms;
  opt.pong_timeout_ms = pong_ms;
  t.w.loop = coho_loop_new();
  t.tls = tls_of(&to);
  t.w.server = coho_server_new(&(coho_server_options){.loop = t.w.loop, .tls = t.tls});
  assert_non_null(t.w.server);
  assert_int_equal(coho_route_ws(t.w.server, "/", &opt), 0);
  assert_int_equal(coho_server_listen(t.w.server, "wss://127.0.0.1:0"), 0);
  assert_int_equal(coho_server_start(t.w.server), 0);
  t.w.port = (uint16_t)strtoul(strrchr(coho_server_url(t.w.server, 0), ':') + 1, NULL, 10);
}

/* ---- what is asserted ----------------------------------------------------------------------- */

/* The clock moves until so many bytes came. */
static void until_has(size_t len) {
  for (int ms = 0; !has(len); ms += 100) {
    assert_in_range(ms, 0, 20000);
    clock_move(100);
    world_turn(&t.w);
  }
}

/* Each ping is answered by a byte of a record that does not end for a long time: a byte is a sign of
   life, as it is without TLS. */
static void test_B14_any_byte_is_a_sign_of_life(void **state) {
  enum { PING = 10 };
  (void)state;
  open_server(PING_MS, PONG_MS);
  upgrade();
  clock_stop();
  size_t len = make_frame(1000);
  static char cut[sizeof record];
  memcpy(cut, record, len);
  for (size_t at = 0; at < 4; at++) {
    until_has(PING * (at + 1));
    assert_false(x.ended);
    assert_memory_equal(x.in + PING * at, "\x89\x08", 2);
    raw_send(&x.raw, cut + at, 1);
  }
  raw_send(&x.raw, cut + 4, len - 4);
  UNTIL(&t.w, t.server.messages == 1);
  assert_int_equal(t.server.closes, 0);
  clock_go();
  leave();
  UNTIL(&t.w, t.server.closes == 1);
  tls_world_close(&t);
}

/* 16 KiB of a record without its last byte are not kept: the peer is told, and others are served. */
static void test_a_part_of_a_record_while_memory_is_tight(void **state) {
  (void)state;
  open_server(0, 0);
  upgrade();
  make_tight();
  size_t len = make_frame(16000);
  raw_send(&x.raw, record, len - 1);
  UNTIL(&t.w, has(4));
  assert_memory_equal(x.in, "\x88\x02\x03\xf5", 4); /* 1013 */
  UNTIL(&t.w, t.server.closes == 1);
  assert_int_equal(t.server.ending.err, COHO_EMEMORY);
  UNTIL(&t.w, (look(), x.ended));
  assert_int_equal(x.len, 4);
  relax(NULL);
  leave();
  tls_world_close(&t);
}

static void test_a_part_of_a_request_while_memory_is_tight(void **state) {
  (void)state;
  open_server(0, 0);
  connect_it();
  make_tight();
  memset(data, 'a', sizeof data);
  write_all(data, 8000);
  size_t len = take_record();
  raw_send(&x.raw, record, len - 1);
  UNTIL(&t.w, has(13));
  assert_memory_equal(x.in, "HTTP/1.1 503 ", 13);
  relax(NULL);
  leave();
  tls_world_close(&t);
}

#define TEST(test) cmocka_unit_test_teardown(test, relax)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_B14_any_byte_is_a_sign_of_life),
      TEST(test_a_part_of_a_record_while_memory_is_tight),
      TEST(test_a_part_of_a_request_while_memory_is_tight),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
