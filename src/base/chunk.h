/*
 * A chunk: bytes shared by reference count, also across threads. Once a second reference exists
 * the bytes no longer change.
 */
#ifndef COHO_BASE_CHUNK_H
#define COHO_BASE_CHUNK_H

#include <stddef.h>

struct coho__chunk {
  _Atomic size_t refs;
  size_t len; /* bytes in use */
  size_t cap;
  char data[];
};

struct coho__chunk *coho__chunk_new(size_t cap); /* one reference, len 0; NULL: out of memory */
struct coho__chunk *coho__chunk_ref(struct coho__chunk *c); /* any thread */
void coho__chunk_unref(struct coho__chunk *c);              /* any thread; NULL is fine */

#endif
