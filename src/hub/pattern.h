/*
 * Names of topics, and patterns of names.
 *
 * A name is 1 to 255 bytes of [A-Za-z0-9_.~-] and "/" between its segments, of which none is empty,
 * ".", "..", "history" or "presence". In a pattern "+" stands for any one segment and "#", which
 * is the last, for any number of them, none included: "a/#" matches "a", "a/b" and "a/b/c", and "#"
 * every name. A name is a pattern that matches itself.
 */
#ifndef COHO_HUB_PATTERN_H
#define COHO_HUB_PATTERN_H

#include "base/view.h"

/* Behind the name of a topic: its companion, which tells what happens to the members. */
#define COHO_COMPANION "/presence"

/* Bytes. */
enum {
  COHO_PATTERN_MAX = 255,
  COHO_TOPIC_NAME_MAX = 255,
  COHO_TOPIC_COMPANION_MAX = COHO_TOPIC_NAME_MAX + sizeof COHO_COMPANION - 1
};

bool coho__topic_name_valid(struct coho__view name);
/* "NAME/presence". No pattern matches it. */
bool coho__topic_is_companion(struct coho__view name);
/* Of a companion the topic that it belongs to; any other name itself. */
struct coho__view coho__topic_base(struct coho__view name);
bool coho__pattern_valid(struct coho__view pattern);
/* The rest is for what is valid. */
bool coho__pattern_matches(struct coho__view pattern, struct coho__view name);
/* Whether granted matches every name that wanted matches. */
bool coho__pattern_covers(struct coho__view granted, struct coho__view wanted);

#endif
