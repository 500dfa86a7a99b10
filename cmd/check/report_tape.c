#include "report_tape.h"

#include "base/check.h"

#include <inttypes.h>

/* ---- text ----------------------------------------------------------------------------------- */

static void put_byte(struct bytes *b, unsigned byte) {
  switch (byte) {
  case '&': bytes_add_text(b, "&amp;"); return;
  case '<': bytes_add_text(b, "&lt;"); return;
  case '>': bytes_add_text(b, "&gt;"); return;
  case '\r': bytes_add_text(b, "<i>\\r</i>"); return;
  case '\n': bytes_add_text(b, "<i>\\n</i>\n"); return;
  case '\t': bytes_add_text(b, "<i>\\t</i>"); return;
  case '\\': bytes_add_text(b, "\\\\"); return;
  default: break;
  }
  if (byte >= ' ' && byte <= '~')
    bytes_add_byte(b, byte);
  else
    bytes_printf(b, "<i>\\x%02x</i>", byte);
}

/* Lines, with what ends them. */
static void put_lines(struct bytes *b, const uint8_t *data, size_t len) {
  bytes_add_text(b, "<pre>");
  for (size_t i = 0; i < len; i++)
    put_byte(b, data[i]);
  bytes_add_text(b, "</pre>");
}

/* One character for each byte. */
static void put_characters(struct bytes *b, const uint8_t *data, size_t len) {
  for (size_t i = 0; i < len; i++) {
    if (data[i] < ' ' || data[i] > '~')
      bytes_add_text(b, "\xc2\xb7");
    else
      put_byte(b, data[i]);
  }
}

/* ---- rows ----------------------------------------------------------------------------------- */

enum { IN_ROW = 8 }; /* as many as fit on a phone */

static void put_row(struct bytes *b, const uint8_t *data, size_t len) {
  for (size_t i = 0; i < IN_ROW; i++) {
    if (i < len)
      bytes_printf(b, "%02x ", data[i]);
    else
      bytes_add_text(b, "   ");
  }
  bytes_add_byte(b, ' ');
  put_characters(b, data, len);
}

static void put_rows(struct bytes *b, const uint8_t *data, size_t len) {
  bytes_add_text(b, "<div class=\"rows\">");
  for (size_t at = 0; at < len; at += IN_ROW) {
    bytes_add_text(b, "<code>");
    put_row(b, data + at, COHO_MIN(len - at, (size_t)IN_ROW));
    bytes_add_text(b, "</code>");
  }
  bytes_add_text(b, "</div>");
}

static void put_heads(struct bytes *b, const struct tape *t, size_t head, bool whole) {
  put_lines(b, t->first, head);
  if (!whole && t->total > head)
    bytes_printf(b, "<small>the first %zu of %" PRIu64 " bytes</small>", head, t->total);
}

void report_tape(struct bytes *b, const struct report_tape *look, const struct tape *t) {
  bool whole = true;
  size_t head = look->heads ? tape_head(t, &whole) : 0;
  uint64_t rest = t->total - head;
  size_t shown = (size_t)COHO_MIN(rest, (uint64_t)t->len);
  if (!t->total) return;
  bytes_printf(b, "<dt>%s</dt><dd class=\"%s\">", look->label, look->name);
  if (head) put_heads(b, t, head, whole);
  /* Behind a head that is cut there is nothing else to see than more of it. */
  if (whole && shown) put_rows(b, t->last + t->len - shown, shown);
  if (whole && rest > shown)
    bytes_printf(b, "<small>the last %zu of %" PRIu64 " bytes</small>", shown, t->total);
  bytes_add_text(b, "</dd>\n");
}
