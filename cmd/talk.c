#include "talk.h"

#include "base/utf8.h"
#include "hex.h"
#include "lines.h"
#include "slash.h"
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char NOT_UTF8[] = "is not UTF-8; --binary sends bytes as they are";
static const char NOT_HEX[] = "is not hexadecimal; two digits make a byte: de ad be ef";
static const char TOO_BIG[] = "is larger than --max-message";

/* ---- one message --------------------------------------------------------------------------- */

static int send_hex(struct session *s, struct coho__view digits) {
  struct coho__buf bytes = COHO_BUF((size_t)s->conf->max_message);
  int err = hex_parse(&bytes, digits);
  if (!err) err = session_send(s, coho_binary(bytes.data, bytes.len));
  coho__buf_release(&bytes);
  return err;
}

/* As the options want it. 0, COHO_EINVAL (not hexadecimal), COHO_EUTF8, COHO_EFULL or COHO_ETOOBIG
   (too long), COHO_ENOMEM. */
static int send_line(struct session *s, struct coho__view line) {
  if (s->conf->hex) return send_hex(s, line);
  if (s->conf->binary) return session_send(s, coho_binary(line.data, line.len));
  if (!coho__utf8_valid(line.data, line.len)) return COHO_EUTF8;
  return session_send(s, coho_text_n(line.data, line.len));
}

/* What is wrong with the line, behind "it". */
static const char *objection_of(int err) {
  switch (err) {
  case COHO_EINVAL: return NOT_HEX;
  case COHO_EUTF8: return NOT_UTF8;
  case COHO_ETOOBIG:
  case COHO_EFULL: return TOO_BIG;
  default: return "cannot be sent: out of memory";
  }
}

const char *talk_objection(const struct session_conf *conf, const char *text) {
  struct coho__view line = coho__view_of(text);
  if (conf->hex) {
    struct coho__buf bytes = COHO_BUF((size_t)conf->max_message);
    int err = hex_parse(&bytes, line);
    coho__buf_release(&bytes);
    return err ? objection_of(err) : NULL;
  }
  if (line.len > conf->max_message) return TOO_BIG;
  return conf->binary || coho__utf8_valid(text, line.len) ? NULL : NOT_UTF8;
}

void talk_texts(struct session *s, const char *const *texts) {
  while (*texts && session_wait(s, false)) {
    int err = send_line(s, coho__view_of(*texts++));
    if (err) session_fail(s, "the text %s", objection_of(err));
  }
  if (session_wait(s, false)) session_linger(s);
}

/* ---- a pipe -------------------------------------------------------------------------------- */

/* All complete lines as long as they are taken; whether more has to be read. */
static bool send_lines(struct session *s, struct lines *l) {
  struct coho__view line;
  while (!s->choked && !s->shut) {
    if (!lines_peek(l, &line)) return true;
    int err = send_line(s, line);
    lines_take(l, line);
    if (err)
      session_fail(s, "line %llu of the input %s", (unsigned long long)l->count, objection_of(err));
  }
  return false;
}

static void read_lines(struct session *s, struct lines *l) {
  int err = lines_read(l);
  if (err == COHO_ETOOBIG)
    session_fail(s, "line %llu of the input %s", (unsigned long long)l->count + 1, TOO_BIG);
  else if (err == COHO_ESYSTEM)
    session_fail(s, "cannot read the input: %s", strerror(errno));
  else if (err)
    session_fail(s, "cannot read the input: %s", coho_strerror(err));
}

void talk_lines(struct session *s) {
  struct lines l;
  uint64_t max = s->conf->max_message;
  bool more = true;
  lines_init(&l, STDIN_FILENO, (size_t)(s->conf->hex ? 3 * max : max));
  while (session_wait(s, more)) {
    if (more) read_lines(s, &l);
    more = send_lines(s, &l);
    if (more && l.ended) session_linger(s);
  }
  lines_free(&l);
}

/* ---- a terminal ---------------------------------------------------------------------------- */

static ssize_t read_whole(int fd, struct coho__buf *out) {
  enum { STEP = 64 * 1024 };
  for (;;) {
    char *dst = coho__buf_reserve(out, STEP);
    if (!dst) return COHO_ETOOBIG;
    ssize_t n = read(fd, dst, STEP);
    if (n < 0) return COHO_ESYSTEM;
    if (n == 0) return 0;
    out->len += (size_t)n;
  }
}

static void send_file(struct session *s, const char *path) {
  struct coho__buf bytes = COHO_BUF((size_t)s->conf->max_message + 64 * 1024);
  /* O_NONBLOCK: a pipe without a writer must not hang us. */
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  ssize_t err = fd < 0 ? COHO_ESYSTEM : read_whole(fd, &bytes);
  if (err == COHO_ESYSTEM)
    session_error(s, "cannot read %s: %s", path, strerror(errno));
  else if (!err)
    err = session_send(s, coho_binary(bytes.data, bytes.len));
  if (err && err != COHO_ESYSTEM) session_error(s, "%s %s", path, objection_of((int)err));
  if (!err) session_note(s, "sent %zu bytes", bytes.len);
  if (fd >= 0) close(fd);
  coho__buf_release(&bytes);
}

static void report(struct session *s, int err) {
  if (err) session_error(s, "the line %s", objection_of(err));
}

static void obey(struct session *s, const char *line) {
  struct slash what = slash_parse(line);
  struct coho__view argument = coho__view_of(what.argument);
  switch (what.kind) {
  case SLASH_TEXT: report(s, send_line(s, argument)); break;
  case SLASH_PING: session_ping(s, argument); break;
  case SLASH_CLOSE: session_close(s, what.code ? what.code : 1000, what.argument); break;
  case SLASH_BINARY: report(s, send_hex(s, argument)); break;
  case SLASH_FILE: send_file(s, what.argument); break;
  case SLASH_HELP:
    for (const char *const *row = slash_help; *row; row++)
      session_note(s, "%s", *row);
    break;
  case SLASH_WRONG: session_error(s, "%s", what.argument); break;
  }
}

static bool wait_for_key(void *arg) { return session_wait((struct session *)arg, true); }

void talk_terminal(struct session *s) {
  const char *line;
  if (!session_wait(s, false)) return;
  s->terminal = terminal_open(wait_for_key, s);
  if (!s->terminal) {
    session_fail(s, "this terminal cannot be used for editing; coho connect reads lines when "
                    "TERM=dumb");
    return;
  }
  while ((line = terminal_line(s->terminal))) {
    if (*line) obey(s, line);
  }
  terminal_close(s->terminal);
  s->terminal = NULL;
  session_close(s, 1000, NULL);
}
