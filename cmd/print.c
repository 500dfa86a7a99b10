#include "print.h"

#include "base/check.h"
#include "escape.h"
#include "hex.h"

/* More of a dump only pushes everything else off the screen. */
enum { DUMP_BYTES = 4096 };

static int print_dump(struct coho__buf *out, struct coho__view bytes) {
  struct coho__view shown = {bytes.data, COHO_MIN(bytes.len, (size_t)DUMP_BYTES)};
  int err = coho__buf_printf(out, "binary, %zu byte%s\n", bytes.len, bytes.len == 1 ? "" : "s");
  if (!err) err = hex_dump(out, shown);
  if (!err && shown.len < bytes.len)
    err = coho__buf_printf(out, "and %zu bytes more\n", bytes.len - shown.len);
  return err;
}

static int print_text(struct coho__buf *out, struct coho__view text, bool terminal) {
  int err =
      terminal ? escape_append(out, text, ESCAPE_TEXT) : coho__buf_append(out, text.data, text.len);
  return err ? err : coho__buf_append_str(out, "\n");
}

static int print_hex(struct coho__buf *out, struct coho__view bytes) {
  int err = hex_append(out, bytes);
  return err ? err : coho__buf_append_str(out, "\n");
}

int print_message(struct coho__buf *out, const struct print *p, const coho_msg *m) {
  struct coho__view payload = {m->data, m->len};
  int err = p->marked ? coho__buf_append_str(out, "< ") : 0;
  if (err) return err;
  if (m->type == COHO_TEXT) return print_text(out, payload, p->terminal);
  if (p->hex) return print_hex(out, payload);
  if (p->terminal) return print_dump(out, payload);
  return coho__buf_append(out, payload.data, payload.len);
}
