/* What a session sends: given texts, the lines of a pipe, or what is typed at a terminal. */
#ifndef COHO_CMD_TALK_H
#define COHO_CMD_TALK_H

#include "session.h"

/* Why this text cannot be sent as a line, a static sentence, or NULL: it can. */
const char *talk_objection(const struct session_conf *conf, const char *text);
/* Each of them, ended by NULL; then the session lingers. */
void talk_texts(struct session *s, const char *const *texts);
/* Standard input to its end; then the session lingers. */
void talk_lines(struct session *s);
/* Lines and commands until the person, or the session, is done. */
void talk_terminal(struct session *s);

#endif
