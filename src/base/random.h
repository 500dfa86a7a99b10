/* Unpredictable bytes: getrandom(2), buffered per thread, wiped as they are used, never shared
   across fork(2). */
#ifndef COHO_BASE_RANDOM_H
#define COHO_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

void coho__random(void *buf, size_t len); /* any thread; ends the process if the kernel refuses */
uint32_t coho__random_below(uint32_t limit); /* uniform in 0 .. limit - 1; limit > 0 */

#endif
