/*
 * How a client reaches its server: the options that connect, pub and sub share, as rows of their tables.
 * BASE is the offset of a struct reach in the command's values.
 */
#ifndef COHO_CMD_REACH_H
#define COHO_CMD_REACH_H

#include "deflate.h"
#include "tls.h"

struct reach {
  struct option_list header;
  const char *origin;
  const char *deflate;
  struct tls_client tls;
  uint64_t connect_timeout;
};

/* clang-format off */
#define REACH_FIELDS(BASE) \
  {.name = "header", .letter = 'H', .kind = OPTION_LIST, .offset = (BASE) + offsetof(struct reach, header), \
   .value = "FIELD", \
   .text = "add a field to the handshake, such as 'Authorization: Bearer x'; may be repeated"}, \
  {.name = "origin", .kind = OPTION_STRING, .offset = (BASE) + offsetof(struct reach, origin), \
   .value = "ORIGIN", \
   .text = "the Origin to send, such as https://example.org; none by default"}

#define REACH_DEFLATE_AND_TLS(BASE) \
  {.name = "deflate", .kind = OPTION_STRING, .offset = (BASE) + offsetof(struct reach, deflate), \
   .value = DEFLATE_VALUE, .words = DEFLATE_WORDS, .text = DEFLATE_TEXT}, \
  {.name = "insecure", .letter = 'k', .kind = OPTION_FLAG, \
   .offset = (BASE) + offsetof(struct reach, tls.insecure), \
   .text = "do not check the server's certificate: whoever sits between can read all"}, \
  {.name = "cacert", .kind = OPTION_STRING, .offset = (BASE) + offsetof(struct reach, tls.ca), \
   .value = "FILE", \
   .text = "trust the certificates of this PEM file, not those of the system"}, \
  {.name = "cert", .kind = OPTION_STRING, .offset = (BASE) + offsetof(struct reach, tls.cert), \
   .value = "FILE", \
   .text = "the certificate to show to a server that asks for one, with its chain, in PEM form"}, \
  {.name = "key", .kind = OPTION_STRING, .offset = (BASE) + offsetof(struct reach, tls.key), \
   .value = "FILE", .text = "the private key of --cert, in PEM form"}, \
  {.name = "tls-name", .kind = OPTION_STRING, .offset = (BASE) + offsetof(struct reach, tls.name), \
   .value = "HOST", \
   .text = "ask for the certificate of this host, and check that it is for it, instead of the " \
           "URL's"}

#define REACH_TIMEOUT(BASE) \
  {.name = "connect-timeout", .kind = OPTION_SECONDS, \
   .offset = (BASE) + offsetof(struct reach, connect_timeout), .value = "SECONDS", \
   .text = "how long connecting may take, handshake included (15 by default)", \
   .min = 1, .max = 999999 * (uint64_t)1000}
/* clang-format on */

/* What stands in the handshake is refused by coho_connect() with COHO_EOPTION. */
extern const char REACH_WRONG_FIELD[];

/* What can be known to be wrong before connecting: with the URL, as it was typed and as
   address_url() has it, and with the options. 0, or EXIT_USAGE after a sentence. */
int reach_check(const struct command *c, const struct reach *r, const char *typed, const char *url);
/* Fills what the options are about; opt->tls is freed by coho_tls_free(). 0, or an exit status after a
   sentence. */
int reach_open(const struct command *c, const struct reach *r, coho_options *opt);
void reach_free(struct reach *r); /* its lists */

#endif
