#include "posting.h"

#include "base/base64.h"

#include <stdlib.h>
#include <string.h>

enum { KEY_MOST = 255 };

/* A member that may be missing. False: it is there, but no text without NUL. */
static bool read_text(const json_t *json, const char *name, const char **out) {
  const json_t *member = json_object_get(json, name);
  *out = json_string_value(member);
  return !member || (*out && strlen(*out) == json_string_length(member));
}

static bool read_key(const json_t *json, const char *name, const char **out) {
  if (!read_text(json, name, out)) return false;
  return !*out || (**out && strlen(*out) <= KEY_MOST);
}

static const char *read_data(struct posting *p, const json_t *data) {
  if (json_is_string(data)) {
    p->msg = coho_text_n(json_string_value(data), json_string_length(data));
    return NULL;
  }
  p->text = json_dumps(data, JSON_COMPACT | JSON_ENCODE_ANY);
  if (!p->text) return "needs more memory than there is";
  p->msg = coho_text(p->text);
  return NULL;
}

static const char *read_data64(struct posting *p, const json_t *data64) {
  const char *text = json_string_value(data64);
  size_t len = json_string_length(data64);
  if (!text) return "has data64 that is no text";
  p->bytes = (char *)malloc(len / 4 * 3 + 1);
  if (!p->bytes) return "needs more memory than there is";
  ptrdiff_t n = coho__base64_decode(p->bytes, text, len);
  if (n < 0) return "has data64 that is no base64";
  p->msg = coho_binary(p->bytes, (size_t)n);
  return NULL;
}

const char *posting_read(struct posting *p, struct coho__view text) {
  json_error_t unused;
  *p = (struct posting){.gap = false};
  p->json = json_loadb(text.data, text.len, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &unused);
  if (!json_is_object(p->json)) return "is no JSON object";
  const json_t *data = json_object_get(p->json, "data");
  const json_t *data64 = json_object_get(p->json, "data64");
  const char *op = json_string_value(json_object_get(p->json, "op"));
  p->gap = op && !strcmp(op, "gap");
  if (p->gap) return NULL;
  if (!data == !data64) return "has not one of data and data64";
  if (!read_text(p->json, "topic", &p->topic)) return "has a topic that is no name";
  if (!read_key(p->json, "key", &p->key) || !read_key(p->json, "idem", &p->idem))
    return "has a key that is no text of 1 to 255 bytes";
  return data ? read_data(p, data) : read_data64(p, data64);
}

void posting_free(struct posting *p) {
  json_decref(p->json);
  free(p->text); /* of jansson */
  free(p->bytes);
}
