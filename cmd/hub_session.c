#include "hub_session.h"

#include "base/check.h"
#include "closing.h"
#include "escape.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
  TOKEN_MOST = 8192,
  WORDS = 1024,
  CLOSE_MS = 2000,
  FOLLOWS_MOST = 2000,           /* of each topic of a command line its companion too */
  ANSWER_BYTES = 8 * 1024 * 1024 /* room for a list of 1 MiB, which escapes make longer */
};

/* ---- what is said --------------------------------------------------------------------------- */

void hub_session_note(const struct hub_session *s, const char *format, ...) {
  va_list args;
  if (s->options->quiet) return;
  va_start(args, format);
  fputs("coho: ", stderr);
  vfprintf(stderr, format, args);
  fputc('\n', stderr);
  va_end(args);
}

void hub_session_fail(struct hub_session *s, const char *format, ...) {
  va_list args;
  va_start(args, format);
  fprintf(stderr, "coho %s: ", s->command->name);
  vfprintf(stderr, format, args);
  fputc('\n', stderr);
  va_end(args);
  hub_session_end(s, EXIT_PEER);
}

void hub_session_end(struct hub_session *s, int status) {
  s->over = true;
  s->status = COHO_MAX(s->status, status);
}

const char *hub_session_advice(const struct hub_session *s, int err) {
  bool right = err == COHO_ENOTOKEN || err == COHO_EFORBIDDEN;
  if (!right || s->options->token_file) return "";
  return "; --token-file FILE shows a token";
}

/* What a refused handshake means here, and what to do about it; NULL: nothing is known. */
static const char *refusal(const struct hub_session *s, uint32_t status) {
  switch (status) {
  case 401:
    return s->options->token_file ? "the hub does not take the token of --token-file"
                                  : "the hub asks for a token, which --token-file FILE shows";
  case 403: return "the hub does not allow the Origin (--origin) or the token (--token-file)";
  case 404:
    return "there are no topics at this URL: coho serve has them with --topics, below /t/ or its "
           "--topics-path";
  case 429: return "the hub had too many requests or bad tokens from this address";
  case 503: return "the hub is full or about to stop";
  default: return NULL;
  }
}

static bool is_later(uint32_t status) { return status == 429 || status == 503; }

/* Why a connection ended, as one safe line. */
static const char *describe(const struct hub_session *s, char text[WORDS], const coho_ending *how) {
  char reason[4 * 123 + 1], detail[WORDS / 2];
  const char *words = refusal(s, how->status);
  bool persists = s->opened || s->options->persist;
  if (how->err) {
    escape_line(detail, sizeof detail,
                coho__view_of(*how->detail ? how->detail : coho_strerror(how->err)));
    (void)snprintf(text, WORDS, "%s%s%s%s", detail, words ? "; " : "", words ? words : "",
                   is_later(how->status) && !persists ? "; --persist tries again" : "");
    return text;
  }
  words = closing_hub_words(how->code);
  escape_line(reason, sizeof reason, coho__view_of(how->reason));
  (void)snprintf(text, WORDS, "closed by the hub with %u (%s)%s%s%s", how->code,
                 words ? words : closing_words(how->code), *reason ? ", reason: " : "", reason,
                 how->code == 4401 ? hub_session_advice(s, COHO_ENOTOKEN) : "");
  return text;
}

/* ---- the token ------------------------------------------------------------------------------ */

/* The first line of the file. NULL: after a sentence. */
static char *read_token(struct hub_session *s) {
  const char *path = s->options->token_file;
  char *token = (char *)calloc(1, TOKEN_MOST + 2);
  FILE *f = fopen(path, "re");
  if (!f || !token) {
    hub_session_fail(s, "cannot read %s: %s", path, strerror(f ? ENOMEM : errno));
  } else {
    size_t n = fread(token, 1, TOKEN_MOST + 1, f);
    token[strcspn(token, "\r\n")] = '\0';
    if (n > TOKEN_MOST || !*token)
      hub_session_fail(s, "%s holds no token: one line of at most %d characters", path, TOKEN_MOST);
  }
  if (f) (void)fclose(f);
  if (!s->over) return token;
  free(token);
  return NULL;
}

/* The file has to have another one by now, when the old one is not good any more. */
static void on_token(coho_client *client, uint32_t seconds) {
  struct hub_session *s = (struct hub_session *)coho_client_user(client);
  char *token = read_token(s);
  if (!token) return;
  bool same = s->token && !strcmp(token, s->token);
  free(s->token);
  s->token = token;
  if (same && !seconds) {
    hub_session_fail(s, "the hub does not take the token in %s", s->options->token_file);
  } else if (same) {
    hub_session_note(s, "the token in %s ends in %u s", s->options->token_file, seconds);
  } else if (coho_client_set_token(client, token)) {
    hub_session_fail(s, "%s holds no token", s->options->token_file);
  }
}

/* ---- states --------------------------------------------------------------------------------- */

static void on_state(coho_client *client, uint32_t state, const coho_ending *how) {
  struct hub_session *s = (struct hub_session *)coho_client_user(client);
  char text[WORDS];
  s->open = state == COHO_CLIENT_OPEN;
  if (s->over) return;
  if (state == COHO_CLIENT_OPEN) {
    hub_session_note(s, "connected%s to %s", s->opened ? " again" : "", s->url);
    s->opened = true;
  } else if (state == COHO_CLIENT_CLOSED) {
    hub_session_fail(s, "%s", describe(s, text, how));
  } else if (state == COHO_CLIENT_WAITING && coho_client_wait_ms(client) != UINT32_MAX) {
    if (!s->opened && !s->options->persist)
      hub_session_fail(s, "%s", describe(s, text, how));
    else
      hub_session_note(s, "%s; trying again in %.1f s", describe(s, text, how),
                       coho_client_wait_ms(client) / 1000.0);
  }
}

static void on_signal(void *arg, int signo) {
  struct hub_session *s = (struct hub_session *)arg;
  (void)signo;
  if (s->stopped) coho_loop_stop(s->loop); /* closing takes too long */
  s->stopped = true;
  hub_session_end(s, EXIT_FINE);
}

/* ---- life ----------------------------------------------------------------------------------- */

static int watch_signals(struct hub_session *s) {
  (void)signal(SIGPIPE, SIG_IGN);
  (void)setvbuf(stderr, NULL, _IOLBF, BUFSIZ);
  s->loop = coho_loop_new();
  if (!s->loop) return COHO_ENOMEM;
  int err = coho_loop_signal(s->loop, SIGINT, on_signal, s);
  return err ? err : coho_loop_signal(s->loop, SIGTERM, on_signal, s);
}

static int begin(struct hub_session *s, coho_options *connection, uint32_t publish_timeout_ms) {
  const struct hub_options *o = s->options;
  uint64_t max = o->max_message;
  /* In a frame a message may be a few times as long. */
  connection->max_message = COHO_MAX(6 * max + 4096, (uint64_t)ANSWER_BYTES);
  connection->max_queue = 2 * connection->max_message;
  connection->close_timeout_ms = CLOSE_MS;
  coho_client_options opt = {.on_state = on_state,
                             .on_token = o->token_file ? on_token : NULL,
                             .user = s,
                             .token = s->token,
                             .connection = connection,
                             .max_queue_bytes = connection->max_queue,
                             .max_follows = FOLLOWS_MOST, /* the hub has a limit of its own */
                             .max_questions = FOLLOWS_MOST,
                             .publish_timeout_ms = publish_timeout_ms};
  int err = watch_signals(s);
  return err ? err : coho_client_new(s->loop, s->url, &opt, &s->client);
}

int hub_session_start(struct hub_session *s, const struct command *c, const struct hub_options *o,
                      const char *url, uint32_t publish_timeout_ms) {
  coho_options connection = {.tls = NULL};
  *s = (struct hub_session){.command = c, .options = o, .url = url};
  if (o->token_file && !(s->token = read_token(s))) return s->status = EXIT_USAGE;
  s->status = reach_open(c, &o->reach, &connection);
  s->tls = connection.tls;
  if (s->status) return s->status;
  int err = begin(s, &connection, publish_timeout_ms);
  if (!err) return 0;
  hub_session_fail(s, "%s", err == COHO_EOPTION ? REACH_WRONG_FIELD : coho_strerror(err));
  if (err == COHO_EOPTION || err == COHO_EURL) s->status = EXIT_USAGE;
  return s->status;
}

bool hub_session_turn(struct hub_session *s, int in, struct sink *out) {
  bool watched = out && !out->discard;
  struct pollfd fds[] = {
      {.fd = coho_loop_fd(s->loop), .events = POLLIN},
      {.fd = in, .events = POLLIN},
      {.fd = watched ? out->fd : -1, .events = watched && sink_waits(out) ? POLLOUT : 0}};
  (void)poll(fds, COHO_COUNT(fds), coho_loop_timeout(s->loop));
  (void)coho_loop_turn(s->loop, 0);
  if (watched && fds[2].revents & (POLLERR | POLLHUP | POLLNVAL)) out->error = EPIPE;
  return fds[1].revents != 0;
}

int hub_session_finish(struct hub_session *s) {
  coho_client_free(s->client);
  if (s->loop) (void)coho_loop_run(s->loop); /* the closing handshake */
  coho_loop_free(s->loop);
  coho_tls_free(s->tls);
  free(s->token);
  return s->status;
}
