#define _GNU_SOURCE
#include "serve_options.h"

#include "systemd.h"

#include "proto/close_code.h"
#include "proto/host.h"
#include "proto/http1.h"
#include "proto/url.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

const struct option serve_options[] = {
    {.name = "config",
     .letter = 'c',
     .kind = OPTION_STRING,
     .offset = offsetof(struct serve_values, config),
     .value = "FILE",
     .typed = true,
     .text = "read options from this YAML file, in which they have no dashes; those of the command "
             "line count in their place; read again on SIGHUP"},
    {.name = "check-config",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct serve_values, check_config),
     .typed = true,
     .text = "tell all that is wrong with --config and the other options, and end"},
    {.name = "print-config",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct serve_values, print_config),
     .typed = true,
     .text = "print a file for --config with all options and their defaults, and end"},
    {.name = "demo",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct serve_values, demo),
     .text = "serve the demo: start page, echo, chat, stocks and server statistics"},
    {.name = "topics",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct serve_values, topics.asked),
     .typed = true,
     .text = TOPICS_TEXT},
    {.name = "topics-path",
     .kind = OPTION_STRING,
     .offset = offsetof(struct serve_values, topics.path),
     .value = "PATH",
     .usual = "/t/",
     .text = TOPICS_PATH_TEXT},
    {.name = "topics-max-message",
     .kind = OPTION_SIZE,
     .offset = offsetof(struct serve_values, topics.max_message),
     .live = true,
     .value = "BYTES",
     .usual = "64k",
     .min = 1,
     .max = (uint64_t)1 << 30,
     .text = TOPICS_MESSAGE_TEXT},
    {.name = "listen",
     .letter = 'l',
     .kind = OPTION_LIST,
     .offset = offsetof(struct serve_values, listen),
     .value = "URL",
     .usual = "ws://127.0.0.1:8080",
     .text = "where to listen, such as ws://0.0.0.0:80, wss://localhost:8443 or ws://[::1]:0 (port "
             "0 takes a free one), or the file of a unix socket, as in ws+unix:/run/coho.sock; may "
             "be repeated, ws:// and wss:// mixed; the default is ws://127.0.0.1:8080, or the "
             "sockets that systemd has opened"},
    {.name = "unix-mode",
     .kind = OPTION_STRING,
     .offset = offsetof(struct serve_values, ingress.unix_mode),
     .value = "MODE",
     .usual = "660",
     .text = UNIX_MODE_TEXT},
    {.name = "proxy-protocol",
     .kind = OPTION_LIST,
     .offset = offsetof(struct serve_values, ingress.proxies),
     .value = "NETWORK",
     .text = PROXY_PROTOCOL_TEXT},
    {.name = "trust-proxy",
     .kind = OPTION_LIST,
     .offset = offsetof(struct serve_values, ingress.trusted),
     .value = "NETWORK",
     .text = TRUST_PROXY_TEXT},
    {.name = "tls",
     .kind = OPTION_LIST,
     .offset = offsetof(struct serve_values, tls.pairs),
     .files = OPTION_FILES,
     .value = "CERT,KEY",
     .text = "certificate, with its chain, and key of the wss:// listeners, two PEM files; read "
             "again on SIGHUP; may be repeated, then each serves the names in its certificate, the "
             "first one also clients that name none; self makes a certificate for localhost, "
             "127.0.0.1 and ::1 in memory, which nobody trusts"},
    {.name = "tls-client-ca",
     .kind = OPTION_STRING,
     .offset = offsetof(struct serve_values, tls.client_ca),
     .files = OPTION_FILE,
     .value = "FILE",
     .text = "let in only clients with a certificate of an authority in this PEM file"},
    {.name = "tls-client-optional",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct serve_values, tls.client_optional),
     .text = "with --tls-client-ca: let in clients without a certificate too"},
    {.name = "tls-any-name",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct serve_values, tls.any_name),
     .text = "show the first certificate to clients that ask for a name that none is for, instead "
             "of refusing them"},
    {.name = "root",
     .kind = OPTION_STRING,
     .offset = offsetof(struct serve_values, root),
     .files = OPTION_FILE,
     .value = "DIR",
     .text = "serve the files of this folder, and /echo; with --demo, in place of its pages"},
    {.name = "max-message",
     .kind = OPTION_SIZE,
     .offset = offsetof(struct serve_values, max_message),
     .live = true,
     .value = "BYTES",
     .usual = "1M",
     .text = "largest message that /echo takes (1M by default); more closes with 1009",
     .min = 1,
     .max = (uint64_t)1 << 40},
    {.name = "deflate",
     .kind = OPTION_STRING,
     .offset = offsetof(struct serve_values, deflate),
     .live = true,
     .value = DEFLATE_VALUE,
     .words = DEFLATE_WORDS,
     .usual = "shared",
     .text = DEFLATE_TEXT},
    {.name = "origin",
     .kind = OPTION_LIST,
     .offset = offsetof(struct serve_values, origin),
     .live = true,
     .value = "ORIGIN",
     .text = "let pages of this origin connect too, such as https://example.org, or '*' for all; "
             "may be repeated; without it only pages from the host they connect to"},
    {.name = "limit",
     .kind = OPTION_LIST,
     .offset = offsetof(struct serve_values, limits.limit),
     .live = true,
     .value = "NAME=VALUE",
     .words = LIMIT_WORDS,
     .pairs = limit_pairs,
     .text = LIMIT_TEXT},
    {.name = "rate",
     .kind = OPTION_LIST,
     .offset = offsetof(struct serve_values, limits.rate),
     .live = true,
     .value = "NAME=N",
     .words = RATE_WORDS,
     .pairs = rate_pairs,
     .text = RATE_TEXT},
    {.name = "rate-close",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct serve_values, limits.rate_close),
     .live = true,
     .text = RATE_CLOSE_TEXT},
    {.name = "timeout",
     .kind = OPTION_LIST,
     .offset = offsetof(struct serve_values, limits.timeout),
     .live = true,
     .value = "NAME=SECONDS",
     .words = TIMEOUT_WORDS,
     .pairs = timeout_pairs,
     .text = TIMEOUT_TEXT},
    {.name = "threads",
     .kind = OPTION_NUMBER,
     .offset = offsetof(struct serve_values, threads),
     .value = "N",
     .usual = "1",
     .text = "event loops, each on its own thread (1 by default)",
     .min = 1,
     .max = 256},
    {.name = "access-log",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct serve_values, access.on),
     .live = true,
     .text = ACCESSLOG_TEXT},
    {.name = "access-log-format",
     .kind = OPTION_STRING,
     .offset = offsetof(struct serve_values, access.format),
     .value = "FORMAT",
     .words = ACCESSLOG_FORMAT_WORDS,
     .usual = "text",
     .live = true,
     .text = ACCESSLOG_FORMAT_TEXT},
    {.name = "access-log-file",
     .kind = OPTION_STRING,
     .offset = offsetof(struct serve_values, access.file),
     .files = OPTION_FILE,
     .value = "FILE",
     .live = true,
     .text = ACCESSLOG_FILE_TEXT},
    {.name = "admin",
     .kind = OPTION_STRING,
     .offset = offsetof(struct serve_values, admin.url),
     .value = "URL",
     .text = ADMIN_TEXT},
    {.name = "admin-token",
     .kind = OPTION_STRING,
     .offset = offsetof(struct serve_values, admin.token_file),
     .files = OPTION_FILE,
     .value = "FILE",
     .text = ADMIN_TOKEN_TEXT},
    {.name = "drain",
     .kind = OPTION_SECONDS,
     .offset = offsetof(struct serve_values, drain),
     .live = true,
     .value = "SECONDS",
     .text = "when the server ends, close connections one after the other over this time, so that "
             "those who come back do not all come at once (0 by default); a second signal ends it "
             "at once",
     .max = 3600 * 1000},
    {.name = "drain-code",
     .kind = OPTION_NUMBER,
     .offset = offsetof(struct serve_values, drain_code),
     .live = true,
     .value = "CODE",
     .usual = "1001",
     .text = "the code that they are closed with (1001 by default: going away); 1012 says that the "
             "server restarts, and clients come back by themselves",
     .min = 1000,
     .max = 4999},
    {.name = "verbose",
     .letter = 'v',
     .kind = OPTION_COUNT,
     .offset = offsetof(struct serve_values, verbose),
     .live = true,
     .text = "log what peers did wrong; twice: everything"},
    {.name = NULL}};

enum { TOPICS, AUTH };

const struct option serve_sections[] = {
    [TOPICS] = {.name = "topics",
                .kind = OPTION_ROWS,
                .offset = offsetof(struct serve_values, topics.rules),
                .parts = topics_rule_parts,
                .row_size = sizeof(struct topics_rule),
                .text = TOPICS_RULES_TEXT},
    [AUTH] = {.name = "auth",
              .kind = OPTION_GROUP,
              .offset = offsetof(struct serve_values, topics.auth),
              .live = true,
              .parts = auth_parts,
              .text = AUTH_TEXT},
    {.name = NULL}};

void serve_options_free(struct serve_values *v) {
  option_free(serve_options, v);
  option_free(serve_sections, v);
}

/* ---- what is wrong -------------------------------------------------------------------------- */

static int check_listen(const struct command *c, const char *text, const char **secure) {
  struct coho__url url;
  const char *why = "out of memory";
  if (coho__url_parse(&url, text, COHO_URL_LISTEN_ANY, &why))
    return usage_error_about(
        c, text, "--listen takes a URL such as ws://127.0.0.1:8080, not '%s': %s", text, why);
  if (url.secure) *secure = text;
  coho__url_free(&url);
  return 0;
}

/* What browsers send, without a path, or "null" for such as pages from files. */
static int check_origin(const struct command *c, const char *origin) {
  struct coho__host host;
  struct coho__view rest = coho__view_of(origin);
  struct coho__view scheme = coho__view_split(&rest, ':');
  if (!strcmp(origin, "*") || !strcmp(origin, "null")) return 0;
  if (coho__http1_is_token(scheme) && coho__view_take_nocase(&rest, VIEW("//")) &&
      coho__host_parse(rest, &host))
    return 0;
  return usage_error_about(c, origin,
                           "--origin takes SCHEME://HOST[:PORT] and no path, such as "
                           "https://example.org, or '*'; not '%s'",
                           origin);
}

static int check_root(const struct command *c, const char *root) {
  int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0) {
    close(fd);
    return 0;
  }
  return usage_error_plain(c, root, "--root %s: %s", root,
                           errno == ENOTDIR
                               ? "not a folder"
                               : coho_strerror(errno == EACCES ? COHO_EACCES : COHO_ENOENT));
}

/* NULL: it is not in the file. */
static const struct option *section(const struct command *c, int which) {
  const struct option *o = &serve_sections[which];
  return faults_find(c->faults, o).line ? o : NULL;
}

int serve_options_check(const struct command *c, void *values) {
  struct serve_values *v = (struct serve_values *)values;
  const char *secure = NULL; /* a listener that needs a certificate */
  int status = deflate_option(c, v->deflate, &v->compression);
  for (size_t i = 0; i < v->listen.count; i++)
    status |= check_listen(c, v->listen.items[i], &secure);
  for (size_t i = 0; i < v->origin.count; i++)
    status |= check_origin(c, v->origin.items[i]);
  for (size_t i = 0; i < systemd_sockets(); i++)
    if (systemd_scheme(i)[2] == 's') secure = systemd_scheme(i);
  status |= ingress_check(c, &v->ingress);
  status |= admin_check(c, &v->admin, &secure);
  if (!coho__close_code_sendable((int)v->drain_code, COHO_SERVER))
    status |=
        usage_error(c, "--drain-code takes a code that a server may send, such as 1001 or 1012");
  status |= tls_server_check(c, &v->tls, secure);
  status |= limit_read(c, &v->limits);
  status |= accesslog_check(c, &v->access);
  if (v->root) status |= check_root(c, v->root);
  status |= topics_check(c, &v->topics, section(c, TOPICS), section(c, AUTH), v->demo);
  status |= topics_check_room(c, &v->topics, v->limits.conn.max_queue);
  bool any = v->demo || v->root || v->topics.on || v->listen.count || systemd_sockets();
  if (!c->faults->errors && !any)
    return usage_error(c, "nothing to serve; add --demo, or --topics, or --root DIR for files, or "
                          "--listen URL for /echo alone");
  /* Without a file they are read when it starts, which tells more. */
  return status || !v->config ? status : tls_server_try(c, &v->tls);
}
