/*
 * The access log of coho serve: lines of text or JSON, on standard error or in a file. One for the
 * process. Never holds up an event loop: what finds no room is counted, and told with the next line.
 *
 *   {"time":"2026-01-31T12:00:00.000Z","peer":"127.0.0.1:4711","method":"GET","target":"/chat?token=*",
 *    "status":101,"bytes":0,"duration_ms":3}
 *
 * in one line; a WebSocket connection that ended has "code", of its Close, in place of "status".
 */
#ifndef COHO_CMD_ACCESSLOG_H
#define COHO_CMD_ACCESSLOG_H

#include "option.h"

#include <coho/log.h>

#define ACCESSLOG_TEXT                                                                         \
  "print a line for each request and each finished connection, on standard error; secrets of " \
  "the query are *"
#define ACCESSLOG_FORMAT_WORDS "text json"
#define ACCESSLOG_FORMAT_TEXT                                                                    \
  "with --access-log: text (the default), PEER \"METHOD TARGET\" STATUS BYTES DURATIONms with "  \
  "the time in front, or json, an object in each line; STATUS is the close code of a WebSocket " \
  "connection that ended"
#define ACCESSLOG_FILE_TEXT                                                                  \
  "with --access-log: append to this file, made for owner and group alone; opened again on " \
  "SIGHUP"

struct accesslog_options {
  const char *format, *file;
  bool on;
};

/* 0, or EXIT_USAGE after a sentence; opens nothing. */
int accesslog_check(const struct command *c, const struct accesslog_options *o);
/* From now on so; with a file it is opened, again if need be. 0, or errno of the file: nothing has
   changed then. Any thread; options are copied. */
int accesslog_set(const struct accesslog_options *o);
/* For coho_server_options.access. */
void accesslog_on_access(void *ctx, const coho_access *a);
/* When no server runs any more. */
void accesslog_close(void);

#endif
