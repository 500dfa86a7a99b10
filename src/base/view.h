/* A view: bytes that belong to somebody else. */
#ifndef COHO_BASE_VIEW_H
#define COHO_BASE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct coho__view {
  const char *data;
  size_t len;
};

#define VIEW(literal) ((struct coho__view){(literal), sizeof(literal) - 1})

struct coho__view coho__view_of(
    const char *s); /* of a terminated string; NULL gives an empty view */
bool coho__view_eq(struct coho__view a, struct coho__view b);
bool coho__view_eq_nocase(struct coho__view a, struct coho__view b); /* ASCII only, any locale */
/* Without spaces and tabs at both ends. */
struct coho__view coho__view_trim(struct coho__view v);
/* Cuts *rest at the first sep: returns what is before it, *rest becomes what is after it. Without
   sep all is returned and *rest becomes {NULL, 0}. Loop: while (rest.data) { v = split(...); }. */
struct coho__view coho__view_split(struct coho__view *rest, char sep);
/* Cuts the prefix off when *in begins with it, ASCII letters alike. */
bool coho__view_take_nocase(struct coho__view *in, struct coho__view prefix);
/* Digits only, no sign, no overflow: false else. */
bool coho__view_number(struct coho__view v, uint64_t max, uint64_t *out);

#endif
