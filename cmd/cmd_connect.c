/* coho connect: a WebSocket client for people and for pipes. */
#include "address.h"
#include "commands.h"
#include "reach.h"
#include "talk.h"
#include "terminal.h"

#include "proto/http1.h"

#include <stdlib.h>
#include <string.h>

struct values {
  struct option_list execute;
  struct option_list protocol;
  struct reach reach;
  uint64_t ping;
  uint64_t linger;
  uint64_t max_message;
  uint64_t verbose;
  bool binary;
  bool hex;
  bool quiet;
};

enum { MOST_SECONDS = 999999, MIB = 1024 * 1024, GIB = 1024 * MIB };

static const struct option options[] = {
    {.name = "execute",
     .letter = 'x',
     .kind = OPTION_LIST,
     .offset = offsetof(struct values, execute),
     .value = "TEXT",
     .text = "send this instead of reading the input, print what comes, and exit; may be repeated"},
    REACH_FIELDS(offsetof(struct values, reach)),
    {.name = "protocol",
     .letter = 'p',
     .kind = OPTION_LIST,
     .offset = offsetof(struct values, protocol),
     .value = "NAMES",
     .text = "offer these subprotocols, best first, with commas between them; may be repeated"},
    REACH_DEFLATE_AND_TLS(offsetof(struct values, reach)),
    {.name = "binary",
     .letter = 'b',
     .kind = OPTION_FLAG,
     .offset = offsetof(struct values, binary),
     .text = "send lines as binary messages"},
    {.name = "hex",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct values, hex),
     .text = "lines are bytes in hexadecimal, such as 'de ad be ef', sent as binary messages; "
             "received binary messages are printed as lines of the same kind"},
    {.name = "ping",
     .kind = OPTION_SECONDS,
     .offset = offsetof(struct values, ping),
     .value = "SECONDS",
     .text = "send a ping so often and print how long its pong takes",
     .min = 10,
     .max = MOST_SECONDS * (uint64_t)1000},
    {.name = "linger",
     .kind = OPTION_SECONDS,
     .offset = offsetof(struct values, linger),
     .value = "SECONDS",
     .text = "at the end of the input print messages until so long none came (1 by default); 0 "
             "closes at once and waits for no answers",
     .max = MOST_SECONDS * (uint64_t)1000},
    {.name = "max-message",
     .kind = OPTION_SIZE,
     .offset = offsetof(struct values, max_message),
     .value = "BYTES",
     .text = "largest message to receive or send (16M by default)",
     .min = 1,
     .max = GIB},
    REACH_TIMEOUT(offsetof(struct values, reach)),
    {.name = "verbose",
     .letter = 'v',
     .kind = OPTION_COUNT,
     .offset = offsetof(struct values, verbose),
     .text =
         "also tell the server's address, TLS version and extensions, and about pings and pongs "
         "when not at a terminal"},
    {.name = "quiet",
     .letter = 'q',
     .kind = OPTION_FLAG,
     .offset = offsetof(struct values, quiet),
     .text = "print errors and messages only"},
    {.name = NULL}};

static int out_of_memory(void) {
  fputs("coho: out of memory\n", stderr);
  return EXIT_PEER;
}

/* ---- what can be known to be wrong before connecting ---------------------------------------- */

static int check_texts(const struct command *c, const struct session_conf *conf,
                       const struct option_list *texts) {
  for (size_t i = 0; i < texts->count; i++) {
    const char *why = talk_objection(conf, texts->items[i]);
    if (why) return usage_error(c, "the text of --execute %s", why);
  }
  return 0;
}

/* names holds each of the items cut at its commas; text is where their bytes are. */
struct names {
  const char **list;
  char *text;
  size_t count;
};

static int add_name(const struct command *c, struct names *n, char *name) {
  if (!coho__http1_is_token(coho__view_of(name)))
    return usage_error(c,
                       "--protocol takes names of letters, digits and signs without spaces, "
                       "such as chat.v2, not '%s'",
                       name);
  for (size_t i = 0; i < n->count; i++)
    if (!strcmp(n->list[i], name)) return usage_error(c, "--protocol names '%s' twice", name);
  n->list[n->count++] = name;
  return 0;
}

static int cut_names(const struct command *c, const struct option_list *items, struct names *n) {
  size_t bytes = 0;
  for (size_t i = 0; i < items->count; i++)
    bytes += strlen(items->items[i]) + 1;
  n->text = (char *)malloc(bytes + 1);
  n->list = (const char **)calloc(bytes + 1, sizeof *n->list);
  if (!n->text || !n->list) return out_of_memory();
  int status = 0;
  char *at = n->text;
  for (size_t i = 0; i < items->count && !status; i++) {
    struct coho__view rest = coho__view_of(items->items[i]);
    while (rest.data && !status) {
      struct coho__view name = coho__view_trim(coho__view_split(&rest, ','));
      memcpy(at, name.data, name.len);
      at[name.len] = '\0';
      status = add_name(c, n, at);
      at += name.len + 1;
    }
  }
  return status;
}

/* ---- the command --------------------------------------------------------------------------- */

static int talk(const struct values *v, const struct session_conf *conf, coho_options *opt) {
  struct session s;
  if (!session_start(&s, conf, opt)) {
    if (v->execute.count)
      talk_texts(&s, v->execute.items);
    else if (conf->interactive)
      talk_terminal(&s);
    else
      talk_lines(&s);
  }
  return session_finish(&s);
}

static int connect_to(const struct command *c, const struct values *v, const char *typed,
                      const char *url) {
  struct session_conf conf = {.url = url,
                              .linger_ms = v->linger,
                              .ping_ms = v->ping,
                              .max_message = v->max_message,
                              .binary = v->binary,
                              .hex = v->hex,
                              .quiet = v->quiet,
                              .verbose = v->verbose > 0,
                              .offers = v->protocol.count > 0,
                              .interactive = !v->execute.count && terminal_usable()};
  struct names names = {.list = NULL};
  coho_options opt = {.tls = NULL};
  int status = reach_check(c, &v->reach, typed, url);
  if (!status) status = check_texts(c, &conf, &v->execute);
  if (!status) status = cut_names(c, &v->protocol, &names);
  if (!status) status = reach_open(c, &v->reach, &opt);
  opt.protocols = names.list;
  if (!status) status = talk(v, &conf, &opt);
  coho_tls_free(opt.tls);
  free(names.list);
  free(names.text);
  return status;
}

static int run(const struct command *c, int argc, char **argv) {
  struct values v = {.linger = 1000, .max_message = 16 * MIB};
  char *typed = NULL;
  size_t count;
  int status = option_parse(c, argc, argv, &v, &typed, &count);
  if (!status) {
    char *url = address_url(typed);
    status = url ? connect_to(c, &v, typed, url) : out_of_memory();
    free(url);
  }
  option_list_free(&v.execute);
  reach_free(&v.reach);
  option_list_free(&v.protocol);
  return status;
}

const struct command cmd_connect = {
    .name = "connect",
    .arguments = "URL",
    .summary = "talk to a WebSocket server, from a terminal or in a pipe",
    .description =
        "Connects to a WebSocket server. In the URL ws:// may be left out, and so may the host of "
        "this machine: localhost:8080/echo, :8080/echo. With wss:// the server's certificate has "
        "to be for its host and of an authority that the system trusts."
        "\n\n"
        "At a terminal each typed line is sent as a text message, empty ones are not; messages "
        "appear above the line, binary ones as a dump. /help shows the commands: /ping, /close, "
        "/binary, /file. Ctrl-D closes; so does Ctrl-C, which ends at once when pressed again. "
        "Typed lines are kept in ~/.local/state/coho/history."
        "\n\n"
        "In a pipe each line of the input is sent as a text message without its line end. Standard "
        "output gets the received messages and nothing else: text with a line end behind it, "
        "binary as it is. At the end of the input messages are printed until none came for a "
        "second (--linger), then the connection is closed with 1000. Everything else is told on "
        "standard error."
        "\n\n"
        "The exit status is 0 when this side closed the connection, or the server did with 1000, "
        "1001 or no code; 1 when the server closed it with another code, or when it failed; 2 for "
        "wrong options.",
    .options = options,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
