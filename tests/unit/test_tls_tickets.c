#include "io/tls_tickets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { HOUR = 60 * 60 * 1000 };

static struct coho__tls_tickets tickets;

static int setup(void **state) {
  (void)state;
  coho__tls_tickets_init(&tickets);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  coho__tls_tickets_free(&tickets);
  return 0;
}

static struct coho__ticket_key sealing(uint64_t now_ms) {
  struct coho__ticket_key k;
  assert_true(coho__tls_tickets_sealing(&tickets, now_ms, &k));
  return k;
}

/* 0: unknown, 1: opens, 2: opens and is to be renewed. */
static int opening(uint64_t now_ms, const struct coho__ticket_key *k) {
  struct coho__ticket_key found;
  bool renew;
  if (!coho__tls_tickets_opening(&tickets, now_ms, k->name, &found, &renew)) return 0;
  assert_memory_equal(&found, k, sizeof found);
  return renew ? 2 : 1;
}

static void test_a_key_seals_for_half_a_day(void **state) {
  (void)state;
  struct coho__ticket_key a = sealing(0), b = sealing(12 * HOUR - 1), c = sealing(12 * HOUR + 1);
  assert_memory_equal(&a, &b, sizeof a);
  assert_memory_not_equal(a.name, c.name, sizeof a.name);
  assert_memory_not_equal(a.cipher, c.cipher, sizeof a.cipher);
  assert_memory_not_equal(a.mac, c.mac, sizeof a.mac);
}

static void test_a_key_opens_for_a_day(void **state) {
  (void)state;
  struct coho__ticket_key a = sealing(HOUR);
  assert_int_equal(opening(2 * HOUR, &a), 1);
  assert_int_equal(opening(14 * HOUR, &a), 2); /* also when there is no other yet */
  struct coho__ticket_key b = sealing(14 * HOUR);
  assert_int_equal(opening(15 * HOUR, &a), 2);
  assert_int_equal(opening(15 * HOUR, &b), 1);
  assert_int_equal(opening(25 * HOUR, &a), 0);
  assert_int_equal(opening(25 * HOUR, &b), 1);
}

static void test_two_keys_are_kept(void **state) {
  (void)state;
  struct coho__ticket_key a = sealing(HOUR), b = sealing(13 * HOUR);
  assert_int_equal(opening(13 * HOUR, &a), 2);
  struct coho__ticket_key c = sealing(25 * HOUR);
  assert_int_equal(opening(25 * HOUR, &a), 0);
  assert_int_equal(opening(25 * HOUR, &b), 2);
  assert_int_equal(opening(25 * HOUR, &c), 1);
}

static void test_an_unknown_name(void **state) {
  (void)state;
  struct coho__ticket_key none = {.born_ms = 0};
  assert_int_equal(opening(0, &none), 0);
  (void)sealing(HOUR);
  assert_int_equal(opening(HOUR, &none), 0);
}

/* What OpenSSL does with the two contexts. */
static void test_seal_and_open(void **state) {
  (void)state;
  unsigned char name[COHO_TICKET_NAME], iv[EVP_MAX_IV_LENGTH], sealed[64], opened[64], tag[2][32];
  EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
  EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
  EVP_MAC_CTX *mac = EVP_MAC_CTX_new(hmac);
  int n, m;
  size_t len;
  assert_int_equal(coho__tls_tickets_use(&tickets, name, iv, cipher, mac, 1), 1);
  assert_true(EVP_EncryptUpdate(cipher, sealed, &n, (const unsigned char *)"a session", 9));
  assert_true(EVP_EncryptFinal_ex(cipher, sealed + n, &m));
  assert_true(EVP_MAC_init(mac, NULL, 0, NULL) && EVP_MAC_update(mac, sealed, 16));
  assert_true(EVP_MAC_final(mac, tag[0], &len, sizeof tag[0]));
  int bytes = n + m;
  assert_int_equal(coho__tls_tickets_use(&tickets, name, iv, cipher, mac, 0), 1);
  assert_true(EVP_DecryptUpdate(cipher, opened, &n, sealed, bytes));
  assert_true(EVP_DecryptFinal_ex(cipher, opened + n, &m));
  assert_true(EVP_MAC_init(mac, NULL, 0, NULL) && EVP_MAC_update(mac, sealed, 16));
  assert_true(EVP_MAC_final(mac, tag[1], &len, sizeof tag[1]));
  assert_int_equal(n + m, 9);
  assert_memory_equal(opened, "a session", 9);
  assert_memory_equal(tag[0], tag[1], len);
  name[0] ^= 1;
  assert_int_equal(coho__tls_tickets_use(&tickets, name, iv, cipher, mac, 0), 0);
  EVP_MAC_CTX_free(mac);
  EVP_MAC_free(hmac);
  EVP_CIPHER_CTX_free(cipher);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_a_key_seals_for_half_a_day),
      TEST(test_a_key_opens_for_a_day),
      TEST(test_two_keys_are_kept),
      TEST(test_an_unknown_name),
      TEST(test_seal_and_open),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
