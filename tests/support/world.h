/*
 * A server and its clients on one loop in one thread, so that tests see every step; and a probe that
 * records what the handlers of a connection were told.
 */
#ifndef TESTS_SUPPORT_WORLD_H
#define TESTS_SUPPORT_WORLD_H

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include <coho/coho.h>
#include <stdbool.h>

struct probe {
  coho_conn *conn; /* the latest that was opened */
  coho_id id;
  unsigned opens, messages, drains, pings, pongs, errors, closes;
  int error;          /* of on_error */
  coho_ending ending; /* its strings are those below */
  char reason[128], detail[512];
  size_t bytes;    /* payload of all messages */
  char last[4096]; /* payload of the last message or control frame, terminated, cut */
  uint32_t last_type, last_flags;
  char order[64]; /* one letter for each call: o m d i(ping) p(pong) e c */
  /* What the test does inside handlers; may be NULL. */
  void (*opened)(struct probe *p, coho_conn *c);
  void (*message)(struct probe *p, coho_conn *c, coho_msg m);
  void (*drained)(struct probe *p, coho_conn *c);
  void (*ponged)(struct probe *p, coho_conn *c);
  void (*pinged)(struct probe *p, coho_conn *c);
  void (*failed)(struct probe *p, coho_conn *c);
  void (*closed)(struct probe *p, coho_conn *c);
  void *ctx;
};

/* Options whose handlers record into p, which is also their user pointer. */
coho_options probe_options(struct probe *p);
/* A message handler that sends it back. */
void probe_echo(struct probe *p, coho_conn *c, coho_msg m);

struct world {
  coho_loop *loop;
  coho_server *server;
  uint16_t port;
  char url[64]; /* without path: "ws://127.0.0.1:4711" */
};

/* A server with one WebSocket route on this pattern, listening. opt NULL: none yet. */
void world_open(struct world *w, const char *pattern, const coho_options *opt);
/* Listens and starts; after world_open() with opt NULL and the routes. */
void world_start(struct world *w);
void world_close(struct world *w);
/* A client of this world. */
coho_conn *world_connect(struct world *w, const char *path, const coho_options *opt);
/* One turn that waits a little. */
void world_turn(struct world *w);
uint64_t world_clock_ms(void);

/* Turns until it is so; fails when that takes far too long. */
#define UNTIL(w, condition) \
  for (uint64_t begun_ = world_clock_ms(); !(condition); world_wait(w, begun_, #condition)) {}
void world_wait(struct world *w, uint64_t begun_ms, const char *what);

#endif
