/*
 * A clock that tests move: whoever calls these has them in place of base/clock.c. Until it is stopped it
 * goes as the machine's; from then on only as the test says, so that nothing depends on how fast anything
 * is. The deadlines of tests (UNTIL) go by the machine's in any case.
 */
#ifndef TESTS_SUPPORT_CLOCK_H
#define TESTS_SUPPORT_CLOCK_H

#include <stdint.h>

void clock_stop(void);
void clock_move(uint64_t ms); /* of both clocks */
void clock_go(void);          /* goes again, from where it is or later */

#endif
