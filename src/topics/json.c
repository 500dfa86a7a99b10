#include "topics/json.h"

/* The nesting, before jansson follows it. Brackets in strings do not count. */
static bool is_shallow(struct coho__view text) {
  size_t depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.len; i++) {
    char c = text.data[i];
    if (c == '"') quoted = !quoted;
    if (quoted && c == '\\') i++;
    if (quoted) continue;
    if ((c == '{' || c == '[') && ++depth > COHO_JSON_DEPTH) return false;
    if ((c == '}' || c == ']') && depth-- == 0) return false;
  }
  return true;
}

json_t *coho__json_object(struct coho__view text) {
  json_error_t unused;
  if (text.len == 0 || !is_shallow(text)) return NULL;
  json_t *j = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, &unused);
  if (json_is_object(j)) return j;
  json_decref(j);
  return NULL;
}

static struct coho__view view_of(const json_t *string) {
  return (struct coho__view){json_string_value(string), json_string_length(string)};
}

bool coho__json_string(const json_t *object, const char *name, struct coho__view *out) {
  const json_t *member = json_object_get(object, name);
  *out = view_of(member);
  return !member || json_is_string(member);
}

bool coho__json_strings(const json_t *array) {
  if (!json_is_array(array)) return false;
  for (size_t i = 0; i < json_array_size(array); i++)
    if (!json_is_string(json_array_get(array, i))) return false;
  return true;
}

bool coho__json_has(const json_t *array, struct coho__view string) {
  for (size_t i = 0; i < json_array_size(array); i++)
    if (coho__view_eq(view_of(json_array_get(array, i)), string)) return true;
  return false;
}
