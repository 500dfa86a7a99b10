/* Terminated strings in buffers that the test knows to be large enough. */
#ifndef TESTS_SUPPORT_TEXT_H
#define TESTS_SUPPORT_TEXT_H

#include <string.h>

static inline void text_put(char *at, const char *text) { memcpy(at, text, strlen(text) + 1); }
static inline void text_add(char *to, const char *text) { text_put(to + strlen(to), text); }

#endif
