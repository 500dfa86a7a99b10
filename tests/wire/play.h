/* Plays one case against the engine, its input cut in one of several ways. */
#ifndef WIRE_PLAY_H
#define WIRE_PLAY_H

#include "frame.h"
#include "guard.h"
#include "script.h"

/* How the peer's bytes arrive. */
struct way {
  size_t chunk; /* at most so many bytes at once; 0: all that stand between two expectations */
  size_t step;  /* this step's input in two pieces, the first of cut bytes; SIZE_MAX: no step */
  size_t cut;
};

enum { MAX_ON_REQUEST = 4 };

struct play {
  const struct wire_case *c;
  struct way way;
  coho_ws *ws;
  struct tally *tally;
  struct randomness randomness;
  struct happening *seen; /* events that came */
  size_t seen_count, seen_next, seen_room;
  struct bytes out; /* what the engine wrote */
  size_t out_next;
  struct bytes head; /* the last one expected */
  const struct step *on_request[MAX_ON_REQUEST];
  size_t on_request_count;
  const struct step *on_part; /* NULL: nothing is done there */
  const struct step *some;    /* the message of which some was expected last, ... */
  size_t some_len;            /* ... and how much that was */
  struct zip *zip;            /* what its compressed output means; NULL before the first */
  unsigned window;            /* of zip */
  size_t held_step, held_at;  /* input that waits until events are pulled again */
  uint64_t start, now, wake;  /* ms */
  size_t last_words;          /* length of out when COHO_CLOSE came */
  bool holding;               /* output is not taken */
  bool pausing;               /* the next part ... */
  bool paused;                /* ... was the last event that is pulled */
  bool closed;                /* COHO_CLOSE came */
  bool finished;              /* expected to be */
  bool failed;
};

/* False when something was not as expected, which was printed. */
bool play_case(const struct wire_case *c, const struct way *way, struct tally *tally);

/* Prints the first lines of a failure; the caller adds dumps. */
void play_fail(struct play *p, const struct step *s, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* expect.c: compares what came with what the step expects. */
void expect_step(struct play *p, const struct step *s);
/* Nothing is left that no step expected; s is the step that comes next, NULL at the end. */
void expect_quiet(struct play *p, const struct step *s);

void happening_free(struct happening *h);

#endif
