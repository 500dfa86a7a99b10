/* All cases in their order, and the sections they belong to. */
#ifndef COHO_CMD_CHECK_CATALOG_H
#define COHO_CMD_CHECK_CATALOG_H

#include "case.h"

struct catalog {
  struct check_case *cases;
  size_t count, cap;
};

void catalog_add(struct catalog *cat, const struct check_case *c);
void catalog_add_all(struct catalog *cat, const struct check_case *c, size_t count);
void catalog_build(struct catalog *cat); /* every case there is */
void catalog_free(struct catalog *cat);

/* The first part of the id, and what it is called: "6", "UTF-8". */
size_t section_length(const char *id);
const char *section_title(const char *id);
/* Shell patterns, any of which must fit the id; an id alone stands for what is below it, too. No
   pattern: all fit. */
bool catalog_fits(const struct check_case *c, const char *const *patterns);

#endif
