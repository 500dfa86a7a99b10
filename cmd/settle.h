/*
 * What holds for a command in the end: the defaults, what the configuration file says in place of them,
 * and the command line in place of that. Read and checked as a whole, when it starts and again while it
 * runs.
 */
#ifndef COHO_CMD_SETTLE_H
#define COHO_CMD_SETTLE_H

#include "config.h"

struct settle_source {
  const struct command *command;
  int argc; /* has been parsed once without a fault */
  char **argv;
  const char *file; /* of --config; NULL for none */
  /* What one value does not know of another. Adds to the faults of its command all that it finds. */
  int (*check)(const struct command *c, void *values);
};

struct settled {
  struct config *config; /* what values point into */
  struct faults faults;
};

/* Into values, all zero before. 0, or EXIT_USAGE with faults. What it made is to be freed in any case,
   by settle_free(), and what values hold by option_free() before that. */
int settle(const struct settle_source *from, void *values, struct settled *out);
void settle_free(struct settled *s);

/* On standard error: all faults of the file, or the first of the command line. */
void settle_complain(const struct settle_source *from, struct settled *s);

/* Names the options that differ and that a server which runs does not take over. */
void settle_restart(const struct command *c, const void *old, const void *fresh,
                    void (*tell)(const char *name));

#endif
