/* An HTTP handler that defers its request and keeps it for the test, with a record of what it was told. */
#ifndef TESTS_SUPPORT_HELD_H
#define TESTS_SUPPORT_HELD_H

#include <coho/coho.h>

struct held {
  coho_request *r; /* the latest, until it is gone */
  char order[64];  /* a letter for each callback of any: d(rain) s(top) g(one) */
  /* What the test does inside callbacks; may be NULL. */
  void (*called)(coho_request *r, char which);
};

extern struct held held;

extern const coho_late held_callbacks;
void held_serve(coho_request *r, void *user); /* the handler */
void held_reset(void);
/* Begins its reply, "text/plain" with status 200. */
void held_begin(void);
/* The test has answered it: nothing more is to come. */
void held_answered(void);

#endif
