#include "io/tls.h"

#include "support/alloc_fail.h"
#include "support/certs.h"

#include <coho/log.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct cert one, other;
static const char *cert, *key, *other_cert, *other_key;

static int setup(void **state) {
  (void)state;
  cert_make(&one, &(struct cert_spec){.name = "one", .alt = "DNS:one.example"});
  cert_make(&other, &(struct cert_spec){.name = "other", .alt = "DNS:other.example"});
  cert = certs_cert("cert.pem", &one);
  key = certs_key("key.pem", &one);
  other_cert = certs_cert("other-cert.pem", &other);
  other_key = certs_key("other-key.pem", &other);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  cert_free(&one);
  cert_free(&other);
  certs_clean();
  return 0;
}

/* Asserts that these options are refused with err and a sentence that has all of these words. */
static void refused(const coho_tls_options *o, int err, const char *words, const char *file) {
  char why[256] = "before";
  coho_tls *t = (coho_tls *)&one;
  assert_int_equal(coho_tls_new(o, &t, why, sizeof why), err);
  assert_null(t);
  if (!strstr(why, words) || (file && !strstr(why, file))) fail_msg("not so: %s", why);
  assert_int_equal(ERR_peek_error(), 0);
  assert_int_equal(coho_tls_new(o, &t, NULL, 0), err);
}

static void test_a_pair(void **state) {
  (void)state;
  char why[64] = "before";
  coho_tls *t;
  assert_int_equal(coho_tls_new(&(coho_tls_options){.cert = cert, .key = key}, &t, why, 64), 0);
  assert_string_equal(why, "");
  assert_true(coho__tls_serves(t));
  coho_tls_free(coho__tls_ref(t));
  coho_tls_free(t);
  coho_tls_free(NULL);
}

static void test_nothing_is_a_client(void **state) {
  (void)state;
  coho_tls *t;
  assert_int_equal(coho_tls_new(NULL, &t, NULL, 0), 0);
  assert_false(coho__tls_serves(t));
  assert_false(coho__tls_serves(NULL));
  assert_int_equal(coho_tls_reload(t, NULL, 0), 0);
  coho_tls_free(t);
  assert_ptr_equal(coho__tls_default(), coho__tls_default());
}

static void test_options_that_do_not_fit(void **state) {
  (void)state;
  const coho_tls_pair pairs[] = {{other_cert, other_key}, {NULL, NULL}};
  const coho_tls_pair keyless[] = {{other_cert, NULL}, {NULL, NULL}};
  char long_name[300];
  memset(long_name, 'a', sizeof long_name);
  long_name[sizeof long_name - 1] = '\0';
  const coho_tls_options wrong[] = {
      {.cert = cert},
      {.key = key},
      {.pairs = pairs},
      {.cert = cert, .key = key, .pairs = keyless},
      {.cert = cert, .key = key, .flags = COHO_TLS_SELF_SIGNED},
      {.client_ca = cert},
      {.cert = cert, .key = key, .flags = COHO_TLS_CLIENT_OPTIONAL},
      {.flags = 1 << 20},
      {.name = ""},
      {.name = long_name},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
    refused(&wrong[i], COHO_EOPTION, "", NULL);
  struct {
    coho_tls_options known;
    uint64_t unknown;
  } newer = {.unknown = 1};
  coho_tls *t;
  assert_int_equal(coho_tls_new_sized(&newer.known, sizeof newer, &t, NULL, 0), COHO_EOPTION);
}

static void test_files_that_cannot_be_read(void **state) {
  (void)state;
  const char *none = "/does/not/exist.pem";
  refused(&(coho_tls_options){.cert = none, .key = key}, COHO_ENOENT, "no such file", none);
  refused(&(coho_tls_options){.cert = cert, .key = none}, COHO_ENOENT, "no such file", none);
  refused(&(coho_tls_options){.ca = none}, COHO_ENOENT, "no such file", none);
  refused(&(coho_tls_options){.cert = "/", .key = key}, COHO_EPEM, "not a file", "/");
  refused(&(coho_tls_options){.cert = "/dev/zero", .key = key}, COHO_EPEM, "not a file", "zero");
  const char *fifo = certs_path("fifo");
  assert_int_equal(mkfifo(fifo, 0600), 0); /* nobody is waited for */
  refused(&(coho_tls_options){.cert = cert, .key = fifo}, COHO_EPEM, "not a file", fifo);
}

static void test_a_file_that_is_too_large(void **state) {
  (void)state;
  const char *file = certs_text("large.pem", "");
  int fd = open(file, O_WRONLY);
  assert_int_equal(ftruncate(fd, (off_t)1 << 40), 0);
  close(fd);
  refused(&(coho_tls_options){.ca = file}, COHO_EPEM, "larger than", file);
}

static void test_files_that_are_not_pem(void **state) {
  (void)state;
  const char *text = certs_text("text.pem", "certificate\n");
  const char *empty = certs_text("empty.pem", "");
  const char *cut = certs_text("cut.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n");
  const char *junk = certs_text("junk.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n"
                                            "-----END CERTIFICATE-----\n");
  refused(&(coho_tls_options){.cert = text, .key = key}, COHO_EPEM, "no certificate", text);
  refused(&(coho_tls_options){.cert = empty, .key = key}, COHO_EPEM, "no certificate", empty);
  refused(&(coho_tls_options){.cert = key, .key = cert}, COHO_EPEM, "no certificate", key);
  refused(&(coho_tls_options){.cert = cert, .key = text}, COHO_EPEM, "no private key", text);
  refused(&(coho_tls_options){.cert = cert, .key = cert}, COHO_EPEM, "no private key", cert);
  refused(&(coho_tls_options){.cert = cut, .key = key}, COHO_EPEM, "certificate 1", cut);
  refused(&(coho_tls_options){.cert = junk, .key = key}, COHO_EPEM, "certificate 1", junk);
  refused(&(coho_tls_options){.ca = text}, COHO_EPEM, "no certificate", text);
  refused(&(coho_tls_options){.cert = cert, .key = key, .client_ca = junk}, COHO_EPEM,
          "certificate 1", junk);
}

static void test_the_second_of_a_chain_is_malformed(void **state) {
  (void)state;
  const char *file = certs_cert("chain.pem", &one);
  FILE *f = fopen(file, "a");
  fputs("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", f);
  fclose(f);
  refused(&(coho_tls_options){.cert = file, .key = key}, COHO_EPEM, "certificate 2", file);
  refused(&(coho_tls_options){.ca = file}, COHO_EPEM, "certificate 2", file);
}

static void test_a_key_with_a_passphrase(void **state) {
  (void)state;
  const char *file = certs_path("locked.pem");
  FILE *f = fopen(file, "w");
  char phrase[] = "phrase";
  assert_true(PEM_write_PrivateKey(f, one.key, EVP_aes_128_cbc(), NULL, 0, NULL, phrase));
  fclose(f);
  refused(&(coho_tls_options){.cert = cert, .key = file}, COHO_EPEM, "encrypted", file);
}

static void test_a_key_of_another_certificate(void **state) {
  (void)state;
  refused(&(coho_tls_options){.cert = cert, .key = other_key}, COHO_EKEYMATCH, other_key, cert);
  const coho_tls_pair pairs[] = {{other_cert, key}, {NULL, NULL}};
  refused(&(coho_tls_options){.cert = cert, .key = key, .pairs = pairs}, COHO_EKEYMATCH, key,
          other_cert);
}

static void test_a_key_that_is_too_small(void **state) {
  (void)state;
  struct cert weak;
  cert_make(&weak, &(struct cert_spec){.name = "weak", .rsa = 1024});
  const char *file = certs_cert("weak.pem", &weak);
  refused(&(coho_tls_options){.cert = file, .key = certs_key("weak-key.pem", &weak)}, COHO_EPEM,
          "too small", file);
  cert_free(&weak);
}

static void test_a_pair_in_one_file(void **state) {
  (void)state;
  const char *file = certs_cert("both.pem", &one);
  FILE *f = fopen(file, "a");
  assert_true(PEM_write_PrivateKey(f, one.key, NULL, NULL, 0, NULL, NULL));
  fclose(f);
  coho_tls *t;
  assert_int_equal(coho_tls_new(&(coho_tls_options){.cert = file, .key = file}, &t, NULL, 0), 0);
  coho_tls_free(t);
}

static char logged[256];
static int logged_level;

static void on_log(void *ctx, int level, const char *line) {
  (void)ctx;
  logged_level = level;
  snprintf(logged, sizeof logged, "%s", line);
}

static void test_an_expired_certificate_is_a_warning(void **state) {
  (void)state;
  struct cert old, early;
  coho_tls *t;
  cert_make(&old, &(struct cert_spec){.name = "old", .days = -1});
  cert_make(&early, &(struct cert_spec){.name = "early", .starts = 2});
  coho_set_log(on_log, NULL, COHO_LOG_WARN);
  const char *file = certs_cert("old.pem", &old);
  const char *old_key = certs_key("old-key.pem", &old);
  assert_int_equal(coho_tls_new(&(coho_tls_options){.cert = file, .key = old_key}, &t, NULL, 0), 0);
  coho_tls_free(t);
  assert_int_equal(logged_level, COHO_LOG_WARN);
  assert_non_null(strstr(logged, file));
  assert_non_null(strstr(logged, "expired"));
  file = certs_cert("early.pem", &early);
  const char *early_key = certs_key("early-key.pem", &early);
  assert_int_equal(coho_tls_new(&(coho_tls_options){.cert = file, .key = early_key}, &t, NULL, 0),
                   0);
  coho_tls_free(t);
  assert_non_null(strstr(logged, "not valid yet"));
  coho_set_log(NULL, NULL, COHO_LOG_WARN);
  cert_free(&old);
  cert_free(&early);
}

static void test_reload_says_what_is_wrong(void **state) {
  (void)state;
  char why[256];
  coho_tls *t;
  const char *file = certs_cert("turns.pem", &one), *its_key = certs_key("turns-key.pem", &one);
  assert_int_equal(coho_tls_new(&(coho_tls_options){.cert = file, .key = its_key}, &t, NULL, 0), 0);
  assert_int_equal(coho_tls_reload(t, why, sizeof why), 0);
  assert_string_equal(why, "");
  certs_cert("turns.pem", &other);
  assert_int_equal(coho_tls_reload(t, why, sizeof why), COHO_EKEYMATCH);
  assert_non_null(strstr(why, its_key));
  assert_int_equal(coho_tls_reload(t, NULL, 0), COHO_EKEYMATCH);
  certs_key("turns-key.pem", &other);
  assert_int_equal(coho_tls_reload(t, why, sizeof why), 0);
  certs_text("turns.pem", "");
  assert_int_equal(coho_tls_reload(t, why, sizeof why), COHO_EPEM);
  assert_non_null(strstr(why, file));
  coho_tls_free(t);
}

static void test_a_sentence_is_cut_to_its_room(void **state) {
  (void)state;
  char why[] = "123456789";
  coho_tls *t;
  coho_tls_options o = {.ca = "/none"};
  assert_int_equal(coho_tls_new(&o, &t, why, 5), COHO_ENOENT);
  assert_string_equal(why, "cann");
  assert_string_equal(why + 5, "6789");
}

static void test_out_of_memory_everywhere(void **state) {
  (void)state;
  const coho_tls_pair pairs[] = {{other_cert, other_key}, {NULL, NULL}};
  const coho_tls_options o = {.cert = cert,
                              .key = key,
                              .pairs = pairs,
                              .client_ca = cert,
                              .ca = cert,
                              .name = "n",
                              .flags = COHO_TLS_CLIENT_OPTIONAL};
  alloc_fail_at(0);
  assert_int_equal(alloc_live(), 0);
  for (long i = 1;; i++) {
    coho_tls *t = NULL;
    alloc_fail_at(i);
    int err = coho_tls_new(&o, &t, NULL, 0);
    if (!err) err = coho_tls_reload(t, NULL, 0);
    coho_tls_free(t);
    alloc_assert_none_live();
    assert_int_equal(err, alloc_failed() ? COHO_ENOMEM : 0);
    if (!alloc_failed()) break;
  }
  alloc_fail_at(0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_pair),
      cmocka_unit_test(test_nothing_is_a_client),
      cmocka_unit_test(test_options_that_do_not_fit),
      cmocka_unit_test(test_files_that_cannot_be_read),
      cmocka_unit_test(test_a_file_that_is_too_large),
      cmocka_unit_test(test_files_that_are_not_pem),
      cmocka_unit_test(test_the_second_of_a_chain_is_malformed),
      cmocka_unit_test(test_a_key_with_a_passphrase),
      cmocka_unit_test(test_a_key_of_another_certificate),
      cmocka_unit_test(test_a_key_that_is_too_small),
      cmocka_unit_test(test_a_pair_in_one_file),
      cmocka_unit_test(test_an_expired_certificate_is_a_warning),
      cmocka_unit_test(test_reload_says_what_is_wrong),
      cmocka_unit_test(test_a_sentence_is_cut_to_its_room),
      cmocka_unit_test(test_out_of_memory_everywhere),
  };
  alloc_fail_at(0);
  return cmocka_run_group_tests(tests, setup, teardown);
}
