#include "deflate.h"

#include <stdlib.h>
#include <string.h>

struct part {
  const char *name;
  uint32_t min, max;
};

static const struct part parts[] = {
    {"window", 9, 15}, {"memory", 1, 9}, {"level", 1, 9}, {"min", 1, UINT32_MAX}};
enum { WINDOW, MEMORY, LEVEL, MIN, PARTS };

static bool read_mode(const char *text, size_t len, coho_deflate *out) {
  static const char *const names[] = {"shared", "own", "off"};
  for (uint32_t i = 0; i < 3; i++) {
    if (strlen(names[i]) != len || memcmp(names[i], text, len) != 0) continue;
    out->mode = COHO_DEFLATE_SHARED + i;
    return true;
  }
  return false;
}

/* "NAME=NUMBER". Which part it is, PARTS for none. */
static size_t read_part(const char *text, size_t len, uint32_t *number) {
  for (size_t i = 0; i < PARTS; i++) {
    size_t n = strlen(parts[i].name);
    if (len < n + 2 || memcmp(text, parts[i].name, n) != 0 || text[n] != '=') continue;
    if (text[n + 1] < '0' || text[n + 1] > '9') return PARTS;
    char *end;
    unsigned long long value = strtoull(text + n + 1, &end, 10);
    *number = (uint32_t)value;
    return end == text + len && value >= parts[i].min && value <= parts[i].max ? i : PARTS;
  }
  return PARTS;
}

static bool read_parts(const char *text, coho_deflate *out) {
  while (*text == ',') {
    size_t len = strcspn(++text, ",");
    uint32_t number = 0;
    size_t which = read_part(text, len, &number);
    if (which == PARTS || (which != MIN && out->mode != COHO_DEFLATE_OWN)) return false;
    if (which == WINDOW) out->window = out->peer_window = number;
    if (which == MEMORY) out->memory = number;
    if (which == LEVEL) out->level = number;
    if (which == MIN) out->min_size = number;
    text += len;
  }
  return *text == '\0';
}

int deflate_option(const struct command *c, const char *text, coho_deflate *out) {
  if (!text) return 0;
  size_t len = strcspn(text, ",");
  if (read_mode(text, len, out) && read_parts(text + len, out)) return 0;
  return usage_error(c,
                     "--deflate %s: this is off, shared[,min=BYTES] or "
                     "own[,window=9..15][,memory=1..9][,level=1..9][,min=BYTES]",
                     text);
}
