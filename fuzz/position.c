/* Positions: exactly the texts of the grammar are read, and each is written the same again. */
#include "base/view.h"
#include "support/claim.h"
#include "support/input.h"

#include <coho/hub.h>
#include <string.h>

/* Without arithmetic: numbers of the same length are in the order of their texts. */
static bool is_number(struct coho__view v, const char *digits, const char *most) {
  if (v.len == 0 || v.len > strlen(most)) return false;
  for (size_t i = 0; i < v.len; i++)
    if (!strchr(digits, v.data[i])) return false;
  return v.len < strlen(most) || memcmp(v.data, most, v.len) <= 0;
}

static bool is_position(const char *text) {
  static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz", decimal[] = "0123456789";
  if (strcmp(text, "0") == 0) return true;
  const char *dot = strchr(text, '.');
  if (!dot || text[0] == '0' || (dot[1] == '0' && dot[2])) return false;
  struct coho__view epoch = {text, (size_t)(dot - text)};
  return is_number(epoch, digits, "3w5e11264sgsf") &&
         is_number(coho__view_of(dot + 1), decimal, "9223372036854775807");
}

static void claim_text(const char *text) {
  coho_pos pos;
  char again[COHO_POS_MAX];
  int err = coho_pos_parse(text, &pos);
  CLAIM(err == (is_position(text) ? 0 : COHO_EPOSITION));
  if (!err) CLAIM(strcmp(coho_pos_text(pos, again, sizeof again), text) == 0);
}

static void claim_position(struct input in) {
  coho_pos pos = {0, 0}, again;
  for (int i = 0; i < 8; i++)
    pos.epoch = pos.epoch << 8 | input_byte(&in);
  for (int i = 0; i < 8; i++)
    pos.offset = pos.offset << 8 | input_byte(&in);
  pos.offset &= INT64_MAX;
  if (pos.epoch == 0) pos.offset = 0;
  char text[COHO_POS_MAX];
  size_t cap = 1 + input_byte(&in) % sizeof text;
  CLAIM(coho_pos_parse(coho_pos_text(pos, text, sizeof text), &again) == 0);
  CLAIM(again.epoch == pos.epoch && again.offset == pos.offset);
  char *some = (char *)malloc(cap);
  CLAIM(some);
  coho_pos_text(pos, some, cap);
  CLAIM(strcmp(some, strlen(text) < cap ? text : "") == 0);
  free(some);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct input in = {data, size};
  char *text = input_text(in);
  claim_text(text);
  free(text);
  claim_position(in);
  return 0;
}
