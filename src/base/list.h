/* An intrusive doubly linked list with a sentinel. A node that is in no list points to itself. */
#ifndef COHO_BASE_LIST_H
#define COHO_BASE_LIST_H

#include "base/check.h"

#include <stdbool.h>
#include <stddef.h>

struct coho__list {
  struct coho__list *prev, *next;
};

static inline void coho__list_init(struct coho__list *l) { l->prev = l->next = l; }

static inline bool coho__list_empty(const struct coho__list *l) { return l->next == l; }

static inline void coho__list_append(struct coho__list *l, struct coho__list *node) {
  node->prev = l->prev;
  node->next = l;
  l->prev->next = node;
  l->prev = node;
}

/* Also of a node that is in no list. */
static inline void coho__list_remove(struct coho__list *node) {
  node->prev->next = node->next;
  node->next->prev = node->prev;
  coho__list_init(node);
}

/* The first node, taken out; NULL when empty. */
static inline struct coho__list *coho__list_pop(struct coho__list *l) {
  struct coho__list *node = l->next;
  if (node == l) return NULL;
  coho__list_remove(node);
  return node;
}

/* Moves all nodes of src behind those of l. */
static inline void coho__list_splice(struct coho__list *l, struct coho__list *src) {
  if (coho__list_empty(src)) return;
  src->next->prev = l->prev;
  l->prev->next = src->next;
  src->prev->next = l;
  l->prev = src->prev;
  coho__list_init(src);
}

#define COHO_LIST_ENTRY(node, type, member) COHO_CONTAINER_OF(node, type, member)

#endif
