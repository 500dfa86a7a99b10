#include "support/alloc_fail.h"
#include "support/raw.h"

#include <stdlib.h>
#include <string.h>

static struct world w;
static struct probe server, client;
static struct raw raw;

static int setup(void **state) {
  (void)state;
  memset(&server, 0, sizeof server);
  memset(&client, 0, sizeof client);
  server.message = probe_echo;
  return 0;
}

static void open_pair(uint64_t max_message) {
  coho_options so = probe_options(&server), co = probe_options(&client);
  so.max_message = co.max_message = max_message;
  world_open(&w, "/*", &so);
  world_connect(&w, "/", &co);
  UNTIL(&w, client.opens == 1 && server.opens == 1);
}

static void close_pair(void) {
  if (client.conn) assert_int_equal(coho_close(client.conn, 1000, NULL), 0);
  UNTIL(&w, client.closes == 1 && server.closes == 1);
  world_close(&w);
}

/* ---- whole messages ------------------------------------------------------------------------- */

static void test_every_length_form_comes_back(void **state) {
  static const size_t sizes[] = {0,    1,     125,   126,   127,   128,
                                 4096, 16383, 16384, 65535, 65536, 1 << 20};
  (void)state;
  open_pair(0);
  char *data = (char *)malloc(1 << 20);
  for (size_t i = 0; i < 1 << 20; i++)
    data[i] = (char)('a' + i % 26);
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    unsigned before = client.messages;
    size_t bytes = client.bytes;
    assert_true(coho_send(client.conn, coho_text_n(data, sizes[i])) >= 0);
    UNTIL(&w, client.messages == before + 1);
    assert_int_equal(client.bytes - bytes, sizes[i]);
    assert_int_equal(client.last_type, COHO_TEXT);
    assert_memory_equal(client.last, data, sizes[i] < 4095 ? sizes[i] : 4095);
  }
  free(data);
  close_pair();
}

static void test_untyped_message_is_binary(void **state) {
  (void)state;
  open_pair(0);
  assert_int_equal(coho_send(client.conn, (coho_msg){.data = "\xff\x00", .len = 2}), COHO_SENT);
  UNTIL(&w, client.messages == 1);
  assert_int_equal(client.last_type, COHO_BINARY);
  assert_memory_equal(client.last, "\xff\x00", 2);
  close_pair();
}

static void test_many_messages_in_one_turn_keep_their_order(void **state) {
  (void)state;
  open_pair(0);
  for (uint32_t i = 0; i < 5000; i++)
    assert_true(coho_send(client.conn, coho_binary(&i, sizeof i)) >= 0);
  for (uint32_t i = 0; i < 5000; i++) {
    uint32_t last;
    UNTIL(&w, client.messages > i);
    memcpy(&last, client.last, sizeof last);
    assert_int_equal(last, client.messages - 1);
    i = client.messages - 1;
  }
  close_pair();
}

static void test_each_connection_opens_then_ends_once(void **state) {
  (void)state;
  open_pair(0);
  coho_send(client.conn, coho_text("x"));
  UNTIL(&w, client.messages == 1);
  close_pair();
  assert_string_equal(client.order, "omc");
  assert_string_equal(server.order, "omc");
}

/* ---- parts ---------------------------------------------------------------------------------- */

static void test_parts_are_echoed_as_parts(void **state) {
  (void)state;
  coho_options so = probe_options(&server);
  struct raw_frame f;
  so.flags = COHO_STREAM;
  world_open(&w, "/", &so);
  raw_connect(&raw, &w);
  assert_int_equal(raw_upgrade(&raw, "/", ""), 101);
  raw_frame(&raw, 1, false, "one", 3);
  assert_true(raw_next(&raw, &f));
  assert_int_equal(f.opcode, 1);
  assert_false(f.fin);
  assert_memory_equal(f.data, "one", 3);
  raw_frame(&raw, 0, true, "two", 3);
  assert_true(raw_next(&raw, &f));
  assert_int_equal(f.opcode, 0);
  assert_true(f.fin);
  assert_memory_equal(f.data, "two", 3);
  assert_int_equal(server.messages, 2);
  raw_close(&raw);
  UNTIL(&w, server.closes == 1);
  world_close(&w);
}

static void test_fragments_are_delivered_whole_without_stream(void **state) {
  (void)state;
  coho_options so = probe_options(&server);
  struct raw_frame f;
  world_open(&w, "/", &so);
  raw_connect(&raw, &w);
  assert_int_equal(raw_upgrade(&raw, "/", ""), 101);
  raw_frame(&raw, 2, false, "one", 3);
  raw_frame(&raw, 9, true, "?", 1); /* answered before the message is complete (5.4) */
  assert_true(raw_next(&raw, &f));
  assert_int_equal(f.opcode, 10);
  assert_int_equal(server.messages, 0);
  raw_frame(&raw, 0, true, "two", 3);
  assert_true(raw_next(&raw, &f));
  assert_int_equal(f.opcode, 2);
  assert_memory_equal(f.data, "onetwo", 6);
  raw_close(&raw);
  UNTIL(&w, server.closes == 1);
  world_close(&w);
}

/* ---- pings ---------------------------------------------------------------------------------- */

static void test_CT_03_pong_carries_the_pings_data(void **state) {
  (void)state;
  open_pair(0);
  assert_int_equal(coho_ping(client.conn, "\x01\xff?", 3), 0);
  UNTIL(&w, client.pongs == 1);
  assert_int_equal(server.pings, 1);
  assert_memory_equal(client.last, "\x01\xff?", 4);
  char long_one[126] = {0};
  assert_int_equal(coho_ping(client.conn, long_one, sizeof long_one), COHO_EINVAL);
  close_pair();
}

/* ---- memory --------------------------------------------------------------------------------- */

static void test_an_echoed_message_allocates_nothing(void **state) {
  (void)state;
#ifdef COHO_HARD
  skip(); /* with reads that small it is one of many pieces */
#endif
  coho_options so = probe_options(&server);
  struct raw_frame f;
  char payload[1024];
  memset(payload, 'x', sizeof payload);
  world_open(&w, "/", &so);
  raw_connect(&raw, &w);
  assert_int_equal(raw_upgrade(&raw, "/", ""), 101);
  raw_frame(&raw, 1, true, payload, sizeof payload);
  assert_true(raw_next(&raw, &f));
  alloc_fail_at(0);
  for (int i = 0; i < 1000; i++) {
    raw_frame(&raw, 1, true, payload, sizeof payload);
    assert_true(raw_next(&raw, &f));
    assert_int_equal(f.len, sizeof payload);
  }
  assert_int_equal(alloc_calls(), 0);
  raw_close(&raw);
  UNTIL(&w, server.closes == 1);
  world_close(&w);
}

static void test_a_large_message_leaves_no_memory_behind(void **state) {
  (void)state;
  open_pair(0);
  char *data = (char *)calloc(1, 1 << 20);
  coho_send(client.conn, coho_binary(data, 4096)); /* the loop's states for compression stay */
  UNTIL(&w, client.messages == 1);
  size_t before = alloc_live();
  coho_send(client.conn, coho_binary(data, 1 << 20));
  UNTIL(&w, client.messages == 2);
  coho_send(client.conn, coho_text("small again"));
  UNTIL(&w, client.messages == 3);
  world_turn(&w);
  /* The loop's cork may have grown. */
  assert_true(alloc_live() < before + 256 * 1024);
  free(data);
  close_pair();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_every_length_form_comes_back, setup),
      cmocka_unit_test_setup(test_untyped_message_is_binary, setup),
      cmocka_unit_test_setup(test_many_messages_in_one_turn_keep_their_order, setup),
      cmocka_unit_test_setup(test_each_connection_opens_then_ends_once, setup),
      cmocka_unit_test_setup(test_parts_are_echoed_as_parts, setup),
      cmocka_unit_test_setup(test_fragments_are_delivered_whole_without_stream, setup),
      cmocka_unit_test_setup(test_CT_03_pong_carries_the_pings_data, setup),
      cmocka_unit_test_setup(test_an_echoed_message_allocates_nothing, setup),
      cmocka_unit_test_setup(test_a_large_message_leaves_no_memory_behind, setup),
  };
  alloc_fail_at(0);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  alloc_assert_none_live();
  return failed;
}
