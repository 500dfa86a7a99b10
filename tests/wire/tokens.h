/* A line of a script, cut into words and quoted strings. */
#ifndef WIRE_TOKENS_H
#define WIRE_TOKENS_H

#include "bytes.h"

#include <stdbool.h>

struct token {
  bool quoted;
  struct bytes data; /* without quotes, escapes resolved, terminated */
  size_t times;      /* of a suffix *N; 1 without */
};

enum { MAX_TOKENS = 256 };

struct tokens {
  struct token list[MAX_TOKENS];
  size_t count;
  size_t next; /* of the ones below */
};

/* False: an open quote, a bad escape, too many; *why says which. A # at a word's beginning ends the
   line. */
bool tokens_cut(struct tokens *t, const char *line, const char **why);
void tokens_free(struct tokens *t);

const struct token *tokens_peek(const struct tokens *t); /* NULL at the end */
const struct token *tokens_take(struct tokens *t);
/* Takes the next word if it is this one, unquoted. */
bool tokens_take_word(struct tokens *t, const char *word);
bool token_is(const struct token *token, const char *word);
const char *token_text(const struct token *token);
/* Takes the next word if it is a decimal number. */
bool tokens_take_number(struct tokens *t, uint64_t *number);

/* What stands behind the decimal number at text; NULL without one, or with one too large. */
const char *text_number(const char *text, uint64_t *number);
/* Whether a word is name, say "packed=", and a decimal number. */
bool word_number(const char *word, const char *name, uint64_t *number);

/* Appends text with \r \n \t \\ \" and \xHH resolved. */
bool unescape(struct bytes *out, const char *text, size_t n);

#endif
