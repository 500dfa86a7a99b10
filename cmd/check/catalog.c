#include "catalog.h"

#include "bytes.h"
#include "cases.h"

#include "base/check.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

static const struct {
  const char *id, *title;
} sections[] = {
    {"1", "Messages of one frame"},
    {"2", "Pings and pongs"},
    {"3", "Reserved bits"},
    {"4", "Reserved opcodes"},
    {"5", "Fragments"},
    {"6", "UTF-8"},
    {"7", "Closing"},
    {"9", "Sizes, fragments, chops and round trips"},
    {"10", "Automatic fragmentation"},
    {"12", "Compression of various data"},
    {"13", "Compression with various parameters"},
    {"mask", "Masking"},
    {"length", "Length encodings"},
    {"fragment", "More of fragments"},
    {"utf8", "More of UTF-8"},
    {"close", "More of closing"},
    {"handshake", "Opening handshake"},
    {"http", "HTTP requests that must be refused"},
    {"protocol", "Subprotocols"},
    {"extension", "Negotiation of extensions"},
    {"window", "Windows of compression"},
    {"deflate", "Compressed streams, sound and broken"},
    {"flood", "Floods"},
};

void catalog_add(struct catalog *cat, const struct check_case *c) {
  if (cat->count == cat->cap) {
    cat->cap = cat->cap ? 2 * cat->cap : 1024;
    struct check_case *grown =
        (struct check_case *)realloc(cat->cases, cat->cap * sizeof *cat->cases);
    if (!grown) memory_lacks();
    cat->cases = grown;
  }
  cat->cases[cat->count++] = *c;
}

void catalog_add_all(struct catalog *cat, const struct check_case *c, size_t count) {
  for (size_t i = 0; i < count; i++)
    catalog_add(cat, &c[i]);
}

/* In the order of the sections. */
void catalog_build(struct catalog *cat) {
  cases_echo(cat);
  cases_ping(cat);
  cases_reserved(cat);
  cases_fragment(cat);
  cases_utf8(cat);
  cases_close(cat);
  cases_size(cat);
  cases_compress(cat);
  cases_frame(cat);
  cases_fragment_more(cat);
  cases_utf8_more(cat);
  cases_close_more(cat);
  cases_handshake(cat);
  cases_answer(cat);
  cases_http(cat);
  cases_protocol(cat);
  cases_extension(cat);
  cases_window(cat);
  cases_deflate(cat);
  cases_flood(cat);
}

void catalog_free(struct catalog *cat) {
  free(cat->cases);
  *cat = (struct catalog){.cases = NULL};
}

size_t section_length(const char *id) { return strcspn(id, "."); }

const char *section_title(const char *id) {
  size_t len = section_length(id);
  for (size_t i = 0; i < COHO_COUNT(sections); i++)
    if (strlen(sections[i].id) == len && !memcmp(sections[i].id, id, len)) return sections[i].title;
  return "";
}

static bool fits(const char *id, const char *pattern) {
  size_t len = strlen(pattern);
  if (!strncmp(id, pattern, len) && id[len] == '.') return true;
  return fnmatch(pattern, id, 0) == 0;
}

bool catalog_fits(const struct check_case *c, const char *const *patterns) {
  if (!patterns || !*patterns) return true;
  for (; *patterns; patterns++)
    if (fits(c->id, *patterns)) return true;
  return false;
}
