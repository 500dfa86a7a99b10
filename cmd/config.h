/*
 * The configuration file: the options of a command as YAML, under their long names, and the sections
 * that only the file has. What reads it is the command's tables (option.h).
 *
 *   listen: [ws://0.0.0.0:80, wss://0.0.0.0:443]
 *   tls: /etc/coho/cert.pem,/etc/coho/key.pem
 *   limit: {connections: 10000, per-address: 50}
 */
#ifndef COHO_CMD_CONFIG_H
#define COHO_CMD_CONFIG_H

#include "option.h"

struct config; /* the texts that values point to */

/* Reads c->faults->file into values, which have their defaults; *out is freed when they are no longer
   used, NULL when there is nothing. What is wrong is added to c->faults, which knows the places of
   what was read. 0, or EXIT_USAGE when there were faults that are no warnings. */
int config_read(const struct command *c, void *values, struct config **out);
void config_free(struct config *cfg); /* NULL is fine */

/* A whole file with all options, their meaning and their defaults; what has none is a comment. */
void config_print(const struct command *c);
/* The reference of the file, in markdown. */
void config_print_reference(const struct command *c);

#endif
