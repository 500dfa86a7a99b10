/* The codec of a connection: what is sent, both sides against each other, and memory. */
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

static void test_PD_05_PD_06_contexts_of_all_windows(void **state) {
  (void)state;
  struct dice d = dice_of(15);
  for (unsigned window = 8; window <= 15; window++) {
    struct coho__deflate_terms terms = {.agreed = true,
                                        .server_window = (uint8_t)window,
                                        .client_window = (uint8_t)window,
                                        .own_sends = true,
                                        .own_receives = true};
    struct coho__permessage *s = coho__permessage_new(pool, COHO_SERVER, &terms, &arrival_conf);
    struct coho__permessage *c = coho__permessage_new(pool, COHO_CLIENT, &terms, &arrival_conf);
    struct coho__view packed;
    for (int i = 0; i < 30; i++) {
      size_t len = 1 + dice(&d, 3000);
      packable_fill(&d, PACKABLE_FAR, message, len);
      if (!coho__permessage_pack(s, message, len, &packed)) continue;
      struct arrival way = {dice(&d, 50), dice(&d, 2) * (1 + (size_t)dice(&d, 40)),
                            1 + dice(&d, 40)};
      assert_int_equal(receive(c, packed.data, packed.len, way), len);
      assert_memory_equal(unpacked, message, len);
    }
    coho__permessage_free(s);
    coho__permessage_free(c);
  }
}

/* ---- sending -------------------------------------------------------------------------------- */

static struct coho__permessage *sender(bool context, uint8_t window, uint32_t min_size) {
  struct coho__deflate_terms terms = {
      .agreed = true, .server_window = window, .client_window = 15, .own_sends = context};
  coho_deflate c = arrival_conf;
  c.min_size = min_size;
  return coho__permessage_new(pool, COHO_SERVER, &terms, &c);
}

static void test_PM_08_small_messages_and_noise_stay_as_they_are(void **state) {
  (void)state;
  struct dice d = dice_of(8);
  struct coho__view packed;
  for (int context = 0; context < 2; context++) {
    struct coho__permessage *p = sender(context != 0, 15, 256);
    memset(message, 'a', 1000);
    assert_false(coho__permessage_pack(p, message, 0, &packed));
    assert_false(coho__permessage_pack(p, message, 255, &packed));
    assert_true(coho__permessage_pack(p, message, 256, &packed));
    packable_fill(&d, PACKABLE_NOISE, message, 1000);
    assert_false(coho__permessage_pack(p, message, 1000, &packed));
    coho__permessage_free(p);
    p = sender(context != 0, 15, 1);
    assert_false(coho__permessage_pack(p, message, 0, &packed));
    assert_false(coho__permessage_pack(p, message, 1, &packed));
    assert_true(coho__permessage_pack(p, "aaaaaaaaaa", 10, &packed));
    coho__permessage_free(p);
  }
}

/* What the peer did not get compressed is not in the context: small ones, noise, what was forgotten. */
static void test_PM_13_PD_05_context_is_what_the_peer_has(void **state) {
  (void)state;
  struct dice d = dice_of(9);
  struct coho__permessage *s = sender(true, 12, 100), *c = receiver(true);
  size_t refused = 0, forgotten = 0;
  for (int i = 0; i < 400; i++) {
    struct coho__view packed;
    size_t len = 1 + dice(&d, 2000);
    packable_fill(&d, (enum packable)dice(&d, PACKABLE_KINDS), message, len);
    if (!coho__permessage_pack(s, message, len, &packed)) {
      refused++;
    } else if (dice(&d, 10) == 0) {
      coho__permessage_forget(s);
      forgotten++;
    } else {
      assert_int_equal(receive(c, packed.data, packed.len, ARRIVAL_WHOLE), len);
      assert_memory_equal(unpacked, message, len);
    }
  }
  assert_true(refused > 50 && forgotten > 10);
  coho__permessage_free(s);
  coho__permessage_free(c);
}

static void test_share_key(void **state) {
  (void)state;
  struct coho__permessage *own = sender(true, 15, 1), *a = sender(false, 12, 1),
                          *b = sender(false, 12, 1), *c = sender(false, 11, 1);
  struct coho__view packed;
  assert_int_equal(coho__permessage_share_key(own), 0);
  assert_int_not_equal(coho__permessage_share_key(a), 0);
  assert_int_equal(coho__permessage_share_key(a), coho__permessage_share_key(b));
  assert_int_not_equal(coho__permessage_share_key(a), coho__permessage_share_key(c));
  packable_fill(&(struct dice){3}, PACKABLE_JSON, message, 5000);
  assert_true(coho__permessage_pack(a, message, 5000, &packed));
  size_t len = packed.len;
  memcpy(unpacked, packed.data, len);
  assert_true(coho__permessage_pack(c, message, 3000, &packed));
  assert_true(coho__permessage_pack(b, message, 5000, &packed));
  assert_int_equal(packed.len, len);
  assert_memory_equal(packed.data, unpacked, len);
  coho__permessage_free(own);
  coho__permessage_free(a);
  coho__permessage_free(b);
  coho__permessage_free(c);
}

/* As in an echo: what was just unpacked is packed. */
static void test_what_was_unpacked_can_be_packed(void **state) {
  (void)state;
  struct coho__permessage *s = sender(false, 15, 1), *r = receiver(false);
  struct coho__view packed, m;
  for (size_t len = 100; len < ARRIVAL_MOST; len *= 3) {
    packable_fill(&(struct dice){len}, PACKABLE_JSON, message, len);
    assert_true(coho__permessage_pack(s, message, len, &packed));
    assert_int_equal(coho__permessage_unpack(r, packed.data, packed.len, ARRIVAL_MOST, &m), 0);
    assert_true(coho__permessage_pack(s, m.data, m.len, &packed));
    assert_memory_equal(m.data, message, len);
    assert_int_equal(coho__permessage_unpack(r, packed.data, packed.len, ARRIVAL_MOST, &m), 0);
    assert_int_equal(m.len, len);
    assert_memory_equal(m.data, message, len);
  }
  coho__permessage_free(s);
  coho__permessage_free(r);
}

/* ---- both sides ------------------------------------------------------------------------------ */

static void read_head(struct coho__http1 *h, enum coho__http1_kind kind, const char *extensions) {
  char head[400];
  size_t used;
  int n = snprintf(head, sizeof head, "%sSec-WebSocket-Extensions: %s\r\n\r\n",
                   kind == COHO_HTTP1_REQUEST ? "GET / HTTP/1.1\r\n" : "HTTP/1.1 101 X\r\n",
                   extensions);
  coho__http1_init(h, kind, NULL);
  assert_int_equal(coho__http1_input(h, head, (size_t)n, &used), 1);
}

struct pair {
  struct coho__permessage *client, *server;
};

static struct pair pair_of(const coho_deflate *client, const coho_deflate *server) {
  struct coho__deflate_terms c, s;
  char text[COHO_DEFLATE_TEXT];
  struct coho__http1 h;
  read_head(&h, COHO_HTTP1_REQUEST, coho__deflate_offer(client, text));
  assert_int_equal(coho__deflate_accept(&h, server, &s), 0);
  coho__http1_free(&h);
  read_head(&h, COHO_HTTP1_RESPONSE, coho__deflate_answer(&s, text));
  assert_int_equal(coho__deflate_check_answer(&h, client, &c), 0);
  coho__http1_free(&h);
  return (struct pair){coho__permessage_new(pool, COHO_CLIENT, &c, client),
                       coho__permessage_new(pool, COHO_SERVER, &s, server)};
}

static coho_deflate any_conf(struct dice *d, coho_role role) {
  coho_deflate set = {.mode = 1 + dice(d, 2),
                      .window = 9 + dice(d, 7),
                      .peer_window = 8 + dice(d, 8),
                      .memory = 1 + dice(d, 9),
                      .level = 1 + dice(d, 9),
                      .min_size = 1 + dice(d, 300)};
  coho_deflate out;
  assert_int_equal(coho__deflate_conf_read(role, &set, &out), 0);
  return out;
}

static void send_any(struct dice *d, struct coho__permessage *from, struct coho__permessage *to) {
  struct coho__view packed;
  size_t len = 1 + (size_t)dice(d, 1U << dice(d, 16));
  packable_fill(d, (enum packable)dice(d, PACKABLE_KINDS), message, len);
  if (!coho__permessage_pack(from, message, len, &packed)) return;
  assert_true(packed.len < len);
  size_t step = dice(d, 2) * (1 + (size_t)dice(d, 5000));
  struct arrival way = {dice(d, 50), step, 20 + dice(d, 5000)};
  assert_int_equal(receive(to, packed.data, packed.len, way), len);
  assert_memory_equal(unpacked, message, len);
}

static void test_PM_07_PD_04_round_trips_with_any_options(void **state) {
  (void)state;
  struct dice d = dice_of(7692);
  for (int round = 0; round < 150; round++) {
    coho_deflate client = any_conf(&d, COHO_CLIENT), server = any_conf(&d, COHO_SERVER);
    struct pair p = pair_of(&client, &server);
    for (int i = 0; i < 12; i++) {
      if (dice(&d, 2))
        send_any(&d, p.client, p.server);
      else
        send_any(&d, p.server, p.client);
    }
    coho__permessage_free(p.client);
    coho__permessage_free(p.server);
    assert_int_equal(coho_contexts_used(), 0);
  }
}

/* ---- memory --------------------------------------------------------------------------------- */

static struct coho__permessage *both_ways(const struct coho__deflate_terms *terms) {
  coho_deflate c = arrival_conf;
  c.memory = 5;
  return coho__permessage_new(pool, COHO_SERVER, terms, &c);
}

/* Own contexts take what was set aside for them, from their first message on; without them there is
   nothing to a connection but a few bytes. */
static void test_contexts_take_what_was_set_aside(void **state) {
  (void)state;
  struct coho__deflate_terms terms = {.agreed = true,
                                      .server_window = 12,
                                      .client_window = 11,
                                      .own_sends = true,
                                      .own_receives = true};
  struct coho__view packed, m;
  packable_fill(&(struct dice){4}, PACKABLE_JSON, message, 9000);
  struct coho__permessage *other = sender(false, 11, 1);
  assert_true(coho__permessage_pack(other, message, 9000, &packed));
  size_t len = packed.len;
  memcpy(unpacked, packed.data, len);
  coho__deflate_pool_trim(pool);
  size_t before = alloc_live();
  terms.own = coho__deflater_size(12, 5) + coho__inflater_size(11);
  assert_true(coho__contexts_take(terms.own));
  struct coho__permessage *p = both_ways(&terms);
  assert_in_range(alloc_live() - before, 1, 64);
  before = alloc_live();
  assert_true(coho__permessage_pack(p, message, 9000, &packed));
  coho__deflate_pool_trim(pool);
  assert_int_equal(alloc_live() - before, coho__deflater_size(12, 5));
  coho__permessage_free(other);
  before = alloc_live();
  for (int i = 0; i < 3; i++)
    assert_int_equal(coho__permessage_unpack(p, unpacked, len, ARRIVAL_MOST, &m), 0);
  coho__deflate_pool_trim(pool);
  assert_in_range(alloc_live() - before, coho__inflater_size(11), coho__inflater_size(11) + 65536);
  assert_int_equal(coho_contexts_used(), terms.own);
  coho__permessage_free(p);
  assert_int_equal(coho_contexts_used(), 0);
}

/* Many messages may be under way at a time, and end in the middle. */
static void test_messages_under_way(void **state) {
  (void)state;
  enum { MANY = 20 };
  static const uint8_t hello[] = {0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00};
  struct coho__permessage *p[MANY];
  for (size_t i = 0; i < MANY; i++)
    p[i] = receiver(i % 3 == 0);
  for (size_t round = 0; round < 3; round++) {
    for (size_t at = 0; at < sizeof hello; at++) {
      for (size_t i = 0; i < MANY; i++)
        assert_true(arrive_piece(p[i], hello + at, 1, 9, unpacked) >= 0);
    }
    for (size_t i = 0; i < MANY; i++)
      if ((i + round) % 4 == 0)
        assert_int_equal(arrive_piece(p[i], hello + 6, 1, 9, unpacked), 0); /* half a block */
      else
        assert_int_equal(coho__permessage_end(p[i]), 0);
    for (size_t i = 0; i < MANY; i++) {
      if ((i + round) % 4) continue;
      coho__permessage_free(p[i]);
      p[i] = receiver(i % 3 == 0);
    }
  }
  for (size_t i = 0; i < MANY; i++)
    coho__permessage_free(p[i]);
  /* Only a few states are kept for those that come. */
  assert_in_range(alloc_live(), 1, 5 * coho__inflater_size(15));
}

/* Packs the message and unpacks it, whole and in pieces: its length or an error. */
static ssize_t there_and_back(struct coho__permessage *p) {
  static const struct arrival way = {3, 2, 4};
  struct coho__view packed, m;
  ssize_t n;
  uint8_t copy[3000];
  if (!coho__permessage_pack(p, message, 3000, &packed)) return COHO_ENOMEM;
  size_t len = packed.len;
  memcpy(copy, packed.data, len);
  n = coho__permessage_unpack(p, copy, len, ARRIVAL_MOST, &m);
  if (n < 0) return n;
  assert_int_equal(m.len, 3000);
  assert_memory_equal(m.data, message, 3000);
  n = receive(p, copy, len, way);
  if (n < 0) return n;
  assert_int_equal(n, 3000);
  assert_memory_equal(unpacked, message, 3000);
  return n;
}

static int attempt(const struct coho__deflate_terms *terms) {
  struct coho__deflate_pool *shared = pool;
  pool = coho__deflate_pool_new();
  struct coho__permessage *p = pool ? both_ways(terms) : NULL;
  ssize_t n = p ? there_and_back(p) : COHO_ENOMEM;
  coho__permessage_free(p);
  coho__deflate_pool_free(pool);
  pool = shared;
  return n < 0 ? (int)n : 0;
}

/* Each allocation fails in turn: COHO_ENOMEM, and nothing is left. */
static void test_out_of_memory(void **state) {
  (void)state;
  struct coho__deflate_terms terms = {.agreed = true, .server_window = 9, .client_window = 15};
  packable_fill(&(struct dice){4}, PACKABLE_JSON, message, 3000);
  for (int context = 0; context < 2; context++) {
    terms.own_sends = terms.own_receives = context != 0;
    size_t before = alloc_live();
    for (long i = 1;; i++) {
      alloc_fail_at(i);
      int err = attempt(&terms);
      bool failed = alloc_failed();
      assert_int_equal(err, failed ? COHO_ENOMEM : 0);
      assert_int_equal(alloc_live(), before);
      if (!failed) break;
      assert_in_range(i, 1, 100);
    }
  }
  alloc_fail_at(0);
}

/* What is sent goes uncompressed; what comes compressed cannot be read. Later both work. */
static void test_B10_no_contexts_while_memory_is_tight(void **state) {
  (void)state;
  static const uint8_t hello[] = {0xf2, 0x48, 0xcd, 0xc9, 0xc9, 7, 0};
  struct coho__deflate_terms terms = {.agreed = true,
                                      .server_window = 15,
                                      .client_window = 15,
                                      .own_sends = true,
                                      .own_receives = true};
  struct coho__permessage *p = both_ways(&terms);
  struct coho__view v;
  packable_fill(&(struct dice){4}, PACKABLE_JSON, message, 3000);
  coho_set_memory_limit(coho_memory_used() + 32 * 1024);
  assert_false(coho__permessage_pack(p, message, 3000, &v));
  assert_int_equal(coho__permessage_unpack(p, hello, sizeof hello, 100, &v), COHO_EMEMORY);
  coho_set_memory_limit(0);
  assert_true(coho__permessage_pack(p, message, 3000, &v));
  assert_int_equal(coho__permessage_unpack(p, hello, sizeof hello, 100, &v), 0);
  assert_int_equal(v.len, 5);
  coho__permessage_free(p);
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
      TEST(test_PD_05_PD_06_contexts_of_all_windows),
      TEST(test_PM_08_small_messages_and_noise_stay_as_they_are),
      TEST(test_PM_13_PD_05_context_is_what_the_peer_has),
      TEST(test_share_key),
      TEST(test_what_was_unpacked_can_be_packed),
      TEST(test_PM_07_PD_04_round_trips_with_any_options),
      TEST(test_contexts_take_what_was_set_aside),
      TEST(test_messages_under_way),
      TEST(test_out_of_memory),
      TEST(test_B10_no_contexts_while_memory_is_tight),
  };
  alloc_fail_at(0);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
