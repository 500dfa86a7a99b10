#include "head.h"

#include "frame.h"
#include "tokens.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* clang-format off */
static const char *const request[] = {
  "GET /chat HTTP/1.1", "Host: server.example.com", "Upgrade: websocket", "Connection: Upgrade",
  SAMPLE_KEY_FIELD, "Sec-WebSocket-Version: 13", NULL
};
static const char *const answer[] = {
  "HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
  SAMPLE_ACCEPT_FIELD, NULL
};
/* clang-format on */

void head_free(struct head *h) {
  for (size_t i = 0; i < h->count; i++)
    free(h->lines[i]);
  h->count = 0;
}

void head_reset(struct head *h, coho_role engine) {
  head_free(h);
  for (const char *const *line = engine == COHO_SERVER ? request : answer; *line; line++)
    head_also(h, *line);
}

void head_line(struct head *h, const char *line) {
  free(h->lines[0]);
  h->lines[0] = copy_text(line, strlen(line));
}

bool head_also(struct head *h, const char *field) {
  if (h->count == HEAD_LINES) return false;
  h->lines[h->count++] = copy_text(field, strlen(field));
  return true;
}

static bool named(const char *line, const char *name, size_t n) {
  return strncasecmp(line, name, n) == 0 && line[n] == ':';
}

/* Where the first field of this name was, its lines being gone; count if there was none. */
static size_t cut(struct head *h, const char *name, size_t n) {
  size_t place = h->count, kept = 1;
  for (size_t i = 1; i < h->count; i++) {
    if (named(h->lines[i], name, n)) {
      if (place == h->count) place = i;
      free(h->lines[i]);
    } else {
      h->lines[kept++] = h->lines[i];
    }
  }
  if (place == h->count) place = kept;
  h->count = kept;
  return place;
}

bool head_with(struct head *h, const char *field) {
  size_t place = cut(h, field, strcspn(field, ":"));
  if (h->count == HEAD_LINES) return false;
  memmove(&h->lines[place + 1], &h->lines[place], (h->count - place) * sizeof h->lines[0]);
  h->lines[place] = copy_text(field, strlen(field));
  h->count++;
  return true;
}

bool head_without(struct head *h, const char *name) {
  size_t before = h->count;
  cut(h, name, strlen(name));
  return h->count < before;
}

void head_write(const struct head *h, struct bytes *out) {
  for (size_t i = 0; i < h->count; i++) {
    unescape(out, h->lines[i], strlen(h->lines[i]));
    bytes_text(out, "\r\n");
  }
  bytes_text(out, "\r\n");
}

/* ---- reading ------------------------------------------------------------------------------- */

/* The next line from *at on, without its CRLF; false at the empty line, or where it has none. */
static bool next_line(const uint8_t *data, size_t n, size_t *at, struct coho_bytes *line) {
  const uint8_t *begin = data + *at;
  const uint8_t *end = *at < n ? (const uint8_t *)memchr(begin, '\r', n - *at) : NULL;
  if (!end || end + 1 == data + n || end[1] != '\n') return false;
  *line = (struct coho_bytes){(const char *)begin, (size_t)(end - begin)};
  *at += line->len + 2;
  return line->len > 0;
}

size_t head_length(const uint8_t *data, size_t n) {
  struct coho_bytes line = {NULL, 0};
  size_t at = 0;
  while (next_line(data, n, &at, &line)) {}
  return line.data && line.len == 0 ? at : 0;
}

static struct coho_bytes trim(const char *s, size_t n) {
  while (n && (s[0] == ' ' || s[0] == '\t')) {
    s++;
    n--;
  }
  while (n && (s[n - 1] == ' ' || s[n - 1] == '\t'))
    n--;
  return (struct coho_bytes){s, n};
}

size_t head_find(const uint8_t *data, size_t n, const char *name, size_t name_len,
                 struct coho_bytes *value) {
  struct coho_bytes line;
  size_t at = 0, times = 0;
  if (!next_line(data, n, &at, &line)) return 0;
  while (next_line(data, n, &at, &line)) {
    if (line.len <= name_len || line.data[name_len] != ':') continue;
    if (strncasecmp(line.data, name, name_len) != 0) continue;
    *value = trim(line.data + name_len + 1, line.len - name_len - 1);
    times++;
  }
  return times;
}

static bool list_has(struct coho_bytes list, const char *token) {
  size_t want = strlen(token);
  const char *end = list.data + list.len;
  for (const char *s = list.data; s <= end;) {
    const char *comma = (const char *)memchr(s, ',', (size_t)(end - s));
    struct coho_bytes item = trim(s, (size_t)((comma ? comma : end) - s));
    if (item.len == want && strncasecmp(item.data, token, want) == 0) return true;
    if (!comma) return false;
    s = comma + 1;
  }
  return false;
}

bool head_has_token(const uint8_t *data, size_t n, const char *name, const char *token) {
  struct coho_bytes line;
  size_t at = 0, len = strlen(name);
  if (!next_line(data, n, &at, &line)) return false;
  while (next_line(data, n, &at, &line)) {
    if (line.len <= len || line.data[len] != ':') continue;
    if (strncasecmp(line.data, name, len) != 0) continue;
    if (list_has((struct coho_bytes){line.data + len + 1, line.len - len - 1}, token)) return true;
  }
  return false;
}

bool head_begins(const uint8_t *data, size_t n, const char *line) {
  size_t want = strlen(line);
  return n >= want && memcmp(data, line, want) == 0;
}

static bool is_field(struct coho_bytes line) {
  static const char marks[] = "!#$%&'*+-.^_`|~";
  size_t n = 0;
  while (n < line.len &&
         (isalnum((unsigned char)line.data[n]) || (line.data[n] && strchr(marks, line.data[n]))))
    n++;
  if (n == 0 || n == line.len || line.data[n] != ':') return false;
  for (; n < line.len; n++)
    if (iscntrl((unsigned char)line.data[n]) && line.data[n] != '\t') return false;
  return true;
}

static const char *refusal_wrong(const uint8_t *data, size_t n) {
  struct coho_bytes value;
  if (!head_has_token(data, n, "Connection", "close")) return "it lacks Connection: close";
  if (head_find(data, n, "Content-Length", 14, &value) != 1) return "it lacks Content-Length";
  return NULL;
}

static const char *switching_wrong(const uint8_t *data, size_t n) {
  struct coho_bytes value;
  if (!head_has_token(data, n, "Upgrade", "websocket")) return "it lacks Upgrade: websocket";
  if (!head_has_token(data, n, "Connection", "Upgrade")) return "it lacks Connection: Upgrade";
  if (head_find(data, n, "Sec-WebSocket-Accept", 20, &value) != 1 || value.len != 28)
    return "it has not one Sec-WebSocket-Accept of 28 characters";
  if (head_find(data, n, "Content-Length", 14, &value)) return "a 101 has no Content-Length";
  if (head_find(data, n, "Transfer-Encoding", 17, &value)) return "a 101 has no body";
  return NULL;
}

const char *head_wrong(const uint8_t *data, size_t n) {
  static const char *const once[] = {"Host",
                                     "Sec-WebSocket-Key",
                                     "Sec-WebSocket-Version",
                                     "Sec-WebSocket-Accept",
                                     "Sec-WebSocket-Extensions",
                                     "Sec-WebSocket-Protocol",
                                     "Upgrade"};
  struct coho_bytes line, value;
  size_t at = 0;
  next_line(data, n, &at, &line);
  while (next_line(data, n, &at, &line))
    if (!is_field(line)) return "a line is not a header field";
  for (size_t i = 0; i < sizeof once / sizeof once[0]; i++)
    if (head_find(data, n, once[i], strlen(once[i]), &value) > 1) return "a field is repeated";
  if (head_begins(data, n, "HTTP/1.1 101 ")) return switching_wrong(data, n);
  return head_begins(data, n, "HTTP/") ? refusal_wrong(data, n) : NULL;
}
