#include "tokens.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int hex_digit(char c) {
  static const char digits[] = "0123456789abcdef";
  const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;
  return at ? (int)(at - digits) : -1;
}

static bool plain_escape(char c, unsigned *byte) {
  static const char names[] = "rnt\\\"", bytes[] = "\r\n\t\\\"";
  const char *at = c ? strchr(names, c) : NULL;
  if (at) *byte = (unsigned char)bytes[at - names];
  return at;
}

bool unescape(struct bytes *out, const char *text, size_t n) {
  for (size_t i = 0; i < n; i++) {
    unsigned byte = (unsigned char)text[i];
    if (text[i] == '\\') {
      if (++i >= n) return false;
      if (text[i] == 'x') {
        int high = i + 2 < n ? hex_digit(text[i + 1]) : -1;
        int low = i + 2 < n ? hex_digit(text[i + 2]) : -1;
        if (high < 0 || low < 0) return false;
        byte = (unsigned)(high * 16 + low);
        i += 2;
      } else if (!plain_escape(text[i], &byte)) {
        return false;
      }
    }
    bytes_byte(out, byte);
  }
  return true;
}

static const char *closing_quote(const char *s) {
  while (*s && *s != '"')
    s += s[0] == '\\' && s[1] ? 2 : 1;
  return *s ? s : NULL;
}

static const char *read_times(const char *s, size_t *times) {
  *times = 1;
  if (s[0] != '*' || !isdigit((unsigned char)s[1])) return s;
  char *end;
  *times = strtoul(s + 1, &end, 10);
  return end;
}

static const char *read_quoted(struct token *token, const char *s) {
  const char *end = closing_quote(s + 1);
  token->quoted = true;
  if (!end || !unescape(&token->data, s + 1, (size_t)(end - s - 1))) return NULL;
  return read_times(end + 1, &token->times);
}

static bool stops_word(const char *s) {
  return *s == '\0' || isspace((unsigned char)*s) || (*s == '*' && isdigit((unsigned char)s[1]));
}

/* A word may hold a quoted part, as in url="ws://h/a b". */
static const char *read_word(struct token *token, const char *s) {
  while (!stops_word(s)) {
    if (*s != '"') {
      bytes_byte(&token->data, (unsigned char)*s++);
      continue;
    }
    const char *end = closing_quote(s + 1);
    if (!end || !unescape(&token->data, s + 1, (size_t)(end - s - 1))) return NULL;
    s = end + 1;
  }
  return read_times(s, &token->times);
}

static void terminate(struct bytes *b) {
  bytes_byte(b, 0);
  b->len--;
}

bool tokens_cut(struct tokens *t, const char *line, const char **why) {
  t->count = t->next = 0;
  for (const char *s = line;;) {
    while (isspace((unsigned char)*s))
      s++;
    if (*s == '\0' || *s == '#') return true;
    if (t->count == MAX_TOKENS) {
      *why = "too many words in one line";
      return false;
    }
    struct token *token = &t->list[t->count++];
    *token = (struct token){false, {NULL, 0, 0}, 1};
    s = *s == '"' ? read_quoted(token, s) : read_word(token, s);
    if (!s) {
      *why =
          "a quoted string is not closed or has an escape other than \\r \\n \\t \\\\ \\\" \\xHH";
      return false;
    }
    terminate(&token->data);
  }
}

void tokens_free(struct tokens *t) {
  for (size_t i = 0; i < t->count; i++)
    bytes_free(&t->list[i].data);
  t->count = t->next = 0;
}

const struct token *tokens_peek(const struct tokens *t) {
  return t->next < t->count ? &t->list[t->next] : NULL;
}

const struct token *tokens_take(struct tokens *t) {
  return t->next < t->count ? &t->list[t->next++] : NULL;
}

const char *token_text(const struct token *token) { return (const char *)token->data.data; }

bool token_is(const struct token *token, const char *word) {
  return token && !token->quoted && strcmp(token_text(token), word) == 0;
}

bool tokens_take_word(struct tokens *t, const char *word) {
  if (!token_is(tokens_peek(t), word)) return false;
  t->next++;
  return true;
}

const char *text_number(const char *text, uint64_t *number) {
  if (!isdigit((unsigned char)*text)) return NULL;
  char *end;
  errno = 0;
  *number = strtoull(text, &end, 10);
  return errno ? NULL : end;
}

bool word_number(const char *word, const char *name, uint64_t *number) {
  size_t n = strlen(name);
  const char *end = strncmp(word, name, n) == 0 ? text_number(word + n, number) : NULL;
  return end && *end == '\0';
}

bool tokens_take_number(struct tokens *t, uint64_t *number) {
  const struct token *token = tokens_peek(t);
  if (!token || token->quoted || !word_number(token_text(token), "", number)) return false;
  t->next++;
  return true;
}
