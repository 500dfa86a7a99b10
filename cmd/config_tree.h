/*
 * YAML as a tree of texts, lists and mappings, with the place of each. Every scalar is a text; what it
 * means is for the reader to say. Anchors, aliases, tags, further documents and keys that are there
 * twice are faults.
 */
#ifndef COHO_CMD_CONFIG_TREE_H
#define COHO_CMD_CONFIG_TREE_H

#include "fault.h"

#include <stdbool.h>
#include <stddef.h>

enum config_kind {
  CONFIG_TEXT,
  CONFIG_LIST,
  CONFIG_MAP,
  CONFIG_NONE /* was wrong, which has been told */
};

struct config_node {
  enum config_kind kind;
  struct fault_place place;
  char *text;                /* CONFIG_TEXT; lives as long as the tree */
  bool bare;                 /* CONFIG_TEXT: nothing at all is written there */
  struct config_node *first; /* of a list or a mapping */
  size_t count;
  /* In a list or a mapping: */
  struct config_node *next;
  char *key; /* of a mapping */
  struct fault_place key_place;
};

/* The root of the document, NULL after a fault that left nothing to read. A document without anything
   is an empty mapping. */
struct config_node *config_tree_read(const char *text, size_t len, struct faults *faults);
void config_tree_free(struct config_node *n); /* NULL is fine */

#endif
