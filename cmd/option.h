/*
 * The options of a command: one table serves parsing, `coho help`, the man page and completion.
 * Long options take their value as "--name value" or "--name=value", letters as "-n value" or
 * "-nvalue". "--" ends the options; they may stand before and behind the arguments.
 */
#ifndef COHO_CMD_OPTION_H
#define COHO_CMD_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum option_kind {
  OPTION_FLAG,    /* bool */
  OPTION_STRING,  /* const char * */
  OPTION_LIST,    /* struct option_list, each use appends */
  OPTION_NUMBER,  /* uint64_t */
  OPTION_SIZE,    /* uint64_t bytes; the value may end in k, M or G (powers of 1024) */
  OPTION_SECONDS, /* uint64_t ms; the value is in seconds and may have a fraction */
  OPTION_COUNT    /* uint64_t, each use adds one; no value */
};

/* Values of an option that may be repeated, ended by NULL; borrowed from argv. */
struct option_list {
  const char **items;
  size_t count;
};

struct option {
  const char *name; /* without "--" */
  char letter;      /* 0: none */
  enum option_kind kind;
  size_t offset;     /* of the member in the command's structure of values */
  const char *value; /* placeholder of the value, NULL for a flag */
  const char *words; /* what the value begins with, for completion; NULL: a file's name, or free */
  const char *text;  /* what it does, without full stop; the default in it */
  uint64_t min, max; /* of numbers, sizes and times (ms); max 0: no limit */
};

struct command {
  const char *name;
  const char *arguments; /* such as "URL"; "" for none */
  const char *summary;   /* for the list of commands, without full stop */
  const char *description;
  const struct option *options; /* ended by a row without name */
  size_t min_arguments, max_arguments;
  int (*run)(const struct command *c, int argc, char **argv); /* exit status; argv[0] is the name */
};

enum { EXIT_FINE = 0, EXIT_PEER = 1, EXIT_USAGE = 2 };

/* Reads argv[1..] into values (zeroed by the caller or set to defaults) and the arguments, at most
   max_arguments, into args. 0, or EXIT_USAGE after a sentence on standard error. */
int option_parse(const struct command *c, int argc, char **argv, void *values, char **args,
                 size_t *count);
void option_list_free(struct option_list *l);
/* Reads a number, size or time within the option's bounds, as option_parse() does. Of the option only
   name, kind, min and max count. 0, or EXIT_USAGE after a sentence on standard error. */
int option_amount(const struct command *c, const struct option *o, const char *text, uint64_t *out);

/* Prints "coho NAME: SENTENCE" and where help is; returns EXIT_USAGE. */
int usage_error(const struct command *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The commands, ended by one without name. */
extern const struct command *const commands[];
const struct command *command_find(const char *name); /* NULL: no such command */
/* Prints that there is no such command, and which there is; self NULL: the program. EXIT_USAGE. */
int command_unknown(const struct command *self, const char *name);

#endif
