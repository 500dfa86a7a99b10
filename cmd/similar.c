#include "similar.h"

#include "base/check.h"

enum { LONGEST = 32, SHORT = 4 };

/* Letters to insert, delete or replace, both words at most LONGEST. */
static size_t distance_of(struct coho__view a, struct coho__view b) {
  size_t row[LONGEST + 1];
  for (size_t k = 0; k <= b.len; k++)
    row[k] = k;
  for (size_t i = 0; i < a.len; i++) {
    size_t corner = row[0];
    row[0] = i + 1;
    for (size_t k = 0; k < b.len; k++) {
      size_t replaced = corner + (a.data[i] != b.data[k]);
      corner = row[k + 1];
      row[k + 1] = COHO_MIN(replaced, COHO_MIN(row[k], corner) + 1);
    }
  }
  return row[b.len];
}

struct similar similar_to(struct coho__view typed) {
  return (struct similar){.typed = typed, .distance = typed.len < SHORT ? 2 : 3};
}

void similar_offer(struct similar *s, const char *name) {
  struct coho__view own = coho__view_of(name);
  if (s->typed.len > LONGEST || own.len > LONGEST) return;
  size_t distance = distance_of(s->typed, own);
  if (distance >= s->distance || distance >= s->typed.len) return;
  s->best = name;
  s->distance = distance;
}
