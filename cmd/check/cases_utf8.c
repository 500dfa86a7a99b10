/* 6: text that is UTF-8 and text that is not. Sequences are written in hexadecimal. */
#include "cases.h"
#include "expect.h"
#include "unicode.h"

#include "base/check.h"

#include <stdio.h>

/* ---- sequences ------------------------------------------------------------------------------ */

struct group {
  const char *title;
  const char *hex[36]; /* ended by NULL */
};

static const char continuations[] =
    "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadae"
    "afb0b1b2b3b4b5b6b7b8b9babbbcbdbe";
static const char firsts_of_two[] =
    "c020c120c220c320c420c520c620c720c820c920ca20cb20cc20cd20ce20cf20d020d120d220d320d420d520d620"
    "d720d820d920da20db20dc20dd20de20";

/* 6.5 to 6.23; whether a sequence is valid is not said here but looked up. */
/* clang-format off */
static const struct group groups[] = {
  {"sequences of every length", {"68656c6c6f24776f726c64", "68656c6c6fc2a2776f726c64",
    "68656c6c6fe282ac776f726c64", "68656c6c6ff0a4ada2776f726c64", "cebae1bdb9cf83cebcceb5"}},
  {"beginnings of a Greek word", {"ce", "ceba", "cebae1", "cebae1bd", "cebae1bdb9", "cebae1bdb9cf",
    "cebae1bdb9cf83", "cebae1bdb9cf83ce", "cebae1bdb9cf83cebc", "cebae1bdb9cf83cebcce",
    "cebae1bdb9cf83cebcceb5"}},
  {"first sequence of a length", {"00", "c280", "e0a080", "f0908080"}},
  {"first sequence of 5 and 6 bytes", {"f888808080", "fc8480808080"}},
  {"last sequence of a length", {"7f", "dfbf", "efbfbf", "f48fbfbf"}},
  {"last sequence of 4, 5 and 6 bytes", {"f7bfbfbf", "fbbfbfbfbf", "fdbfbfbfbfbf"}},
  {"other limits", {"ed9fbf", "ee8080", "efbfbd", "f48fbfbf", "f4908080"}},
  {"continuation bytes alone", {"80", "bf", "80bf", "80bf80", "80bf80bf", "80bf80bf80",
    "80bf80bf80bf",
    continuations}},
  {"first bytes alone", {
    firsts_of_two,
    "e020e120e220e320e420e520e620e720e820e920ea20eb20ec20ed20ee20", "f020f120f220f320f420f520f620",
    "f820f920fa20", "fc20"}},
  {"last byte missing", {"c0", "e080", "f08080", "f8808080", "fc80808080", "df", "efbf", "f7bfbf",
    "fbbfbfbf", "fdbfbfbfbf"}},
  {"unfinished sequences one behind another",
    {"c0e080f08080f8808080fc80808080dfefbff7bfbffbbfbfbffdbfbfbfbf"}},
  {"impossible bytes", {"fe", "ff", "fefeffff"}},
  {"overlong '/'", {"c0af", "e080af", "f08080af", "f8808080af", "fc80808080af"}},
  {"longest overlong sequences", {"c1bf", "e09fbf", "f08fbfbf", "f887bfbfbf", "fc83bfbfbfbf"}},
  {"overlong NUL", {"c080", "e08080", "f0808080", "f880808080", "fc8080808080"}},
  {"surrogate alone", {"eda080", "edadbf", "edae80", "edafbf", "edb080", "edbe80", "edbfbf"}},
  {"surrogates in pairs", {"eda080edb080", "eda080edbfbf", "edadbfedb080", "edadbfedbfbf",
    "edae80edb080", "edae80edbfbf", "edafbfedb080", "edafbfedbfbf"}},
  {"code points that are no characters", {"efbfbe", "efbfbf", "f09fbfbe", "f09fbfbf", "f0afbfbe",
    "f0afbfbf", "f0bfbfbe", "f0bfbfbf", "f18fbfbe", "f18fbfbf", "f19fbfbe", "f19fbfbf", "f1afbfbe",
    "f1afbfbf", "f1bfbfbe", "f1bfbfbf", "f28fbfbe", "f28fbfbf", "f29fbfbe", "f29fbfbf", "f2afbfbe",
    "f2afbfbf", "f2bfbfbe", "f2bfbfbf", "f38fbfbe", "f38fbfbf", "f39fbfbe", "f39fbfbf", "f3afbfbe",
    "f3afbfbf", "f3bfbfbe", "f3bfbfbf", "f48fbfbe", "f48fbfbf"}},
  {"specials", {"efbfb9", "efbfba", "efbfbb", "efbfbc", "efbfbd", "efbfbe", "efbfbf"}},
};
/* clang-format on */

enum { FIRST_GROUP = 5 };

static const char greeting[] = "48656c6c6f2dc2b540c39fc3b6c3a4c3bcc3a0c3a12d5554462d382121";
static const char bad_word[] = "cebae1bdb9cf83cebcceb5eda080656469746564";

/* arg: text: in hexadecimal; piece: of a fragment, 0: one frame. */
static void run_sequence(struct check_run *r) {
  const struct case_arg *a = &r->c->arg;
  struct bytes data = {NULL, 0, 0};
  bytes_add_hex(&data, a->text);
  bool valid = unicode_valid(data.data, data.len);
  if (play_open(r) && play_message(r, OP_TEXT, data.data, data.len, a->piece)) {
    if (!valid)
      expect_failure(r, expect_1007);
    else if (expect_message(r, OP_TEXT, data.data, data.len))
      expect_close(r);
  }
  bytes_free(&data);
}

/* arg: data: of the middle one of three fragments. */
static void run_three(struct check_run *r) {
  const struct case_arg *a = &r->c->arg;
  struct frame frames[] = {{.more = true, .opcode = OP_TEXT},
                           {.more = true, .data = a->data, .len = a->len},
                           {.more = false}};
  if (play_open(r) && play_send_all(r, frames, COHO_COUNT(frames)) &&
      expect_message(r, OP_TEXT, a->data, a->len))
    expect_close(r);
}

static void add_sequences(struct catalog *cat, unsigned number, const struct group *g) {
  for (unsigned i = 0; g->hex[i]; i++) {
    struct bytes data = {NULL, 0, 0};
    struct check_case c = {
        .rule = "RFC 6455 5.6, 8.1", .run = run_sequence, .arg = {.text = g->hex[i]}};
    bytes_add_hex(&data, g->hex[i]);
    (void)snprintf(c.id, sizeof c.id, "6.%u.%u", number, i + 1);
    (void)snprintf(c.title, sizeof c.title, "%s text: %s: %.24s%s",
                   unicode_valid(data.data, data.len) ? "sound" : "broken", g->title, g->hex[i],
                   data.len > 12 ? "..." : "");
    catalog_add(cat, &c);
    bytes_free(&data);
  }
}

/* ---- failing fast --------------------------------------------------------------------------- */

/* No rule demands it: whoever fails at the end of the message is within his rights. */

/* arg: text, more: the first two of three fragments, in hexadecimal. */
static void run_fast_frames(struct check_run *r) {
  struct bytes parts[2] = {{NULL, 0, 0}, {NULL, 0, 0}};
  struct bytes rest = {NULL, 0, 0};
  bytes_add_hex(&parts[0], r->c->arg.text);
  bytes_add_hex(&parts[1], r->c->arg.more);
  struct frame first = {
      .more = true, .opcode = OP_TEXT, .data = parts[0].data, .len = parts[0].len};
  struct frame second = {.more = true, .data = parts[1].data, .len = parts[1].len};
  frame_put(&rest, &(struct frame){.data = "edited", .len = 6}, play_is_client(r));
  if (play_open(r) && play_send(r, &first) && expect_alive(r) && play_send(r, &second))
    expect_fast_failure(r, expect_1007, &rest, false);
  bytes_free(&parts[0]);
  bytes_free(&parts[1]);
  bytes_free(&rest);
}

/* arg: text, more: the first two of three parts of a frame, in hexadecimal. */
static void run_fast_parts(struct check_run *r) {
  enum { QUIET_MS = 100 };
  struct bytes data = {NULL, 0, 0};
  struct bytes all = {NULL, 0, 0};
  bytes_add_hex(&data, r->c->arg.text);
  size_t first = data.len;
  bytes_add_hex(&data, r->c->arg.more);
  size_t second = data.len;
  bytes_add_text(&data, "edited");
  frame_put(&all, &(struct frame){.opcode = OP_TEXT, .data = data.data, .len = data.len},
            play_is_client(r));
  size_t header = all.len - data.len;
  struct bytes rest = {all.data + header + second, data.len - second, 0};
  if (play_open(r) && play_send_bytes(r, all.data, header + first) && expect_silence(r, QUIET_MS) &&
      play_send_bytes(r, all.data + header + first, second - first))
    expect_fast_failure(r, expect_1007, &rest, true);
  bytes_free(&data);
  bytes_free(&all);
}

/* clang-format off */
static const struct check_case cases[] = {
  {.id = "6.1.1", .title = "empty text", .rule = "RFC 6455 5.6", .run = run_sequence,
   .arg = {.text = ""}},
  {.id = "6.1.2", .title = "three empty fragments", .rule = "RFC 6455 5.4", .run = run_three,
   .arg = {.data = "", .len = 0}},
  {.id = "6.1.3", .title = "text between two empty fragments", .rule = "RFC 6455 5.4",
   .run = run_three, .arg = {.data = "middle frame payload", .len = 20}},
  {.id = "6.2.1", .title = "text beyond ASCII in one frame", .rule = "RFC 6455 5.6",
   .run = run_sequence, .arg = {.text = greeting}},
  {.id = "6.2.2", .title = "text beyond ASCII in fragments that end with characters",
   .rule = "RFC 6455 5.6", .run = run_sequence, .arg = {.text = greeting, .piece = 12}},
  {.id = "6.2.3", .title = "text beyond ASCII in fragments of one byte", .rule = "RFC 6455 5.6",
   .run = run_sequence, .arg = {.text = greeting, .piece = 1}},
  {.id = "6.2.4", .title = "Greek word in fragments of one byte", .rule = "RFC 6455 5.6",
   .run = run_sequence, .arg = {.text = "cebae1bdb9cf83cebcceb5", .piece = 1}},
  {.id = "6.3.1", .title = "Greek word, then a surrogate, in one frame",
   .rule = "RFC 6455 8.1", .run = run_sequence, .arg = {.text = bad_word}},
  {.id = "6.3.2", .title = "Greek word, then a surrogate, in fragments of one byte",
   .rule = "RFC 6455 8.1", .run = run_sequence, .arg = {.text = bad_word, .piece = 1}},
  {.id = "6.4.1", .title = "fails before the end: fragment with U+110000", .rule = "RFC 6455 8.1",
   .run = run_fast_frames, .arg = {.text = "cebae1bdb9cf83cebcceb5", .more = "f4908080"}},
  {.id = "6.4.2", .title = "fails before the end: fragment with the byte that makes it wrong",
   .rule = "RFC 6455 8.1", .run = run_fast_frames,
   .arg = {.text = "cebae1bdb9cf83cebcceb5f4", .more = "90"}},
  {.id = "6.4.3", .title = "fails before the end: part of a frame with U+110000",
   .rule = "RFC 6455 8.1", .run = run_fast_parts,
   .arg = {.text = "cebae1bdb9cf83cebcceb5", .more = "f4908080"}},
  {.id = "6.4.4", .title = "fails before the end: part of a frame with the byte that makes it wrong",
   .rule = "RFC 6455 8.1", .run = run_fast_parts,
   .arg = {.text = "cebae1bdb9cf83cebcceb5f4", .more = "90"}},
};
/* clang-format on */

void cases_utf8(struct catalog *cat) {
  catalog_add_all(cat, cases, COHO_COUNT(cases));
  for (unsigned i = 0; i < COHO_COUNT(groups); i++)
    add_sequences(cat, i + FIRST_GROUP, &groups[i]);
}
