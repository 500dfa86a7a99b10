/* A peer that is only a socket: what it sends may be anything. The world turns while it waits. */
#ifndef TESTS_SUPPORT_RAW_H
#define TESTS_SUPPORT_RAW_H

#include "support/world.h"

struct raw {
  struct world *w; /* NULL: not connected */
  int fd;
  size_t len; /* of buf, received and not looked at */
  char buf[1 << 18];
};

struct raw_frame {
  unsigned opcode;
  bool fin, rsv1, masked;
  unsigned char key[4];
  size_t len;
  const char *data; /* valid until the next call */
};

void raw_connect(struct raw *r, struct world *w);
/* With a small receive buffer, so that it is soon full (but larger than a segment of loopback). */
void raw_connect_narrow(struct raw *r, struct world *w);
bool raw_try_connect(struct raw *r, struct world *w);       /* false: nobody listens */
void raw_close(struct raw *r);                              /* if it is connected */
void raw_send(struct raw *r, const void *data, size_t len); /* all of it */
/* Waits for a head, which it returns terminated, up to and with the empty line. */
const char *raw_head(struct raw *r, char *dst, size_t cap);
/* Waits for so many bytes, valid until the next call. */
const char *raw_bytes(struct raw *r, size_t n);
/* The opening handshake; fields are further "Name: value\r\n" lines. Returns the status. */
int raw_upgrade(struct raw *r, const char *target, const char *fields);
/* A masked frame. */
void raw_frame(struct raw *r, unsigned opcode, bool fin, const void *data, size_t len);
/* Waits for the next frame and unmasks it; false: the end of the stream. */
bool raw_next(struct raw *r, struct raw_frame *f);
/* Waits for the end of the stream, discarding. False: a reset. */
bool raw_eof(struct raw *r);
/* The code of a Close frame, 1005 when it has none. */
unsigned raw_code(const struct raw_frame *f);

/* A listener for clients of coho: what it answers may be anything. The world's url and port become
   its own. */
int raw_listen(struct world *w);
void raw_accept(struct raw *r, struct world *w, int listener);
/* The right 101 for the request in head; fields are further "Name: value\r\n" lines. */
void raw_answer(struct raw *r, const char *head, const char *fields);
/* The same with `rest` behind it in the same segment. */
void raw_answer_with(struct raw *r, const char *head, const char *fields, const char *rest);

#endif
