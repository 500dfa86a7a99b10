/* What is received, by the vectors of RFC 7692 7.2.3 and what hostile peers make of them: each message
   whole, byte by byte, and cut at every place. */
#include "proto/permessage.h"

#include "base/budget.h"
#include "base/check.h"
#include "support/alloc_fail.h"
#include "unit/arrival.h"
#include "unit/packable.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct coho__deflate_pool *pool;
static uint8_t message[ARRIVAL_MOST], unpacked[ARRIVAL_MOST];

/* ---- helpers -------------------------------------------------------------------------------- */

static struct coho__permessage *receiver(bool context) { return arrival_receiver(pool, context); }

static ssize_t receive(struct coho__permessage *p, const void *packed, size_t len,
                       struct arrival way) {
  return arrive(p, packed, len, way, unpacked);
}

#define PARTS 4

/* Messages that come one after the other, and what each means: NULL: COHO_EINFLATE, and the end. */
struct talk {
  const char *what;
  struct {
    struct coho__view packed;
    const char *text;
  } parts[PARTS];
};

static void listen_to(const struct talk *t, bool context, struct arrival way) {
  struct coho__permessage *p = receiver(context);
  for (size_t i = 0; i < PARTS && t->parts[i].packed.data; i++) {
    const char *text = t->parts[i].text;
    ssize_t n = receive(p, t->parts[i].packed.data, t->parts[i].packed.len, way);
    bool right = !text ? n == COHO_EINFLATE
                       : n == (ssize_t)strlen(text) && !memcmp(unpacked, text, strlen(text));
    if (!right)
      fail_msg("%s: message %zu, context %d, cut %zu, step %zu, cap %zu: %zd", t->what, i, context,
               way.cut, way.step, way.cap, n);
    if (n < 0) break;
  }
  coho__permessage_free(p);
}

/* In every way in which it may come. */
static void listen_each_way(const struct talk *t, bool context) {
  static const size_t caps[] = {1, 2, 5, 6, 100};
  listen_to(t, context, ARRIVAL_WHOLE);
  for (size_t i = 0; i < COHO_COUNT(caps); i++) {
    listen_to(t, context, (struct arrival){1, 1, caps[i]});
    for (size_t cut = 1; cut < 20; cut++)
      listen_to(t, context, (struct arrival){cut, SIZE_MAX, caps[i]});
  }
}

#define HELLO VIEW("\xf2\x48\xcd\xc9\xc9\x07\x00")
#define AGAIN VIEW("\xf2\x00\x11\x00\x00") /* the same, by what came before it */
#define TAIL  "\x00\x00\xff\xff"
#define EMPTY "\x00\x00\x00\xff\xff" /* a block */

enum { WITHOUT = 1, WITH = 2, EITHER = 3 }; /* context takeover */

static void listen_with(unsigned contexts, const struct talk *t) {
  if (contexts & WITHOUT) listen_each_way(t, false);
  if (contexts & WITH) listen_each_way(t, true);
}

#define LISTEN(contexts, ...) listen_with((contexts), &(const struct talk)__VA_ARGS__)

/* ---- receiving ------------------------------------------------------------------------------ */

static void test_TR_01_empty_message(void **state) {
  (void)state;
  LISTEN(EITHER, {"empty", {{VIEW("\x00"), ""}, {HELLO, "Hello"}, {VIEW("\x00"), ""}}});
  LISTEN(EITHER, {"empty block", {{VIEW("\x02\x00"), ""}, {HELLO, "Hello"}}});
}

static void test_TR_02_last_fragment_is_the_empty_block(void **state) {
  (void)state;
  LISTEN(EITHER, {"flushed first",
                  {{VIEW("\xf2\x48\xcd\xc9\xc9\x07\x00" TAIL "\x00"), "Hello"}, {HELLO, "Hello"}}});
}

static void test_TR_03_message_of_no_bytes(void **state) {
  (void)state;
  LISTEN(EITHER, {"nothing", {{VIEW(""), NULL}}});
  LISTEN(EITHER, {"nothing after something", {{HELLO, "Hello"}, {VIEW(""), NULL}}});
}

static void test_TR_04_truncated(void **state) {
  (void)state;
  LISTEN(EITHER, {"1 byte less", {{VIEW("\xf2\x48\xcd\xc9\xc9\x07"), NULL}}});
  LISTEN(EITHER, {"2 bytes less", {{VIEW("\xf2\x48\xcd\xc9\xc9"), NULL}}});
  LISTEN(EITHER, {"1 byte", {{VIEW("\xf2"), NULL}}});
  LISTEN(EITHER, {"tail sent", {{VIEW("\xf2\x48\xcd\xc9\xc9\x07\x00" TAIL), NULL}}});
  LISTEN(EITHER, {"half a tail sent", {{VIEW("\xf2\x48\xcd\xc9\xc9\x07\x00\x00\x00"), NULL}}});
  LISTEN(EITHER, {"in a stored block", {{VIEW("\x00\x05\x00\xfa\xff\x48\x65\x6c"), NULL}}});
  LISTEN(EITHER,
         {"in a stored block that the tail fills", {{VIEW("\x00\x05\x00\xfa\xff\x48"), NULL}}});
  LISTEN(EITHER, {"in a stored block's header", {{VIEW("\x00\x05\x00"), NULL}}});
  LISTEN(EITHER, {"in a final block", {{VIEW("\xf3\x48\xcd\xc9"), NULL}}});
  LISTEN(EITHER, {"second one", {{HELLO, "Hello"}, {VIEW("\xf2\x48\xcd\xc9\xc9\x07"), NULL}}});
}

static void test_PM_12_stored_block_and_two_blocks(void **state) {
  (void)state;
  LISTEN(EITHER, {"stored", {{VIEW("\x00\x05\x00\xfa\xffHello\x00"), "Hello"}}});
  LISTEN(EITHER, {"two", {{VIEW("\xf2\x48\x05\x00" TAIL "\xca\xc9\xc9\x07\x00"), "Hello"}}});
}

static void test_TR_05_final_block(void **state) {
  (void)state;
#define FINAL "\xf3\x48\xcd\xc9\xc9\x07\x00"
  LISTEN(EITHER, {"final", {{VIEW(FINAL "\x00"), "Hello"}, {HELLO, "Hello"}}});
  LISTEN(EITHER, {"final only", {{VIEW("\x03\x00\x00"), ""}, {HELLO, "Hello"}}});
  LISTEN(EITHER, {"final stored, whose tail is not sent", {{VIEW("\x01"), ""}, {HELLO, "Hello"}}});
  LISTEN(EITHER, {"final without the empty block", {{VIEW(FINAL), NULL}}});
  LISTEN(EITHER, {"final ones",
                  {{VIEW("\x03\x00" FINAL FINAL "\x03\x00"
                         "\x00"),
                    "HelloHello"}}});
  LISTEN(EITHER, {"others behind it",
                  {{VIEW(FINAL "\xf2\x48\xcd\xc9\xc9\x07\x00"), "HelloHello"}, {HELLO, "Hello"}}});
  LISTEN(EITHER, {"garbage behind it", {{VIEW(FINAL "\xff\xff"), NULL}}});
}

static void test_TR_06_PD_05_context_outlives_final_blocks(void **state) {
  (void)state;
  LISTEN(WITH, {"next message", {{VIEW(FINAL "\x00"), "Hello"}, {AGAIN, "Hello"}}});
  LISTEN(WITH,
         {"after an empty one", {{HELLO, "Hello"}, {VIEW("\x03\x00\x00"), ""}, {AGAIN, "Hello"}}});
  LISTEN(EITHER, {"same message", {{VIEW(FINAL "\xf2\x00\x11\x00\x00"), "HelloHello"}}});
}

static void test_TR_07_empty_blocks(void **state) {
  (void)state;
  LISTEN(EITHER, {"behind",
                  {{VIEW("\xf2\x48\xcd\xc9\xc9\x07\x00" TAIL EMPTY EMPTY "\x00"), "Hello"},
                   {HELLO, "Hello"}}});
  LISTEN(EITHER, {"before", {{VIEW(EMPTY EMPTY "\xf2\x48\xcd\xc9\xc9\x07\x00"), "Hello"}}});
}

static void test_TR_08_PD_04_bad_data(void **state) {
  (void)state;
  LISTEN(WITH, {"with context", {{HELLO, "Hello"}, {AGAIN, "Hello"}, {AGAIN, "Hello"}}});
  LISTEN(WITHOUT, {"refers to the message before", {{HELLO, "Hello"}, {AGAIN, NULL}}});
  LISTEN(EITHER, {"refers to nothing", {{AGAIN, NULL}}});
  LISTEN(EITHER, {"block type 3", {{VIEW("\xff\xff"), NULL}}});
  LISTEN(EITHER, {"stored length", {{VIEW("\x00\x05\x00\xfb\xffHello\x00"), NULL}}});
  LISTEN(EITHER, {"zlib's header", {{VIEW("\x78\x9c\xf2\x48\xcd\xc9\xc9\x07\x00"), NULL}}});
}

/* What yields nothing is used up all the same, in time that grows with its length alone. */
static void test_TR_07_endless_empty_blocks(void **state) {
  (void)state;
  const struct coho__view blocks[] = {VIEW(EMPTY), VIEW("\x03\x00"), VIEW("\x02\x08\x20\x80\x00")};
  static uint8_t packed[1 << 20];
  static const struct arrival ways[] = {{0, 0, 0}, {1000, 1000, 16}};
  for (size_t i = 0; i < COHO_COUNT(blocks); i++) {
    size_t n = sizeof packed / blocks[i].len * blocks[i].len, unit = blocks[i].len;
    for (size_t at = 0; at < n; at++)
      packed[at] = (uint8_t)blocks[i].data[at % unit];
    packed[n - unit] = 0; /* the end, instead of the last one */
    for (size_t way = 0; way < 2 * COHO_COUNT(ways); way++) {
      struct coho__permessage *p = receiver(way % 2);
      assert_int_equal(receive(p, packed, n - unit + 1, ways[way / 2]), 0);
      coho__permessage_free(p);
    }
  }
}

/* ---- broken messages ------------------------------------------------------------------------- */

/* Whole and in pieces they mean the same; nothing is read or written where it should not be. */
static void test_TR_08_broken_messages_break_alike(void **state) {
  (void)state;
  struct dice d = dice_of(1007);
  struct coho__permessage *whole = receiver(false), *cut = receiver(false),
                          *sender = receiver(false);
  size_t accepted = 0;
  for (int i = 0; i < 4000; i++) {
    struct coho__view packed;
    size_t len = 20 + dice(&d, i % 4 ? 200 : 6000);
    packable_fill(&d, (enum packable)dice(&d, PACKABLE_NOISE), message, len);
    if (!coho__permessage_pack(sender, message, len, &packed)) continue;
    uint8_t *copy = (uint8_t *)malloc(packed.len);
    memcpy(copy, packed.data, packed.len);
    for (uint32_t hits = dice(&d, 3); hits < 3; hits++)
      copy[dice(&d, (uint32_t)packed.len)] ^= (uint8_t)(1U << dice(&d, 8));
    size_t keep = dice(&d, 4) ? packed.len : dice(&d, (uint32_t)packed.len);
    ssize_t a = receive(whole, copy, keep, ARRIVAL_WHOLE);
    uint8_t *first = (uint8_t *)malloc(ARRIVAL_MOST);
    memcpy(first, unpacked, ARRIVAL_MOST);
    ssize_t b = receive(cut, copy, keep, (struct arrival){dice(&d, 30), 1 + dice(&d, 99), 333});
    assert_int_equal(a, b);
    if (a > 0) assert_memory_equal(first, unpacked, (size_t)a);
    accepted += a >= 0;
    free(first);
    free(copy);
    if (b < 0) { /* that connection is over */
      coho__permessage_free(cut);
      cut = receiver(false);
    }
  }
  assert_in_range(accepted, 10, 3900);
  coho__permessage_free(whole);
  coho__permessage_free(cut);
  coho__permessage_free(sender);
}

static int make_pool(void **state) {
  (void)state;
  pool = coho__deflate_pool_new();
  return pool ? 0 : -1;
}

static int free_pool(void **state) {
  (void)state;
  coho__deflate_pool_free(pool);
  return alloc_live() == 0 ? 0 : -1;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_pool, free_pool)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_TR_01_empty_message),
      TEST(test_TR_02_last_fragment_is_the_empty_block),
      TEST(test_TR_03_message_of_no_bytes),
      TEST(test_TR_04_truncated),
      TEST(test_PM_12_stored_block_and_two_blocks),
      TEST(test_TR_05_final_block),
      TEST(test_TR_06_PD_05_context_outlives_final_blocks),
      TEST(test_TR_07_empty_blocks),
      TEST(test_TR_08_PD_04_bad_data),
      TEST(test_TR_07_endless_empty_blocks),
      TEST(test_TR_08_broken_messages_break_alike),
  };
  alloc_fail_at(0);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
