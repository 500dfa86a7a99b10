#include "io/tls_pem.h"

#include "base/log.h"
#include "io/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* All authorities of a system are 300 KiB. */
enum { FILE_MOST = 4 * 1024 * 1024, CHAIN_MOST = 32 };

/* ---- files ---------------------------------------------------------------------------------- */

/* A file in memory, which is wiped afterwards: it may hold a key. */
struct text {
  char *data;
  size_t len;
  BIO *bio;
};

static void text_free(struct text *t) {
  BIO_free(t->bio);
  OPENSSL_clear_free(t->data, t->len);
}

static int read_all(int fd, struct text *t) {
  size_t got = 0;
  while (got < t->len) {
    ssize_t n = read(fd, t->data + got, t->len - got);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return coho__error_of_errno(errno);
    if (n == 0) break; /* it became shorter; what is there is judged as it is */
    got += (size_t)n;
  }
  t->bio = BIO_new_mem_buf(t->data, (int)got);
  return t->bio ? 0 : COHO_ENOMEM;
}

static int read_file(int fd, const char *file, struct text *t, const struct coho__why *why) {
  struct stat st;
  if (fstat(fd, &st) < 0) return coho__error_of_errno(errno);
  if (!S_ISREG(st.st_mode)) return coho__why_set(why, COHO_EPEM, "%s is not a file", file);
  if (st.st_size > FILE_MOST)
    return coho__why_set(why, COHO_EPEM, "%s is larger than %d MiB", file, FILE_MOST >> 20);
  t->len = (size_t)st.st_size;
  t->data = (char *)OPENSSL_malloc(t->len + 1);
  return t->data ? read_all(fd, t) : COHO_ENOMEM;
}

static int text_open(const char *file, struct text *t, const struct coho__why *why) {
  *t = (struct text){NULL, 0, NULL};
  int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  int err = fd < 0 ? coho__error_of_errno(errno) : read_file(fd, file, t, why);
  if (fd >= 0) close(fd);
  if (!err) return 0;
  text_free(t);
  if (err == COHO_EPEM) return err;
  return coho__why_set(why, err, "cannot read %s: %s", file, coho_strerror(err));
}

/* ---- certificates --------------------------------------------------------------------------- */

/* Nobody is asked: OpenSSL would do so on the terminal. The parameters are OpenSSL's:
   NOLINTNEXTLINE(readability-non-const-parameter) */
static int no_passphrase(char *buf, int size, int writing, void *asked) {
  (void)buf;
  (void)size;
  (void)writing;
  if (asked) *(int *)asked = 1;
  return -1;
}

/* The file has no further certificate, which is no error. */
static bool at_end(void) {
  unsigned long e = ERR_peek_last_error();
  return ERR_GET_LIB(e) == ERR_LIB_PEM && ERR_GET_REASON(e) == PEM_R_NO_START_LINE;
}

static int refuse_certificate(const char *file, int number, const struct coho__why *why) {
  bool none = number == 1 && at_end();
  ERR_clear_error();
  if (none) return coho__why_set(why, COHO_EPEM, "%s holds no certificate in PEM form", file);
  return coho__why_set(why, COHO_EPEM, "certificate %d in %s is malformed", number, file);
}

static int read_chain(BIO *bio, const char *file, struct coho__pem_pair *p,
                      const struct coho__why *why) {
  p->leaf = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
  if (!p->leaf) return refuse_certificate(file, 1, why);
  p->chain = sk_X509_new_null();
  if (!p->chain) return COHO_ENOMEM;
  X509 *x;
  while ((x = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL))) {
    if (!sk_X509_push(p->chain, x)) {
      X509_free(x);
      return COHO_ENOMEM;
    }
    if (sk_X509_num(p->chain) > CHAIN_MOST)
      return coho__why_set(why, COHO_EPEM, "%s holds more than %d certificates", file, CHAIN_MOST);
  }
  if (!at_end()) return refuse_certificate(file, sk_X509_num(p->chain) + 2, why);
  ERR_clear_error();
  return 0;
}

static int read_certificates(const char *file, struct coho__pem_pair *p,
                             const struct coho__why *why) {
  struct text t;
  int err = text_open(file, &t, why);
  if (err) return err;
  err = read_chain(t.bio, file, p, why);
  text_free(&t);
  return err;
}

static int read_key(const char *file, struct coho__pem_pair *p, const struct coho__why *why) {
  struct text t;
  int asked = 0;
  int err = text_open(file, &t, why);
  if (err) return err;
  p->key = PEM_read_bio_PrivateKey(t.bio, NULL, no_passphrase, &asked);
  text_free(&t);
  ERR_clear_error();
  if (p->key) return 0;
  if (asked)
    return coho__why_set(why, COHO_EPEM,
                         "the key in %s is encrypted, and nobody is asked for a "
                         "passphrase; decrypt it first",
                         file);
  return coho__why_set(why, COHO_EPEM, "%s holds no private key in PEM form", file);
}

static void log_validity(const char *file, const X509 *leaf) {
  if (X509_cmp_current_time(X509_get0_notAfter(leaf)) < 0)
    coho__log(COHO_LOG_WARN, "the certificate in %s has expired", file);
  else if (X509_cmp_current_time(X509_get0_notBefore(leaf)) > 0)
    coho__log(COHO_LOG_WARN, "the certificate in %s is not valid yet", file);
}

int coho__pem_read_pair(const char *cert, const char *key, struct coho__pem_pair *out,
                        const struct coho__why *why) {
  *out = (struct coho__pem_pair){NULL, NULL, NULL};
  int err = read_certificates(cert, out, why);
  if (!err) err = read_key(key, out, why);
  if (!err && X509_check_private_key(out->leaf, out->key) != 1)
    err = coho__why_set(why, COHO_EKEYMATCH,
                        "the key in %s does not belong to the certificate in %s", key, cert);
  ERR_clear_error();
  if (!err) log_validity(cert, out->leaf);
  if (err) coho__pem_pair_free(out);
  return err;
}

void coho__pem_pair_free(struct coho__pem_pair *p) {
  X509_free(p->leaf);
  sk_X509_pop_free(p->chain, X509_free);
  EVP_PKEY_free(p->key);
  *p = (struct coho__pem_pair){NULL, NULL, NULL};
}

/* ---- authorities ---------------------------------------------------------------------------- */

static int add_name(STACK_OF(X509_NAME) * names, const X509 *x) {
  X509_NAME *name = X509_NAME_dup(X509_get_subject_name(x));
  if (name && sk_X509_NAME_push(names, name)) return 0;
  X509_NAME_free(name);
  return COHO_ENOMEM;
}

static int read_authorities(BIO *bio, const char *file, X509_STORE *store,
                            STACK_OF(X509_NAME) * names, const struct coho__why *why) {
  int number = 0, err = 0;
  X509 *x;
  while (!err && (x = PEM_read_bio_X509_AUX(bio, NULL, no_passphrase, NULL))) {
    number++;
    if (X509_STORE_add_cert(store, x) != 1) err = COHO_ENOMEM;
    if (!err && names) err = add_name(names, x);
    X509_free(x);
  }
  if (!err && (number == 0 || !at_end())) err = refuse_certificate(file, number + 1, why);
  ERR_clear_error();
  return err;
}

int coho__pem_read_trust(const char *file, X509_STORE **store, STACK_OF(X509_NAME) * *names,
                         const struct coho__why *why) {
  struct text t;
  int err = text_open(file, &t, why);
  if (err) return err;
  *store = X509_STORE_new();
  if (names) *names = sk_X509_NAME_new_null();
  err = !*store || (names && !*names) ? COHO_ENOMEM : 0;
  /* Who names an authority means it, also when it is signed by another one. */
  if (!err) X509_STORE_set_flags(*store, X509_V_FLAG_PARTIAL_CHAIN);
  if (!err) err = read_authorities(t.bio, file, *store, names ? *names : NULL, why);
  text_free(&t);
  if (!err) return 0;
  X509_STORE_free(*store);
  *store = NULL;
  if (names) sk_X509_NAME_pop_free(*names, X509_NAME_free);
  if (names) *names = NULL;
  return err;
}
