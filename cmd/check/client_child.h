/*
 * The program of a client under test: a process group of its own, which ends with the case. Those
 * that run when coho is ended by a signal are ended, too.
 */
#ifndef COHO_CMD_CHECK_CLIENT_CHILD_H
#define COHO_CMD_CHECK_CLIENT_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct client_child {
  pid_t pid; /* 0: none */
  int ended; /* a descriptor that is readable once it ended, -1: none */
  size_t slot;
};

#define CLIENT_CHILD_NONE ((struct client_child){.ended = -1})

/* To be called once, before threads start: ending by SIGINT or SIGTERM ends the children. */
void client_child_guard(void);

/* Looks for the program as execvp() does. 0, or -1 with a sentence without full stop in why. */
int client_child_find(const char *name, char *why, size_t cap);
/* Runs command (ended by NULL) with url as its last argument. Its output goes to our standard error,
   or nowhere. 0, or -1 with a sentence without full stop in why. */
int client_child_start(struct client_child *c, char *const *command, const char *url, bool heard,
                       char *why, size_t cap);
/* Gives it a moment to end by itself, then ends it and all it started. Into text, unless NULL, how it
   ended: "it ended with status 1", "it was ended by signal 11". Without a child: nothing. */
void client_child_end(struct client_child *c, char *text, size_t cap);

#endif
