/*
 * The connections of a loop, by number. A coho_id is
 *
 *   loop index 10 bits | slot 22 bits | generation 32 bits
 *
 * and names one connection for ever: a slot gets a new generation for each, also when the loop's
 * index is used again by a later loop, and is retired once its generations are used up.
 *
 * A connection keeps its slot until it is freed, but its id goes stale as soon as on_close ran.
 */
#ifndef COHO_WS_CONN_TABLE_H
#define COHO_WS_CONN_TABLE_H

#include "base/buf.h"
#include "base/map.h"
#include "http/counters.h"
#include "io/loop.h"
#include "proto/permessage.h"

enum { COHO_SLOT_BITS = 22, COHO_SLOT_NONE = (1 << COHO_SLOT_BITS) };

struct coho__slot {
  coho_conn *conn;     /* NULL: free */
  uint32_t generation; /* of conn, or of the next one; 0: retired */
  uint32_t next_free;
};

/* Where connections belong: one for the clients of a loop, one for each loop of a server. It lives
   until its connections are freed. */
struct coho__home {
  coho_loop *loop;
  struct coho__conn_table *table;
  struct coho__counters *counters;
  struct coho__http *http; /* NULL for clients */
  size_t conns;            /* not freed yet */
  bool keeps_targets;      /* COHO_KEEP_TARGETS */
  /* May be NULL: after on_close, with its err; and when the last connection was freed. */
  void (*on_end)(struct coho__home *home, int err);
  void (*on_empty)(struct coho__home *home);
};

/* What a layer above hangs on the connections of a loop. On its thread. */
struct coho__attached_ops {
  void (*gone)(coho_conn *c);      /* one with c->attached ends; before on_error and on_close */
  void (*room)(coho_conn *c);      /* it may be given more, after coho__conn_room() had said no */
  void (*free)(void *attachments); /* the table goes, all connections have gone */
  /* Appends the topics that c follows, with spaces between them; NULL: it has none. 0, COHO_ENOMEM,
     COHO_EFULL. */
  int (*topics)(const coho_conn *c, struct coho__buf *out);
};

struct coho__conn_table {
  coho_loop *loop;
  struct coho__slot *slots;
  uint32_t cap, count, free_head;
  uint32_t first;                     /* generation of a slot never used */
  bool closing;                       /* the loop is being freed: nothing new begins */
  coho_conn *corked;                  /* whose output collects in loop->cork */
  coho_request *request;              /* of the connection whose on_open runs */
  struct coho__deflate_pool *deflate; /* NULL before a connection compresses */
  const struct coho__attached_ops *attached_ops;
  void *attachments;      /* NULL before there is one */
  struct coho__map gates; /* client.c: attempts that wait for another to the same host */
  struct coho__home clients;
  struct coho__counters counters; /* of clients */
  struct coho__teardown teardown;
  struct coho__task burial;
};

/* The table of a loop, made when there is none. NULL: out of memory. */
struct coho__conn_table *coho__conn_table_of(coho_loop *loop);

/* Gives c a slot. COHO_SLOT_NONE: out of memory or slots. */
uint32_t coho__conn_table_add(struct coho__conn_table *t, coho_conn *c);
coho_id coho__conn_table_id(const struct coho__conn_table *t, uint32_t slot);
/* The id is stale from now on; the slot stays. */
void coho__conn_table_expire(struct coho__conn_table *t, uint32_t slot);
void coho__conn_table_remove(struct coho__conn_table *t, uint32_t slot);
/* On the loop's own thread. NULL: stale. */
coho_conn *coho__conn_table_find(const struct coho__conn_table *t, coho_id id);

/* Walks the connections, those included whose id went stale. *it starts as 0. NULL at the end. */
coho_conn *coho__conn_table_next(const struct coho__conn_table *t, uint32_t *it);

struct coho__letter;
/* Posts to the loop of a connection, if it lives and its payload limit allows `bytes`. Any thread.
   0: the letter is the mailbox's; COHO_ESTALE, COHO_ETOOBIG, COHO_EFULL: it stays the caller's. */
int coho__conn_table_post(coho_id id, uint64_t bytes, struct coho__letter *l);

/* For tests: the parts of an id. */
uint32_t coho__id_loop(coho_id id);
uint32_t coho__id_slot(coho_id id);
uint32_t coho__id_generation(coho_id id);

#endif
