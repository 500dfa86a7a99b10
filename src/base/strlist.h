/* Lists of strings that end with NULL, as options have them. */
#ifndef COHO_BASE_STRLIST_H
#define COHO_BASE_STRLIST_H

#include <stddef.h>

/* A deep copy in one block. *copy is NULL for a NULL list. 0 or COHO_ENOMEM. */
int coho__strlist_copy(char ***copy, const char *const *list);
void coho__strlist_free(char **list); /* NULL is fine */
size_t coho__strlist_len(const char *const *list);

#endif
