/*
 * What every WebSocket connection of a mount has, whatever it speaks: who it is, until when, and what
 * its handlers do.
 */
#ifndef COHO_TOPICS_SEAT_H
#define COHO_TOPICS_SEAT_H

#include "io/wheel.h"
#include "topics/access.h"
#include "topics/json.h"

struct coho__seat;
struct coho__held;

struct coho__seat_ops {
  void (*open)(struct coho__seat *s);
  void (*message)(struct coho__seat *s, coho_msg m);
  /* The token ends in so many seconds, of which 0 is not told: then the connection is closed. */
  void (*expiring)(struct coho__seat *s, uint64_t seconds);
  /* What it published was held (held.h): err, or the position. */
  void (*held)(struct coho__seat *s, const json_t *id, const char *topic, int err, coho_pos pos);
  void (*free)(struct coho__seat *s); /* the connection is gone, or never was */
};

struct coho__seat {
  const struct coho__seat_ops *ops;
  struct coho__mount *mount; /* that it came by */
  coho_conn *conn;           /* NULL before it is open */
  struct coho__who who;
  struct coho__wheel_timer timer; /* for a token, then until it ends */
  struct coho__held *held;        /* NULL: nothing */
  bool warned;
};

/* Takes who over. */
void coho__seat_init(struct coho__seat *s, const struct coho__seat_ops *ops, struct coho__mount *m,
                     struct coho__who *who);
/* Of a seat that is about to be freed. */
void coho__seat_end(struct coho__seat *s);
/* There is another token: its time counts from now on. */
void coho__seat_retime(struct coho__seat *s);
/* Closes the connection with the code and the text of an error. */
void coho__seat_close(struct coho__seat *s, int err);

#endif
