/* The HTTP heads of handshakes: built for the peer, and read when the engine wrote them. */
#ifndef WIRE_HEAD_H
#define WIRE_HEAD_H

#include "bytes.h"

#include <coho/core.h>
#include <stdbool.h>

enum { HEAD_LINES = 128 };

/* A head that `with`, `without`, `also` and `line` changed before it is sent. */
struct head {
  char *lines[HEAD_LINES]; /* the first is the request or status line */
  size_t count;
};

/* The default head of what the engine's peer sends: a request or an answer (RFC 6455 1.3). */
void head_reset(struct head *h, coho_role engine);
void head_free(struct head *h);
void head_line(struct head *h, const char *line);
bool head_also(struct head *h, const char *field);   /* one more; false: too many */
bool head_with(struct head *h, const char *field);   /* instead of all of its name */
bool head_without(struct head *h, const char *name); /* false: has none */
void head_write(const struct head *h, struct bytes *out);

/* The length of the head at the beginning of data with its empty line, 0 if it is not complete. */
size_t head_length(const uint8_t *data, size_t n);
/* NULL, or what is wrong with its grammar (RFC 9112 2 to 5) or with what every answer needs. */
const char *head_wrong(const uint8_t *data, size_t n);
/* Whether the first line is, or in an answer begins with, this. */
bool head_begins(const uint8_t *data, size_t n, const char *line);
/* How often the field occurs. *value is the last one's, trimmed. */
size_t head_find(const uint8_t *data, size_t n, const char *name, size_t name_len,
                 struct coho_bytes *value);
bool head_has_token(const uint8_t *data, size_t n, const char *name, const char *token);

#endif
