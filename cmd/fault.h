/*
 * What is wrong with the options of a command: all of it, with the places in the configuration file
 * that it is about. usage_error() adds to it where a command has one.
 */
#ifndef COHO_CMD_FAULT_H
#define COHO_CMD_FAULT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* As editors count: from 1, the column in characters. Line 0: no place in the file. */
struct fault_place {
  unsigned line, column;
};

struct fault {
  char *text; /* one line */
  struct fault_place place;
  bool usage;   /* `coho help` says more */
  bool warning; /* nothing stops for it */
};

struct faults {
  const char *file; /* the configuration file, borrowed; NULL: there is none */
  struct fault *items;
  size_t count, errors, more; /* more: that were counted but not kept */
  struct fault_known *known;  /* where what stands */
  size_t known_count, known_cap;
};

/* what stands at place: an option, the text of its value, or a row of its values. */
void faults_know(struct faults *f, const void *what, struct fault_place place);
/* The command line has overruled what the file said about it. */
void faults_forget(struct faults *f, const void *what);
/* Line 0: not from the file. */
struct fault_place faults_find(const struct faults *f, const void *what);

/* No more are kept, so their words and places are not worth finding. */
bool faults_full(const struct faults *f);
/* Takes the text (of malloc, may be NULL when memory ran out), and makes it one line. */
void faults_add(struct faults *f, struct fault fault);
/* The same with the text in words. */
void faults_add_at(struct faults *f, struct fault_place place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Each as a line without line end, in the order of the file: "FILE:LINE:COLUMN: TEXT", and those without
   a place as "WHO: TEXT". When a value of the file was wrong those are left out: they are likely to
   follow from it. */
void faults_tell(struct faults *f, const char *who, void (*line)(const char *text));
void faults_free(struct faults *f);

#endif
