/* A hub that does what tests want, one client of its topics, and what the client heard. */
#ifndef TESTS_E2E_FOLLOWED_H
#define TESTS_E2E_FOLLOWED_H

#include "support/ear.h"

extern struct fake_hub fake;
extern struct ear ear;

/* Of each test: the hub listens and ear has heard nothing; in the end all memory is given back. */
int followed_setup(void **state);
int followed_teardown(void **state);
/* The same between two lives of a test. */
void followed_again(void);

/* Follows "a", and is open. opt may be NULL. */
void followed_open(const coho_client_options *opt);
/* Frees the client. */
void followed_end(void);
/* All that ear has heard is this. */
void followed_heard(const char *what);
bool followed_is(enum coho_client_state state);

#endif
