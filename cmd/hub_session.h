/*
 * A client of a hub as pub and sub have it: its loop, signals and token, and what happens to it told on
 * standard error.
 */
#ifndef COHO_CMD_HUB_SESSION_H
#define COHO_CMD_HUB_SESSION_H

#include "reach.h"
#include "sink.h"

#include <coho/client.h>

struct hub_options {
  struct reach reach;
  const char *token_file;
  uint64_t max_message;
  bool persist; /* also when it never was connected */
  bool quiet;
};

/* Rows of a table; BASE is the offset of a struct hub_options in the command's values. */
/* clang-format off */
#define HUB_OPTIONS(BASE) \
  {.name = "token-file", .kind = OPTION_STRING, .offset = (BASE) + offsetof(struct hub_options, token_file), \
   .value = "FILE", \
   .text = "show the server the token in this file, which is read again when the server asks for " \
           "another one"}, \
  REACH_FIELDS((BASE) + offsetof(struct hub_options, reach)), \
  REACH_DEFLATE_AND_TLS((BASE) + offsetof(struct hub_options, reach)), \
  {.name = "max-message", .kind = OPTION_SIZE, .offset = (BASE) + offsetof(struct hub_options, max_message), \
   .value = "BYTES", .text = "largest message to receive or send (16M by default)", \
   .min = 1, .max = (uint64_t)1 << 30}, \
  REACH_TIMEOUT((BASE) + offsetof(struct hub_options, reach)), \
  {.name = "persist", .kind = OPTION_FLAG, .offset = (BASE) + offsetof(struct hub_options, persist), \
   .text = "try again also when the first attempt to connect fails"}, \
  {.name = "quiet", .letter = 'q', .kind = OPTION_FLAG, .offset = (BASE) + offsetof(struct hub_options, quiet), \
   .text = "print errors and messages only"}
/* clang-format on */

enum { HUB_MESSAGE = 16 * 1024 * 1024 }; /* max_message by default */

struct hub_session {
  const struct command *command;
  const struct hub_options *options;
  const char *url;
  coho_loop *loop;
  coho_client *client;
  coho_tls *tls;
  char *token; /* the latest that was shown */
  int status;  /* of the program */
  bool open;
  bool opened;  /* once */
  bool over;    /* nothing more is to be done */
  bool stopped; /* by a signal */
};

/* url is checked and lives as long as s. 0, or an exit status after a sentence; hub_session_finish()
   in any case. */
int hub_session_start(struct hub_session *s, const struct command *c, const struct hub_options *o,
                      const char *url, uint32_t publish_timeout_ms);
/* One turn, which waits for what happens, also on these: -1 and NULL for none. Whether `in` may be read;
   out->error is EPIPE once its reader is gone. */
bool hub_session_turn(struct hub_session *s, int in, struct sink *out);
/* It is over, with at least this status. */
void hub_session_end(struct hub_session *s, int status);
/* Closes the connection and frees all; returns the exit status. */
int hub_session_finish(struct hub_session *s);

/* What to do about an error of the hub: "; --token-file FILE shows a token", or "". */
const char *hub_session_advice(const struct hub_session *s, int err);

void hub_session_note(const struct hub_session *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* And the session is over with EXIT_PEER. */
void hub_session_fail(struct hub_session *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
