/*
 * A roll: who has come, in that order, each with the number he got then, so that who reads it in pieces
 * goes on where he was, whoever came and went meanwhile.
 *
 * Invariants: numbers rise; a place with nobody is that of one who has gone; at most half of the places
 * and 16 more are so, and not the last one.
 */
#ifndef COHO_HUB_ROLL_H
#define COHO_HUB_ROLL_H

#include <stddef.h>
#include <stdint.h>

struct coho__member;

struct coho__roll_place {
  uint64_t number;
  struct coho__member *who; /* NULL: gone */
};

struct coho__roll {
  struct coho__roll_place *places;
  size_t cap, used, count; /* places, those that were taken, those who are here */
};

void coho__roll_free(struct coho__roll *r); /* not who is in it */
/* The number is above all others. 0 or COHO_ENOMEM. */
int coho__roll_add(struct coho__roll *r, uint64_t number, struct coho__member *who);
void coho__roll_remove(struct coho__roll *r, uint64_t number); /* it is there */
/* Who has a number above this one, in order, at most max; returns how many. */
size_t coho__roll_after(const struct coho__roll *r, uint64_t number, struct coho__member **out,
                        size_t max);
void coho__roll_check(const struct coho__roll *r);

#endif
