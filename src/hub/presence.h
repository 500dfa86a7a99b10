/* Who is here: members of topics, and what is told about them. Public functions are in coho/hub.h. */
#ifndef COHO_HUB_PRESENCE_H
#define COHO_HUB_PRESENCE_H

#include "hub/hub.h"

/* Locked: members whose time has come leave. */
void coho__presence_sweep(coho_hub *hub, uint64_t now_ms);

#endif
