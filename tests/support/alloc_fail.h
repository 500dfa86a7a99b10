/*
 * An allocator for coho_set_allocator() that counts and fails on demand. It also ends the process when
 * coho frees or resizes a block with another size than it has. All functions may be called from any
 * thread.
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

/* Runs attempt(i) for i = 1, 2 and so on, which calls alloc_fail_at(i) before what may run out of memory
   and frees everything: until it returns false, since the i-th allocation was not reached and all are
   tested. Fails the process when that takes more than `most` attempts, or something is left. */
void alloc_fail_each(long most, bool (*attempt)(long i));

/* Around each test: all memory is given back. */
int alloc_setup(void **state);
int alloc_teardown(void **state);

#endif
