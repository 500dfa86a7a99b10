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

void settle_restart(const struct command *c, const void *old, const void *fresh,
                    void (*tell)(const char *name)) {
  const struct option *const tables[] = {c->options, c->sections};
  for (size_t i = 0; i < 2; i++)
    for (const struct option *o = tables[i]; o && o->name; o++)
      if (!o->live && !o->typed && !option_same(o, old, fresh)) tell(o->name);
}
