/* The client of topics while connections, histories and hubs come and go as the dice have it. */
#include "support/alloc_fail.h"
#include "support/dice.h"
#include "support/ear.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct fake_hub hub;
static struct world *w;
static struct ear ear;

static int setup(void **state) {
  (void)state;
  alloc_fail_at(0);
  memset(&ear, 0, sizeof ear);
  fake_hub_open(&hub);
  w = &hub.world;
  return 0;
}

static int teardown(void **state) {
  (void)state;
  coho_client_free(ear.client);
  fake_hub_close(&hub);
  alloc_assert_none_live();
  return 0;
}

enum { MESSAGES = 400 };

struct reader {
  struct ear ear;
  uint64_t next; /* the number that should come */
  bool unknown;
};

/* The text of a message is its number, over all lives of the topic. */
static void read_number(struct ear *e, coho_follow *f, coho_pos pos, coho_msg m) {
  struct reader *r = (struct reader *)(void *)e;
  char text[16];
  (void)f, (void)pos;
  snprintf(text, sizeof text, "%.*s", (int)m.len, m.data);
  unsigned long number = strtoul(text, NULL, 10);
  if (r->unknown)
    assert_true(number >= r->next);
  else
    assert_int_equal(number, r->next);
  r->unknown = false;
  r->next = number + 1;
}

static void read_gap(struct ear *e, coho_follow *f, uint64_t lost, coho_pos pos) {
  struct reader *r = (struct reader *)(void *)e;
  (void)f, (void)pos;
  if (lost == COHO_LOST_UNKNOWN)
    r->unknown = true;
  else
    r->next += lost;
}

static void publish_number(unsigned number) {
  char text[16];
  snprintf(text, sizeof text, "%u", number);
  fake_hub_publish(&hub, "a", text);
}

/* The oldest that is held once more. */
static void repeat(void) {
  char frame[200];
  if (!hub.topics[0]->count) return;
  const struct fake_message *m = hub.topics[0]->held;
  snprintf(frame, sizeof frame, "{\"topic\":\"a\",\"pos\":\"%s.%llu\",\"data\":\"%s\"}", hub.epoch,
           (unsigned long long)m->offset, m->text);
  fake_hub_say_text(&hub, frame);
}

static void break_something(struct dice *d) {
  switch (dice(d, 5)) {
  case 0: fake_hub_kill(&hub, 0); break;
  case 1: fake_hub_kill(&hub, dice(d, 2) ? 1012 : 4408); break;
  case 2:
    hub.refuse = 1;
    hub.refuse_status = 503;
    break;
  case 3: fake_hub_trim(&hub, "a", dice(d, 8)); break;
  default:
    if (dice(d, 3) == 0) fake_hub_restart(&hub);
  }
}

static void do_something(struct dice *d, unsigned *number) {
  uint32_t what = dice(d, 100);
  if (what < 5)
    break_something(d);
  else if (what < 10)
    repeat();
  else if (what < 50)
    world_turn(w);
  else
    publish_number(++*number);
}

static void test_each_message_once_or_a_true_gap(void **state) {
  (void)state;
  unsigned messages = 0, gaps = 0, opens = 0;
  for (uint64_t seed = 1; seed <= 8; seed++) {
    struct dice d = dice_of(seed);
    struct reader r = {.next = 1};
    unsigned number = 0;
    if (seed > 1) (void)setup(NULL);
    r.ear.on_message = read_number;
    r.ear.on_gap = read_gap;
    fake_hub_trim(&hub, "a", 0); /* there is a topic */
    ear_connect(&r.ear, &hub, NULL);
    ear_follow(&r.ear, "a", NULL);
    UNTIL(w, r.ear.heard[0]);
    while (number < MESSAGES)
      do_something(&d, &number);
    publish_number(++number);
    UNTIL(w, r.next > number);
    messages += r.ear.messages;
    gaps += r.ear.gaps;
    opens += hub.opens;
    coho_client_free(r.ear.client);
    if (seed < 8) (void)teardown(NULL);
  }
  print_message("%u messages, %u gaps, %u connections\n", messages, gaps, opens);
  assert_true(messages > 8 * MESSAGES / 2 && gaps > 8 && opens > 8 * 4); /* it was a storm */
}

/* Whatever happens to the connection, each publish ends once, and what it says is so. */
static void test_each_publish_once(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 8; seed++) {
    struct dice d = dice_of(seed);
    unsigned sent = 0;
    char text[16];
    if (seed > 1) (void)setup(NULL);
    ear_connect(&ear, &hub, NULL);
    while (sent < MESSAGES) {
      switch (dice(&d, 12)) {
      case 0: fake_hub_kill(&hub, dice(&d, 2) ? 0 : 1001); break;
      case 1: hub.drop_pub_answer = 1; break;
      case 2:
      case 3: world_turn(w); break;
      default: snprintf(text, sizeof text, "%u", sent); sent += ear_publish(&ear, "a", text) == 0;
      }
    }
    UNTIL(w, ear.done == sent);
    assert_int_equal(ear.failed, 0);
    assert_int_equal(hub.accepted, sent);
    for (unsigned i = 0; i < sent; i++) {
      snprintf(text, sizeof text, "%u", i);
      assert_string_equal(hub.topics[0]->held[i].text, text);
    }
    if (seed < 8) (void)teardown(NULL);
    if (seed < 8) memset(&ear, 0, sizeof ear);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_each_message_once_or_a_true_gap, setup, teardown),
      cmocka_unit_test_setup_teardown(test_each_publish_once, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
