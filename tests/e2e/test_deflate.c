/* permessage-deflate over sockets: what is agreed on, what goes over the wire, and what it costs. */
#include "support/dice.h"
#include "support/raw.h"
#include "support/zip.h"

#include <coho/error.h>
#include <coho/hub.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SHARED       "; server_no_context_takeover; client_no_context_takeover"
#define COUNT(array) (sizeof(array) / sizeof *(array))

enum {
  KIB = 1024,
  RSV1 = 0x40,
  WINDOW_MIN = 8,
  WINDOW_MAX = 15,
  MOST = 200 * KIB,
  BOMB = 10 * KIB * KIB,
  SUBSCRIBERS = 20
};

static struct world w;
static struct probe server, client;
static struct raw raw;
static struct zip *zip; /* of the raw peer */
static char text[MOST];

/* ---- memory that is counted ----------------------------------------------------------------- */

static struct {
  _Atomic size_t live, peak;
  _Atomic long calls, large; /* since count_anew(); large ones from this size on */
  size_t from;
} memory;

static void *counting_alloc(void *ctx, void *ptr, size_t old_size, size_t new_size) {
  (void)ctx;
  if (new_size == 0) {
    memory.live -= ptr ? old_size : 0;
    free(ptr);
    return NULL;
  }
  void *p = realloc(ptr, new_size);
  if (!p) return NULL;
  memory.calls++;
  if (memory.from && new_size >= memory.from) memory.large++;
  memory.live += new_size - (ptr ? old_size : 0);
  if (memory.live > memory.peak) memory.peak = memory.live;
  return p;
}

static void count_anew(size_t large_from) {
  memory.from = large_from;
  memory.calls = memory.large = 0;
  memory.peak = memory.live;
}

/* ---- helpers -------------------------------------------------------------------------------- */

/* Letters that come again after so many bytes, and not before. */
static void fill(size_t period, size_t len) {
  struct dice d = {period};
  for (size_t i = 0; i < len; i++)
    text[i] = i < period ? (char)('a' + dice(&d, 16)) : text[i - period];
}

static int setup(void **state) {
  (void)state;
  memset(&server, 0, sizeof server);
  memset(&client, 0, sizeof client);
  server.message = probe_echo;
  fill(500, sizeof text);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  zip_free(zip);
  zip = NULL;
  return memory.live == 0 && coho_contexts_used() == 0 ? 0 : -1;
}

static void open_pair(coho_deflate of_server, coho_deflate of_client) {
  coho_options so = probe_options(&server), co = probe_options(&client);
  so.deflate = of_server;
  co.deflate = of_client;
  world_open(&w, "/", &so);
  world_connect(&w, "/", &co);
  UNTIL(&w, client.opens == 1 && server.opens == 1);
}

static void close_pair(void) {
  assert_int_equal(coho_close(client.conn, 1000, NULL), 0);
  UNTIL(&w, client.closes == 1 && server.closes == 1);
  assert_int_equal(client.ending.code, 1000);
  world_close(&w);
}

/* A connection of the raw peer that offers this. */
static void offer(struct raw *r, const char *params) {
  char field[256];
  unsigned before = server.opens;
  snprintf(field, sizeof field, "Sec-WebSocket-Extensions: permessage-deflate%s\r\n", params);
  raw_connect(r, &w);
  assert_int_equal(raw_upgrade(r, "/", field), 101);
  UNTIL(&w, server.opens == before + 1);
}

static void open_raw(coho_deflate of_server, const char *params) {
  coho_options so = probe_options(&server);
  so.deflate = of_server;
  world_open(&w, "/", &so);
  offer(&raw, params);
}

static void close_raw(void) {
  raw_close(&raw);
  UNTIL(&w, server.closes == server.opens);
  world_close(&w);
}

static void send_packed(const void *data, size_t len) {
  size_t n;
  const char *packed = zip_pack(zip, data, len, &n);
  raw_frame(&raw, RSV1 | 1, true, packed, n);
}

/* The next message is compressed and means this. Returns its size on the wire. */
static size_t expect_packed(const char *data, size_t len) {
  struct raw_frame f;
  size_t n;
  assert_true(raw_next(&raw, &f));
  assert_true(f.fin && f.rsv1);
  const char *got = zip_unpack(zip, f.data, f.len, &n);
  assert_non_null(got);
  assert_int_equal(n, len);
  assert_memory_equal(got, data, len);
  return f.len;
}

static void expect_plain(const char *data, size_t len) {
  struct raw_frame f;
  assert_true(raw_next(&raw, &f));
  assert_true(f.fin && !f.rsv1);
  assert_int_equal(f.len, len);
  assert_memory_equal(f.data, data, len);
}

/* ---- what is agreed on ---------------------------------------------------------------------- */

static void expect_agreed(const coho_conn *c, const char *extensions) {
  char buf[COHO_EXTENSIONS_MAX];
  assert_string_equal(coho_conn_extensions(c, buf, sizeof buf), extensions);
}

static void there_and_back(size_t len) {
  unsigned before = client.messages;
  size_t bytes = client.bytes;
  assert_true(coho_send(client.conn, coho_text_n(text, len)) >= 0);
  UNTIL(&w, client.messages == before + 1);
  assert_int_equal(client.bytes - bytes, len);
  assert_memory_equal(client.last, text, len < 4095 ? len : 4095);
}

static const struct {
  coho_deflate server, client;
  const char *agreed;
} cases[] = {
    {{.mode = 0}, {.mode = 0}, "permessage-deflate" SHARED},
    {{.mode = COHO_DEFLATE_OWN},
     {.mode = COHO_DEFLATE_OWN},
     "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12"},
    {{.mode = COHO_DEFLATE_OWN, .window = 10, .peer_window = 13},
     {.mode = COHO_DEFLATE_OWN, .window = 11, .peer_window = 9},
     "permessage-deflate; server_max_window_bits=9; client_max_window_bits=11"},
    {{.mode = COHO_DEFLATE_OWN, .window = 15, .peer_window = 15},
     {.mode = COHO_DEFLATE_OWN, .window = 15},
     "permessage-deflate"},
    {{.mode = COHO_DEFLATE_OWN, .window = 15, .peer_window = 8},
     {.mode = COHO_DEFLATE_OWN, .window = 9, .peer_window = 8},
     "permessage-deflate; server_max_window_bits=8; client_max_window_bits=8"},
    {{.mode = COHO_DEFLATE_OWN},
     {.mode = COHO_DEFLATE_SHARED},
     "permessage-deflate" SHARED "; server_max_window_bits=12; client_max_window_bits=12"},
    {{.mode = COHO_DEFLATE_SHARED},
     {.mode = COHO_DEFLATE_OWN},
     "permessage-deflate" SHARED "; client_max_window_bits=12"},
    {{.mode = COHO_DEFLATE_SHARED, .window = 9, .peer_window = 8},
     {.mode = COHO_DEFLATE_SHARED},
     "permessage-deflate" SHARED "; server_max_window_bits=9; client_max_window_bits=8"},
    {{.mode = COHO_DEFLATE_OFF}, {.mode = COHO_DEFLATE_OWN}, ""},
    {{.mode = COHO_DEFLATE_OWN}, {.mode = COHO_DEFLATE_OFF}, ""},
};

static void test_PM_07_what_is_agreed_on_works(void **state) {
  static const size_t sizes[] = {0, 1, 255, 256, 5000, 5000, MOST, 70000, 100};
  for (size_t i = 0; i < COUNT(cases); i++) {
    setup(state);
    open_pair(cases[i].server, cases[i].client);
    expect_agreed(server.conn, cases[i].agreed);
    expect_agreed(client.conn, cases[i].agreed);
    for (size_t k = 0; k < COUNT(sizes); k++)
      there_and_back(sizes[k]);
    bool own = *cases[i].agreed && !strstr(cases[i].agreed, "no_context");
    assert_int_equal(coho_contexts_used() > 0, own);
    close_pair();
    assert_int_equal(coho_contexts_used(), 0);
  }
}

static void test_contexts_beyond_the_limit_are_none(void **state) {
  (void)state;
  coho_options so = probe_options(&server);
  so.deflate.mode = COHO_DEFLATE_OWN;
  coho_set_context_limit(100 * KIB); /* for one of them */
  world_open(&w, "/", &so);
  offer(&raw, "");
  expect_agreed(server.conn, "permessage-deflate; server_max_window_bits=12");
  struct raw *second = (struct raw *)malloc(sizeof *second);
  assert_non_null(second);
  offer(second, "");
  expect_agreed(server.conn, "permessage-deflate" SHARED "; server_max_window_bits=12");
  raw_close(second);
  UNTIL(&w, server.closes == 1);
  zip = zip_new(15, 8, 12);
  for (int i = 0; i < 2; i++) {
    send_packed(text, 4000);
    (void)expect_packed(text, 4000);
  }
  raw_close(&raw);
  UNTIL(&w, server.closes == 2);
  offer(second, "");
  expect_agreed(server.conn, "permessage-deflate; server_max_window_bits=12");
  raw_close(second);
  free(second);
  UNTIL(&w, server.closes == 3);
  world_close(&w);
  coho_set_context_limit(0);
}

/* ---- windows -------------------------------------------------------------------------------- */

/* Text that is best packed with references from just beyond the window. */
static size_t fill_for(unsigned window) {
  size_t period = ((size_t)1 << window) + 44;
  fill(period, period * 3);
  return period * 3;
}

/* Twice the same, so that a context is of use. Returns the size of the second on the wire. */
static size_t twice(bool own, size_t len) {
  size_t n = 0;
  for (int i = 0; i < 2; i++) {
    if (!own) zip_pack_anew(zip);
    if (!own) zip_unpack_anew(zip);
    send_packed(text, len);
    n = expect_packed(text, len);
  }
  return n;
}

static void test_PD_06_O_05_a_server_keeps_to_every_window(void **state) {
  (void)state;
  for (unsigned window = WINDOW_MIN; window <= WINDOW_MAX; window++) {
    for (unsigned mode = COHO_DEFLATE_SHARED; mode <= COHO_DEFLATE_OWN; mode++) {
      char params[64];
      bool own = mode == COHO_DEFLATE_OWN;
      snprintf(params, sizeof params, "; server_max_window_bits=%u", window);
      open_raw((coho_deflate){.mode = mode, .window = 15}, params);
      zip = zip_new(15, 8, window);
      (void)twice(own, fill_for(window));
      fill(100, 2000);
      if (own) assert_true(twice(own, 2000) < 50);
      zip_free(zip);
      zip = NULL;
      close_raw();
    }
  }
}

static void serve_client(unsigned window, bool own) {
  char head[2048], field[256];
  int listener = raw_listen(&w);
  coho_options co = probe_options(&client);
  co.deflate = (coho_deflate){.mode = own ? COHO_DEFLATE_OWN : COHO_DEFLATE_SHARED, .window = 15};
  world_connect(&w, "/", &co);
  raw_accept(&raw, &w, listener);
  raw_head(&raw, head, sizeof head);
  assert_non_null(strstr(head, "; client_max_window_bits\r\n"));
  assert_true(own != !!strstr(head, SHARED));
  snprintf(field, sizeof field,
           "Sec-WebSocket-Extensions: permessage-deflate%s; client_max_window_bits=%u\r\n",
           own ? "" : SHARED, window);
  raw_answer(&raw, head, field);
  UNTIL(&w, client.opens == 1);
  zip = zip_new(15, 8, window);
  size_t len = fill_for(window);
  for (int i = 0; i < 2; i++) {
    if (!own) zip_unpack_anew(zip);
    assert_true(coho_send(client.conn, coho_text_n(text, len)) >= 0);
    (void)expect_packed(text, len);
  }
  zip_free(zip);
  zip = NULL;
  raw_close(&raw);
  UNTIL(&w, client.closes == 1);
  close(listener);
}

static void test_PD_06_A_12_a_client_keeps_to_every_window(void **state) {
  for (unsigned window = WINDOW_MIN; window <= WINDOW_MAX; window++) {
    for (int own = 0; own < 2; own++) {
      setup(state);
      memset(&w, 0, sizeof w);
      w.loop = coho_loop_new();
      assert_non_null(w.loop);
      serve_client(window, own != 0);
      coho_loop_free(w.loop);
    }
  }
}

/* ---- what stays as it is -------------------------------------------------------------------- */

static void test_PM_08_small_messages_are_not_compressed(void **state) {
  (void)state;
  static const uint32_t least[] = {0, 1, 1000};
  for (size_t i = 0; i < COUNT(least); i++) {
    size_t limit = least[i] ? least[i] : 256;
    open_raw((coho_deflate){.min_size = least[i]}, "");
    zip = zip_new(15, 8, 15);
    memset(text, 'a', sizeof text);
    raw_frame(&raw, 1, true, text, limit - 1);
    expect_plain(text, limit - 1);
    if (limit == 1) limit = 10; /* a byte does not shrink */
    raw_frame(&raw, 1, true, text, limit);
    (void)expect_packed(text, limit);
    zip_free(zip);
    zip = NULL;
    close_raw();
  }
}

static void echo_plain(struct probe *p, coho_conn *c, coho_msg m) {
  m.flags |= COHO_PLAIN;
  probe_echo(p, c, m);
}

static void test_PM_13_a_plain_message_leaves_the_context_alone(void **state) {
  (void)state;
  open_raw((coho_deflate){.mode = COHO_DEFLATE_OWN}, "");
  zip = zip_new(15, 8, 12);
  size_t first = 0;
  for (int i = 0; i < 3; i++) {
    send_packed(text, 2000);
    size_t n = expect_packed(text, 2000);
    if (i == 0) first = n;
    if (i > 0) assert_true(n < first / 4);
    server.message = echo_plain;
    send_packed(text, 2000);
    expect_plain(text, 2000);
    server.message = probe_echo;
  }
  close_raw();
}

static void test_PM_05_without_an_offer_nothing_is_compressed(void **state) {
  (void)state;
  coho_options so = probe_options(&server);
  struct raw_frame f;
  world_open(&w, "/", &so);
  raw_connect(&raw, &w);
  assert_int_equal(raw_upgrade(&raw, "/", ""), 101);
  raw_frame(&raw, 1, true, text, 5000);
  expect_plain(text, 5000);
  raw_frame(&raw, RSV1 | 1, true, text, 10);
  assert_true(raw_next(&raw, &f));
  assert_int_equal(raw_code(&f), 1002);
  close_raw();
}

/* ---- a publish ------------------------------------------------------------------------------ */

static coho_hub *hub;

static void subscribe(struct probe *p, coho_conn *c) {
  (void)p;
  assert_int_equal(coho_subscribe(hub, c, "t"), 0);
}

/* What each of the subscribers gets: the same bytes for the same window. */
static void expect_published(struct raw *peers, size_t count, size_t len) {
  static char first[2][MOST];
  size_t first_len[2] = {0, 0};
  for (size_t i = 0; i < count; i++) {
    struct raw_frame f;
    size_t k = i % 2, n;
    assert_true(raw_next(&peers[i], &f));
    assert_true(f.rsv1);
    zip = zip_new(15, 8, k ? 10 : 15);
    const char *got = zip_unpack(zip, f.data, f.len, &n);
    assert_true(got && n == len && memcmp(got, text, len) == 0);
    zip_free(zip);
    zip = NULL;
    if (i < 2) memcpy(first[k], f.data, first_len[k] = f.len);
    assert_int_equal(f.len, first_len[k]);
    assert_memory_equal(f.data, first[k], f.len);
  }
}

static void test_a_publish_is_compressed_once_for_each_window(void **state) {
  (void)state;
  enum { LEN = 20000, LARGE = 5000 };
  struct raw *peers = (struct raw *)calloc(SUBSCRIBERS, sizeof *peers);
  assert_non_null(peers);
  hub = coho_hub_new(NULL);
  server.opened = subscribe;
  coho_options so = probe_options(&server);
  world_open(&w, "/", &so);
  for (size_t i = 0; i < SUBSCRIBERS; i++)
    offer(&peers[i], i % 2 ? "; server_max_window_bits=10" : "");
  fill(2000, LEN);
  for (int i = 0; i < 3; i++) {
    count_anew(LARGE);
    assert_int_equal(coho_publish(hub, "t", coho_text_n(text, LEN)), 0);
    expect_published(peers, SUBSCRIBERS, LEN);
#ifndef COHO_HARD /* keeps no buffers */
    /* The plain frame and the one for 10 bits; the one for 15 bits is small. */
    if (i > 0) assert_int_equal(memory.large, 2);
#endif
  }
  for (size_t i = 0; i < SUBSCRIBERS; i++)
    raw_close(&peers[i]);
  UNTIL(&w, server.closes == SUBSCRIBERS);
  world_close(&w);
  coho_hub_free(hub);
  free(peers);
}

/* ---- a bomb --------------------------------------------------------------------------------- */

static void send_bomb(bool in_fragments) {
  char *zeros = (char *)calloc(1, BOMB);
  size_t n;
  assert_non_null(zeros);
  const char *packed = zip_pack(zip, zeros, BOMB, &n);
  assert_in_range(n, 9 * KIB, 11 * KIB);
  if (in_fragments) raw_frame(&raw, RSV1 | 2, false, packed, n / 2);
  if (in_fragments)
    raw_frame(&raw, 0, true, packed + n / 2, n - n / 2);
  else
    raw_frame(&raw, RSV1 | 2, true, packed, n);
  free(zeros);
}

static void expect_1009(void) {
  struct raw_frame f;
  assert_true(raw_next(&raw, &f));
  assert_int_equal(raw_code(&f), 1009);
  assert_true(raw_eof(&raw));
}

static void bomb(coho_deflate of_server, bool in_fragments, uint64_t limit) {
  coho_options so = probe_options(&server);
  so.deflate = of_server;
  so.max_message = limit;
  size_t most = (limit ? (size_t)limit : KIB * KIB) + 64 * KIB;
  world_open(&w, "/", &so);
  size_t left = 0;
  for (int i = 0; i < 3; i++) {
    size_t none = memory.live;
    offer(&raw, "");
    zip = zip_new(15, 8, 15);
    count_anew(0);
    size_t before = memory.live;
    send_bomb(in_fragments);
    expect_1009();
    assert_int_equal(server.error, COHO_ETOOBIG);
    assert_in_range(memory.peak - before, 0, most);
    zip_free(zip);
    zip = NULL;
    raw_close(&raw);
    UNTIL(&w, server.closes == server.opens);
    world_turn(&w);
    /* What the connections of a loop share is made by the first. */
    if (i == 1) left = none;
    if (i > 0) assert_in_range(memory.live, 0, left);
  }
  world_close(&w);
}

static void test_FR_16_SE_04_a_bomb_is_defused(void **state) {
  (void)state;
  static const uint64_t limits[] = {0, 100000, 1 << 20};
  for (size_t i = 0; i < COUNT(limits); i++) {
    for (unsigned mode = COHO_DEFLATE_SHARED; mode <= COHO_DEFLATE_OWN; mode++) {
      bomb((coho_deflate){.mode = mode}, false, limits[i]);
      bomb((coho_deflate){.mode = mode}, true, limits[i]);
    }
  }
}

/* ---- no allocation -------------------------------------------------------------------------- */

static void test_a_compressed_message_allocates_nothing(void **state) {
  (void)state;
#ifdef COHO_HARD
  skip(); /* with reads that small it is one of many pieces */
#endif
  for (unsigned mode = COHO_DEFLATE_SHARED; mode <= COHO_DEFLATE_OWN; mode++) {
    open_raw((coho_deflate){.mode = mode}, "");
    zip = zip_new(15, 8, 15);
    for (int i = 0; i < 1000; i++) {
      if (mode == COHO_DEFLATE_SHARED) zip_pack_anew(zip);
      if (i == 2) count_anew(0);
      send_packed(text, 4000);
      (void)expect_packed(text, 4000);
    }
    assert_int_equal(memory.calls, 0);
    zip_free(zip);
    zip = NULL;
    close_raw();
  }
}

/* To and fro, inside handlers on both sides. */
static void return_it(struct probe *p, coho_conn *c, coho_msg m) {
  if (p->messages == 2) count_anew(0);
  if (p->messages <= 1000) probe_echo(p, c, m);
}

static void test_the_same_between_a_client_and_a_server(void **state) {
  (void)state;
#ifdef COHO_HARD
  skip();
#endif
  for (unsigned mode = COHO_DEFLATE_SHARED; mode <= COHO_DEFLATE_OWN; mode++) {
    setup(state);
    client.message = return_it;
    open_pair((coho_deflate){.mode = mode}, (coho_deflate){.mode = mode});
    assert_true(coho_send(client.conn, coho_text_n(text, 4000)) >= 0);
    UNTIL(&w, client.messages == 1001);
    assert_int_equal(client.bytes, 4000 * 1001);
    assert_int_equal(memory.calls, 0);
    close_pair();
  }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_PM_07_what_is_agreed_on_works),
      TEST(test_contexts_beyond_the_limit_are_none),
      TEST(test_PD_06_O_05_a_server_keeps_to_every_window),
      TEST(test_PD_06_A_12_a_client_keeps_to_every_window),
      TEST(test_PM_08_small_messages_are_not_compressed),
      TEST(test_PM_13_a_plain_message_leaves_the_context_alone),
      TEST(test_PM_05_without_an_offer_nothing_is_compressed),
      TEST(test_a_publish_is_compressed_once_for_each_window),
      TEST(test_FR_16_SE_04_a_bomb_is_defused),
      TEST(test_a_compressed_message_allocates_nothing),
      TEST(test_the_same_between_a_client_and_a_server),
  };
  coho_set_allocator(counting_alloc, NULL);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
