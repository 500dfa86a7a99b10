/* Every allocation of a connection over TLS fails once, from the handshake to messages back and
   forth: they arrive whole, or the connection ends; nothing crashes or leaks. */
#include "support/alloc_fail.h"
#include "support/tls_world.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef COHO_HARD
enum { LARGE = 2000, MOST = 1000 };
#else
enum { LARGE = 60000, MOST = 1000 };
#endif

static struct tls_world t;
static struct cert root, leaf;
static coho_tls *client_tls;
static char data[LARGE];

static int setup(void **state) {
  (void)state;
  cert_make(&root, &(struct cert_spec){.name = "root", .authority = true});
  cert_make(&leaf, &(struct cert_spec){.alt = "IP:127.0.0.1", .issuer = &root});
  coho_tls_options co = tls_trusts(&root);
  client_tls = tls_of(&co);
  memset(data, 'd', sizeof data);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  coho_tls_free(client_tls);
  cert_free(&leaf);
  cert_free(&root);
  certs_clean();
  return 0;
}

static void echo(struct probe *p, coho_conn *c, coho_msg m) {
  (void)p;
  if (coho_send(c, m) < 0) coho_abort(c); /* a hole would be worse */
}

/* The client is there, or has said why not. */
static bool connect_it(void) {
  char url[64];
  memset(&t.client, 0, sizeof t.client);
  coho_options opt = probe_options(&t.client);
  opt.tls = client_tls;
  snprintf(url, sizeof url, "wss://127.0.0.1:%u/", t.w.port);
  if (coho_connect(t.w.loop, url, &opt, NULL) < 0) return false;
  UNTIL(&t.w, t.client.opens || t.client.closes);
  return t.client.opens == 1;
}

static bool there_and_back(size_t len) {
  unsigned before = t.client.messages;
  if (!t.client.conn || coho_send(t.client.conn, coho_text_n(data, len)) < 0) return false;
  UNTIL(&t.w, t.client.messages > before || t.client.closes);
  return t.client.messages > before;
}

/* Connects and talks; whether all of it went well. */
static bool attempt(void) {
  bool fine =
      connect_it() && there_and_back(5) && there_and_back(LARGE / 10) && there_and_back(LARGE);
  if (fine) assert_int_equal(t.client.bytes, 5 + LARGE / 10 + LARGE);
  assert_true(t.client.closes <= 1);
  return fine;
}

static void end_all(void) {
  if (t.client.conn) (void)coho_close(t.client.conn, 1000, NULL);
  UNTIL(&t.w, t.client.closes == t.client.opens || !t.client.conn);
  UNTIL(&t.w, t.server.closes == t.server.opens);
  tls_world_close(&t);
}

static void begin(void) {
  coho_tls_options so = tls_serves(&leaf);
  tls_world_open(&t, &so, NULL);
  t.server.message = echo;
}

static void test_tls(void **state) {
  (void)state;
  for (long i = 1;; i++) {
    size_t base = alloc_live();
    begin();
    alloc_fail_at(i);
    bool fine = attempt();
    bool failed = alloc_failed();
    alloc_fail_at(0);
    assert_true(fine || failed);
    end_all();
    assert_int_equal(alloc_live(), base);
    if (!failed) break;
    assert_true(i < MOST);
  }
}

/* ---- the memory of OpenSSL ------------------------------------------------------------------- */

static long crypto_calls, crypto_fail_at;
static size_t crypto_live;

static bool crypto_fails(void) { return ++crypto_calls == crypto_fail_at; }

static void *count(void *p) {
  crypto_live += malloc_usable_size(p);
  return p;
}

static void *crypto_malloc(size_t n, const char *file, int line) {
  (void)file;
  (void)line;
  return crypto_fails() ? NULL : count(malloc(n));
}

static void *crypto_realloc(void *p, size_t n, const char *file, int line) {
  (void)file;
  (void)line;
  if (crypto_fails()) return NULL;
  crypto_live -= malloc_usable_size(p);
  return count(realloc(p, n));
}

static void crypto_free(void *p, const char *file, int line) {
  (void)file;
  (void)line;
  crypto_live -= malloc_usable_size(p);
  free(p);
}

/* There are thousands: the first ones each, then fewer and fewer of them. */
static void test_tls_of_openssl(void **state) {
  (void)state;
  for (long i = 1;; i += 1 + i / 30) {
    size_t base = alloc_live();
    begin();
    crypto_calls = 0;
    crypto_fail_at = i;
    bool fine = attempt();
    bool failed = crypto_calls >= i;
    crypto_fail_at = 0;
    assert_true(fine || failed);
    end_all();
    assert_int_equal(alloc_live(), base);
    if (!failed) break;
  }
}

/* An idle connection keeps no buffer of 16 KiB for the next record. */
static void test_idle(void **state) {
  (void)state;
  size_t live[2];
  begin();
  for (int i = 0; i < 2; i++) { /* the first one makes what all share */
    assert_true(connect_it());
    for (int k = 0; k < 5; k++)
      world_turn(&t.w);
    live[i] = crypto_live;
  }
  assert_in_range(live[1] - live[0], 1, 36 * 1024); /* of both ends */
  world_close(&t.w);
  coho_tls_free(t.tls);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_tls),
                                     cmocka_unit_test(test_tls_of_openssl),
                                     cmocka_unit_test(test_idle)};
  if (CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free) != 1) return 1;
  alloc_fail_at(0);
  return cmocka_run_group_tests(tests, setup, teardown);
}
