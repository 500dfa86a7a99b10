/* Compressed messages that are stopped in the middle: pauses, full queues and rates while a part is
   still inside the decompressor. */
#include "support/dice.h"
#include "support/raw.h"
#include "support/zip.h"

#include <coho/error.h>
#include <string.h>

/* PART: so much is decompressed at a time; a match of zlib's is 258 bytes at most. */
#ifdef COHO_HARD
enum { PART = 16, LEN = 10 * 1000, MOST = 3000 };
#else
enum { PART = 16 * 1024, LEN = 100 * 1000, MOST = 70 * 1000 };
#endif
enum { RSV1 = 0x40, MEMORY = 8, WINDOW = 15, MATCH = 258 };

static struct world w;
static struct probe server;
static struct raw raw;
static struct zip *zip;
static char text[LEN];

static int setup(void **state) {
  (void)state;
  memset(&server, 0, sizeof server);
  memset(text, 'x', sizeof text);
  zip = zip_new(WINDOW, MEMORY, WINDOW);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  zip_free(zip);
  return coho_contexts_used() == 0 ? 0 : -1;
}

static void open_with(coho_options so) {
  world_open(&w, "/", &so);
  raw_connect(&raw, &w);
  assert_int_equal(raw_upgrade(&raw, "/", "Sec-WebSocket-Extensions: permessage-deflate\r\n"), 101);
  UNTIL(&w, server.opens == 1);
}

static void open_stream(coho_options so) {
  so.flags |= COHO_STREAM;
  open_with(so);
}

/* Much that is little on the wire: all of it is read before the first part is delivered. */
static void send_packed(size_t len) {
  size_t n;
  zip_pack_anew(zip);
  const char *packed = zip_pack(zip, text, len, &n);
  assert_true(n < 1000);
  raw_frame(&raw, RSV1 | COHO_TEXT, true, packed, n);
}

static void finish(void) {
  raw_close(&raw);
  UNTIL(&w, server.closes == 1);
  world_close(&w);
}

static void turn_often(void) {
  for (int i = 0; i < 20; i++)
    world_turn(&w);
}

static void pause_it(struct probe *p, coho_conn *c, coho_msg m) {
  (void)p;
  (void)m;
  coho_pause(c);
}

/* One message, of which each part is waited for. */
static void take_in_parts(size_t len) {
  unsigned before = server.messages;
  size_t bytes = server.bytes;
  send_packed(len);
  do {
    UNTIL(&w, server.messages == before + 1);
    (void)coho_loop_turn(w.loop, 0);
    assert_int_equal(server.messages, ++before);
    coho_resume(server.conn);
  } while (server.last_flags & COHO_MORE);
  assert_int_equal(server.bytes - bytes, len);
}

static void test_a_pause_keeps_what_is_in_the_decompressor(void **state) {
  (void)state;
  server.message = pause_it;
  open_stream(probe_options(&server));
  take_in_parts(LEN);
  /* Some end such that the last byte is used up, and what it means is not all written: a match of
     258 bytes goes beyond a part. */
  for (size_t len = PART + 1; len <= PART + MATCH; len++)
    take_in_parts(len);
  finish();
}

static void test_the_end_of_the_stream_comes_after_it(void **state) {
  (void)state;
  server.message = pause_it;
  open_stream(probe_options(&server));
  send_packed(LEN);
  UNTIL(&w, server.messages == 1);
  raw_close(&raw);
  turn_often();
  server.message = NULL;
  coho_resume(server.conn);
  UNTIL(&w, server.closes == 1);
  assert_int_equal(server.bytes, LEN);
  assert_int_equal(server.last_flags & COHO_MORE, 0);
  world_close(&w);
}

static void test_a_rate_keeps_it_too(void **state) {
  (void)state;
  coho_options so = probe_options(&server);
  so.rate_frames = (coho_rate){.per_second = 100, .burst = 1};
  open_stream(so);
  send_packed(LEN);
  UNTIL(&w, server.bytes == LEN);
  assert_int_equal(server.last_flags & COHO_MORE, 0);
  finish();
}

static void close_it(struct probe *p, coho_conn *c, coho_msg m) {
  (void)p;
  (void)m;
  assert_int_equal(coho_close(c, 1000, NULL), 0);
}

static void test_closing_drops_it(void **state) {
  (void)state;
  struct raw_frame f;
  server.message = close_it;
  open_stream(probe_options(&server));
  send_packed(LEN);
  assert_true(raw_next(&raw, &f));
  assert_int_equal(raw_code(&f), 1000);
  raw_frame(&raw, 8, true, "\x03\xe8", 2);
  UNTIL(&w, server.closes == 1);
  assert_int_equal(server.ending.err, 0);
  assert_int_equal(server.messages, 1);
  raw_close(&raw);
  world_close(&w);
}

/* ---- at random ------------------------------------------------------------------------------- */

enum { MESSAGES = 40, SEEDS = 12, WIRE = MESSAGES * 2 * MOST };

/* What is sent, as frames, and the sum of what it means. */
static struct {
  unsigned char wire[WIRE];
  size_t len;
  uint64_t sum;
} script;

static uint64_t seen; /* the sum of what was delivered */
static unsigned whole;
static struct dice luck;

static void add(uint64_t *sum, const void *data, size_t len) {
  for (size_t i = 0; i < len; i++)
    *sum = (*sum ^ ((const unsigned char *)data)[i]) * 0x100000001b3;
}

static void add_end(uint64_t *sum) { *sum = (*sum ^ 256) * 0x100000001b3; }

static void write_frame(unsigned opcode, bool fin, const char *data, size_t len) {
  static const unsigned char key[4] = {1, 2, 3, 4};
  unsigned char *f = script.wire + script.len;
  size_t n = 0;
  assert_true(script.len + len + 14 <= WIRE);
  f[n++] = (unsigned char)((fin ? 0x80 : 0) | opcode);
  f[n++] = (unsigned char)(0x80 | (len < 126 ? len : len < 65536 ? 126 : 127));
  for (int shift = len < 126 ? -8 : len < 65536 ? 8 : 56; shift >= 0; shift -= 8)
    f[n++] = (unsigned char)((uint64_t)len >> shift);
  memcpy(f + n, key, sizeof key);
  n += sizeof key;
  for (size_t i = 0; i < len; i++)
    f[n++] = (unsigned char)((unsigned char)data[i] ^ key[i & 3]);
  script.len += n;
}

/* A message in one to four fragments, with pings between them. */
static void write_message(bool own) {
  size_t len = dice(&luck, dice(&luck, 2) ? 300 : MOST), n = len;
  bool packed = dice(&luck, 3) > 0;
  const char *data = text + dice(&luck, LEN - MOST);
  unsigned fragments = 1 + dice(&luck, 4);
  add(&script.sum, data, len);
  add_end(&script.sum);
  if (packed && !own) zip_pack_anew(zip);
  if (packed) data = zip_pack(zip, data, len, &n);
  for (unsigned i = 0; i < fragments; i++) {
    size_t part = i + 1 < fragments ? dice(&luck, (uint32_t)n + 1) : n;
    write_frame(i ? 0 : COHO_BINARY | (packed ? RSV1 : 0), i + 1 == fragments, data, part);
    data += part;
    n -= part;
    if (dice(&luck, 4) == 0) write_frame(9, true, "ping", 4);
  }
}

static void pause_perhaps(struct probe *p, coho_conn *c, coho_msg m) {
  (void)p;
  add(&seen, m.data, m.len);
  if (!(m.flags & COHO_MORE)) {
    add_end(&seen);
    whole++;
  }
  uint32_t what = dice(&luck, 4);
  if (what < 3) coho_pause(c);
  if (what < 1) coho_resume(c);
}

/* Nothing is lost, doubled or changed, wherever it is cut and stopped. */
static void play(uint64_t seed, bool own, bool stream) {
  luck = dice_of(seed);
  memset(&server, 0, sizeof server);
  server.message = pause_perhaps;
  script.len = 0;
  script.sum = seen = 0;
  whole = 0;
  zip_free(zip);
  zip = zip_new(WINDOW, MEMORY, WINDOW);
  for (size_t i = 0; i < LEN; i++)
    text[i] = i < 3000 || !dice(&luck, 50) ? (char)('a' + dice(&luck, 16)) : text[i - 2999];
  for (int i = 0; i < MESSAGES; i++)
    write_message(own);
  coho_options so = probe_options(&server);
  so.deflate.mode = own ? COHO_DEFLATE_OWN : COHO_DEFLATE_SHARED;
  so.deflate.peer_window = WINDOW;
  if (stream) so.flags |= COHO_STREAM;
  open_with(so);
  for (size_t at = 0; at < script.len || whole < MESSAGES;) {
    size_t n = dice(&luck, dice(&luck, 2) ? 20 : 100 * 1000);
    n = n < script.len - at ? n : script.len - at;
    raw_send(&raw, script.wire + at, n);
    at += n;
    assert_int_equal(coho_loop_turn(w.loop, 0), 1);
    assert_int_equal(server.closes, 0);
    if (dice(&luck, 2)) coho_resume(server.conn);
  }
  assert_true(seen == script.sum);
  server.message = NULL;
  coho_resume(server.conn);
  finish();
}

static void test_random_pauses_lose_nothing(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= SEEDS; seed++)
    play(seed, seed & 1, (seed & 2) != 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_a_pause_keeps_what_is_in_the_decompressor, setup,
                                      teardown),
      cmocka_unit_test_setup_teardown(test_the_end_of_the_stream_comes_after_it, setup, teardown),
      cmocka_unit_test_setup_teardown(test_a_rate_keeps_it_too, setup, teardown),
      cmocka_unit_test_setup_teardown(test_closing_drops_it, setup, teardown),
      cmocka_unit_test_setup_teardown(test_random_pauses_lose_nothing, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
