/*
 * COHO_ASSERT is for our own invariants: a failure is a bug in coho, the process ends. The caller's
 * misuse and the peer's bytes are never asserted, they are answered by errors of error.h.
 */
#ifndef COHO_BASE_CHECK_H
#define COHO_BASE_CHECK_H

#include <stddef.h>

/* Prints where and what (not in a program that has the core only), then aborts. */
_Noreturn void coho__assert_failed(const char *what, const char *file, int line);
/* Only for coho__assert_failed(): does nothing in check.c, writes to standard error in log.c. */
void coho__assert_print(const char *what, const char *file, int line);

#define COHO_ASSERT(cond) ((cond) ? (void)0 : coho__assert_failed(#cond, __FILE__, __LINE__))

#define COHO_CONTAINER_OF(ptr, type, member) \
  ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#define COHO_MIN(a, b)    ((a) < (b) ? (a) : (b))
#define COHO_MAX(a, b)    ((a) > (b) ? (a) : (b))
#define COHO_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
