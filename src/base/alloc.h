/*
 * The allocator: all memory of coho goes through the one function of coho_set_allocator().
 * The old size comes back with every call, so that budgets can be kept without headers.
 */
#ifndef COHO_BASE_ALLOC_H
#define COHO_BASE_ALLOC_H

#include <stddef.h>

void *coho__alloc(size_t n);  /* NULL: out of memory; 0 bytes are asked for as 1 */
void *coho__zalloc(size_t n); /* zeroed */
/* Like realloc(3); on NULL the old block stays valid. */
void *coho__realloc(void *p, size_t old_size, size_t new_size);
void coho__free(void *p, size_t n); /* NULL is fine */
/* A terminated copy; freed by coho__free_str(). */
char *coho__strdup(const char *s);
char *coho__strndup(const char *s, size_t n); /* at most n bytes */
void coho__free_str(char *s);                 /* NULL is fine */

#endif
