#include "session.h"

#include "base/check.h"
#include "closing.h"
#include "escape.h"
#include "option.h"
#include "terminal.h"

#include <coho/tls.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

enum {
  FLUSH_BYTES = 64 * 1024, /* so much output is collected before it is written */
  LOW_MARK = 64 * 1024,    /* so little of what we sent waits when input is read again */
  GUARD_MS = 2000,         /* an interrupt waits so long for the peer's Close */
  PAYLOAD_TEXT = 4 * PING_BYTES + 1
};

/* ---- what is said about it ----------------------------------------------------------------- */

static void __attribute__((format(printf, 3, 0)))
say(struct session *s, const char *prefix, const char *format, va_list args) {
  if (s->silent) return;
  sink_flush(&s->sink);
  terminal_hide(s->terminal);
  fputs(prefix, stderr);
  vfprintf(stderr, format, args);
  fputc('\n', stderr);
  terminal_show(s->terminal);
}

void session_note(struct session *s, const char *format, ...) {
  va_list args;
  if (s->conf->quiet) return;
  va_start(args, format);
  say(s, "coho: ", format, args);
  va_end(args);
}

void session_error(struct session *s, const char *format, ...) {
  va_list args;
  va_start(args, format);
  say(s, "coho connect: ", format, args);
  va_end(args);
}

void session_fail(struct session *s, const char *format, ...) {
  va_list args;
  va_start(args, format);
  say(s, "coho connect: ", format, args);
  va_end(args);
  s->status = EXIT_PEER;
  session_close(s, 1000, NULL);
}

/* Frames that people want to see at work, and programs do not. */
static bool shows_frames(const struct session *s) {
  return s->conf->verbose || s->conf->interactive;
}

/* " 'payload'", or nothing. */
static const char *payload_text(char dst[PAYLOAD_TEXT + 3], const coho_msg *m) {
  char text[PAYLOAD_TEXT];
  struct coho__view payload = {m->data, m->len};
  (void)snprintf(dst, PAYLOAD_TEXT + 3, m->len ? " '%s'" : "%s",
                 escape_line(text, sizeof text, payload));
  return dst;
}

/* ---- output -------------------------------------------------------------------------------- */

/* At once and without words; session_finish() cuts the connection. */
static void drop(struct session *s) {
  s->over = s->silent = true;
  s->sink.discard = true;
  s->status = EXIT_PEER;
}

/* Ends when the peer has answered, or does not. */
static void close_soon(struct session *s, int code) {
  if (!s->open) {
    drop(s);
    return;
  }
  session_close(s, code, NULL);
  coho_timer_start(s->guard, GUARD_MS, 0);
}

/* Nobody reads our output any more: nothing to talk about when that is all, the reader had enough. */
static void lose_output(struct session *s, int error) {
  if (error != EPIPE) session_error(s, "cannot write the output: %s", strerror(error));
  s->silent = s->sink.discard = true;
  s->sink.error = 0;
  sink_flush(&s->sink);
  s->status = EXIT_PEER;
  if (!s->over) close_soon(s, 1001);
}

/* Writes what goes without blocking; what does not stops the connection until it does. */
static void flush_output(struct session *s) {
  sink_flush(&s->sink);
  if (s->sink.error) lose_output(s, s->sink.error);
  bool waits = sink_waits(&s->sink);
  if (waits == s->paused || !s->conn) return;
  s->paused = waits;
  if (waits)
    coho_pause(s->conn);
  else
    coho_resume(s->conn);
}

static void show_message(struct session *s) {
  terminal_hide(s->terminal);
  sink_flush_all(&s->sink);
  terminal_show(s->terminal);
}

/* ---- events of the connection -------------------------------------------------------------- */

static struct session *session_of(const coho_conn *c) {
  return (struct session *)coho_conn_user(c);
}

/* Where it is, how the way there is protected, and what both agreed on. */
static void tell_peer(struct session *s, const coho_conn *c) {
  char peer[COHO_ADDR_MAX], tls[128], extensions[COHO_EXTENSIONS_MAX];
  session_note(s, "the server's address is %s", coho_conn_peer(c, peer, sizeof peer));
  if (*coho_conn_tls(c, tls, sizeof tls)) session_note(s, "TLS: %s", tls);
  if (*coho_conn_extensions(c, extensions, sizeof extensions))
    session_note(s, "extensions: %s", extensions);
}

static void on_open(coho_conn *c) {
  struct session *s = session_of(c);
  const char *protocol = coho_conn_protocol(c);
  s->open = true;
  if (s->conf->verbose) tell_peer(s, c);
  if (*protocol)
    session_note(s, "connected to %s, subprotocol %s", s->conf->url, protocol);
  else
    session_note(s, "connected to %s%s", s->conf->url, s->conf->offers ? ", no subprotocol" : "");
  if (s->conf->interactive)
    session_note(s, "type a text to send it; /help shows what else there is");
  if (s->conf->ping_ms) {
    uint32_t interval = (uint32_t)s->conf->ping_ms;
    coho_timer_start(s->ping, interval, interval);
  }
}

/* A ping of our own may be on its way just when the silence is over: look again soon, and not after
   another silence, which the next ping would meet again. */
enum { LINGER_AGAIN_MS = 20 };

static void restart_linger(struct session *s) {
  coho_timer_start(s->linger, (uint32_t)s->conf->linger_ms, 0);
}

static void on_message(coho_conn *c, coho_msg m) {
  struct session *s = session_of(c);
  if (s->lingering) restart_linger(s);
  if (s->sink.discard) return;
  int err = print_message(&s->sink.buf, &s->print, &m);
  if (err)
    session_fail(s, "cannot show a message of %zu bytes: %s", m.len, coho_strerror(err));
  else if (s->terminal)
    show_message(s);
  else if (s->sink.buf.len > FLUSH_BYTES)
    flush_output(s);
}

static void on_drain(coho_conn *c) { session_of(c)->choked = false; }

static void on_ping(coho_conn *c, coho_msg m) {
  struct session *s = session_of(c);
  char text[PAYLOAD_TEXT + 3];
  if (shows_frames(s)) session_note(s, "ping%s from the peer, answered", payload_text(text, &m));
}

static void on_pong(coho_conn *c, coho_msg m) {
  struct session *s = session_of(c);
  char text[PAYLOAD_TEXT + 3];
  uint64_t ns;
  if (pings_match(&s->pings, (struct coho__view){m.data, m.len}, &ns))
    session_note(s, "pong%s after %.3f ms", payload_text(text, &m), (double)ns / 1e6);
  else if (s->conf->verbose || (m.len && s->conf->interactive))
    session_note(s, "pong%s", payload_text(text, &m));
}

/* How it ended when both sides closed properly. */
static void report_close(struct session *s, const coho_ending *how) {
  bool bad = !s->ours && !closing_is_good(how->code);
  const char *hub = closing_hub_words(how->code);
  const char *by = s->ours ? "" : " by the peer";
  char reason[4 * 123 + 1], text[sizeof reason + 200];
  escape_line(reason, sizeof reason, coho__view_of(how->reason));
  (void)snprintf(text, sizeof text, "closed%s with %u (%s%s%s)%s%s", by, how->code,
                 closing_words(how->code), hub ? "; of topics: " : "", hub ? hub : "",
                 *how->reason ? ", reason: " : "", reason);
  if (bad) {
    s->status = EXIT_PEER;
    session_error(s, "%s", text);
  } else {
    session_note(s, "%s", text);
  }
}

/* The system's clock, or the server's people, have to help against the others. */
static const char *certificate_hint(const char *detail) {
  static const struct {
    const char *trouble, *hint;
  } known[] = {
      {"certificate is not for ", "--tls-name HOST checks it for another name"},
      {"certificate expired on ", NULL},
      {"certificate is not valid before ", NULL},
  };
  for (size_t i = 0; i < COHO_COUNT(known); i++)
    if (strstr(detail, known[i].trouble)) return known[i].hint;
  return "--cacert FILE trusts another authority, --insecure anybody";
}

static void report_error(struct session *s, const coho_ending *how) {
  char detail[1024];
  const char *rfc = coho_error_rfc(how->err);
  const char *text = *how->detail ? how->detail : coho_strerror(how->err);
  bool rule = coho_error_answer(how->err) >= 1000 && *rfc;
  s->status = EXIT_PEER;
  session_error(s, "%s%s%s%s", escape_line(detail, sizeof detail, coho__view_of(text)),
                rule ? " (" : "", rule ? rfc : "", rule ? ")" : "");
  const char *hint = how->err == COHO_ECERT ? certificate_hint(text) : NULL;
  if (hint) session_note(s, "%s", hint);
}

static void on_close(coho_conn *c, const coho_ending *how) {
  struct session *s = session_of(c);
  s->conn = NULL;
  s->open = s->paused = false;
  if (s->over) return;
  s->over = true;
  coho_timer_stop(s->linger);
  coho_timer_stop(s->ping);
  coho_timer_stop(s->guard);
  if (how->err)
    report_error(s, how);
  else
    report_close(s, how);
}

/* ---- timers and signals -------------------------------------------------------------------- */

static void on_linger(void *arg) {
  struct session *s = (struct session *)arg;
  /* Silence is the peer's only once it has all we sent, and we show all it sends. */
  if (s->paused || (s->conn && coho_conn_queued(s->conn)))
    coho_timer_start(s->linger, LINGER_AGAIN_MS, 0);
  else
    session_close(s, 1000, NULL);
}

static void on_ping_timer(void *arg) {
  struct session *s = (struct session *)arg;
  char text[24];
  int len = snprintf(text, sizeof text, "%llu", (unsigned long long)++s->ping_count);
  session_ping(s, (struct coho__view){text, (size_t)len});
}

static void on_guard(void *arg) {
  struct session *s = (struct session *)arg;
  session_error(s, "%s", coho_strerror(COHO_ECLOSETIMEOUT));
  drop(s);
}

static void on_interrupt(void *arg, int signo) {
  struct session *s = (struct session *)arg;
  (void)signo;
  if (s->interrupted) {
    drop(s);
    return;
  }
  s->interrupted = true;
  if (sink_waits(&s->sink)) s->sink.discard = true;
  close_soon(s, 1000);
}

static void on_terminal_signal(void *arg, int signo) {
  struct session *s = (struct session *)arg;
  if (signo == SIGTSTP)
    terminal_suspend(s->terminal);
  else
    terminal_resize(s->terminal);
}

static void log_line(void *ctx, int level, const char *line) {
  (void)level;
  session_note((struct session *)ctx, "%s", line);
}

/* ---- life ---------------------------------------------------------------------------------- */

static int watch_signals(struct session *s) {
  int err = coho_loop_signal(s->loop, SIGINT, on_interrupt, s);
  if (!err) err = coho_loop_signal(s->loop, SIGTERM, on_interrupt, s);
  if (err || !s->conf->interactive) return err;
  err = coho_loop_signal(s->loop, SIGWINCH, on_terminal_signal, s);
  return err ? err : coho_loop_signal(s->loop, SIGTSTP, on_terminal_signal, s);
}

static int make_parts(struct session *s) {
  s->loop = coho_loop_new();
  if (!s->loop) return COHO_ENOMEM;
  s->linger = coho_timer_new(s->loop, on_linger, s);
  s->ping = coho_timer_new(s->loop, on_ping_timer, s);
  s->guard = coho_timer_new(s->loop, on_guard, s);
  return s->linger && s->ping && s->guard ? watch_signals(s) : COHO_ENOMEM;
}

static void fill_options(struct session *s, coho_options *opt) {
  uint64_t max = s->conf->max_message;
  opt->on_open = on_open;
  opt->on_message = on_message;
  opt->on_drain = on_drain;
  opt->on_ping = on_ping;
  opt->on_pong = on_pong;
  opt->on_close = on_close;
  opt->user = s;
  opt->max_message = max;
  /* One message above the mark at which input is read again. */
  opt->low_mark = LOW_MARK;
  opt->max_queue = 2 * (max + LOW_MARK);
  /* We stop sending instead: if both sides stopped reading, nothing would ever move again. */
  opt->flags |= COHO_NO_AUTO_PAUSE;
  /* A reader of our output may take its time; a peer that is gone is found out by pings. */
  opt->write_timeout_ms = UINT32_MAX;
}

/* All else that could be wrong with the options was looked at before. */
static const char WRONG_FIELD[] = "--header and --origin cannot set an empty Origin, one twice, or "
                                  "what the handshake sets itself, "
                                  "such as Host, Upgrade or Sec-WebSocket-Protocol (--protocol)";

int session_start(struct session *s, const struct session_conf *conf, coho_options *opt) {
  *s = (struct session){.conf = conf};
  s->print = (struct print){
      .terminal = isatty(STDOUT_FILENO) == 1, .hex = conf->hex, .marked = conf->interactive};
  /* A message may grow fourfold by escapes, and another one may still wait. */
  sink_init(&s->sink, STDOUT_FILENO, 8 * (size_t)conf->max_message + 2 * FLUSH_BYTES);
  (void)signal(SIGPIPE, SIG_IGN);
  (void)setvbuf(stderr, NULL, _IOLBF, BUFSIZ); /* a line is one write */
  int err = make_parts(s);
  coho_set_log(log_line, s, conf->verbose ? COHO_LOG_INFO : COHO_LOG_WARN);
  fill_options(s, opt);
  if (!err) err = coho_connect(s->loop, conf->url, opt, &s->conn);
  if (!err) return 0;
  session_error(s, "%s", err == COHO_EOPTION ? WRONG_FIELD : coho_strerror(err));
  s->over = true;
  s->status = err == COHO_EOPTION || err == COHO_EURL ? EXIT_USAGE : EXIT_PEER;
  return s->status;
}

/* One turn of everything, waiting if asked to; whether input may be read. */
static bool turn(struct session *s, bool input, bool wait) {
  struct pollfd fds[] = {
      {.fd = coho_loop_fd(s->loop), .events = POLLIN},
      {.fd = input ? STDIN_FILENO : -1, .events = POLLIN},
      {.fd = s->sink.discard ? -1 : s->sink.fd, .events = sink_waits(&s->sink) ? POLLOUT : 0}};
  (void)poll(fds, COHO_COUNT(fds), wait ? coho_loop_timeout(s->loop) : 0);
  (void)coho_loop_turn(s->loop, 0);
  if (fds[2].revents & (POLLERR | POLLHUP | POLLNVAL) && !s->sink.discard) lose_output(s, EPIPE);
  flush_output(s);
  return fds[1].revents != 0;
}

int session_finish(struct session *s) {
  while (!s->over || sink_waits(&s->sink))
    (void)turn(s, false, true);
  if (s->loop) {
    coho_timer_free(s->linger);
    coho_timer_free(s->ping);
    coho_timer_free(s->guard);
    coho_loop_free(s->loop);
  }
  coho_set_log(NULL, NULL, COHO_LOG_WARN);
  sink_free(&s->sink);
  return s->status;
}

/* ---- what one does with it ----------------------------------------------------------------- */

static bool takes_message(const struct session *s) { return s->open && !s->choked && !s->shut; }

bool session_wait(struct session *s, bool input) {
  while (!s->over && !s->shut) {
    bool takes = takes_message(s);
    bool ready = turn(s, takes && input, !takes || input);
    if (takes_message(s) && (ready || !input)) return true;
  }
  return false;
}

int session_send(struct session *s, coho_msg m) {
  if (m.len > s->conf->max_message) return COHO_ETOOBIG;
  int got = s->conn ? coho_send(s->conn, m) : COHO_ECLOSED;
  if (got == COHO_QUEUED) s->choked = true;
  if (got == COHO_ECLOSED) s->shut = true;
  return got < 0 && got != COHO_ECLOSED ? got : 0;
}

void session_ping(struct session *s, struct coho__view payload) {
  if (!s->conn || coho_ping(s->conn, payload.data, payload.len)) return;
  pings_add(&s->pings, payload);
}

void session_close(struct session *s, int code, const char *reason) {
  s->shut = true;
  s->lingering = false;
  coho_timer_stop(s->linger);
  if (s->ours || !s->conn) return;
  int err = coho_close(s->conn, code, reason);
  s->ours = !err;
  /* Closing already is fine; else there is no polite way. */
  if (err && err != COHO_ECLOSED) drop(s);
}

void session_linger(struct session *s) {
  s->shut = true;
  if (!s->conf->linger_ms) {
    session_close(s, 1000, NULL);
    return;
  }
  s->lingering = true;
  restart_linger(s);
}
