#include "bookmarks.h"

#include "option.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MOST = 16 * 1024 * 1024 };

static bool is_position(const json_t *value) {
  coho_pos pos;
  return json_is_string(value) && strlen(json_string_value(value)) < COHO_POS_MAX &&
         !coho_pos_parse(json_string_value(value), &pos);
}

/* What is wrong with what the file holds, NULL: nothing. */
static const char *judge(json_t *positions) {
  const char *topic;
  json_t *value;
  if (!json_is_object(positions)) return "it is no JSON object";
  json_object_foreach(positions, topic, value) {
    if (!is_position(value)) return "not each of its members is a position";
  }
  return NULL;
}

static int complain(const char *command, const char *path, const char *why) {
  fprintf(stderr, "coho %s: cannot use %s: %s\n", command, path, why);
  return EXIT_USAGE;
}

int bookmarks_open(struct bookmarks *b, const char *command, const char *path) {
  json_error_t error;
  struct stat st;
  *b = (struct bookmarks){.path = path, .positions = json_object()};
  if (!path || (stat(path, &st) && errno == ENOENT)) return 0;
  if (!stat(path, &st) && st.st_size > FILE_MOST) return complain(command, path, "it is too large");
  FILE *f = fopen(path, "re");
  if (!f) return complain(command, path, strerror(errno));
  json_t *read = json_loadf(f, JSON_REJECT_DUPLICATES, &error);
  (void)fclose(f);
  const char *why = read ? judge(read) : error.text;
  int status = why ? complain(command, path, why) : 0;
  if (!status) {
    json_decref(b->positions);
    b->positions = json_incref(read);
  }
  json_decref(read);
  return status;
}

void bookmarks_close(struct bookmarks *b) {
  json_decref(b->positions);
  b->positions = NULL;
}

const char *bookmarks_get(const struct bookmarks *b, const char *topic) {
  return json_string_value(json_object_get(b->positions, topic));
}

void bookmarks_set(struct bookmarks *b, const char *topic, coho_pos pos) {
  char text[COHO_POS_MAX];
  if (!b->path) return;
  (void)coho_pos_text(pos, text, sizeof text);
  const char *old = bookmarks_get(b, topic);
  if (old && !strcmp(old, text)) return;
  b->changed = true;
  (void)json_object_set_new(b->positions, topic, json_string(text));
}

static int write_file(const struct bookmarks *b, int fd) {
  FILE *f = fdopen(fd, "w");
  if (!f) {
    int err = errno;
    close(fd);
    return err;
  }
  bool fine = !json_dumpf(b->positions, f, JSON_INDENT(1) | JSON_SORT_KEYS) && fputc('\n', f) >= 0;
  fine = !fflush(f) && fine && !fsync(fd);
  int err = fine ? 0 : errno;
  return fclose(f) && !err ? errno : err;
}

/* Beside the file, so that it can take its place. */
int bookmarks_save(struct bookmarks *b) {
  if (!b->path || !b->changed) return 0;
  size_t cap = strlen(b->path) + sizeof ".XXXXXX";
  char *beside = (char *)malloc(cap);
  if (!beside) return ENOMEM;
  (void)snprintf(beside, cap, "%s.XXXXXX", b->path);
  int fd = mkstemp(beside);
  int err = fd < 0 ? errno : write_file(b, fd);
  if (!err && rename(beside, b->path)) err = errno;
  if (err && fd >= 0) (void)unlink(beside);
  if (!err) b->changed = false;
  free(beside);
  return err;
}
