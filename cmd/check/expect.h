/* What the other side has to do. */
#ifndef COHO_CMD_CHECK_EXPECT_H
#define COHO_CMD_CHECK_EXPECT_H

#include "play.h"

/* The next event, but pings of the other side, which are answered; one that comes when the time is up
   is told, so that pings without end have one. */
struct event expect_next(struct check_run *r, uint64_t deadline);
/* Unsolicited pongs are allowed (RFC 6455 5.5.3). */
struct event expect_next_but_pongs(struct check_run *r, uint64_t deadline);

bool expect_message(struct check_run *r, unsigned opcode, const void *data, size_t len);
bool expect_pong(struct check_run *r, const void *data, size_t len);
/* The pongs of the pings among these frames, in their order: some may be missing, but not the last
   (RFC 6455 5.5.3). *missing says how many. */
bool expect_pongs(struct check_run *r, const struct frame *frames, size_t count, size_t *missing);
/* Sends the message, which has to come back. */
bool expect_echo(struct check_run *r, unsigned opcode, const void *data, size_t len);
/* Sends a ping; its pong is the next that comes. */
bool expect_alive(struct check_run *r);
/* Nothing comes for a moment: where no ping can be sent. */
bool expect_silence(struct check_run *r, uint64_t ms);
bool expect_end(struct check_run *r); /* of TCP, after a Close */

/* ---- what decides ---- */

/* Close codes, ended by 0. */
extern const unsigned expect_1002[], expect_1007[], expect_1002_1007[], expect_1009[],
    expect_1002_1009[];

/* Closes with 1000, and all ends as it must: passed. */
void expect_close(struct check_run *r);
/* The same; informational when so many pings were left out by expect_pongs(). Their pongs must not
   come now. */
void expect_close_but(struct check_run *r, size_t missing);
/* Once a Close is sent: its answer carries this code, 1000 or none. Passed. */
void expect_closing(struct check_run *r, unsigned code);
/* The other side fails the connection, with one of the codes or without a Close: passed. */
void expect_failure(struct check_run *r, const unsigned *codes);
/* The same; the echo of a message that was sent before may come first. */
void expect_failure_after(struct check_run *r, const unsigned *codes, const void *echo, size_t len);

/* The same, at once: the bytes `rest`, which end the message, are sent only if it did not fail by
   then, and having failed behind them is informational. inside: of a frame, where no ping can tell
   that the other side has seen what was sent. */
void expect_fast_failure(struct check_run *r, const unsigned *codes, const struct bytes *rest,
                         bool inside);

#endif
