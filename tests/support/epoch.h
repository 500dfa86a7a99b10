/* The epoch of positions, which is random: tests write it as "E" in what they say and in what they expect. */
#ifndef TESTS_SUPPORT_EPOCH_H
#define TESTS_SUPPORT_EPOCH_H

#include <coho/hub.h>

/* By a message of a topic of its own. */
uint64_t epoch_of(coho_hub *hub);
/* Every "E." behind one of "=@ and space becomes the epoch. Both return the length. */
size_t epoch_put(uint64_t epoch, char *text, size_t cap);
size_t epoch_hide(uint64_t epoch, char *text);

#endif
