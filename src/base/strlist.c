#include "base/strlist.h"

#include "base/alloc.h"

#include <coho/error.h>
#include <string.h>

size_t coho__strlist_len(const char *const *list) {
  size_t n = 0;
  while (list && list[n])
    n++;
  return n;
}

/* The pointers with their NULL, then the texts. */
static size_t block_size(const char *const *list) {
  size_t size = (coho__strlist_len(list) + 1) * sizeof(char *);
  for (; *list; list++)
    size += strlen(*list) + 1;
  return size;
}

int coho__strlist_copy(char ***copy, const char *const *list) {
  *copy = NULL;
  if (!list) return 0;
  size_t n = coho__strlist_len(list);
  char **block = (char **)coho__alloc(block_size(list));
  if (!block) return COHO_ENOMEM;
  char *text = (char *)(block + n + 1);
  for (size_t i = 0; i < n; i++) {
    size_t len = strlen(list[i]) + 1;
    block[i] = (char *)memcpy(text, list[i], len);
    text += len;
  }
  block[n] = NULL;
  *copy = block;
  return 0;
}

void coho__strlist_free(char **list) {
  if (list) coho__free(list, block_size((const char *const *)list));
}
