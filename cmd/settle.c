#include "settle.h"

#include <stdio.h>
#include <string.h>

int settle(const struct settle_source *from, void *values, struct settled *out) {
  struct command own = *from->command;
  size_t count;
  *out = (struct settled){.faults = {.file = from->file}};
  own.faults = &out->faults;
  int status = option_defaults(&own, own.options, values);
  status |= option_defaults(&own, own.sections, values);
  if (from->file) status |= config_read(&own, values, &out->config);
  status |= option_parse(&own, from->argc, from->argv, values, NULL, &count);
  /* Of a file that could not be read there is nothing to say about what it holds. */
  if (!from->file || out->config) status |= from->check(&own, values);
  return status;
}

void settle_free(struct settled *s) {
  faults_free(&s->faults);
  config_free(s->config);
  s->config = NULL;
}

static void print_line(const char *text) { fprintf(stderr, "%s\n", text); }

void settle_complain(const struct settle_source *from, struct settled *s) {
  const struct command *c = from->command;
  char who[64];
  (void)snprintf(who, sizeof who, "coho %s", c->name);
  if (from->file) {
    faults_tell(&s->faults, who, print_line);
    return;
  }
  if (!s->faults.count) return;
  fprintf(stderr, "%s: %s\n", who, s->faults.items[0].text);
  if (s->faults.items[0].usage) fprintf(stderr, "Try 'coho help %s'.\n", c->name);
}

/* ---- what has changed ----------------------------------------------------------------------- */

static bool same_text(const char *a, const char *b) { return a == b || (a && b && !strcmp(a, b)); }

static bool same_list(const struct option_list *a, const struct option_list *b) {
  if (a->count != b->count) return false;
  for (size_t i = 0; i < a->count; i++)
    if (strcmp(a->items[i], b->items[i]) != 0) return false;
  return true;
}

static bool same(const struct option *o, const void *a, const void *b);

static bool same_all(const struct option *table, const void *a, const void *b) {
  for (const struct option *o = table; o->name; o++)
    if (!same(o, a, b)) return false;
  return true;
}

static bool same_rows(const struct option *o, const struct option_rows *a,
                      const struct option_rows *b) {
  if (a->count != b->count) return false;
  for (size_t i = 0; i < a->count; i++) {
    size_t at = i * o->row_size;
    if (!same_all(o->parts, (const char *)a->items + at, (const char *)b->items + at)) return false;
  }
  return true;
}

static bool same(const struct option *o, const void *a, const void *b) {
  const void *left = (const char *)a + o->offset, *right = (const char *)b + o->offset;
  switch (o->kind) {
  case OPTION_FLAG: return *(const bool *)left == *(const bool *)right;
  case OPTION_STRING: return same_text(*(const char *const *)left, *(const char *const *)right);
  case OPTION_LIST:
    return same_list((const struct option_list *)left, (const struct option_list *)right);
  case OPTION_NUMBER:
  case OPTION_SIZE:
  case OPTION_SECONDS:
  case OPTION_COUNT: return *(const uint64_t *)left == *(const uint64_t *)right;
  case OPTION_GROUP: return same_all(o->parts, left, right);
  case OPTION_ROWS:
    return same_rows(o, (const struct option_rows *)left, (const struct option_rows *)right);
  }
  return true;
}

void settle_restart(const struct command *c, const void *old, const void *fresh,
                    void (*tell)(const char *name)) {
  const struct option *const tables[] = {c->options, c->sections};
  for (size_t i = 0; i < 2; i++)
    for (const struct option *o = tables[i]; o && o->name; o++)
      if (!o->live && !o->typed && !same(o, old, fresh)) tell(o->name);
}
