/*
 * Lines on standard error that never hold up an event loop: while nobody reads it, lines are dropped
 * and counted, and the count is told as soon as there is room again. Any thread.
 */
#ifndef COHO_CMD_LOGGER_H
#define COHO_CMD_LOGGER_H

#include <stddef.h>

/* Takes over the log of coho_set_log() from this level on. */
void logger_start(int level);
/* A line with the time in front, without line end; more than 2,000 bytes are cut. */
void logger_line(const char *line);
/* A line as it is. */
void logger_bare(const char *line);

/* The time now as in the lines, "2026-01-31T12:00:00.000Z"; returns dst, at least LOGGER_TIME bytes. */
#define LOGGER_TIME 48
const char *logger_time(char *dst, size_t cap);

#endif
