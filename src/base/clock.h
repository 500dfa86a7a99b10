/* Clocks. Monotonic ones start anywhere and never go back. */
#ifndef COHO_BASE_CLOCK_H
#define COHO_BASE_CLOCK_H

#include <stdint.h>

uint64_t coho__clock_ns(void);                                                     /* monotonic */
static inline uint64_t coho__clock_ms(void) { return coho__clock_ns() / 1000000; } /* monotonic */
uint64_t coho__clock_wall_ms(void); /* since 1970, may jump */
uint64_t coho__clock_wall_us(void);

#endif
