/* Where typed lines are kept from one session to the next. */
#ifndef COHO_CMD_HISTORY_H
#define COHO_CMD_HISTORY_H

#include <histedit.h>

/* The lines of $XDG_STATE_HOME/coho/history, or ~/.local/state/coho/history. NULL: out of memory. */
History *history_open(void);
/* Keeps the newest lines, for the owner's eyes only, and frees h. */
void history_close(History *h);

#endif
