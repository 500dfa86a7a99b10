/* Bytes as hexadecimal text. */
#ifndef COHO_CMD_HEX_H
#define COHO_CMD_HEX_H

#include "base/buf.h"
#include "base/view.h"

/* Appends the bytes that text names: pairs of digits, with or without spaces, tabs and the signs
   , : ; - between them and "0x" before them. 0, COHO_EINVAL, COHO_EFULL, COHO_ENOMEM. */
int hex_parse(struct coho__buf *out, struct coho__view text);
/* Appends "6865790a": two digits for each byte. 0, COHO_EFULL, COHO_ENOMEM. */
int hex_append(struct coho__buf *out, struct coho__view bytes);
/* Appends lines of 16 bytes: offset, digits, and the characters that are printable ASCII. */
int hex_dump(struct coho__buf *out, struct coho__view bytes);

#endif
