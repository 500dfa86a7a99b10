#include "tls.h"

#include "logger.h"

#include <coho/error.h>
#include <stdlib.h>
#include <string.h>

enum { WHY = 512 };

static bool is_self(const char *text) { return !strcmp(text, "self"); }

/* ---- what can be known to be wrong before --------------------------------------------------- */

static int check_pair(const struct command *c, const char *text) {
  const char *comma = strchr(text, ',');
  bool fine = comma && comma > text && comma[1] && !strchr(comma + 1, ',');
  if (fine && (comma[-1] == ' ' || comma[1] == ' '))
    return usage_error_about(c, text, "--tls takes CERT,KEY without a blank at the comma, not '%s'",
                             text);
  if (fine || is_self(text)) return 0;
  return usage_error_about(
      c, text,
      "--tls takes CERT,KEY: two PEM files with a comma between them, or self; "
      "not '%s'",
      text);
}

static int check_pairs(const struct command *c, const struct option_list *pairs) {
  size_t selves = 0;
  int status = 0;
  for (size_t i = 0; i < pairs->count && !status; i++) {
    status = check_pair(c, pairs->items[i]);
    selves += is_self(pairs->items[i]);
  }
  if (!status && selves > 1) return usage_error(c, "--tls self is there twice");
  return status;
}

int tls_server_check(const struct command *c, const struct tls_server *t, const char *secure) {
  if (secure && !t->pairs.count)
    return usage_error_about(
        c, secure,
        "a wss:// listener needs a certificate and its key: --tls CERT,KEY, or "
        "--tls self to try it");
  if (t->pairs.count && !secure)
    return usage_error(c, "--tls is for wss:// listeners; add one: --listen wss://127.0.0.1:8443");
  if (t->client_ca && !t->pairs.count) return usage_error(c, "--tls-client-ca needs --tls");
  if (t->any_name && !t->pairs.count) return usage_error(c, "--tls-any-name needs --tls");
  if (t->client_optional && !t->client_ca)
    return usage_error(c, "--tls-client-optional needs --tls-client-ca");
  return check_pairs(c, &t->pairs);
}

/* The first option that was given, NULL for none. */
static const char *given(const struct tls_client *t) {
  if (t->insecure) return "insecure";
  if (t->ca) return "cacert";
  if (t->cert) return "cert";
  if (t->key) return "key";
  return t->name ? "tls-name" : NULL;
}

int tls_client_check(const struct command *c, const struct tls_client *t, bool secure) {
  const char *option = given(t);
  if (option && !secure) return usage_error(c, "--%s is for wss:// URLs", option);
  if (!t->cert != !t->key) return usage_error(c, "--cert and --key go together");
  if (t->insecure && t->ca)
    return usage_error(c, "--insecure trusts anybody, so --cacert makes no sense beside it");
  if (t->name && (!*t->name || strlen(t->name) > 255))
    return usage_error(c, "--tls-name takes the name of a host, not '%s'", t->name);
  return 0;
}

/* ---- files ---------------------------------------------------------------------------------- */

/* about: as of usage_error_about(). */
static int open_tls(const struct command *c, const void *about, const coho_tls_options *opt,
                    coho_tls **out) {
  char why[WHY];
  int err = coho_tls_new(opt, out, why, sizeof why);
  if (!err) return 0;
  (void)usage_error_plain(c, about, "%s", why);
  return err == COHO_ENOMEM ? EXIT_PEER : EXIT_USAGE;
}

/* Pairs, ended by one without cert; text is where their bytes are. */
struct cut {
  coho_tls_pair *pairs;
  char *text;
  bool self;
};

static bool cut_pairs(struct cut *cut, const struct option_list *list) {
  size_t bytes = 0, count = 0;
  for (size_t i = 0; i < list->count; i++)
    bytes += strlen(list->items[i]) + 1;
  cut->pairs = (coho_tls_pair *)calloc(list->count + 1, sizeof *cut->pairs);
  cut->text = (char *)malloc(bytes + 1);
  if (!cut->pairs || !cut->text) return false;
  char *at = cut->text;
  for (size_t i = 0; i < list->count; i++) {
    size_t len = strlen(list->items[i]) + 1;
    memcpy(at, list->items[i], len);
    char *comma = strchr(at, ',');
    if (comma) {
      *comma = '\0';
      cut->pairs[count++] = (coho_tls_pair){at, comma + 1};
    } else {
      cut->self = true;
    }
    at += len;
  }
  return true;
}

static bool is_pair(const char *cert, const char *key) {
  char why[WHY];
  coho_tls *tls = NULL;
  coho_tls_options opt = {.cert = cert, .key = key};
  int err = coho_tls_new(&opt, &tls, why, sizeof why);
  coho_tls_free(tls);
  return !err;
}

/* After a failure: it was the order if the other one works. */
static void tell_swapped(const struct command *c, const coho_tls_pair *pairs) {
  for (; pairs->cert; pairs++) {
    if (is_pair(pairs->cert, pairs->key) || !is_pair(pairs->key, pairs->cert)) continue;
    (void)usage_error_plain(c, pairs->cert,
                            "%s holds a key; the certificate comes first: --tls %s,%s", pairs->cert,
                            pairs->key, pairs->cert);
    return;
  }
}

/* A self-signed certificate is the first one, where there is one. */
static int open_pairs(const struct command *c, const struct tls_server *t, const struct cut *cut,
                      coho_tls **out) {
  coho_tls_options opt = {.pairs = cut->pairs, .client_ca = t->client_ca};
  if (cut->self) opt.flags |= COHO_TLS_SELF_SIGNED;
  if (t->client_optional) opt.flags |= COHO_TLS_CLIENT_OPTIONAL;
  if (t->any_name) opt.flags |= COHO_TLS_ANY_NAME;
  if (!cut->self) {
    opt.cert = cut->pairs->cert;
    opt.key = cut->pairs->key;
    opt.pairs++;
  }
  int status = open_tls(c, t->pairs.items[0], &opt, out);
  if (status == EXIT_USAGE) tell_swapped(c, cut->pairs);
  return status;
}

int tls_server_open(const struct command *c, const struct tls_server *t, coho_tls **out) {
  struct cut cut = {.pairs = NULL};
  *out = NULL;
  if (!t->pairs.count) return 0;
  int status = EXIT_PEER;
  if (cut_pairs(&cut, &t->pairs))
    status = open_pairs(c, t, &cut, out);
  else
    fputs("coho: out of memory\n", stderr);
  free(cut.pairs);
  free(cut.text);
  return status;
}

int tls_server_try(const struct command *c, const struct tls_server *t) {
  coho_tls *tls;
  int status = tls_server_open(c, t, &tls);
  coho_tls_free(tls);
  return status;
}

int tls_client_open(const struct command *c, const struct tls_client *t, coho_tls **out) {
  *out = NULL;
  if (!given(t)) return 0;
  coho_tls_options opt = {.cert = t->cert,
                          .key = t->key,
                          .ca = t->ca,
                          .name = t->name,
                          .flags = t->insecure ? COHO_TLS_INSECURE : 0};
  return open_tls(c, NULL, &opt, out);
}

/* ---- reading again -------------------------------------------------------------------------- */

void tls_reload(coho_tls *tls) {
  char why[WHY], line[WHY + 64];
  if (coho_tls_reload(tls, why, sizeof why))
    (void)snprintf(line, sizeof line, "coho: the certificates stay as they were: %s", why);
  else
    (void)snprintf(line, sizeof line, "coho: the certificates were read again");
  logger_line(line);
}
