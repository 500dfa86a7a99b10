#include "proto/extension.h"

#include "proto/chars.h"

#include <coho/error.h>

static const char FIELD[] = "Sec-WebSocket-Extensions";

static void skip(struct coho__view *in, size_t n) {
  in->data += n;
  in->len -= n;
}

/* Spaces may stand around every separator: the RFC uses the grammar of RFC 2616 with its implied
   white space. */
static void skip_space(struct coho__view *in) {
  while (in->len > 0 && (in->data[0] == ' ' || in->data[0] == '\t'))
    skip(in, 1);
}

/* Takes the separator, with the spaces around it, when it comes next. */
static bool take_separator(struct coho__view *in, char separator) {
  skip_space(in);
  if (in->len == 0 || in->data[0] != separator) return false;
  skip(in, 1);
  skip_space(in);
  return true;
}

static bool take_token(struct coho__view *in, struct coho__view *token) {
  *token = (struct coho__view){in->data, coho__chars_run(COHO_CHAR_TOKEN, in->data, in->len)};
  skip(in, token->len);
  return token->len > 0;
}

/* A quoted string that is a token once unescaped (RFC 6455 9.1); the opening quote is gone. */
static bool take_quoted(struct coho__view *in, struct coho__view *inside) {
  size_t n = 0;
  while (n < in->len && in->data[n] != '"') {
    if (in->data[n] == '\\') n++;
    if (n == in->len || (coho__chars[(unsigned char)in->data[n]] & COHO_CHAR_TOKEN) == 0)
      return false;
    n++;
  }
  if (n == 0 || n == in->len) return false;
  *inside = (struct coho__view){in->data, n};
  skip(in, n + 1);
  return true;
}

static bool take_param(struct coho__view *in, struct coho__extension *ext) {
  if (ext->param_count == COHO_EXTENSION_PARAMS) return false;
  size_t i = ext->param_count++;
  ext->params[i].value = (struct coho__view){NULL, 0};
  ext->params[i].quoted = false;
  if (!take_token(in, &ext->params[i].name)) return false;
  if (!take_separator(in, '=')) return true;
  ext->params[i].quoted = in->len > 0 && in->data[0] == '"';
  if (!ext->params[i].quoted) return take_token(in, &ext->params[i].value);
  skip(in, 1);
  return take_quoted(in, &ext->params[i].value);
}

int coho__extension_next(const struct coho__http1 *head, struct coho__http1_list *it,
                         struct coho__extension *ext) {
  struct coho__view in;
  if (!coho__http1_list_next(head, FIELD, it, &in)) {
    bool empty = it->count == 0 && coho__http1_find(head, FIELD, 0) != SIZE_MAX;
    return empty ? COHO_EEXTENSION : 0;
  }
  ext->param_count = 0;
  if (it->count > COHO_EXTENSIONS || !take_token(&in, &ext->name)) return COHO_EEXTENSION;
  while (take_separator(&in, ';'))
    if (!take_param(&in, ext)) return COHO_EEXTENSION;
  return in.len == 0 ? 1 : COHO_EEXTENSION;
}

int coho__extension_check(const struct coho__http1 *head) {
  struct coho__http1_list it = {0};
  struct coho__extension ext;
  int more;
  do {
    more = coho__extension_next(head, &it, &ext);
  } while (more > 0);
  return more;
}
