/* Forgetting. */
#ifndef COHO_TOPICS_SECRET_H
#define COHO_TOPICS_SECRET_H

#include <stddef.h>

void coho__wipe(void *p, size_t n);
void coho__wipe_str(char *s); /* wiped and freed, as coho__free_str() frees it; NULL is fine */

#endif
