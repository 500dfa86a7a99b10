/* Clocks. Monotonic ones start anywhere and never go back. */
#ifndef COHO_BASE_CLOCK_H
#define COHO_BASE_CLOCK_H

#include <stdint.h>

uint64_t coho__clock_ns(void);      /* monotonic */
uint64_t coho__clock_wall_ms(void); /* since 1970, may jump */

#endif
