/*
 * The head of an HTTP/1.1 message (RFC 9112 2 to 5): start line and fields, strict, as bytes come.
 * Every byte is looked at once however the input is cut. The head is kept in one capped buffer in
 * which names and values are terminated in place.
 *
 * Strict means: lines end in CRLF; no bare CR or LF, NUL or other control character; no folding; no
 * space before a colon or before the first field; empty lines, at most 8, are allowed before a
 * request only.
 */
#ifndef COHO_PROTO_HTTP1_H
#define COHO_PROTO_HTTP1_H

#include "base/buf.h"
#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum coho__http1_kind { COHO_HTTP1_REQUEST, COHO_HTTP1_RESPONSE };

struct coho__http1_limits {
  uint16_t line;   /* bytes of the start line without its end; 0: 8,192 */
  uint16_t head;   /* bytes of the whole head; 0: 16,384 */
  uint16_t name;   /* bytes of a field's name; 0: 256 */
  uint16_t value;  /* bytes of a field's value; 0: 8,192 */
  uint16_t fields; /* 0: 64 */
};

/* Offsets into the head. */
struct coho__field {
  uint16_t name, name_len, value, value_len;
};

struct coho__http1 {
  struct coho__http1_limits limits;
  struct coho__buf head;
  struct coho__field *fields; /* room for fields_cap, grown as they come */
  uint16_t field_count, fields_cap;
  uint16_t method_len;         /* request: at offset 0 */
  uint16_t target, target_len; /* request */
  uint16_t status;             /* response */
  uint16_t start;              /* offset at which the present line or name began */
  int16_t err;                 /* why it failed, 0 */
  uint8_t minor;               /* of HTTP/1.minor */
  uint8_t kind;                /* enum coho__http1_kind */
  uint8_t state;               /* private to http1.c */
  uint8_t blank;               /* empty lines before the request */
  bool complete;
};

void coho__http1_init(struct coho__http1 *h, enum coho__http1_kind kind,
                      const struct coho__http1_limits *limits); /* NULL: defaults */
void coho__http1_free(struct coho__http1 *h);
/* Ready for the next head, memory kept. */
void coho__http1_reset(struct coho__http1 *h);

/* Once complete: gives back all but the start line, unless out of memory. Views from before are not
   valid any more. */
void coho__http1_forget(struct coho__http1 *h);

/* Takes bytes of the head and sets *used to how many; what follows the head is left. 1: complete,
   0: all used, wants more, or the error (sticky). Of a request: COHO_EHTTP, COHO_EMETHOD,
   COHO_ETARGET, COHO_ETARGETLONG, COHO_EHTTPVERSION, COHO_EFIELD, COHO_EFIELDLONG,
   COHO_EFIELDCOUNT; of a response: COHO_ERESPONSE, COHO_ERESPONSELONG; COHO_ENOMEM. */
int coho__http1_input(struct coho__http1 *h, const char *data, size_t len, size_t *used);

/* Once complete. Views are terminated too. */
struct coho__view coho__http1_method(const struct coho__http1 *h);
struct coho__view coho__http1_target(const struct coho__http1 *h);
struct coho__view coho__http1_name(const struct coho__http1 *h, size_t i);
struct coho__view coho__http1_value(const struct coho__http1 *h, size_t i); /* trimmed */
/* The index of the first field with this name at or after from, SIZE_MAX for none. */
size_t coho__http1_find(const struct coho__http1 *h, const char *name, size_t from);
/* Whether exactly one field has this name; *value is set then. */
bool coho__http1_only(const struct coho__http1 *h, const char *name, struct coho__view *value);

/* A list of fields that may stand in several lines (RFC 9110 5.6.1): walks the elements between
   commas, trimmed, skipping empty ones, commas in quoted strings apart. it starts zeroed. */
struct coho__http1_list {
  struct coho__view rest;
  size_t field; /* index of the next line to look at */
  size_t count; /* elements so far */
};
bool coho__http1_list_next(const struct coho__http1 *h, const char *name,
                           struct coho__http1_list *it, struct coho__view *element);
/* Whether the list has this token, without case. */
bool coho__http1_has_token(const struct coho__http1 *h, const char *name, const char *token);

/* Grammar shared with others (RFC 9110 5.6.2, 5.5). */
bool coho__http1_is_token(struct coho__view v);       /* not empty */
bool coho__http1_is_field_value(struct coho__view v); /* no control character but tab */
const char *coho__http1_reason(int status);           /* "Not Found"; "" for unknown ones */

#endif
