/*
 * A client's conversation: one connection, what it receives on standard output, what happens to it
 * on standard error. Who has something to send asks session_wait() for leave first; that is where
 * everything else happens.
 */
#ifndef COHO_CMD_SESSION_H
#define COHO_CMD_SESSION_H

#include "pings.h"
#include "print.h"
#include "sink.h"

#include <coho/coho.h>

struct terminal;

struct session_conf {
  const char *url;
  uint64_t linger_ms;
  uint64_t ping_ms; /* 0: none */
  uint64_t max_message;
  bool binary; /* lines are sent as binary */
  bool hex;    /* lines are hexadecimal, and so is what is received */
  bool quiet;  /* only errors */
  bool verbose;
  bool offers;      /* subprotocols */
  bool interactive; /* lines come from a terminal with editing */
};

struct session {
  const struct session_conf *conf;
  coho_loop *loop;
  coho_conn *conn;           /* NULL before and after */
  struct terminal *terminal; /* NULL: none; of the one who set it */
  coho_timer *linger, *ping, *guard;
  struct print print;
  struct sink sink;
  struct pings pings;
  uint64_t ping_count;
  int status;       /* of the program */
  bool open;        /* between on_open and on_close */
  bool choked;      /* the peer does not keep up: wait for on_drain */
  bool paused;      /* our reader does not keep up */
  bool shut;        /* nothing will be sent any more */
  bool lingering;   /* closes after some silence */
  bool ours;        /* we began to close */
  bool interrupted; /* once */
  bool silent;      /* nobody is interested any more */
  bool over;
};

/* 0, or an exit status after a sentence. opt gets handlers, limits and deadlines. */
int session_start(struct session *s, const struct session_conf *conf, coho_options *opt);
/* Waits until the connection takes a message and, if asked for, input may be read. False: it never
   will any more. */
bool session_wait(struct session *s, bool input);
/* 0 (also: taken and gone with a connection that just closed), or COHO_ETOOBIG, COHO_ENOMEM. */
int session_send(struct session *s, coho_msg m);
void session_ping(struct session *s, struct coho__view payload);
/* Begins to close, with code 0 for none; reason may be NULL. */
void session_close(struct session *s, int code, const char *reason);
/* Nothing more will be sent: closes after a while without messages. */
void session_linger(struct session *s);
/* Waits for the end, frees everything, and returns the exit status. */
int session_finish(struct session *s);

/* A line about what happens, and one about what went wrong. Arguments are escaped by the caller. */
void session_note(struct session *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void session_error(struct session *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A sentence about something wrong, and the session ends: closes with 1000, exit status 1. */
void session_fail(struct session *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
