/*
 * What subscribers got, and when. The generator publishes and receives by one clock, so ages are exact
 * but for its own part, which is counted too: how long a message may have lain in its socket.
 */
#ifndef BENCH_AGES_H
#define BENCH_AGES_H

#include "load/histogram.h"

#include <stdbool.h>
#include <stddef.h>

/* Of messages that were published while it was measured. */
struct ages {
  struct histogram age; /* of a message, when it arrives */
  struct histogram
      wait; /* of a subscriber for it, or a later one: since the first was published that
                              it had not got; the same as age when nothing conflates */
  struct histogram held;   /* the part of wait until the first subscriber got it: not delivery */
  struct histogram spread; /* of a message: from the first who got it to the last */
  struct histogram own;    /* what of an age may be the generator's: since it looked before */
  struct histogram late;   /* of publishes, behind their schedule */
};

/* Messages are numbered from 1; most: how many there may be. */
void ages_prepare(size_t most, bool conflates);
const struct ages *ages_of(void);
/* From now on it is measured. */
void ages_begin(void);
/* The next one goes out now; returns its number. */
size_t ages_publish(uint64_t now_ns, uint64_t due_ns);
size_t ages_published(void); /* the number of the last */
uint64_t ages_published_ns(size_t number);
/* Arrived where `before` was the last. Ends the program when it is out of order or one is missing
   that must not be. */
void ages_arrive(size_t before, size_t number, uint64_t now_ns, uint64_t looked_ns);
/* After the last has arrived. */
void ages_end(void);

#endif
