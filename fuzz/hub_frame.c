/* Frames from a hub, as a client reads them. What is taken has the right shape; a message that is written
   down again is read as the same. */
#include "topics/hub_frame.h"

#include "support/claim.h"
#include "support/input.h"
#include "support/memory.h"

#include "base/utf8.h"
#include "topics/json_text.h"

#include <string.h>

static void claim_text(struct coho__view v) { CLAIM(coho__utf8_valid(v.data, v.len)); }

static void write_down(struct coho__buf *out, const struct coho__hub_frame *f) {
  char pos[COHO_POS_MAX];
  struct coho__view payload = {f->msg.data, f->msg.len};
  bool text = f->msg.type == COHO_TEXT;
  int err = coho__buf_append_str(out, "{\"topic\":");
  if (!err) err = coho__json_put_string(out, f->topic);
  if (!err)
    err = coho__buf_printf(out, ",\"pos\":\"%s\",\"%s\":", coho_pos_text(f->pos, pos, sizeof pos),
                           text ? "data" : "data64");
  if (!err) err = text ? coho__json_put_string(out, payload) : coho__json_put_base64(out, payload);
  if (!err) err = coho__buf_append_str(out, "}");
  CLAIM(!err);
}

static void claim_same(const struct coho__hub_frame *f) {
  struct coho__buf out = COHO_BUF(1024 * 1024);
  struct coho__hub_frame again;
  write_down(&out, f);
  CLAIM(coho__hub_frame_read(&again, (struct coho__view){out.data, out.len}) == 0);
  CLAIM(again.op == COHO_HUB_MESSAGE && coho__view_eq(again.topic, f->topic));
  CLAIM(again.pos.epoch == f->pos.epoch && again.pos.offset == f->pos.offset);
  CLAIM(again.msg.type == f->msg.type && again.msg.len == f->msg.len);
  CLAIM(!f->msg.len || !memcmp(again.msg.data, f->msg.data, f->msg.len));
  coho__hub_frame_free(&again);
  coho__buf_release(&out);
}

static void claim_lists(struct coho__hub_frame *f) {
  coho_pos pos;
  coho_msg m;
  for (size_t i = 0; f->op == COHO_HUB_HISTORY && i < f->count; i++) {
    coho__hub_frame_message(f, i, &pos, &m);
    CLAIM(pos.epoch);
    if (m.type == COHO_TEXT) claim_text((struct coho__view){m.data, m.len});
  }
  for (size_t i = 0; f->op == COHO_HUB_PRESENCE && i < f->count; i++) {
    struct coho__hub_member member;
    CLAIM(!coho__hub_frame_member(f, i, &member));
    size_t len = strlen(member.id);
    CLAIM(len > 0 && len <= COHO_HUB_MEMBER);
    coho__hub_member_free(&member);
  }
}

static void claim_event(const char *text) {
  struct coho__hub_member member;
  int err = coho__hub_member_read(&member, coho_text(text));
  CLAIM(err == COHO_EHUBFRAME || (!err && member.event && *member.id));
  coho__hub_member_free(&member);
}

static void claim_shape(const struct coho__hub_frame *f) {
  bool placed = f->op == COHO_HUB_MESSAGE || f->op == COHO_HUB_GAP;
  if (placed) CLAIM(f->topic.len > 0 && f->topic.len <= COHO_TOPIC_COMPANION_MAX && f->pos.epoch);
  if (f->op == COHO_HUB_MESSAGE && f->msg.type == COHO_TEXT)
    claim_text((struct coho__view){f->msg.data, f->msg.len});
  if (f->op == COHO_HUB_GAP) CLAIM(f->lost > 0);
  if (f->op == COHO_HUB_ERROR) CLAIM(f->err < 0);
  if (f->op == COHO_HUB_ERROR) claim_text(f->text);
  if (f->op == COHO_HUB_EXPIRING) CLAIM(f->seconds > 0);
  if (f->op == COHO_HUB_MESSAGE) claim_same(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct coho__hub_frame f;
  char *text = input_text((struct input){data, size});
  memory_fail_at(0);
  int err = coho__hub_frame_read(&f, coho__view_of(text));
  CLAIM(err == 0 || err == COHO_EHUBFRAME);
  if (!err) claim_shape(&f);
  if (!err) claim_lists(&f);
  claim_event(text);
  coho__hub_frame_free(&f);
  memory_claim_empty();
  free(text);
  return 0;
}
