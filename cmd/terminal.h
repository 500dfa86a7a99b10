/*
 * Lines typed at a terminal, with editing and history, while other output appears above them.
 *
 * Keys are read through a function of ours, which runs the program's loop until there is one: so
 * the editor never keeps messages waiting, not even inside an escape sequence.
 */
#ifndef COHO_CMD_TERMINAL_H
#define COHO_CMD_TERMINAL_H

#include <stdbool.h>

struct terminal;

/* Standard input and output are a terminal that can move its cursor. */
bool terminal_usable(void);

/* wait blocks until a key may be read; false: no line will be wanted any more. NULL: out of memory,
   or the terminal cannot be used. */
struct terminal *terminal_open(bool (*wait)(void *arg), void *arg);
/* Keeps the history, gives the terminal back. NULL is fine. */
void terminal_close(struct terminal *t);
/* The next line without its end, valid until the next call; NULL at the end of input, or when wait
   said so. */
const char *terminal_line(struct terminal *t);

/* Before and after something else is written to the terminal. NULL is fine. */
void terminal_hide(struct terminal *t);
void terminal_show(struct terminal *t);
/* The window has another size. */
void terminal_resize(struct terminal *t);
/* Stops the process as the terminal's stop key wants it; returns when it goes on. */
void terminal_suspend(struct terminal *t);

#endif
