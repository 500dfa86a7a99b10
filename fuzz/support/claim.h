/* What a target claims about coho. A claim that fails ends the process, and the fuzzer keeps the input. */
#ifndef FUZZ_CLAIM_H
#define FUZZ_CLAIM_H

#include <stdio.h>
#include <stdlib.h>

_Noreturn static inline void claim_failed(const char *what, const char *file, int line) {
  fprintf(stderr, "%s:%d: claim failed: %s\n", file, line, what);
  abort();
}

#define CLAIM(cond) ((cond) ? (void)0 : claim_failed(#cond, __FILE__, __LINE__))

#endif
