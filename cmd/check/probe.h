/* Whether there is an echo server at all, before the cases. */
#ifndef COHO_CMD_CHECK_PROBE_H
#define COHO_CMD_CHECK_PROBE_H

#include "link.h"

/* True when the cases can tell something. Else a sentence without full stop is in why. */
bool probe_server(struct link *link, uint64_t timeout_ms, char *why, size_t cap);

#endif
