/*
 * The options of a command: one table serves parsing, `coho help`, the man page, completion and the
 * configuration file (config.h).
 * Long options take their value as "--name value" or "--name=value", letters as "-n value" or
 * "-nvalue". "--" ends the options; they may stand before and behind the arguments.
 */
#ifndef COHO_CMD_OPTION_H
#define COHO_CMD_OPTION_H

#include "fault.h"

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
  OPTION_COUNT,   /* uint64_t, each use adds one; no value. In the file a number. */
  /* In the file only: */
  OPTION_GROUP, /* a mapping; the member is the structure that parts describe */
  OPTION_ROWS   /* a list of mappings; struct option_rows */
};

/* Values of an option that may be repeated, ended by NULL; borrowed from argv or the file. */
struct option_list {
  const char **items;
  size_t count;
};

/* One structure of the option's row_size for each mapping; faults_find() knows the places of rows. */
struct option_rows {
  void *items;
  size_t count;
};

/* A NAME that a list of NAME=VALUE takes, ended by one without name. */
struct option_pair {
  const char *name;
  const char *value; /* placeholder */
  const char *usual; /* as of an option */
};

/* Whether the value names files. */
enum option_files {
  OPTION_NO_FILE,
  OPTION_FILE, /* one, or a URL */
  OPTION_FILES /* several between commas; one word alone is none */
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
  /* The default, as it would be typed; NULL: none, or false, or 0. option_defaults() sets it, but for
     lists, of which it only is what holds while they are empty. */
  const char *usual;
  const struct option_pair *pairs; /* of a list of NAME=VALUE: a mapping in the file; else NULL */
  bool typed;                      /* on the command line only */
  bool live;                       /* a server that runs takes a new value */
  enum option_files files;         /* in the file a name counts from where that is */
  /* In the file only: */
  bool required;              /* of a row: each has to have it */
  const struct option *parts; /* of groups and rows; offsets are in their structure */
  size_t row_size;            /* of a row's structure */
};

struct command {
  const char *name;
  const char *arguments; /* such as "URL"; "" for none */
  const char *summary;   /* for the list of commands, without full stop */
  const char *description;
  const struct option *options;  /* ended by a row without name */
  const struct option *sections; /* further ones, which only the file has; may be NULL */
  size_t min_arguments, max_arguments;
  int (*run)(const struct command *c, int argc, char **argv); /* exit status; argv[0] is the name */
  struct faults *faults; /* in a copy of a command: where usage_error() goes; else NULL */
};

enum { EXIT_FINE = 0, EXIT_PEER = 1, EXIT_USAGE = 2 };

/* Reads argv[1..] into values (zeroed by the caller or set to defaults) and the arguments, at most
   max_arguments, into args. Lists and counts that are given replace those that were there. 0, or
   EXIT_USAGE after a sentence on standard error. */
int option_parse(const struct command *c, int argc, char **argv, void *values, char **args,
                 size_t *count);
void option_list_free(struct option_list *l);
/* Sets what has a default; values are zero before. 0 or an exit status, as below. */
int option_defaults(const struct command *c, const struct option *table, void *values);
/* Gives back the lists and rows of a table, not the texts. */
void option_free(const struct option *table, void *values);
/* Whether both values say the same in this one. */
bool option_same(const struct option *o, const void *a, const void *b);
/* Sets one that is no flag, group or rows; a list appends. 0 or an exit status, as below. */
int option_set(const struct command *c, const struct option *o, void *values, const char *text);
/* Reads a number, size or time within the option's bounds, as option_parse() does. Of the option only
   name, kind, min and max count. 0, or EXIT_USAGE after a sentence on standard error. */
int option_amount(const struct command *c, const struct option *o, const char *text, uint64_t *out);
/* The same of a part of a value; what is wrong is about the value. */
int option_amount_about(const struct command *c, const struct option *o, const void *about,
                        const char *text, uint64_t *out);

/* Prints "coho NAME: SENTENCE" and where help is, or adds the sentence to the command's faults, at the
   place of the first option that it names and that stands in the file; returns EXIT_USAGE. */
int usage_error(const struct command *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The same at the place of `about`, which is the text of a value or a row, if that is from the file. */
int usage_error_about(const struct command *c, const void *about, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same without where help is: about what the value names, not how it is typed. */
int usage_error_plain(const struct command *c, const void *about, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The commands, ended by one without name. */
extern const struct command *const commands[];
const struct command *command_find(const char *name); /* NULL: no such command */
/* Prints that there is no such command, and which there is; self NULL: the program. EXIT_USAGE. */
int command_unknown(const struct command *self, const char *name);

#endif
