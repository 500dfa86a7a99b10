/* coho check: the cases of conformance and abuse, against a server or a client. */
#include "address.h"
#include "commands.h"
#include "tls.h"

#include "check/check.h"
#include "check/client_child.h"
#include "check/probe.h"
#include "check/report_text.h"
#include "check/target.h"
#include "check/trust.h"
#include "proto/http1.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SECONDS = 999999, MOST_AT_ONCE = 64, MOST_WORDS = 64, TIMEOUT_MS = 2000 };

static const struct option options[] = {
    {.name = "filter",
     .letter = 'f',
     .kind = OPTION_LIST,
     .offset = offsetof(struct check_conf, filter),
     .value = "GLOB",
     .text =
         "run the cases whose id this fits, such as 6, '6.4.*' or 'deflate.*'; may be repeated"},
    {.name = "list",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct check_conf, list),
     .text = "print the cases instead of running them"},
    {.name = "full",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct check_conf, full),
     .text = "also run what takes long: messages of up to 16 MiB, 1000 messages in each case of "
             "compression"},
    {.name = "client",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct check_conf, client),
     .text = "test a client: listen, and run the COMMAND for each connection, or wait for a client "
             "that connects by itself"},
    {.name = "listen",
     .kind = OPTION_STRING,
     .offset = offsetof(struct check_conf, url),
     .value = "URL",
     .text = "with --client: where to listen (ws://127.0.0.1:0 by default, which is a free port)"},
    {.name = "header",
     .letter = 'H',
     .kind = OPTION_LIST,
     .offset = offsetof(struct check_conf, header),
     .value = "FIELD",
     .text = "add a field to each handshake, such as 'Authorization: Bearer x'; may be repeated"},
    {.name = "protocol",
     .letter = 'p',
     .kind = OPTION_STRING,
     .offset = offsetof(struct check_conf, protocol),
     .value = "NAME",
     .text = "offer this subprotocol, which the server speaks, in each handshake"},
    {.name = "cacert",
     .kind = OPTION_STRING,
     .offset = offsetof(struct check_conf, ca_file),
     .value = "FILE",
     .text = "trust the certificates of this file, not those of the system"},
    {.name = "insecure",
     .letter = 'k',
     .kind = OPTION_FLAG,
     .offset = offsetof(struct check_conf, insecure),
     .text = "do not check the server's certificate"},
    {.name = "cert",
     .kind = OPTION_STRING,
     .offset = offsetof(struct check_conf, cert_file),
     .value = "FILE",
     .text = "with --client at a wss URL: the certificate to show; without it one for localhost is "
             "made, which nobody trusts"},
    {.name = "key",
     .kind = OPTION_STRING,
     .offset = offsetof(struct check_conf, key_file),
     .value = "FILE",
     .text = "the private key of --cert"},
    {.name = "timeout",
     .kind = OPTION_SECONDS,
     .offset = offsetof(struct check_conf, timeout_ms),
     .value = "SECONDS",
     .text = "how long one reaction of the other side may take (2 by default)",
     .min = 1,
     .max = MOST_SECONDS * (uint64_t)1000},
    {.name = "within",
     .kind = OPTION_SECONDS,
     .offset = offsetof(struct check_conf, budget_ms),
     .value = "SECONDS",
     .text = "how long all cases together may take: 55 by default, an hour with --full; with "
             "--client 15 minutes",
     .min = 1,
     .max = MOST_SECONDS * (uint64_t)1000},
    {.name = "at-once",
     .letter = 'n',
     .kind = OPTION_NUMBER,
     .offset = offsetof(struct check_conf, at_once),
     .value = "N",
     .text = "cases that run side by side (8 by default)",
     .min = 1,
     .max = MOST_AT_ONCE},
    {.name = "json",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct check_conf, json),
     .text = "print the results as JSON"},
    {.name = "report",
     .letter = 'o',
     .kind = OPTION_STRING,
     .offset = offsetof(struct check_conf, report),
     .value = "FILE",
     .text = "also write the results as a page of HTML"},
    {.name = "verbose",
     .letter = 'v',
     .kind = OPTION_COUNT,
     .offset = offsetof(struct check_conf, verbose),
     .text = "print a line for every case, and the last bytes of those that failed"},
    {.name = NULL}};

/* ---- what can be known to be wrong before -------------------------------------------------- */

static int check_headers(const struct command *c, const struct option_list *headers) {
  for (size_t i = 0; i < headers->count; i++) {
    struct coho__view value = coho__view_of(headers->items[i]);
    struct coho__view name = coho__view_split(&value, ':');
    if (!value.data || !coho__http1_is_token(name) || !coho__http1_is_field_value(value))
      return usage_error(c, "--header takes 'Name: value', not '%s'", headers->items[i]);
  }
  return 0;
}

/* What is of no use with --client: the first that was given, NULL for none. */
static const char *of_servers(const struct check_conf *conf) {
  if (conf->insecure) return "insecure";
  if (conf->ca_file) return "cacert";
  if (conf->protocol) return "protocol";
  return conf->header.count ? "header" : NULL;
}

static int check_client_options(const struct command *c, const struct check_conf *conf) {
  char why[256];
  const char *option = of_servers(conf);
  if (option) return usage_error(c, "--%s is for testing servers, not for --client", option);
  if (!conf->command || conf->list) return 0;
  if (strstr(*conf->command, "://"))
    return usage_error(c,
                       "--client takes the command that is a client: coho check --client -- "
                       "./my-client; where to listen is chosen by --listen '%s'",
                       *conf->command);
  if (client_child_find(*conf->command, why, sizeof why)) return usage_error(c, "%s", why);
  return 0;
}

static int check_options(const struct command *c, const struct check_conf *conf) {
  if (conf->protocol && !coho__http1_is_token(coho__view_of(conf->protocol)))
    return usage_error(c, "--protocol takes a name without spaces and commas, not '%s'",
                       conf->protocol);
  if (!conf->cert_file != !conf->key_file) return usage_error(c, "--cert and --key go together");
  if (!conf->client && conf->cert_file) return usage_error(c, "--cert is for --client");
  return conf->client ? check_client_options(c, conf) : check_headers(c, &conf->header);
}

/* ---- modes ---------------------------------------------------------------------------------- */

static int complain(const char *url, const char *why) {
  fprintf(stderr, "coho check: %s: %s\n", url, why);
  if (trust_met_stranger())
    fputs("coho check: --cacert FILE trusts another authority, --insecure anybody\n", stderr);
  return EXIT_PEER;
}

static int run_cases(const struct check_conf *conf, const struct catalog *cat, struct target *t) {
  char why[512];
  size_t count;
  if (!probe_server(&t->link, conf->timeout_ms, why, sizeof why)) return complain(conf->url, why);
  const struct check_case **cases = check_choose(conf, cat, SIDE_SERVER, &count);
  int status = check_and_tell(conf, &t->link, conf->url, cases, count);
  free(cases);
  return status;
}

static int test_target(const struct check_conf *conf, const struct catalog *cat,
                       struct ssl_ctx_st *tls) {
  char why[512];
  struct target t;
  struct target_conf target = {
      .url = conf->url, .fields = &conf->header, .protocols = conf->protocol, .tls = tls};
  int failed = target_open(&t, &target, why, sizeof why);
  int status = failed ? complain(conf->url, why) : run_cases(conf, cat, &t);
  target_close(&t);
  return status;
}

static int test_server(const struct command *c, const struct check_conf *conf,
                       const struct catalog *cat) {
  char why[512];
  const char *wrong = "out of memory";
  struct coho__url url;
  if (coho__url_parse(&url, conf->url, COHO_URL_CONNECT, &wrong))
    return usage_error(c, "'%s' is no URL to connect to: %s", conf->url, wrong);
  bool secure = url.secure;
  coho__url_free(&url);
  struct tls_client trust = {.ca = conf->ca_file, .insecure = conf->insecure};
  int status = tls_client_check(c, &trust, secure);
  if (status) return status;
  struct ssl_ctx_st *tls = NULL;
  if (secure) tls = trust_client(conf->ca_file, conf->insecure, why, sizeof why);
  if (secure && !tls) {
    fprintf(stderr, "coho check: %s\n", why);
    return EXIT_USAGE;
  }
  status = test_target(conf, cat, tls);
  trust_free(tls);
  return status;
}

static int list(const struct check_conf *conf, const struct catalog *cat) {
  size_t count;
  const struct check_case **cases =
      check_choose(conf, cat, conf->client ? SIDE_CLIENT : SIDE_SERVER, &count);
  report_list(cases, count, stdout);
  free(cases);
  return EXIT_FINE;
}

static bool fits_any(const struct check_conf *conf, const struct catalog *cat, bool full) {
  struct check_conf other = *conf;
  size_t count;
  other.full = full;
  free(check_choose(&other, cat, conf->client ? SIDE_CLIENT : SIDE_SERVER, &count));
  return count > 0;
}

/* No case at all is a filter mistyped. */
static int check_filter(const struct command *c, const struct check_conf *conf,
                        const struct catalog *cat) {
  if (fits_any(conf, cat, conf->full)) return 0;
  bool lacks_full = fits_any(conf, cat, true);
  return usage_error(c, "--filter fits no case for a %s%s", conf->client ? "client" : "server",
                     lacks_full ? " without --full" : "");
}

/* The words behind the options: the URL of a server, or the command that is a client. */
static int read_words(const struct command *c, struct check_conf *conf, char **words,
                      size_t count) {
  if (conf->client) {
    if (count) conf->command = words;
    return 0;
  }
  if (conf->url) return usage_error(c, "--listen is for --client");
  if (count > 1) return usage_error(c, "too many arguments: coho check URL");
  if (!count && !conf->list) return usage_error(c, "an argument is missing: coho check URL");
  conf->url = words[0];
  return 0;
}

static int run_mode(const struct command *c, const struct check_conf *conf) {
  struct catalog cat = {.cases = NULL};
  catalog_build(&cat);
  int status = check_filter(c, conf, &cat);
  if (!status && conf->list)
    status = list(conf, &cat);
  else if (!status && conf->client)
    status = check_client(conf, &cat);
  else if (!status)
    status = test_server(c, conf, &cat);
  catalog_free(&cat);
  return status;
}

static int run(const struct command *c, int argc, char **argv) {
  struct check_conf conf = {.timeout_ms = TIMEOUT_MS};
  char *words[MOST_WORDS + 1] = {NULL};
  char *url = NULL;
  size_t count;
  (void)signal(SIGPIPE, SIG_IGN);
  int status = option_parse(c, argc, argv, &conf, words, &count);
  if (!status) status = read_words(c, &conf, words, count);
  if (!status) status = check_options(c, &conf);
  if (!status && conf.url) {
    url = address_url(conf.url);
    conf.url = url;
    if (!url) status = EXIT_PEER;
  }
  if (!status) status = run_mode(c, &conf);
  free(url);
  option_list_free(&conf.filter);
  option_list_free(&conf.header);
  return status;
}

const struct command cmd_check = {
    .name = "check",
    .arguments = "URL",
    .summary = "test whether a WebSocket server or client keeps to the rules",
    .description =
        "Runs several hundred cases against an echo server: framing, fragments, UTF-8, closing, "
        "compression, masking, handshakes, HTTP and floods, each with a rule of RFC 6455, RFC 7692 "
        "or RFC 9112. In the URL ws:// may be left out, and so may the host of this machine. The "
        "server has to send back every message as it came."
        "\n\n"
        "A case passes, fails, or is informational: what no rule demands, a message refused as too "
        "big, compression that the server does not have. Cases that failed are printed, then a "
        "line for each section; the last line is 'N passed, M failed, K informational'."
        "\n\n"
        "With --client clients are tested: coho check --client [--listen URL] [-- COMMAND...] "
        "listens, and runs the command with the URL to connect to as its last argument for each "
        "connection. Without a command it prints the URL and takes the connections that come, one "
        "for each case; clients that know the paths /getCaseCount, /runCase?case=N and "
        "/updateReports, as drivers of test suites do, may use them. The client has to send back "
        "every message."
        "\n\n"
        "The exit status is 0 when no case failed; 1 when one did, or when there is no echo server "
        "at the URL; 2 for wrong options.",
    .options = options,
    .max_arguments = MOST_WORDS,
    .run = run,
};
