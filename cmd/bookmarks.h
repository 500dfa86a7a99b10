/*
 * Positions of topics in a file, so that another run goes on where this one was: a JSON object with a
 * member for each topic, {"room/tea":"k3f9.42"}. Written as a whole or not at all.
 */
#ifndef COHO_CMD_BOOKMARKS_H
#define COHO_CMD_BOOKMARKS_H

#include <coho/hub.h>
#include <jansson.h>
#include <stdbool.h>

struct bookmarks {
  const char *path; /* NULL: no file */
  json_t *positions;
  bool changed;
};

/* Reads the file, which need not exist. 0, or an exit status after a sentence. */
int bookmarks_open(struct bookmarks *b, const char *command, const char *path);
void bookmarks_close(struct bookmarks *b);
/* NULL: none of this topic. Valid until it is set. */
const char *bookmarks_get(const struct bookmarks *b, const char *topic);
void bookmarks_set(struct bookmarks *b, const char *topic, coho_pos pos);
/* Writes what changed. 0, or errno. */
int bookmarks_save(struct bookmarks *b);

#endif
