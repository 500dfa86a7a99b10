/*
 * An allocator for coho_set_allocator() that counts and fails on demand. The usual loop:
 *
 *   for (long i = 1;; i++) {
 *     alloc_fail_at(i);
 *     ... what may run out of memory, then free everything ...
 *     alloc_assert_none_live();
 *     if (!alloc_failed()) break;     the i-th allocation was never reached: all are tested
 *   }
 *   alloc_fail_at(0);
 *
 * It also ends the process when coho frees or resizes a block with another size than it has. All
 * functions may be called from any thread.
 */
#ifndef TESTS_SUPPORT_ALLOC_FAIL_H
#define TESTS_SUPPORT_ALLOC_FAIL_H

#include <stdbool.h>
#include <stddef.h>

/* Counts from 0 again and fails the i-th call from now, once; 0: none. The first call installs the
   allocator, hence it comes before anything else of coho. */
void alloc_fail_at(long i);
/* Allocations and resizes since alloc_fail_at(), failed ones included, frees not. */
long alloc_calls(void);
/* Whether the call to be failed came. */
bool alloc_failed(void);
/* Bytes that coho owns now. */
size_t alloc_live(void);
/* Prints what is left and ends the process, unless coho owns nothing. */
void alloc_assert_none_live(void);

#endif
