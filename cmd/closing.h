/* The codes of Close frames in words (RFC 6455 7.4.1, IANA registry). */
#ifndef COHO_CMD_CLOSING_H
#define COHO_CMD_CLOSING_H

#include <stdbool.h>
#include <stdint.h>

/* Such as "going away". Static storage. */
const char *closing_words(uint32_t code);
/* What a hub of topics means by it (docs/topics.md), such as "too slow"; NULL: nothing. Static storage. */
const char *closing_hub_words(uint32_t code);
/* The peer was done, not displeased. */
bool closing_is_good(uint32_t code);

#endif
