/* The log of coho_set_log(): one line per event, levels of enum coho_log_level. */
#ifndef COHO_BASE_LOG_H
#define COHO_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>

bool coho__log_wants(int level);
/* Formats a line and hands it over; longer than 1,024 bytes it is cut. errno stays as it is. */
void coho__log(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Text of a peer for a log or a terminal: control characters, those that turn the direction of
   writing, double quotes, backslashes and bytes that are not UTF-8 as \xNN, cut with "..." so that
   it fits into cap, which is at least 4. Terminated; returns dst. */
const char *coho__escape(char *dst, size_t cap, const char *data, size_t len);

#endif
