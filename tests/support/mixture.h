/*
 * Requests of one connection, pipelined, whose answers come in every way there is: at once, later, in
 * parts, in parts over time; and the check that each answer comes in order with all its bytes.
 */
#ifndef TESTS_SUPPORT_MIXTURE_H
#define TESTS_SUPPORT_MIXTURE_H

#include "support/dice.h"

#include <coho/coho.h>
#include <stdbool.h>

enum { MIXTURE_REQUESTS = 60, MIXTURE_TEXT = MIXTURE_REQUESTS * 200 };

/* What is served below this pattern with the mixture as user pointer. Any method. */
#define MIXTURE_PATTERN "/:kind/:size/:turns"

struct mixture {
  struct dice dice;
  struct {
    char kind; /* i(mmediately), l(ate), s(treamed later), p(arts at once) */
    bool head;
    size_t size;
  } of[MIXTURE_REQUESTS];
  char text[MIXTURE_TEXT];
  size_t len;      /* of the requests */
  size_t answered; /* and seen to be right */
  size_t at;       /* how much of the answers has been looked at */
};

void mixture_make(struct mixture *m, uint64_t seed);
void mixture_serve(coho_request *r, void *mixture);
/* in: all that came so far, terminated. Fails the test when it is wrong; true when all is there. */
bool mixture_check(struct mixture *m, const char *in, size_t len);

#endif
