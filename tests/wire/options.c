#include "options.h"

#include <stdlib.h>
#include <string.h>

static char *keep(struct options *o, const char *s, size_t n) {
  if (o->text_count == sizeof o->texts / sizeof o->texts[0]) return NULL;
  return o->texts[o->text_count++] = copy_text(s, n);
}

/* Splits at sep into a list ended by NULL; every part is kept. */
static bool list(struct options *o, const char **list, const char *s, char sep) {
  size_t count = 0;
  while (list[count])
    count++;
  for (;;) {
    const char *end = strchr(s, sep);
    size_t n = end ? (size_t)(end - s) : strlen(s);
    if (count == MAX_TEXTS || !(list[count++] = keep(o, s, n))) return false;
    if (!end) return true;
    s = end + 1;
  }
}

static bool text_option(struct options *o, const char *name, size_t n, const char *value) {
  if (n == 9 && memcmp(name, "protocols", n) == 0) {
    return list(o, o->protocols, value, ',');
  }
  if (n == 7 && memcmp(name, "origins", n) == 0) {
    return list(o, o->origins, value, ',');
  }
  if (n == 6 && memcmp(name, "header", n) == 0) {
    return list(o, o->headers, value, '\n');
  }
  if (n == 10 && memcmp(name, "extensions", n) == 0)
    return (o->extensions = keep(o, value, strlen(value)));
  if (n == 3 && memcmp(name, "url", n) == 0) return (o->ws.url = keep(o, value, strlen(value)));
  if (n == 6 && memcmp(name, "origin", n) == 0)
    return (o->ws.origin = keep(o, value, strlen(value)));
  return false;
}

static bool number_option(struct options *o, const char *name, size_t n, const char *value) {
  static const struct {
    const char *name;
    size_t offset, size;
  } numbers[] = {
#define NUMBER(field) \
  {#field, offsetof(coho_ws_options, field), sizeof(((coho_ws_options *)0)->field)}
#define DEFLATE(field)                                \
  {                                                   \
#    field, offsetof(coho_ws_options, deflate.field), \
        sizeof(((coho_ws_options *)0)->deflate.field) \
  }
      NUMBER(max_message),
      NUMBER(max_frame),
      NUMBER(max_output),
      NUMBER(handshake_timeout_ms),
      NUMBER(message_timeout_ms),
      NUMBER(ping_interval_ms),
      NUMBER(pong_timeout_ms),
      NUMBER(close_timeout_ms),
      DEFLATE(window),
      DEFLATE(peer_window),
      DEFLATE(memory),
      DEFLATE(level),
      DEFLATE(min_size),
#undef NUMBER
#undef DEFLATE
  };
  char *end;
  uint64_t number = strcmp(value, "never") == 0 ? UINT32_MAX : strtoull(value, &end, 10);
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    if (strlen(numbers[i].name) != n || memcmp(numbers[i].name, name, n) != 0) continue;
    uint32_t small = (uint32_t)number;
    const void *from = numbers[i].size == sizeof small ? (const void *)&small : &number;
    memcpy((char *)&o->ws + numbers[i].offset, from, numbers[i].size);
    return true;
  }
  return false;
}

static bool mode_option(struct options *o, const char *name, size_t n, const char *value) {
  static const char *const modes[] = {"", "shared", "own", "off"}; /* as enum coho_deflate_mode */
  if (n != 7 || memcmp(name, "deflate", n) != 0) return false;
  for (uint32_t mode = COHO_DEFLATE_SHARED; mode <= COHO_DEFLATE_OFF; mode++)
    if (strcmp(modes[mode], value) == 0) o->ws.deflate.mode = mode;
  return o->ws.deflate.mode != 0;
}

bool options_read(struct options *o, struct tokens *t) {
  for (const struct token *token; (token = tokens_take(t));) {
    const char *text = token_text(token), *value = strchr(text, '=');
    if (token_is(token, "stream"))
      o->ws.flags |= COHO_STREAM;
    else if (token_is(token, "protocol_required"))
      o->ws.flags |= COHO_PROTOCOL_REQUIRED;
    else if (token_is(token, "origin_required"))
      o->ws.flags |= COHO_ORIGIN_REQUIRED;
    else if (!value)
      return false;
    else {
      size_t n = (size_t)(value++ - text);
      if (!text_option(o, text, n, value) && !number_option(o, text, n, value) &&
          !mode_option(o, text, n, value))
        return false;
    }
  }
  return true;
}

coho_ws_options options_get(const struct options *o) {
  coho_ws_options ws = o->ws;
  if (o->protocols[0]) ws.protocols = o->protocols;
  if (o->origins[0]) ws.origins = o->origins;
  if (o->headers[0]) ws.headers = o->headers;
  return ws;
}

void options_free(struct options *o) {
  for (size_t i = 0; i < o->text_count; i++)
    free(o->texts[i]);
  o->text_count = 0;
}
