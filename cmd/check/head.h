/* The head of an HTTP/1.1 message, read strictly: CRLF line ends, no folded lines, no controls. */
#ifndef COHO_CMD_CHECK_HEAD_H
#define COHO_CMD_CHECK_HEAD_H

#include <stdbool.h>
#include <stddef.h>

enum { HEAD_FIELDS = 100, HEAD_BYTES = 65536 };

struct head_field {
  const char *name, *value; /* value without the blanks around it */
};

struct head {
  char *text;                  /* what all others point into */
  const char *method, *target; /* of a request */
  int status;                  /* of a response */
  int minor;                   /* of HTTP/1.x */
  struct head_field fields[HEAD_FIELDS];
  size_t count;
};

/* The length of the head at the start of data, its empty line included; 0: not complete. */
size_t head_length(const void *data, size_t len);
/* NULL, or what is wrong as a phrase. The head is to be freed either way. */
const char *head_read_request(struct head *h, const void *data, size_t len);
const char *head_read_response(struct head *h, const void *data, size_t len);
void head_free(struct head *h);

/* The value of the field, NULL when there is none; the first of several. */
const char *head_get(const struct head *h, const char *name);
size_t head_count(const struct head *h, const char *name);
/* One of the elements of the comma lists in all fields of this name, whatever its case. */
bool head_has_token(const struct head *h, const char *name, const char *token);
/* All fields of this name joined by ", " into text. False: none, or cap is too small. */
bool head_join(const struct head *h, const char *name, char *text, size_t cap);
bool head_is_token(const char *text, size_t len); /* of RFC 9110 5.6.2, not empty */

#endif
