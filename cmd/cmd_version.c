/* coho version: which coho this is. */
#include "commands.h"

#include <coho/version.h>
#include <stdio.h>

static int run(const struct command *c, int argc, char **argv) {
  size_t count;
  int status = option_parse(c, argc, argv, NULL, NULL, &count);
  if (!status) printf("coho %s\n", coho_version());
  return status;
}

static const struct option options[] = {{.name = NULL}};

const struct command cmd_version = {
    .name = "version",
    .arguments = "",
    .summary = "print the version",
    .description = "Prints the version of coho.",
    .options = options,
    .run = run,
};
