/*
 * Sec-WebSocket-Extensions: each line of the input is one line of the field. What was read, written
 * down again without spaces and quotes, has to be read as the same.
 */
#include "proto/extension.h"

#include "support/agree.h"
#include "support/claim.h"
#include "support/input.h"
#include "support/memory.h"
#include "support/tape.h"

#include <string.h>

/* A value without its backslashes: a token. */
static void write_value(struct tape *t, struct coho__view value) {
  size_t before = t->len;
  for (size_t i = 0; i < value.len; i++) {
    if (value.data[i] == '\\') i++;
    CLAIM(i < value.len);
    tape_bytes(t, &value.data[i], 1);
  }
  CLAIM(coho__http1_is_token((struct coho__view){t->data + before, t->len - before}));
}

static void write_extension(struct tape *t, const struct coho__extension *ext) {
  CLAIM(coho__http1_is_token(ext->name) && ext->param_count <= COHO_EXTENSION_PARAMS);
  tape_bytes(t, ext->name.data, ext->name.len);
  for (size_t i = 0; i < ext->param_count; i++) {
    CLAIM(coho__http1_is_token(ext->params[i].name));
    tape_print(t, ";");
    tape_bytes(t, ext->params[i].name.data, ext->params[i].name.len);
    if (!ext->params[i].value.data) continue;
    tape_print(t, "=");
    write_value(t, ext->params[i].value);
  }
}

/* All of them, as one line. */
static int write_all(struct tape *t, const struct coho__http1 *head) {
  struct coho__http1_list it = {0};
  struct coho__extension ext;
  int more;
  size_t count = 0;
  while ((more = coho__extension_next(head, &it, &ext)) == 1) {
    if (count++) tape_print(t, ",");
    write_extension(t, &ext);
  }
  CLAIM(count <= COHO_EXTENSIONS);
  CLAIM(coho__extension_check(head) == more);
  return more;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct coho__http1 head;
  struct tape first = {NULL, 0, 0}, second = {NULL, 0, 0};
  memory_fail_at(0);
  agree_head(&head, COHO_HTTP1_REQUEST, (struct coho__view){(const char *)data, size});
  bool good = head.complete && write_all(&first, &head) == 0;
  coho__http1_free(&head);
  if (good && first.len > 0) {
    agree_head(&head, COHO_HTTP1_REQUEST, (struct coho__view){first.data, first.len});
    CLAIM(head.complete);
    CLAIM(write_all(&second, &head) == 0);
    tape_same(&first, &second, "extensions written down again");
    coho__http1_free(&head);
  }
  memory_claim_empty();
  tape_free(&first);
  tape_free(&second);
  return 0;
}
