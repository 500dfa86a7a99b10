/*
 * What coho takes in this process, all loops and threads together, in bytes: its memory, counted by
 * alloc.c, and within it the contexts of compression. Any thread.
 */
#ifndef COHO_BASE_BUDGET_H
#define COHO_BASE_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- memory -------------------------------------------------------------------------------- */

/* Counts an allocation, or with old_size what is given back. False: it would go over the limit, and
   nothing was counted; never when the new size is not larger. */
bool coho__memory_count(size_t old_size, size_t new_size);
/* More than 7/8 of the limit is taken: who can wait or go away does. */
bool coho__memory_tight(void);
/* It is not, and so much more would leave a sixteenth of the limit, which is for those who stay small:
   whose buffer is to grow beyond COHO_MEMORY_SMALL asks before, and goes away when it may not. */
bool coho__memory_spare(size_t more);
enum { COHO_MEMORY_SMALL = 4 * 1024 };
/* The limit where the program set none: what the machine has is known above. */
void coho__memory_set_default(uint64_t bytes);

/* ---- contexts ------------------------------------------------------------------------------ */

/* Sets bytes aside for a context. False: that would go over the limit. */
bool coho__contexts_take(size_t bytes);
void coho__contexts_give(size_t bytes);

#endif
