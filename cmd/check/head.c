#include "head.h"

#include "bytes.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool head_is_token(const char *text, size_t len) {
  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char)text[i];
    bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
    bool digit = c >= '0' && c <= '9';
    if (!letter && !digit && (!c || !strchr("!#$%&'*+-.^_`|~", c))) return false;
  }
  return len > 0;
}

size_t head_length(const void *data, size_t len) {
  const char *text = (const char *)data;
  for (size_t i = 3; i < len; i++)
    if (text[i] == '\n' && !memcmp(text + i - 3, "\r\n\r\n", 4)) return i + 1;
  return 0;
}

/* ---- lines ---------------------------------------------------------------------------------- */

static bool has_controls(const char *text, size_t len) {
  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char)text[i];
    if ((c < ' ' && c != '\t') || c == 0x7f) return true;
  }
  return false;
}

/* Cuts the next line off *rest, ends it with NUL; the end of the head is an empty one. */
static const char *next_line(char **rest, char **line) {
  char *end = strchr(*rest, '\r');
  if (!end || end[1] != '\n') return "a line does not end with CRLF";
  *line = *rest;
  *rest = end + 2;
  *end = '\0';
  return has_controls(*line, (size_t)(end - *line)) ? "there is a control character in a line"
                                                    : NULL;
}

static char *trim(char *text) {
  text += strspn(text, " \t");
  size_t len = strlen(text);
  while (len && (text[len - 1] == ' ' || text[len - 1] == '\t'))
    text[--len] = '\0';
  return text;
}

static const char *read_field(struct head *h, char *line) {
  if (*line == ' ' || *line == '\t') return "a field is folded over two lines";
  char *colon = strchr(line, ':');
  if (!colon) return "a field has no colon";
  if (!head_is_token(line, (size_t)(colon - line))) return "a field name is no token";
  if (h->count == HEAD_FIELDS) return "there are more than 100 fields";
  *colon = '\0';
  h->fields[h->count++] = (struct head_field){line, trim(colon + 1)};
  return NULL;
}

/* Copies the head and reads all of it but the first line, which is left in *first. */
static const char *read_lines(struct head *h, const void *data, size_t len, char **first) {
  *h = (struct head){.minor = 1};
  h->text = (char *)memory_new(len + 1, 1);
  memcpy(h->text, data, len);
  if (strlen(h->text) != len) return "there is a NUL in the head";
  char *rest = h->text;
  char *line;
  const char *why = next_line(&rest, first);
  while (!why) {
    why = next_line(&rest, &line);
    if (why || !*line) break;
    why = read_field(h, line);
  }
  return why;
}

/* ---- first lines ---------------------------------------------------------------------------- */

static bool read_version(const char *text, int *minor) {
  if (strncmp(text, "HTTP/1.", 7) != 0 || text[7] < '0' || text[7] > '9') return false;
  *minor = text[7] - '0';
  return true;
}

const char *head_read_request(struct head *h, const void *data, size_t len) {
  char *line = NULL;
  const char *why = read_lines(h, data, len, &line);
  if (why) return why;
  char *target = strchr(line, ' ');
  char *version = target ? strchr(target + 1, ' ') : NULL;
  if (!version || !read_version(version + 1, &h->minor) || version[9])
    return "the first line is not 'METHOD TARGET HTTP/1.1'";
  *target = *version = '\0';
  h->method = line;
  h->target = target + 1;
  return *h->target ? NULL : "the target is empty";
}

static bool all_digits(const char *text, size_t len) {
  for (size_t i = 0; i < len; i++)
    if (text[i] < '0' || text[i] > '9') return false;
  return true;
}

const char *head_read_response(struct head *h, const void *data, size_t len) {
  static const char wrong[] = "the status line is not 'HTTP/1.1 NNN REASON'";
  char *line = NULL;
  const char *why = read_lines(h, data, len, &line);
  if (why) return why;
  if (strlen(line) < 12 || !read_version(line, &h->minor) || line[8] != ' ') return wrong;
  const char *status = line + 9;
  if (!all_digits(status, 3) || (status[3] && status[3] != ' ')) return wrong;
  h->status = (status[0] - '0') * 100 + (status[1] - '0') * 10 + (status[2] - '0');
  return NULL;
}

void head_free(struct head *h) {
  free(h->text);
  *h = (struct head){.text = NULL};
}

/* ---- fields --------------------------------------------------------------------------------- */

const char *head_get(const struct head *h, const char *name) {
  for (size_t i = 0; i < h->count; i++)
    if (!strcasecmp(h->fields[i].name, name)) return h->fields[i].value;
  return NULL;
}

size_t head_count(const struct head *h, const char *name) {
  size_t count = 0;
  for (size_t i = 0; i < h->count; i++)
    count += !strcasecmp(h->fields[i].name, name);
  return count;
}

static bool list_has(const char *list, const char *token) {
  while (*list) {
    list += strspn(list, " \t,");
    size_t len = strcspn(list, ",");
    size_t end = len;
    while (end && (list[end - 1] == ' ' || list[end - 1] == '\t'))
      end--;
    if (end == strlen(token) && !strncasecmp(list, token, end)) return true;
    list += len;
  }
  return false;
}

bool head_has_token(const struct head *h, const char *name, const char *token) {
  for (size_t i = 0; i < h->count; i++)
    if (!strcasecmp(h->fields[i].name, name) && list_has(h->fields[i].value, token)) return true;
  return false;
}

bool head_join(const struct head *h, const char *name, char *text, size_t cap) {
  struct bytes b = {NULL, 0, 0};
  for (size_t i = 0; i < h->count; i++)
    if (!strcasecmp(h->fields[i].name, name))
      bytes_printf(&b, "%s%s", b.len ? ", " : "", h->fields[i].value);
  bool ok = head_count(h, name) > 0 && b.len < cap;
  if (ok) memcpy(text, b.data ? b.data : (const uint8_t *)"", b.len);
  if (ok) text[b.len] = '\0';
  bytes_free(&b);
  return ok;
}
