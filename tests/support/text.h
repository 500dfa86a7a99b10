/* Texts of tests: strings in buffers that are known to be large enough, and texts that are made. */
#ifndef TESTS_SUPPORT_TEXT_H
#define TESTS_SUPPORT_TEXT_H

#include <string.h>

static inline void text_put(char *at, const char *text) { memcpy(at, text, strlen(text) + 1); }
static inline void text_add(char *to, const char *text) { text_put(to + strlen(to), text); }

/* With printf's means, in one of 16 buffers that take turns. */
const char *text_of(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* JSON as tests write it, with ' instead of " so that it can be read. In one of 16 buffers, too. */
const char *text_json(const char *text);

#endif
