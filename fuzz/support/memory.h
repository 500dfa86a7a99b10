/* coho's memory in a target: nothing may be left, and an allocation may be made to fail. */
#ifndef FUZZ_MEMORY_H
#define FUZZ_MEMORY_H

#include <stddef.h>

/* Fails the n-th allocation from now, once; 0: none. Only while coho owns nothing. */
void memory_fail_at(unsigned n);
/* Claims that coho owns nothing, and lets no allocation fail any more. */
void memory_claim_empty(void);
/* Claims that coho owns no more than this. */
void memory_claim_most(size_t bytes);

#endif
