/* The commands of the program, one file each. */
#ifndef COHO_CMD_COMMANDS_H
#define COHO_CMD_COMMANDS_H

#include "option.h"

extern const struct command cmd_serve;
extern const struct command cmd_connect;
extern const struct command cmd_sub;
extern const struct command cmd_pub;
extern const struct command cmd_check;
extern const struct command cmd_help;
extern const struct command cmd_version;

#endif
